//! `tribune serve`: the live system. So far it hands gates their snapshots as soon as anything changes, serves what the
//! world reads (the public log, statements, yearly numbers), and does the day's chores.

use crate::common::{Failure, note};
use crate::gate::token;
use crate::office::{Asking, Office, refused};
use crate::record::tell_kept_out;
use axum::Router;
use axum::extract::{Path as Asked, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use clerk::{Error, Left, Refused, Told};
use review::words::{Digest, Moment};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tlog::Tile;
use web::gate::Feed;
use web::gate::report::{Refusals, Report};

/// Serve gates, the public log and what is published; do the day's chores.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune serve --config office/tribune.toml --listen 127.0.0.1:8402")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    /// Where it answers
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8402")]
    listen: SocketAddr,
    /// The file of the token that gates elsewhere than on this machine show
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
}

/// How often it looks whether the record has grown.
const LOOK: Duration = Duration::from_millis(100);

/// After a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks without news after which everything is derived anew all the same: what ends, ends by time.
const LOOKS_MAX: u32 = 600;

/// Runs it until it is ended.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::Defect(error.to_string()))?.block_on(async {
        let office = Office::open(&args.asking).await?;
        // Gates tell by another way to the record than that on which it is followed: neither waits for the other.
        let hearing = Office::open(&args.asking).await?;
        let feed = Arc::new(Feed::default());
        let public = office.path(&office.config.log.public);
        let token = args.token.as_deref().map(token).transpose()?;
        let (reports, heard) = web::gate::report::intake(token.clone());
        let router = Arc::clone(&feed).router(token).merge(reports).merge(public_site(public));
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.map_err(|error| refused(&format!("{}: {error}", args.listen)))?;
        let address = listener.local_addr().map_err(|error| refused(&error))?;
        note(&format!("serving on http://{address}: /gate/snapshot, /log/, /statements/, /transparency/"));
        let ended = async { drop(tokio::signal::ctrl_c().await) };
        tokio::select! {
            () = web::serve(listener, router, web::Limits::default(), ended) => Ok(ExitCode::SUCCESS),
            () = follow(office, &feed) => Ok(ExitCode::SUCCESS),
            () = hear(&hearing, heard) => Ok(ExitCode::SUCCESS),
        }
    })
}

/// Follows the record: whatever was appended may change what gates are given and what is public. What fails is said and
/// tried again: gates and readers go on with what they have.
async fn follow(mut office: Office, feed: &Feed) {
    let (mut position, mut idle) = (0, LOOKS_MAX);
    loop {
        match look(&mut office, feed, position, idle >= LOOKS_MAX).await {
            Ok(Some(end)) => (position, idle) = (end, 0),
            Ok(None) => idle += 1,
            Err(why) => {
                note(&format!("not done, and tried again: {why}"));
                idle = LOOKS_MAX;
                tokio::time::sleep(PAUSE).await;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Takes up what gates tell.
async fn hear(office: &Office, mut reports: tokio::sync::mpsc::Receiver<Report>) {
    while let Some(report) = reports.recv().await {
        let Some(told) = told(report) else {
            note("a gate told something that is no report of this version; it is left out");
            continue;
        };
        match office.clerk.gate_told(&told).await {
            Ok(left) => left.iter().for_each(|one| {
                let Left { case, decision, why } = one;
                note(&format!("{case}, {decision}: back to shadow, it left its preview: {why}"));
            }),
            Err(why) => note(&format!("what the gate {} told was not kept: {why}", told.gate)),
        }
    }
}

fn told(report: Report) -> Option<Told> {
    let refusals = report.refusals.into_iter().map(|(restriction, operations)| {
        let counted = |one: Refusals| Refused { refused: one.refused, would_refuse: one.would_refuse };
        (restriction, operations.into_iter().map(|(operation, one)| (operation, counted(one))).collect())
    });
    Some(Told {
        enforces: report.enforces.parse().ok()?,
        since: Moment(report.since),
        at: Moment(report.until),
        gate: report.gate,
        version: report.version,
        broken_glass: report.broken_glass,
        refusals: refusals.collect(),
    })
}

/// Looks whether the record has grown, and if so, or where it is time, derives everything anew. Gives where the record
/// ended before that: what is appended meanwhile is looked at the next time.
async fn look(office: &mut Office, feed: &Feed, position: u64, time: bool) -> Result<Option<u64>, Failure> {
    let end = end(office, position).await?;
    office.tick();
    if end == position && !time {
        return Ok(None);
    }
    let (_, kept_out) = office.clerk.drain(office.now).await?;
    tell_kept_out(&kept_out);
    let (_, log) = office.publish(true).await?;
    let snapshot = office.clerk.snapshot(&log, &office.serving()?, office.now).await?;
    if feed.version().is_none_or(|version| version < snapshot.version()) {
        feed.publish(snapshot).map_err(|error| refused(&error))?;
    }
    Ok(Some(end))
}

/// Where the record ends.
async fn end(office: &Office, from: u64) -> Result<u64, Failure> {
    let mut position = from;
    loop {
        let page = office.clerk.record().from(position, 1_000).await.map_err(Error::from)?;
        match page.last() {
            Some(last) => position = last.position + 1,
            None => return Ok(position),
        }
    }
}

/// What the world reads. Names are of a few forms; nothing else is looked for on the disk.
fn public_site(folder: PathBuf) -> Router {
    Router::new()
        .route("/log/{*path}", get(log_file))
        .route("/statements/{name}", get(statement))
        .route("/transparency/{name}", get(transparency))
        .with_state(Arc::new(folder))
}

type Folder = State<Arc<PathBuf>>;

async fn log_file(State(folder): Folder, Asked(path): Asked<String>) -> impl IntoResponse {
    let known = path == "checkpoint" || Tile::parse(&path).is_ok();
    file(&folder.join("log"), &path, known, "application/octet-stream").await
}

async fn statement(State(folder): Folder, Asked(name): Asked<String>) -> impl IntoResponse {
    let stem = name.strip_suffix(".txt").unwrap_or(&name).to_owned();
    let known = stem.replacen('-', ":", 1).parse::<Digest>().is_ok();
    file(&folder.join("statements"), &format!("{stem}.txt"), known, "text/plain; charset=utf-8").await
}

async fn transparency(State(folder): Folder, Asked(name): Asked<String>) -> impl IntoResponse {
    let known = name.strip_suffix(".csv").is_some_and(|year| year.len() == 4 && year.parse::<u16>().is_ok());
    file(&folder.join("transparency"), &name, known, "text/csv; charset=utf-8").await
}

async fn file(folder: &Path, name: &str, known: bool, kind: &'static str) -> impl IntoResponse + use<> {
    let path = folder.join(name);
    let bytes = match known {
        true => tokio::task::spawn_blocking(move || std::fs::read(path)).await.ok().and_then(Result::ok),
        false => None,
    };
    match bytes {
        Some(bytes) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], bytes),
        None => (
            StatusCode::NOT_FOUND,
            [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
            b"there is no such file\n".to_vec(),
        ),
    }
}

//! `tribune serve`: the live system. It hands gates their snapshots as soon as anything changes, serves the pages, and does
//! the day's chores.

use crate::common::{Failure, note};
use crate::exploring::Watched;
use crate::gate::token;
use crate::office::{Asking, Office, refused};
use crate::record::tell_kept_out;
use crate::watching::{self, Recents};
use axum::Router;
use clerk::{Error, Left, Refused, Told};
use review::words::Moment;
use signals::pack::Policy;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use web::gate::report::{Refusals, Report};
use web::gate::{Askers, Feed, Token};
use web::{Means, Pages, PolicyText, Settings};

/// Serve gates and the pages; do the day's chores.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune serve --config office/tribune.toml --listen 127.0.0.1:8402")]
pub(crate) struct Args {
    #[command(flatten)]
    asking: Asking,
    /// Where it answers
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8402")]
    listen: SocketAddr,
    /// The file of the token that gates show: those on other machines, and all where `[pages] base` is in the world
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
        let token = args.token.as_deref().map(token).transpose()?;
        let listener = tokio::net::TcpListener::bind(args.listen).await;
        let listener = listener.map_err(|error| refused(&format!("{}: {error}", args.listen)))?;
        let address = listener.local_addr().map_err(|error| refused(&error))?;
        note(&format!("serving on http://{address}: the pages, and snapshots for gates under /gate/snapshot"));
        let ended = async { drop(tokio::signal::ctrl_c().await) };
        live(&args.asking, listener, token, Router::new(), ended).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// The live system, until `ended`; `more` is served beside it.
pub(crate) async fn live(
    asking: &Asking,
    listener: TcpListener,
    token: Option<Token>,
    more: Router,
    ended: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let office = Office::open(asking).await?;
    // Gates, and usage, have other ways to the record than that on which it is followed: none waits for another.
    let (hearing, watched) = (Office::open(asking).await?, Office::open(asking).await?);
    // The list of cases is read before anybody asks for it.
    office.clerk.warm().await?;
    let feed = Arc::new(Feed::default());
    let address = listener.local_addr().map_err(|error| refused(&error))?;
    let recents = Arc::new(Recents::default());
    let pages = Arc::new(pages(&office, address, Arc::clone(&recents)).await?);
    let sign_in = office.sign_in(&pages.settings.base)?;
    let askers = askers(&pages.settings, token);
    let pages = web::pages::router(Arc::clone(&pages), &sign_in);
    let (reports, heard) = web::gate::report::intake(askers.clone());
    let router = Arc::clone(&feed).router(askers).merge(reports).merge(more).merge(pages);
    // Each is a task of its own: reading a month of usage takes minutes, and neither gates nor readers wait for it.
    let mut beside = JoinSet::new();
    beside.spawn(follow(office, feed));
    beside.spawn(hear(hearing, heard));
    beside.spawn(watching::follow(watched, recents));
    let serving = web::serve(listener, router, web::Limits::default(), ended);
    tokio::select! {
        () = serving => Ok(()),
        // None of them ends but by a defect of ours, and a server that only seems to live would be worse.
        Some(Err(why)) = beside.join_next() => Err(Failure::Defect(why.to_string())),
    }
}

/// Whom snapshots are given to: whoever is on this machine, unless the pages have an address in the world.
fn askers(settings: &Settings, token: Option<Token>) -> Askers {
    let Settings { base, onion, .. } = settings;
    if is_here_alone(base, onion.as_deref()) {
        return Askers::near_or(token);
    }
    if token.is_none() {
        let at = onion.as_ref().unwrap_or(base);
        note(&format!("gates get nothing: the pages are at {at}, so they need a token; give it with --token FILE"));
    }
    Askers::only(token)
}

/// Whether pages are for this machine alone. Else something on it, a proxy or Tor, hands on what the world asks, and being
/// here says nothing.
fn is_here_alone(base: &str, onion: Option<&str>) -> bool {
    let host = base.strip_prefix("http://");
    let near = host.is_some_and(|host| ["127.0.0.1:", "localhost:", "[::1]:"].iter().any(|one| host.starts_with(one)));
    near && onion.is_none()
}

/// The pages of an office that answers at an address, and what the watch sees for them.
pub(crate) async fn pages(office: &Office, address: SocketAddr, recents: Arc<Recents>) -> Result<Pages, Failure> {
    let config = &office.config;
    let founding = office.clerk.founding().await?;
    let settings = Settings {
        provider: config.pages.provider.clone(),
        base: config.pages.base.clone().unwrap_or_else(|| format!("http://{address}")),
        onion: config.pages.onion.clone(),
        public: office.path(&config.log.public),
        log_origin: config.log.origin.clone(),
        log_key: office.log_signer()?.verifier().to_string(),
        policies: office.policies()?.iter().map(policy_text).collect(),
        simulated: founding.is_some_and(|founding| founding.simulated_clock),
    };
    let usage = office.usage().map(|sources| {
        let clerk = Arc::clone(&office.clerk);
        Arc::new(Watched { sources, clerk, recents }) as Arc<_>
    });
    let means = Means {
        now: office.clock(),
        chance: Box::new(crate::office::chance),
        complain: Box::new(|what| note(&format!("a page was not shown: {what}"))),
        usage,
    };
    Pages::new(Arc::clone(&office.clerk), office.papers.clone(), settings, means).map_err(|error| refused(&error))
}

/// A policy pack as pages show it.
fn policy_text(policy: &Policy) -> PolicyText {
    let signals = policy.signals.iter().map(|signal| {
        let sentence = signal.sentence.replace("{value}", "…");
        [signal.family.name().to_owned(), signal.id.clone(), sentence, signal.innocent.clone()]
    });
    PolicyText {
        id: policy.id.clone(),
        title: policy.title.clone(),
        version: policy.version.clone(),
        digest: policy.digest.clone(),
        clause: policy.clause.clone(),
        procedure: policy.review.clone(),
        signals: signals.collect(),
        numbers: crate::backtest::numbers(policy),
    }
}

/// Follows the record: whatever was appended may change what gates are given and what is public. What fails is said and
/// tried again: gates and readers go on with what they have.
async fn follow(mut office: Office, feed: Arc<Feed>) {
    let (mut position, mut idle) = (0, LOOKS_MAX);
    loop {
        match look(&mut office, &feed, position, idle >= LOOKS_MAX).await {
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
async fn hear(office: Office, mut reports: tokio::sync::mpsc::Receiver<Report>) {
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
pub(crate) async fn end(office: &Office, from: u64) -> Result<u64, Failure> {
    let mut position = from;
    loop {
        let page = office.clerk.record().from(position, 1_000).await.map_err(Error::from)?;
        match page.last() {
            Some(last) => position = last.position + 1,
            None => return Ok(position),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_need_a_token_wherever_the_world_asks() {
        let onion = Some("http://abc.onion");
        for (base, onion, alone) in [
            ("http://127.0.0.1:8400", None, true),
            ("http://[::1]:8400", None, true),
            ("http://127.0.0.1:8400", onion, false),
            ("https://t.example", None, false),
            ("http://abc.onion", None, false),
            ("https://127.0.0.1:8400", None, false),
        ] {
            assert_eq!(is_here_alone(base, onion), alone, "{base} {onion:?}");
        }
    }
}

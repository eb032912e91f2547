//! `tribune demo`: a whole simulated provider, its cases in the terminal, and the live system on this machine: the console,
//! the customer's page, the public site, the tip line, and a gate that refuses what two people decided.
//!
//! Everything in it is simulated or invented, and gone when it ends.

mod people;
mod play;

use crate::common::{self, Failure, Opened, Progress, Rankings, Sources, note, output, put, thousands};
use crate::explain::Explanation;
use crate::office::{self, Office, refused};
use crate::page::portrait::{Naming, Scene, moment};
use crate::page::text::wrap;
use crate::serve::live;
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use people::{SignIn, Staffed};
use play::{Play, Subject};
use review::Decibans;
use review::words::Switch;
use signals::docket::{Case, Docket};
use signals::watch::Watch;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use usage::{Books, ByDay};
use web::gate::standalone::{self, Config, Pauses};
use web::plain::clean;
use web::portrait::{OpenedAt, Portrait, sentence};

/// A whole simulated provider.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune demo --accounts 600 --days 28 --seed 7")]
pub(crate) struct Args {
    /// The port to serve on; a busy one takes the next
    #[arg(long, value_name = "PORT", default_value_t = 8400)]
    port: u16,
    /// How many accounts to simulate
    #[arg(long, value_name = "N", default_value_t = 600, value_parser = clap::value_parser!(u32).range(60..=20_000))]
    accounts: u32,
    /// How many days
    #[arg(long, value_name = "D", default_value_t = 28, value_parser = clap::value_parser!(u32).range(3..=90))]
    days: u32,
    /// Another seed gives another provider
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// Print the cases and stop
    #[arg(long)]
    no_serve: bool,
}

/// What is there whatever the seed: the forbidden workload in the open, hidden over accounts and behind rented GPUs,
/// and lawful ones that look like it.
const SCENARIO: &str = r#"
[population]
forbidden = 1

[[workload]]
kind = "mass_surveillance"
calls_per_hour = 1000000
accounts = 1
start_day = -40

[[workload]]
kind = "mass_surveillance"
calls_per_hour = 250000
accounts = 14
start_day = 4
evasions = ["split"]

[[workload]]
kind = "mass_surveillance"
calls_per_hour = 120000
accounts = 3
start_day = -20
evasions = ["own_transcription"]

[[workload]]
kind = "contact_centre_vendor"
verified = true

[[workload]]
kind = "contact_centre_vendor"
verified = false

[[workload]]
kind = "emergency_calls"

[[workload]]
kind = "voicemail"
"#;

/// Hours between ticks: often enough to see cases open, seldom enough not to wait for.
const STEP: i32 = 3;

/// How many ports are tried.
const PORTS: u16 = 21;

/// The decisions of the live system were previewed by the usage of the weeks before them.
const DAYS_TO_REVIEW: u32 = 14;

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if args.days < DAYS_TO_REVIEW && !args.no_serve {
        let mend = format!(
            "{} days are too few for the reviews of the live system: take --days {DAYS_TO_REVIEW} or more, or --no-serve",
            args.days
        );
        return Err(Failure::Refused(mend));
    }
    let scratch = common::scratch();
    let fail = |source| Failure::Write { path: scratch.display().to_string(), source };
    let folder = tempfile::Builder::new().prefix("tribune-demo-").tempdir_in(&scratch).map_err(fail)?;
    let records = folder.path().join("records");
    simulate(args, &records)?;
    let sources = Sources {
        records: vec![records.display().to_string()],
        state: None,
        facts: None,
        policy: Vec::new(),
        meters: None,
        threads: None,
        scratch: Some(folder.path().to_owned()),
    };
    let opened = sources.read()?;
    let site = watched(args, &opened)?;
    output(None, |out| site.print(&mut &mut *out))?;
    if args.no_serve {
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::Defect(error.to_string()))?.block_on(async {
        let listener = listen(args.port).await?;
        let address = listener.local_addr().map_err(|error| refused(&error))?;
        let played = played(folder.path(), &records, site, &opened, address).await?;
        // The records are read; what is served is in the record, and what is new is read again.
        drop(opened);
        serve(folder.path(), listener, address, played).await
    })?;
    Ok(ExitCode::SUCCESS)
}

fn simulate(args: &Args, records: &std::path::Path) -> Result<(), Failure> {
    let scenario = ::simulate::Scenario::parse(SCENARIO)
        .map_err(|error| Failure::Defect(format!("the demo's scenario: {error}")))?;
    let options = ::simulate::Options {
        accounts: args.accounts,
        days: args.days,
        seed: args.seed,
        start: first_day(args.days)?,
        scenario: Some(scenario),
        ..::simulate::Options::default()
    };
    let progress = Progress::new("simulating");
    ::simulate::simulate(records, &options, &|done, days| {
        progress.show(u64::from(done), u64::from(days), &format!("day {done} of {days}"));
    })?;
    progress.done();
    Ok(())
}

/// The records end with yesterday, so that what is live goes on from there.
fn first_day(days: u32) -> Result<::simulate::Date, Failure> {
    let today = office::now().day();
    let mut parts = today.split('-').map(|part| part.parse::<i32>().unwrap_or_default());
    let (year, month, day) = (parts.next(), parts.next(), parts.next());
    let today = year
        .zip(month)
        .zip(day)
        .and_then(|((year, month), day)| ::simulate::Date::new(year, month.unsigned_abs(), day.unsigned_abs()));
    let today = today.ok_or_else(|| Failure::Refused("the machine's clock is not between 2000 and 2100".to_owned()))?;
    Ok(today.plus(-i32::try_from(days).unwrap_or_default()))
}

/// One case, as the terminal shows it, and what a review of it begins with.
struct Shown {
    portrait: Portrait,
    opened: OpenedAt,
    explanation: Vec<u8>,
}

/// Everything that the watch found.
struct Site {
    head: String,
    floor: Decibans,
    cases: Vec<Shown>,
    digest: String,
}

/// Replays the records.
fn watched(args: &Args, opened: &Opened<Books>) -> Result<Site, Failure> {
    let to = opened.as_of(None)?;
    let from = opened.usage.known().map(|(first, _)| first).unwrap_or(to).day().plus(1).start().min(to);
    let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
    let (mut docket, _) = crate::replay::replay(opened, &mut watch, from, to, STEP, Docket::default())?;
    let mut rankings = Rankings { docket: Docket::default(), last: Vec::new() };
    for evaluation in watch.advance(to)? {
        let ranking = docket.rank(&watch, &evaluation);
        rankings.last.push((evaluation, ranking));
    }
    rankings.docket = docket;
    let scene = Scene { watch: &watch, docket: &rankings.docket, last: &rankings.last };
    let cases = cases(&scene, opened, to)?;
    let tally = &opened.tally;
    let policy = opened.policies.first().ok_or_else(|| Failure::Defect("no policy is built in".into()))?;
    let floor = rankings.docket.floors.get(&0).copied().unwrap_or(policy.floor);
    let head = format!(
        "Everything here is simulated. {} usage records of {} customers over {} days: {}.",
        thousands(tally.rows),
        thousands(watch.customers() as u64),
        args.days,
        in_words(cases.len())
    );
    Ok(Site { head, floor, cases, digest: usage::records_digest(&opened.usage, to)? })
}

fn in_words(cases: usize) -> String {
    match cases {
        0 => "no case was opened".into(),
        1 => "one case was opened".into(),
        n => format!("{n} cases were opened"),
    }
}

/// The cases, each with what is known of its workload by now, the highest score first.
fn cases(scene: &Scene<'_>, opened: &Opened<Books>, at: usage::Hour) -> Result<Vec<Shown>, Failure> {
    let now = |case: &Case| {
        let (evaluation, ranking) = scene.last.iter().find(|(evaluation, _)| evaluation.policy == case.policy)?;
        let holds = |entity: u32| {
            let accounts = scene.watch.entities.get(entity as usize).map(|entity| &entity.accounts);
            accounts.is_some_and(|accounts| accounts.iter().any(|account| case.accounts.contains(account)))
        };
        // The ranking falls, so the first that shares an account is the strongest.
        let ranked = ranking.iter().find(|ranked| holds(ranked.entity))?;
        Some((evaluation.policy, ranked.entity))
    };
    // What began as two and turned out to be one is shown once, as of the first.
    let mut workloads: BTreeMap<(usize, u32), OpenedAt> = BTreeMap::new();
    for case in &scene.docket.cases {
        let opened = OpenedAt { at: moment(case.opened_at), score: case.finding.score_db };
        if let Some(workload) = now(case) {
            workloads.entry(workload).or_insert(opened);
        }
    }
    let mut cases = Vec::new();
    for ((_, entity), case) in workloads {
        let Some(portrait) = scene.portrait(entity, Naming::Names) else { continue };
        let head = common::Head::new(web::portrait::SCHEMA, opened, at)?;
        let explanation = serde_json::to_vec_pretty(&Explanation { head, explanation: &portrait });
        let explanation = explanation.map_err(|error| Failure::Defect(error.to_string()))?;
        cases.push(Shown { portrait, opened: case, explanation });
    }
    cases.sort_by_key(|case| std::cmp::Reverse(case.score()));
    Ok(cases)
}

impl Shown {
    fn score(&self) -> Decibans {
        self.portrait.policies.first().map(|judged| judged.finding.score_db).unwrap_or_default()
    }

    /// The accounts, in words.
    fn accounts(&self) -> String {
        match self.portrait.accounts.as_slice() {
            [one] => one.account.clone(),
            [first, rest @ ..] => format!("{} and {} more", first.account, rest.len()),
            [] => String::new(),
        }
    }

    /// The strongest reason of each of the three strongest families.
    fn reasons(&self) -> Vec<(Decibans, String)> {
        let Some(judged) = self.portrait.policies.first() else { return Vec::new() };
        let mut families: Vec<_> = judged.ledger.iter().collect();
        families.sort_by_key(|family| std::cmp::Reverse(family.evidence_db));
        let strongest = families.into_iter().filter_map(|family| {
            let line = family.lines.iter().max_by_key(|line| line.evidence_db)?;
            (line.evidence_db > Decibans::ZERO).then(|| (line.evidence_db, sentence(&line.explanation)))
        });
        strongest.take(3).collect()
    }
}

impl Site {
    /// The cases with their reasons, for the terminal.
    fn print(&self, out: &mut impl Write) -> Result<(), Failure> {
        put(out, &self.head)?;
        put(out, &format!("Evidence in decibans (+10 dB: ten times the odds); the floor is {} dB.", self.floor))?;
        for (case, number) in self.cases.iter().zip(1..) {
            let name = clean(&case.portrait.customer);
            let accounts = clean(&case.accounts());
            put(out, "")?;
            put(out, &format!("{number:>3}  {:>6} dB  {name} · {accounts}", case.score().to_string()))?;
            put(out, &format!("                opened {}", case.opened.at))?;
            for (evidence, reason) in case.reasons() {
                for (place, line) in wrap(&clean(&reason), 62).iter().enumerate() {
                    let before = if place == 0 { evidence.to_string() } else { String::new() };
                    put(out, &format!("        {before:>6}  {line}"))?;
                }
            }
        }
        put(out, "")
    }
}

/// What a review of it begins with.
fn subject(shown: &Shown, digest: &str) -> Result<Subject, Failure> {
    let judged = shown.portrait.policies.first();
    let accounts = shown.portrait.accounts.iter().map(|account| account.account.parse());
    Ok(Subject {
        customer: shown.portrait.customer.parse().map_err(|error| refused(&error))?,
        accounts: accounts.collect::<Result<_, _>>().map_err(|error| refused(&error))?,
        finding: judged.map(|judged| judged.finding.clone()),
        explanation: Some(shown.explanation.clone()),
        records: digest.parse().map_err(|error| refused(&error))?,
    })
}

/// The reviews, carried to where they stand.
struct Played {
    staffed: Staffed,
    /// The words of a report that somebody made.
    receipt: String,
    /// The account that is restricted.
    restricted: String,
    /// The case that waits.
    waits: String,
}

/// Begins an office and carries three reviews through it.
async fn played(
    folder: &Path,
    records: &Path,
    site: Site,
    opened: &Opened<Books>,
    address: SocketAddr,
) -> Result<Played, Failure> {
    let now = office::now();
    let progress = Progress::new("reviewing");
    let missing = || Failure::Refused("this seed shows too few workloads for the reviews; take another".to_owned());
    let (first, second) = (site.cases.first().ok_or_else(missing)?, site.cases.get(1).ok_or_else(missing)?);
    let (appealed, waiting) = (subject(first, &site.digest)?, subject(second, &site.digest)?);
    let restricted = appealed.accounts.first().map(ToString::to_string).unwrap_or_default();
    let founded = now.plus_days(-240);
    let staffed = people::staff(&folder.join("office"), records, founded, &appealed.customer, address).await?;
    let write: &[Switch] = &[Switch::Write];

    progress.show(1, 4, "one review that is over");
    let mut over = Play::open(&staffed, &opened.usage, play::earlier()?, now.plus_days(-235)).await?;
    over.determine().await?;
    over.later(1, 0);
    over.propose("d1", "disable", &[("object-storage", write), ("speech", write)]).await?;
    for decider in ["ben", "cleo"] {
        over.approve(decider, "d1").await?;
    }
    let facts = "Some 390,000 recordings an hour were taken in, day and night, and turned into text.";
    over.effect("d1", facts, Some("a newspaper of Vessa")).await?;
    over.finish("d1").await?;

    progress.show(2, 4, "one decision under appeal");
    let receipt = play::report(&staffed, now.plus_days(-21)).await?;
    let mut appeal = Play::open(&staffed, &opened.usage, appealed, now.plus_days(-20)).await?;
    appeal.determine().await?;
    appeal.later(3, 0);
    appeal.propose("d1", "read-only", &[("object-storage", write)]).await?;
    for decider in ["ben", "cleo"] {
        appeal.approve(decider, "d1").await?;
    }
    appeal.later(4, 0);
    appeal
        .effect("d1", "About a million recordings of the size of a call were written every hour, day and night.", None)
        .await?;
    appeal.later(1, 0);
    appeal.appeal("d1", "These are our own customers' calls; we keep them for training.").await?;

    progress.show(3, 4, "one decision that waits");
    let mut waits = Play::open(&staffed, &opened.usage, waiting, now.plus_days(-12)).await?;
    waits.determine().await?;
    waits.later(3, 0);
    waits.propose("d1", "disable", &[("object-storage", write), ("speech", write)]).await?;
    waits.approve("ben", "d1").await?;
    let waits = waits.case().to_string();

    progress.show(4, 4, "publishing");
    let office = Office::open(&staffed.asking).await?;
    office.publish(true).await?;
    progress.done();
    Ok(Played { staffed, receipt, restricted, waits })
}

/// The live system, a gate beside it, and a page that says how to get in; until Ctrl-C.
async fn serve(folder: &Path, listener: TcpListener, address: SocketAddr, played: Played) -> Result<(), Failure> {
    let Played { staffed, receipt, restricted, waits } = played;
    let gate = listen(address.port().saturating_add(10)).await?;
    let gate_address = gate.local_addr().map_err(|error| refused(&error))?;
    let pins = crate::restriction::pins_of(&Office::open(&staffed.asking).await?, "edge-1").await?;
    let settings = web::gate::Settings {
        addresses: vec![format!("http://{gate_address}")],
        ..web::gate::Settings::new(Arc::new(|| office::now().0))
    };
    let config = Config {
        snapshot: format!("http://{address}/gate/snapshot"),
        pins: Arc::new(pins),
        state: folder.join("gate"),
        token: None,
        settings,
        limits: web::Limits::default(),
        fallbacks: Vec::new(),
        ceiling: None,
        // The server beside it is up in a moment.
        pauses: Pauses { longest: Duration::from_secs(1), ..Pauses::default() },
        random: Arc::new(office::seed),
        notes: Arc::new(|_| {}),
    };
    let curl = format!(
        "curl -i http://{gate_address}/gate/check -H 'X-Tribune-Account: {restricted}' \\\n       \
         -H 'X-Tribune-Service: object-storage' -H 'X-Tribune-Operation: write' -H 'X-Tribune-Region: north'"
    );
    let said = said(address, &staffed, &receipt, &curl, &waits);
    output(None, |out| put(&mut &mut *out, &said))?;
    let ways = Arc::new((staffed.sign_ins, staffed.password));
    let codes = Router::new().route("/demo", get(move || async move { codes(&ways.0, &ways.1) }));
    let ended = |mut end: tokio::sync::watch::Receiver<bool>| async move { drop(end.wait_for(|ended| *ended).await) };
    let (end, ending) = tokio::sync::watch::channel(false);
    let asking = crate::office::Asking {
        config: folder.join("office/tribune.toml"),
        who: None,
        id: None,
        at: None,
        format: common::Format::Table,
    };
    let live = live(&asking, listener, None, codes, ended(ending.clone()));
    let gate = standalone::serve(gate, config, ended(ending));
    let stop = async {
        // Without a signal to wait for it serves until it is ended otherwise.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        note("ending; everything of the demonstration goes with it");
        end.send_replace(true);
    };
    let (live, gate, ()) = tokio::join!(live, gate, stop);
    live?;
    gate.map_err(|error| refused(&error))
}

/// How to get in, for the terminal.
fn said(address: SocketAddr, staffed: &Staffed, receipt: &str, curl: &str, waits: &str) -> String {
    let mut text = format!("\nThe live system: http://{address}/   (Ctrl-C ends it)\n");
    text += &format!("  the public site    http://{address}/        statements, numbers, the log\n");
    text += &format!("  the tip line       http://{address}/report  a mailbox there opens with: {receipt}\n");
    text += &format!("  signing in         http://{address}/sign-in the codes of now: http://{address}/demo\n");
    for SignIn { account, who, .. } in &staffed.sign_ins {
        text += &format!("      {account:<10} {who}\n");
    }
    text += &format!("      the password of all three, and the passphrase of their keys: {}\n", staffed.password);
    text += &format!("  what waits         http://{address}/console/cases/{waits}\n");
    text += &format!("  a gate             refuses what two people decided:\n    {curl}\n");
    text
}

/// The one-time codes of now, which an authenticator would show. Only the demonstration has such a page.
fn codes(sign_ins: &[SignIn], password: &str) -> impl IntoResponse + use<> {
    let mut page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Codes of the demonstration</title>\
        <meta name=\"viewport\" content=\"width=device-width\"><link rel=\"stylesheet\" href=\"/style.css\">\
        <main><h1>Codes of the demonstration</h1><p>Each is good for half a minute and one sign-in. Only the demonstration \
        has such a page: elsewhere they are in one's own authenticator.</p><table><thead><tr><th>account<th>who<th>code</thead>"
        .to_owned();
    for SignIn { account, who, otpauth } in sign_ins {
        let code = totp_rs::TOTP::from_url(otpauth).ok();
        let now = u64::try_from(office::now().0).unwrap_or_default();
        let code = code.map(|totp| totp.generate(now)).unwrap_or_default();
        page += &format!("<tr><td>{account}<td>{who}<td><code>{code}</code>");
    }
    page += &format!("</table><p>The password of all three: <code>{password}</code></p>");
    page += "<p><a href=\"/sign-in\">Sign in</a></p></main></html>";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFRESH, "10"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    (headers, page)
}

/// The port, or the first of the next twenty that is free.
async fn listen(port: u16) -> Result<TcpListener, Failure> {
    let last = port.saturating_add(PORTS - 1);
    for port in port..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => {
                return Err(Failure::Refused(format!(
                    "port {port} of 127.0.0.1 cannot be used: {error}; name another with --port"
                )));
            }
        }
    }
    Err(Failure::Refused(format!("the ports {port} to {last} of 127.0.0.1 are all busy; name another with --port")))
}

//! `tribune demo`: a whole simulated provider, its cases in the terminal and as pages on 127.0.0.1.
//!
//! It shows what is there and nothing that is not: no review, no gate, no decision. Everything in it is simulated.

use crate::common::{self, Failure, Opened, Progress, Rankings, Sources, output, put, thousands};
use crate::page::portrait::{Naming, Scene, moment};
use crate::page::site::{CaseLine, IndexPage, MissingPage, PolicyPage};
use crate::page::text::wrap;
use crate::page::{EntityPage, Frame, STYLE, finish};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use review::{Decibans, Finding};
use signals::docket::{Case, Docket};
use signals::findings::{finding, pseudonymise};
use signals::watch::Watch;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;
use usage::{Books, ByDay, Hour};
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

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
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
    // The records are read; what is served is in memory.
    drop(opened);
    folder.close().map_err(fail)?;
    if !args.no_serve {
        serve(args.port, site.pages)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn simulate(args: &Args, records: &std::path::Path) -> Result<(), Failure> {
    let scenario = ::simulate::Scenario::parse(SCENARIO)
        .map_err(|error| Failure::Defect(format!("the demo's scenario: {error}")))?;
    let options = ::simulate::Options {
        accounts: args.accounts,
        days: args.days,
        seed: args.seed,
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

/// One case, as the terminal and the list of cases show it.
struct Shown {
    portrait: Portrait,
    opened: OpenedAt,
    address: String,
}

/// Everything that the demo shows.
struct Site {
    head: String,
    floor: Decibans,
    cases: Vec<Shown>,
    pages: Pages,
}

/// Replays the records and makes all pages.
fn watched(args: &Args, opened: &Opened<Books>) -> Result<Site, Failure> {
    let to = opened.as_of(None)?;
    let from = opened.usage.known().map(|(first, _)| first).unwrap_or(to).day().plus(1).start().min(to);
    let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
    let (mut docket, ticks) = crate::replay::replay(opened, &mut watch, from, to, STEP, Docket::default())?;
    let mut rankings = Rankings { docket: Docket::default(), last: Vec::new() };
    for evaluation in watch.advance(to)? {
        let ranking = docket.rank(&watch, &evaluation);
        rankings.last.push((evaluation, ranking));
    }
    rankings.docket = docket;
    let scene = Scene { watch: &watch, docket: &rankings.docket, last: &rankings.last };
    let cases = cases(&scene);
    let tally = &opened.tally;
    let policy = opened.policies.first().ok_or_else(|| Failure::Defect("no policy is built in".into()))?;
    let numbers = vec![
        ("usage records read", thousands(tally.rows)),
        ("accounts", thousands(opened.usage.names().accounts.len() as u64)),
        ("customers", thousands(watch.customers() as u64)),
        ("days", args.days.to_string()),
        ("ticks of the clock", thousands(ticks as u64)),
        ("cases opened", cases.len().to_string()),
    ];
    let floor = rankings.docket.floors.get(&0).copied().unwrap_or(policy.floor);
    let site = Site {
        head: format!(
            "Everything here is simulated. {} usage records of {} customers over {} days: {}.",
            thousands(tally.rows),
            thousands(watch.customers() as u64),
            args.days,
            in_words(cases.len())
        ),
        floor,
        pages: Pages::default(),
        cases,
    };
    let pages = pages(args, opened, &scene, &site, numbers, to)?;
    Ok(Site { pages, ..site })
}

fn in_words(cases: usize) -> String {
    match cases {
        0 => "no case was opened".into(),
        1 => "one case was opened".into(),
        n => format!("{n} cases were opened"),
    }
}

/// The cases, each with what is known of its workload by now, the highest score first.
fn cases(scene: &Scene<'_>) -> Vec<Shown> {
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
    let shown = workloads.into_iter().filter_map(|((_, entity), opened)| {
        Some(Shown { portrait: scene.portrait(entity, Naming::Names)?, opened, address: String::new() })
    });
    let mut cases: Vec<Shown> = shown.collect();
    cases.sort_by_key(|case| std::cmp::Reverse(case.score()));
    for (case, number) in cases.iter_mut().zip(1..) {
        case.address = format!("/case/{number}");
    }
    cases
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

/// A page, ready to be sent.
#[derive(Clone, Debug)]
struct Page {
    kind: &'static str,
    body: String,
}

/// All pages by address, and what is said at any other.
#[derive(Clone, Debug, Default)]
struct Pages {
    pages: BTreeMap<String, Page>,
    missing: String,
}

const HTML: &str = "text/html; charset=utf-8";

fn pages(
    args: &Args,
    opened: &Opened<Books>,
    scene: &Scene<'_>,
    site: &Site,
    numbers: Vec<(&'static str, String)>,
    at: Hour,
) -> Result<Pages, Failure> {
    let digest = usage::records_digest(&opened.usage, at)?;
    let address = |id: &str| format!("/policy/{id}");
    let policies: Vec<(String, String)> =
        opened.policies.iter().map(|policy| (address(&policy.id), policy.title.clone())).collect();
    let frame = |here: &str| Frame { alone: false, simulated: true, here: here.to_owned(), policies: policies.clone() };
    let mut pages = BTreeMap::new();
    let mut add = |address: String, kind: &'static str, body: String| pages.insert(address, Page { kind, body });
    add("/style.css".into(), "text/css; charset=utf-8", STYLE.to_owned());
    for case in &site.cases {
        let opened = Some(case.opened.clone());
        let page = EntityPage::new(frame(&case.address), case.portrait.clone(), opened, Some(digest.clone()));
        add(case.address.clone(), HTML, finish(&page)?);
    }
    for policy in &opened.policies {
        let here = address(&policy.id);
        add(here.clone(), HTML, finish(&PolicyPage::new(frame(&here), policy))?);
    }
    add("/".into(), HTML, finish(&index(args, opened, site, frame("/"), numbers, at))?);
    add("/findings.json".into(), "application/json", findings(opened, scene, &digest, at)?);
    Ok(Pages { pages, missing: finish(&MissingPage { frame: frame("") })? })
}

fn index(
    args: &Args,
    opened: &Opened<Books>,
    site: &Site,
    frame: Frame,
    numbers: Vec<(&'static str, String)>,
    at: Hour,
) -> IndexPage {
    let policy = opened.policies.first();
    let prior = policy.map(|policy| policy.prior).unwrap_or_default();
    let most = site.cases.first().map_or(site.floor, Shown::score).max(site.floor + Decibans::from_tenths(100));
    // From the prior to the highest score, or well above the floor.
    let along = |score: Decibans| {
        let share = f64::from((score - prior).hundredths()) / f64::from((most - prior).hundredths().max(1));
        format!("{:.1}%", (share * 100.0).clamp(0.0, 100.0))
    };
    let lines = site.cases.iter().map(|case| CaseLine {
        address: case.address.clone(),
        customer: case.portrait.customer.clone(),
        accounts: case.accounts(),
        score: case.score().to_string(),
        width: along(case.score()),
        floor: along(site.floor),
        why: case.reasons().into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join(" "),
        opened: case.opened.at.split(',').next().unwrap_or_default().to_owned(),
    });
    IndexPage {
        days: args.days,
        headline: match site.cases.len() {
            0 => "No workload warrants a case".into(),
            1 => "One workload for people to review".into(),
            n => format!("{n} workloads for people to review"),
        },
        numbers,
        cases: lines.collect(),
        at: moment(at),
        floor: site.floor.to_string(),
        prior: prior.to_string(),
        families: policy.map_or(3, |policy| policy.families_needed.count),
        frame,
    }
}

/// The twenty highest findings, as `scan --format json` lists them; below the floor under pseudonyms.
fn findings(opened: &Opened<Books>, scene: &Scene<'_>, digest: &str, at: Hour) -> Result<String, Failure> {
    #[derive(serde::Serialize)]
    struct Findings<'a> {
        #[serde(flatten)]
        head: common::Head<'a>,
        findings: Vec<Finding>,
    }
    let mut findings = Vec::new();
    for (evaluation, ranking) in scene.last {
        for (ranked, rank) in ranking.iter().zip(1_u32..).take(20) {
            let mut one = finding(scene.watch, evaluation, scene.docket, ranked, rank);
            if !ranked.above {
                pseudonymise(&mut one, digest);
            }
            findings.push(one);
        }
    }
    let all = Findings { head: common::Head::new("tribune.findings/1", opened, at)?, findings };
    serde_json::to_string_pretty(&all).map_err(|error| Failure::Defect(error.to_string()))
}

/// Serves until Ctrl-C.
fn serve(port: u16, pages: Pages) -> Result<(), Failure> {
    let fail = |error: std::io::Error| Failure::Refused(format!("the pages cannot be served: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(fail)?;
    runtime.block_on(async {
        let listener = listen(port).await?;
        let port = listener.local_addr().map_err(fail)?.port();
        output(None, |out| put(&mut &mut *out, &format!("The pages: http://127.0.0.1:{port}/  (Ctrl-C ends it)")))?;
        let app = Router::new().fallback(answer).with_state(Arc::new((pages, port)));
        let ended = async {
            // Without a signal to wait for it serves until it is ended otherwise.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        axum::serve(listener, app).with_graceful_shutdown(ended).await.map_err(fail)
    })
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

/// Answers one request. Only for this host by name, so that no page from elsewhere can be made to read it.
async fn answer(State(site): State<Arc<(Pages, u16)>>, request: Request) -> Response<Body> {
    let (pages, port) = &*site;
    let known = is_ours(request.headers(), *port);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let plain = "text/plain; charset=utf-8";
    let (status, kind, body) = match pages.pages.get(request.uri().path()) {
        _ if !known => (StatusCode::MISDIRECTED_REQUEST, plain, format!("Open http://127.0.0.1:{port}/\n")),
        _ if !reads => (StatusCode::METHOD_NOT_ALLOWED, plain, "Nothing can be changed here.\n".to_owned()),
        Some(page) => (StatusCode::OK, page.kind, page.body.clone()),
        None => (StatusCode::NOT_FOUND, HTML, pages.missing.clone()),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in SECURITY {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    response
}

const SECURITY: [(header::HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

fn is_ours(headers: &HeaderMap, port: u16) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    ["127.0.0.1", "localhost"].iter().any(|name| host == format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap()
    }

    #[test]
    fn a_busy_port_takes_the_next() {
        runtime().block_on(async {
            let first = listen(18_400).await.unwrap();
            let second = listen(first.local_addr().unwrap().port()).await.unwrap();
            assert!(second.local_addr().unwrap().port() > first.local_addr().unwrap().port());
        });
    }

    fn answered(method: Method, path: &str, host: &str) -> Response<Body> {
        let page = Page { kind: HTML, body: "here".into() };
        let pages = Pages { pages: BTreeMap::from([("/".to_owned(), page)]), missing: "nowhere".into() };
        let request =
            Request::builder().method(method).uri(path).header(header::HOST, host).body(Body::empty()).unwrap();
        runtime().block_on(answer(State(Arc::new((pages, 8_400))), request))
    }

    #[test]
    fn only_this_host_is_answered_and_every_answer_is_guarded() {
        let status = |method, path, host| answered(method, path, host).status().as_u16();
        assert_eq!(status(Method::GET, "/", "127.0.0.1:8400"), 200);
        assert_eq!(status(Method::GET, "/", "localhost:8400"), 200);
        assert_eq!(status(Method::GET, "/", "evil.example:8400"), 421);
        assert_eq!(status(Method::GET, "/", "127.0.0.1:8401"), 421);
        assert_eq!(status(Method::GET, "/x", "127.0.0.1:8400"), 404);
        assert_eq!(status(Method::POST, "/", "127.0.0.1:8400"), 405);
        for path in ["/", "/x"] {
            let response = answered(Method::GET, path, "127.0.0.1:8400");
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
            assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
    }

    #[test]
    fn the_scenario_is_one_the_simulator_takes() {
        assert!(::simulate::Scenario::parse(SCENARIO).is_ok());
    }
}

//! `tribune replay`: runs the clock over the records and opens cases as the live system would.

use crate::common::{self, Failure, Format, Head, Progress, Sources, clean, output, put};
use review::{Decibans, Families, SignalReading};
use serde::Serialize;
use signals::docket::{Case, Clearance, Docket};
use signals::drive::{drive, replay_hours};
use signals::watch::Watch;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use usage::{ByDay, Hour};

/// Run the clock over the records and open cases.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tribune replay exports/ --from 2026-02-01T00Z --to 2026-03-01T00Z --every 1h --out cases.json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// The first tick [default: the earliest known hour]
    #[arg(long, value_name = "TIME")]
    from: Option<Hour>,
    /// The last tick [default: the latest known hour]
    #[arg(long, value_name = "TIME")]
    to: Option<Hour>,
    /// The step between ticks
    #[arg(long, value_name = "STEP", default_value = "1h", value_parser = common::every)]
    every: i32,
    /// Workloads that people cleared: a CSV of account, cleared_at, score_db. They stay quiet unless something is new
    #[arg(long, value_name = "FILE")]
    cleared: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Write the cases, as JSON, to this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Replay<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    ticks: usize,
    cases: Vec<CaseLine>,
}

#[derive(Serialize)]
struct CaseLine {
    policy: String,
    customer: String,
    unit: String,
    accounts: Vec<String>,
    opened_at: String,
    score_db: Decibans,
    rank: u32,
    families: Families,
    signals: Vec<SignalReading>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let opened = args.sources.open()?;
    let cleared = args.cleared.as_deref().map(clearances).transpose()?.unwrap_or_default();
    let to = opened.as_of(args.to)?;
    let from = args.from.or(opened.usage.known().map(|(first, _)| first)).unwrap_or(to);
    if from > to {
        return Err(Failure::Refused(format!("--from {from} is after --to {to}; swap them")));
    }
    let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
    let (docket, ticks) = replay(&opened, &mut watch, from, to, args.every, Docket::new(cleared))?;
    let head = Head::new("tribune.cases/1", &opened, to)?;
    let lines: Vec<CaseLine> = docket.cases.iter().map(|case| line(&watch, case)).collect();
    if args.format == Format::Table {
        output(None, |out| table(&mut &mut *out, &opened, &docket, &lines, ticks))?;
    }
    if args.format == Format::Json || args.out.is_some() {
        output(args.out.as_deref(), |out| common::json(out, &Replay { head, ticks, cases: lines }))?;
    }
    Ok(opened.exit())
}

/// Runs the clock from `from` to `to` and opens cases at every tick.
pub(crate) fn replay(
    opened: &common::Opened<impl ByDay>,
    watch: &mut Watch,
    from: Hour,
    to: Hour,
    every: i32,
    mut docket: Docket,
) -> Result<(Docket, usize), Failure> {
    let hours = replay_hours(from, to, every);
    let progress = Progress::new("replaying");
    let (mut ticks, mut done) = (0, 0);
    drive(&opened.usage, watch, &hours, |watch, hour, evaluations| {
        done += 1;
        let tick = hour >= from && (hour.0 - from.0) % every == 0;
        ticks += usize::from(tick);
        for evaluation in evaluations {
            let ranking = docket.rank(watch, &evaluation);
            if tick {
                docket.open(watch, &evaluation, &ranking);
            }
        }
        progress.show(done, hours.len() as u64, &format!("{hour}  {} cases", docket.cases.len()));
    })?;
    progress.done();
    Ok((docket, ticks))
}

fn line(watch: &Watch, case: &Case) -> CaseLine {
    let finding = case.finding.clone();
    let names = case.accounts.iter().filter_map(|account| watch.history.account_keys.get(*account as usize));
    let mut accounts = finding.accounts.clone();
    let mut joined: Vec<String> =
        names.map(|key| key.account.clone()).filter(|name| !accounts.contains(name)).collect();
    joined.sort();
    accounts.extend(joined);
    CaseLine {
        policy: finding.policy,
        customer: finding.customer,
        unit: finding.unit,
        accounts,
        opened_at: case.opened_at.to_string(),
        score_db: finding.score_db,
        rank: finding.rank,
        families: finding.families,
        signals: finding.signals,
    }
}

fn table(
    out: &mut impl Write,
    opened: &common::Opened,
    docket: &Docket,
    lines: &[CaseLine],
    ticks: usize,
) -> Result<(), Failure> {
    common::say_tally(out, &opened.tally)?;
    put(out, &format!("{} ticks, {} cases", common::thousands(ticks as u64), lines.len()))?;
    for (line, case) in lines.iter().zip(&docket.cases) {
        let more =
            if line.accounts.len() > 1 { format!(" and {} more", line.accounts.len() - 1) } else { String::new() };
        let first = line.accounts.first().map(String::as_str).unwrap_or_default();
        put(out, &format!("\n{}  {} · {}{more}", line.opened_at, clean(&line.customer), clean(first)))?;
        crate::scan::reasons(out, &case.finding)?;
    }
    Ok(())
}

/// Reads `account, cleared_at, score_db`.
fn clearances(path: &Path) -> Result<Vec<Clearance>, Failure> {
    let wrong = |row: usize, text: String| Failure::Refused(format!("{}: row {row}: {text}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| Failure::Refused(format!("{}: {e}", path.display())))?;
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').map(str::trim).collect();
    if header != ["account", "cleared_at", "score_db"] {
        return Err(wrong(1, "the header must be account,cleared_at,score_db".into()));
    }
    let rows = lines.zip(2..).filter(|(line, _)| !line.trim().is_empty());
    rows.map(|(line, row)| {
        let [account, at, score] = line
            .split(',')
            .map(str::trim)
            .collect::<Vec<_>>()
            .try_into()
            .map_err(|_| wrong(row, "has not three fields".into()))?;
        let at = at.parse().map_err(|e: usage::time::TimeError| wrong(row, e.to_string()))?;
        let score = score
            .parse()
            .ok()
            .and_then(Decibans::from_f64)
            .ok_or_else(|| wrong(row, format!("`{score}` is not a number of dB")))?;
        Ok(Clearance { account: account.to_owned(), at, score })
    })
    .collect()
}

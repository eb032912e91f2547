//! `tribune evaluate`: replays a simulated folder and scores it against its truth.
//!
//! Three passes of the clock: over the records as they are, over the same records as whole days, and, for the scores
//! alone, as if every row had been known at once. The figures are grounding §4's, each with its interval and with
//! whether data of this size can tell. Nothing of the truth reaches the watch.
//!
//! `--format json` writes the schema `tribune.evaluation/1`: the head of every output, `truth` (workloads and rows),
//! `feeds` (the [figures](figures::Figures) of the records as they are and as days) and `stability`.

mod figures;
mod forest;
mod intervals;
mod print;
mod rivals;
mod stability;
mod truth;
mod watching;

use crate::common::{self, Failure, Format, Head, Opened, Sources, note, output};
use figures::{Figures, Judged};
use serde::Serialize;
use signals::drive::View;
use signals::pack::Policy;
use stability::Stability;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use truth::Truth;
use usage::{Books, ByDay, Hour, Tally};
use watching::{Owners, Subject, arrivals, prompt_scores, watch_over};

/// Replay a simulated folder and score it against its truth.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Example:\n  tribune simulate --accounts 3000 --days 35 --seed 7 --out provider && tribune evaluate provider"
)]
pub(crate) struct Args {
    /// A folder that `tribune simulate` has written: usage, facts.csv and truth.csv
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// What the provider knows by contract or by checking [default: facts.csv in the folder]
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// A policy pack to add, or to replace the one of the same id
    #[arg(long, value_name = "DIR")]
    policy: Vec<PathBuf>,
    /// The step between ticks; days are always replayed day by day
    #[arg(long, value_name = "STEP", default_value = "1h", value_parser = common::every)]
    every: i32,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Threads to use; changes how long it takes, never what is found
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// A folder for scratch files (about 60 bytes a row)
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// Everything that is written.
#[derive(Serialize)]
struct Evaluation<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(skip)]
    tally: &'a Tally,
    /// The policy that was scored.
    policy: &'a str,
    truth: TruthHead,
    /// The records as they are, then as whole days.
    feeds: Vec<Figures>,
    stability: Stability,
}

/// What the truth holds.
#[derive(Serialize)]
struct TruthHead {
    workloads: usize,
    forbidden: usize,
    /// Forbidden workloads without any usage in the records: they cannot be found, and do not count.
    forbidden_without_usage: usize,
    /// Accounts with usage that the truth does not name; they count as lawful.
    accounts_unknown: usize,
    rows_rejected: usize,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let truth = Truth::read(&args.folder.join("truth.csv")).map_err(Failure::Refused)?;
    for reason in truth.rejections.iter().take(20) {
        note(&format!("truth.csv: {reason}"));
    }
    if truth.rejections.len() > 20 {
        note(&format!("truth.csv: {} more rows rejected", truth.rejections.len() - 20));
    }
    let opened = args.sources().read()?;
    let evaluation = evaluate(&opened, &truth, args.every)?;
    output(args.out.as_deref(), |out| match args.format {
        Format::Json => common::json(out, &evaluation),
        Format::Table => print::table(&mut &mut *out, &evaluation),
    })?;
    Ok(if truth.rejections.is_empty() { opened.exit() } else { ExitCode::from(1) })
}

impl Args {
    fn sources(&self) -> Sources {
        Sources {
            records: vec![self.folder.display().to_string()],
            state: None,
            facts: self.facts.clone(),
            policy: self.policy.clone(),
            meters: None,
            threads: self.threads,
            scratch: self.scratch.clone(),
        }
    }
}

fn evaluate<'a>(opened: &'a Opened<Books>, truth: &Truth, every: i32) -> Result<Evaluation<'a>, Failure> {
    let to = opened.as_of(None)?;
    let from = opened.usage.known().map(|(first, _)| first).unwrap_or(to);
    let policy = scored_policy(&opened.policies, truth)
        .ok_or_else(|| Failure::Refused("there is no policy pack to score; name one with --policy".into()))?;
    let owners = Owners::new(&opened.usage.names().accounts, truth);
    let subject = Subject { opened, policy, truth, owners: &owners };

    let hourly = watch_over(&subject, View::Recorded, (from, to), every, "replaying")?;
    let hourly_figures = figures(&subject, View::Recorded, (from, to), every, &hourly)?;
    let prompt = prompt_scores(&subject, (from, to), "replaying without delays")?;
    let stability = Stability::new(&hourly.scores, &prompt, policy.floor, opened.tally.duplicates);
    drop((hourly, prompt));

    // Days are looked at when they are over.
    let midnights = (from.plus(23).day().start(), to.day().start());
    let daily = watch_over(&subject, View::Daily, midnights, 24, "replaying as days")?;
    let daily_figures = figures(&subject, View::Daily, midnights, 24, &daily)?;

    let forbidden = truth.workloads.iter().filter(|workload| workload.forbidden).count();
    Ok(Evaluation {
        head: Head::new("tribune.evaluation/1", opened, to)?,
        tally: &opened.tally,
        policy: &policy.id,
        truth: TruthHead {
            workloads: truth.workloads.len(),
            forbidden,
            forbidden_without_usage: forbidden.saturating_sub(hourly_figures.offenders as usize),
            accounts_unknown: owners.unknown(),
            rows_rejected: truth.rejections.len(),
        },
        feeds: vec![hourly_figures, daily_figures],
        stability,
    })
}

fn figures(
    subject: &Subject<'_>,
    view: View,
    span: (Hour, Hour),
    every: i32,
    seen: &watching::Seen,
) -> Result<Figures, Failure> {
    let arrivals = arrivals(subject, view)?;
    let judged = Judged {
        records: if view == View::Daily { "daily" } else { "hourly" },
        every,
        span,
        accounts: &subject.opened.usage.names().accounts,
        truth: subject.truth,
        owners: subject.owners,
        arrivals: &arrivals,
        seen,
    };
    Ok(judged.figures())
}

/// The policy against which most forbidden workloads offend: their kind is its id; else the first.
fn scored_policy<'a>(policies: &'a [Policy], truth: &Truth) -> Option<&'a Policy> {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for workload in truth.workloads.iter().filter(|workload| workload.forbidden) {
        *kinds.entry(workload.kind.replace('_', "-")).or_default() += 1;
    }
    let offended = policies.iter().filter(|policy| kinds.contains_key(&policy.id));
    offended.max_by_key(|policy| kinds.get(&policy.id).copied()).or(policies.first())
}

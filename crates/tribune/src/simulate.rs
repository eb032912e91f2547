//! `tribune simulate`: writes a simulated provider's files.

use crate::common::{Failure, Progress, output, put, thousands};
use simulate::{Date, Options, Scenario};
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a simulated provider's usage records, facts and truth.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune simulate --accounts 3000 --days 35 --seed 7 --out provider")]
pub(crate) struct Args {
    /// A new or empty folder
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many accounts
    #[arg(long, value_name = "N", default_value_t = 3_000)]
    accounts: u32,
    /// How many days
    #[arg(long, value_name = "D", default_value_t = 35)]
    days: u32,
    /// The same seed writes the same bytes
    #[arg(long, value_name = "S", default_value_t = 7)]
    seed: u64,
    /// The first day
    #[arg(long, value_name = "DATE", default_value = "2026-01-01")]
    start: Date,
    /// Rows of whole days instead of hours
    #[arg(long)]
    daily: bool,
    /// Workloads, faults and shares to order (TOML; see the documentation of the crate `simulate`)
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let scenario = match &args.scenario {
        Some(path) => {
            let fail = |e: &dyn std::fmt::Display| Failure::Refused(format!("{}: {e}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|e| fail(&e))?;
            Some(Scenario::parse(&text).map_err(|e| fail(&e))?)
        }
        None => None,
    };
    let options = Options {
        accounts: args.accounts,
        days: args.days,
        seed: args.seed,
        start: args.start,
        daily: args.daily,
        scenario,
    };
    let progress = Progress::new("simulating");
    let summary = simulate::simulate(&args.out, &options, &|done, days| {
        progress.show(u64::from(done), u64::from(days), &format!("day {done} of {days}"));
    })?;
    progress.done();
    output(None, |out| {
        let mut out = out;
        put(
            &mut out,
            &format!(
                "{} rows in {} files: {} accounts of {} customers, {} workloads, {} of them forbidden; all of it simulated, in {}",
                thousands(summary.rows),
                thousands(summary.files),
                thousands(summary.accounts as u64),
                thousands(summary.customers as u64),
                thousands(summary.workloads as u64),
                summary.forbidden,
                args.out.display()
            ),
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

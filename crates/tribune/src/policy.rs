//! `tribune policy check|test|backtest|show`: a pack is well formed; its tests hold; what it would have opened; its text for
//! a reader who is no engineer.

use crate::backtest;
use crate::common::{self, Failure, clean, output, put};
use clap::Subcommand;
use review::procedure::Procedure;
use signals::pack::{Policy, Signal};
use signals::watch::{Watch, relations};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use usage::Hour;
use usage::facts::Facts;

/// Check, test or show a policy pack.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune policy check policies/mass-surveillance")]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// Whether a pack is well formed and names nobody
    Check {
        /// The pack's folder; the built-in packs where none is named
        folder: Option<PathBuf>,
    },
    /// Whether a pack's own tests hold
    Test {
        /// The pack's folder; the built-in packs where none is named
        folder: Option<PathBuf>,
    },
    /// What a pack with other numbers would have opened, beside the one in use: counts and pseudonyms
    #[command(after_help = "Example:\n  tribune policy backtest exports/ --with policies/mass-surveillance-next")]
    Backtest(backtest::Args),
    /// A pack's text, for a reader who is no engineer
    Show {
        /// The pack's folder; the built-in packs where none is named
        folder: Option<PathBuf>,
    },
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    match &args.action {
        Action::Check { folder } => check(folder.as_deref()),
        Action::Test { folder } => test(folder.as_deref()),
        Action::Backtest(args) => backtest::run(args),
        Action::Show { folder } => show(folder.as_deref()),
    }
}

fn packs(folder: Option<&Path>) -> Result<Vec<Policy>, Failure> {
    match folder {
        Some(folder) => Ok(vec![Policy::read(folder)?]),
        None => common::policies(&[]),
    }
}

fn check(folder: Option<&Path>) -> Result<ExitCode, Failure> {
    for policy in packs(folder)? {
        let relations = relations().map_err(|error| Failure::Defect(error.to_string()))?;
        policy.plan(&relations)?;
        // Runs every query once on one empty row, so that what fails only when it runs is found too.
        let mut watch = Watch::new(vec![policy.clone()], Facts::empty(), 1)?;
        watch.evaluate_rows(vec![Default::default()], Hour(0))?;
        output(None, |out| {
            let families = review::Family::ALL.map(|family| {
                format!("{} {}", policy.signals.iter().filter(|signal| signal.family == family).count(), family.name())
            });
            let mut out = out;
            put(
                &mut out,
                &format!(
                    "{} {} is well formed: {} elements, {} signals ({}), {} files of tests\n{}",
                    policy.id,
                    clean(&policy.version),
                    policy.elements.len(),
                    policy.signals.len(),
                    families.join(", "),
                    policy.tests.len(),
                    policy.digest
                ),
            )
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn test(folder: Option<&Path>) -> Result<ExitCode, Failure> {
    let (mut held, mut failed) = (0, 0);
    for policy in packs(folder)? {
        let outcomes = signals::packtest::run(&policy)?;
        if outcomes.is_empty() {
            return Err(Failure::Refused(format!("{} has no tests; add tests/*.toml with a [[case]] each", policy.id)));
        }
        output(None, |out| {
            let mut out = out;
            for outcome in &outcomes {
                let mark = if outcome.wrong.is_empty() { "ok    " } else { "FAILED" };
                put(&mut out, &format!("{mark} {}: {}", clean(&outcome.file), clean(&outcome.name)))?;
                for wrong in &outcome.wrong {
                    put(&mut out, &format!("         {}", clean(wrong)))?;
                }
            }
            Ok(())
        })?;
        failed += outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).count();
        held += outcomes.iter().filter(|outcome| outcome.wrong.is_empty()).count();
    }
    output(None, |out| put(&mut &mut *out, &format!("{held} passed, {failed} failed")))?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(folder: Option<&Path>) -> Result<ExitCode, Failure> {
    for policy in packs(folder)? {
        output(None, |out| text(&mut &mut *out, &policy))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(out: &mut impl Write, policy: &Policy) -> Result<(), Failure> {
    put(out, &format!("{} ({} {})\n", clean(&policy.title), policy.id, clean(&policy.version)))?;
    for line in policy.clause.lines() {
        put(out, &clean(line))?;
    }
    put(out, "\nHow a workload is scored")?;
    put(
        out,
        &format!(
            "  Before any evidence: {} dB. Every signal adds or takes away evidence in decibans (+10 dB: ten times the odds).\n  \
         A case may open from {} dB on, if {} of 5 families speak with {} dB or more, on two of three days, and for no more\n  \
         than {} workloads a week for each 10,000 customers. Verified use takes away up to 25 dB, up to its limit.",
            policy.prior,
            policy.floor,
            policy.families_needed.count,
            policy.families_needed.at_least_db,
            policy.cases_per_week
        ),
    )?;
    for family in review::Family::ALL {
        put(out, &format!("\nSignals of {}", family.name()))?;
        for signal in policy.signals.iter().filter(|signal| signal.family == family) {
            show_signal(out, signal)?;
        }
    }
    show_review(out, &policy.review)
}

fn show_review(out: &mut impl Write, review: &Procedure) -> Result<(), Failure> {
    put(out, "\nWhat must be shown, each by itself")?;
    for element in &review.elements {
        let rests_on: Vec<&str> = element.rests_on.iter().map(|basis| basis.words()).collect();
        put(out, &format!("  {} {}; may rest on {}", element.id, clean(&element.title), rests_on.join(", ")))?;
    }
    put(out, "\nWhat a review needs before anything is disabled, in order")?;
    for (step, number) in review.steps.iter().zip(1..) {
        put(out, &format!("  {number}. {} (within {} days)", clean(&step.title), step.due_days))?;
    }
    put(out, "\nWhat may be ordered, mildest first")?;
    for intervention in &review.interventions {
        let standard = intervention.reach.standard().map_or("asks only".to_owned(), |standard| standard.to_string());
        put(out, &format!("  {}: {}", clean(&intervention.title), standard))?;
    }
    put(out, &format!("Approved by {} people who did not propose it.", review.approvals))?;
    put(out, &format!("Never a target: {}", clean(&names(&review.protected_services))))
}

/// Names, with commas between.
pub(crate) fn names<'a, T: ToString + 'a>(names: impl IntoIterator<Item = &'a T>) -> String {
    names.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn show_signal(out: &mut impl Write, signal: &Signal) -> Result<(), Failure> {
    put(out, &format!("  {}: {}", signal.id, clean(&signal.sentence.replace("{value}", "N"))))?;
    let points = signal.table.points().iter();
    let points: Vec<String> = points
        .map(|(value, evidence)| format!("{} → {evidence}", review::words::readable(*value, signal.divisor)))
        .collect();
    put(
        out,
        &format!("      {} ({}): {} dB; from {} on", "evidence", clean(&signal.unit), points.join(", "), signal.least),
    )?;
    put(out, &format!("      innocently: {}", clean(&signal.innocent)))
}

//! `tribune scan`: one ranking as of a time.

use crate::common::{self, Failure, Format, Head, Opened, Sources, clean, output, put};
use comfy_table::{CellAlignment, Table, presets};
use review::{Decibans, Finding};
use serde::Serialize;
use signals::docket::Docket;
use signals::findings::{finding, pseudonymise};
use signals::watch::Watch;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use usage::tally::{Rejection, Unmapped, Unreadable};
use usage::{ByDay, Hour};

/// Rank workloads as of a time.
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tribune scan exports/ --facts facts.csv --as-of 2026-03-01T00Z --top 20")]
pub(crate) struct Args {
    #[command(flatten)]
    sources: Sources,
    /// Rows and facts known by this time [default: the latest known hour]
    #[arg(long, value_name = "TIME")]
    as_of: Option<Hour>,
    /// How many findings to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Show names below the floor too; needs a purpose, and is logged
    #[arg(long, requires = "purpose")]
    names: bool,
    /// Why somebody looks at names
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct Scan<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// What was not used, by name.
    unmapped: &'a [Unmapped],
    rejections: &'a [Rejection],
    unreadable: &'a [Unreadable],
    findings: Vec<Finding>,
}

/// Runs it.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let opened = args.sources.open()?;
    let tally = &opened.tally;
    if opened.usage.known().is_none() {
        return nothing(args, &opened);
    }
    let at = opened.as_of(args.as_of)?;
    let head = Head::new("tribune.findings/1", &opened, at)?;
    let mut watch = Watch::new(opened.policies.clone(), opened.facts.clone(), opened.threads)?;
    let rankings = common::scan(&opened, &mut watch, at, Vec::new())?;
    let mut findings = Vec::new();
    for (evaluation, ranking) in &rankings.last {
        let top = ranking.iter().zip(1_u32..).take(args.top);
        findings.extend(top.map(|(ranked, rank)| {
            let finding = finding(&watch, evaluation, &rankings.docket, ranked, rank);
            (ranked.above, finding)
        }));
    }
    findings.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.score_db));
    let hidden = findings.iter().filter(|(above, _)| !above).count();
    if args.names {
        let purpose = args.purpose.as_deref().unwrap_or_default();
        crate::looks::log("scan --names", purpose, at, &head.records.digest, None, hidden)?;
    }
    let findings: Vec<Finding> = findings
        .into_iter()
        .map(|(above, mut finding)| {
            if !above && !args.names {
                pseudonymise(&mut finding, &head.records.digest);
            }
            finding
        })
        .collect();
    output(args.out.as_deref(), |out| match args.format {
        Format::Json => common::json(
            out,
            &Scan {
                head,
                unmapped: &tally.unmapped_names,
                rejections: &tally.rejections,
                unreadable: &tally.unreadable,
                findings,
            },
        ),
        Format::Table => table(&mut &mut *out, args, &opened, &rankings.docket, at, &findings),
    })?;
    Ok(opened.exit())
}

/// Records without a single row that a catalogue maps: said plainly, with what was read.
fn nothing(args: &Args, opened: &Opened) -> Result<ExitCode, Failure> {
    let at = args.as_of.unwrap_or(Hour(0));
    let tally = &opened.tally;
    let head = Head::new("tribune.findings/1", opened, at)?;
    output(args.out.as_deref(), |out| match args.format {
        Format::Json => common::json(
            out,
            &Scan {
                head,
                unmapped: &tally.unmapped_names,
                rejections: &tally.rejections,
                unreadable: &tally.unreadable,
                findings: Vec::new(),
            },
        ),
        Format::Table => {
            let mut out = out;
            common::say_tally(&mut out, tally)?;
            put(&mut out, "nothing here is usage that a meter catalogue maps, so nothing here warrants a case")?;
            common::say_unmapped(&mut out, tally, 20)
        }
    })?;
    Ok(opened.exit())
}

fn table(
    out: &mut impl Write,
    args: &Args,
    opened: &Opened,
    docket: &Docket,
    at: Hour,
    findings: &[Finding],
) -> Result<(), Failure> {
    common::say_tally(out, &opened.tally)?;
    let opening = findings.iter().filter(|finding| finding.opens_case).count();
    let floors: Vec<String> = opened
        .policies
        .iter()
        .enumerate()
        .map(|(place, policy)| format!("{} {}", policy.id, docket.floors.get(&place).copied().unwrap_or(policy.floor)))
        .collect();
    put(out, &format!("as of {at}; floor: {} dB", floors.join(", ")))?;
    put(
        out,
        &match opening {
            0 => "nothing here warrants a case".to_owned(),
            1 => "1 workload warrants a case".to_owned(),
            n => format!("{n} workloads warrant a case"),
        },
    )?;
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "#", "customer", "unit", "accounts", "score dB", "scale", "form", "proc.", "decl.", "struct.", "facts", "case",
    ]);
    for column in [0, 4, 5, 6, 7, 8, 9, 10] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    // Somebody who asked for names with a purpose sees them even where no signal speaks.
    let speaks =
        |finding: &&Finding| args.names || finding.signals.iter().any(|signal| signal.evidence_db != Decibans::ZERO);
    if !findings.iter().any(|finding| speaks(&finding)) {
        put(out, "no signal speaks of any workload")?;
        return common::say_unmapped(out, &opened.tally, args.top);
    }
    for finding in findings.iter().filter(speaks) {
        let families = finding.families.values().map(|evidence| evidence.to_string());
        let mut row = vec![finding.rank.to_string(), clean(&finding.customer), clean(&finding.unit), accounts(finding)];
        row.push(finding.score_db.to_string());
        row.extend(families);
        row.push(if finding.facts_db == Decibans::ZERO { String::new() } else { finding.facts_db.to_string() });
        row.push(if finding.opens_case { "opens".into() } else { String::new() });
        table.add_row(row);
    }
    put(out, &table.to_string())?;
    for finding in findings.iter().filter(|finding| finding.opens_case).take(5) {
        reasons(out, finding)?;
    }
    if findings.iter().any(|finding| finding.customer.starts_with('~')) {
        put(
            out,
            "\nNames that begin with ~ are pseudonyms: below the floor nobody is named without --names --purpose.",
        )?;
    }
    common::say_unmapped(out, &opened.tally, args.top)
}

fn accounts(finding: &Finding) -> String {
    match finding.accounts.as_slice() {
        [one] => clean(one),
        [first, rest @ ..] => format!("{} and {} more", clean(first), rest.len()),
        [] => String::new(),
    }
}

/// The strongest reasons of a finding, in sentences.
pub(crate) fn reasons(out: &mut impl Write, finding: &Finding) -> Result<(), Failure> {
    put(out, &format!("\n{} {} ({} dB):", clean(&finding.customer), accounts(finding), finding.score_db))?;
    let mut signals: Vec<_> = finding.signals.iter().filter(|signal| signal.evidence_db != Decibans::ZERO).collect();
    signals.sort_by_key(|signal| std::cmp::Reverse(signal.evidence_db));
    for signal in signals.iter().filter(|signal| signal.evidence_db > Decibans::ZERO).take(7) {
        put(out, &format!("  {:>6} dB  {}", signal.evidence_db.to_string(), signal.explanation))?;
    }
    for signal in signals.iter().rev().filter(|signal| signal.evidence_db < Decibans::ZERO).take(3) {
        put(out, &format!("  {:>6} dB  {}", signal.evidence_db.to_string(), signal.explanation))?;
    }
    for fact in &finding.facts {
        put(out, &format!("             {}", clean(fact)))?;
    }
    Ok(())
}

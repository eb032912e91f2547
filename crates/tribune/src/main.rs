//! `tribune`: a table of what it does.
//!
//! Each command lives in a module of its own, with its arguments; what several need is in [`common`]. There are no
//! rules of the domain here.

mod account;
mod appeal;
mod backtest;
mod case;
mod common;
mod cosign;
mod decision;
mod demo;
mod epoch;
mod evaluate;
mod explain;
mod exploring;
mod export;
mod gate;
mod http;
mod log;
mod looks;
mod metering;
mod office;
mod page;
mod policy;
mod record;
mod replay;
mod report;
mod restriction;
mod scan;
mod serve;
mod simulate;
mod site;
mod watching;
mod witness;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use common::Failure;
use std::process::ExitCode;

/// Acceptable-use review for cloud and AI platforms: from usage records to restrictions that hold.
#[derive(Parser)]
#[command(name = "tribune", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// A whole simulated provider: its cases in the terminal and as pages on 127.0.0.1
    Demo(demo::Args),
    /// Write a simulated provider's usage records, facts and truth
    Simulate(simulate::Args),
    /// Rank workloads as of a time
    Scan(scan::Args),
    /// Run the clock over the records and open cases as the live system would
    Replay(replay::Args),
    /// Replay a simulated folder and score it against its truth
    Evaluate(evaluate::Args),
    /// Everything a reviewer needs of one entity
    Explain(explain::Args),
    /// Check, test or show a policy pack
    Policy(policy::Args),
    /// Report, follow a report, take reports in
    Report(report::Args),
    /// Carry a case: open it, gather evidence, hear the customer, determine, close it
    Case(case::Args),
    /// Propose, sign, approve, refuse, serve and bring into effect
    Decision(Box<decision::Args>),
    /// File, admit and decide appeals
    Appeal(appeal::Args),
    /// What is switched off now
    Restriction(restriction::Args),
    /// Begin, verify, back up, count and erase the record
    Record(record::Args),
    /// Serve gates, the public log and what is published; do the day's chores
    Serve(serve::Args),
    /// A gate beside a proxy: answers allow or refuse, from the last snapshot that held
    Gate(gate::Args),
    /// Check a public log from outside, or witness one
    Log(log::Args),
}

/// Every verb's help ends in an example: its own, or the line of its command's that shows it, or where such lines are.
fn with_examples(cli: clap::Command) -> clap::Command {
    cli.mut_subcommands(|command| {
        let (name, shown) = (command.get_name().to_owned(), command.get_after_help().map(ToString::to_string));
        let shown = shown.unwrap_or_default();
        command.mut_subcommands(|verb| {
            if verb.get_after_help().is_some() {
                return verb;
            }
            let begins = format!("tribune {name} {} ", verb.get_name());
            let line = shown.lines().find(|line| line.trim_start().starts_with(&begins));
            let example = line.map(|line| line.trim().trim_end_matches('\\').trim_end().to_owned());
            let elsewhere = format!("Examples of how it goes: tribune {name} --help");
            verb.after_help(example.map_or(elsewhere, |example| format!("Example:\n  {example}")))
        })
    })
}

fn main() -> ExitCode {
    let matches = with_examples(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    // A reader that goes away (`tribune scan … | head`) is no defect of ours.
    let result = match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Scan(args) => scan::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Policy(args) => policy::run(&args),
        Command::Report(args) => report::run(args),
        Command::Case(args) => case::run(args),
        Command::Decision(args) => decision::run(*args),
        Command::Appeal(args) => appeal::run(args),
        Command::Restriction(args) => restriction::run(args),
        Command::Record(args) => record::run(args),
        Command::Serve(args) => serve::run(&args),
        Command::Gate(args) => gate::run(args),
        Command::Log(args) => log::run(&args),
    };
    match result {
        Ok(exit) => exit,
        Err(Failure::PipeClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            let text = failure.to_string();
            let lines: Vec<String> = text.lines().map(common::clean).collect();
            eprintln!("tribune: {}", lines.join("\n"));
            ExitCode::from(failure.code())
        }
    }
}

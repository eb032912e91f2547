//! Tribune beside DuckDB: the same questions about the same month of usage records, one after the other, each in a
//! process of its own. `README.md` says what is compared and what is not. Nothing here is a test of time.

mod month;
mod ours;
mod report;

use clap::{Parser, Subcommand};
use month::{Month, TICKS};
use ours::Question;
use report::{Measured, Report, Who};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// What stops a measurement; said on standard error as it is.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The forms of SQL that DuckDB is asked in, where none is named.
const RANK_VARIANTS: [&str; 4] = ["text", "text-daily", "coded", "coded-daily"];
const TICK_VARIANTS: [&str; 3] = ["recompute", "upsert-long", "upsert-wide"];

/// Measures Tribune beside DuckDB on one generated month.
#[derive(Parser, Debug)]
#[command(
    after_help = "Example:\n  cargo run --release -p bench -- --rows tenth --python target/tools/venv/bin/python"
)]
struct Args {
    /// How much: full (50,000 accounts, 130 million rows), tenth, quick (seconds), or a number of rows
    #[arg(long, value_name = "full|tenth|quick|N", default_value = "tenth")]
    rows: String,
    /// The same as --rows quick
    #[arg(long)]
    quick: bool,
    /// Where the month lies, and is made if it does not: some 15 bytes a row, and 100 more while measuring
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"))]
    dir: PathBuf,
    /// A Python that has duckdb [default: TRIBUNE_PYTHON, or that of the tests under target/tools]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// How often (a) is asked, in turns; the median counts
    #[arg(long, value_name = "N", default_value_t = 1)]
    repeat: usize,
    /// Threads, the same for both
    #[arg(long, value_name = "N", default_value_t = 2)]
    threads: usize,
    /// DuckDB's memory limit
    #[arg(long, value_name = "SIZE", default_value = "12GB")]
    memory: String,
    /// Only these forms of DuckDB's SQL for (a) [default: all]
    #[arg(long, value_name = "NAME", value_parser = clap::builder::PossibleValuesParser::new(RANK_VARIANTS))]
    variant: Vec<String>,
    /// What to say of the machine and the day in the report
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// The folder of results.json and README.md [default: this crate's, but for quick sizes none]
    #[arg(long, value_name = "DIR")]
    results: Option<PathBuf>,
    #[command(subcommand)]
    child: Option<Child>,
}

#[derive(Subcommand, Debug)]
enum Child {
    /// One measurement of ours, in this process
    #[command(hide = true)]
    Ours {
        /// The question
        #[arg(value_enum)]
        question: Question,
        /// The account to explain
        #[arg(long)]
        account: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), Failure> {
    let (accounts, days) = args.size()?;
    let month = Month::new(&args.dir, accounts, days);
    if let Some(Child::Ours { question, account }) = &args.child {
        return ours::answer(&month, *question, args.threads, account.as_deref());
    }
    month.generate()?;
    let bench = Bench { args, month };
    let mut report = Report::new();
    let account = bench.rank(&mut report)?;
    bench.tick(&mut report, &account)?;
    bench.explain(&mut report, &account)?;
    let head = json!({
        "accounts": accounts, "days": days, "threads": args.threads, "duckdb_memory": args.memory, "note": args.note,
    });
    report.write(head, args.size_name(), args.results_folder().as_deref())
}

impl Args {
    fn size_name(&self) -> &str {
        if self.quick { "quick" } else { &self.rows }
    }

    fn size(&self) -> Result<(u64, i32), Failure> {
        Ok(match self.size_name() {
            "full" => (50_000, 30),
            "tenth" => (5_000, 30),
            "quick" => (200, 10),
            rows => {
                let wrong = || format!("`--rows {rows}` is not full, tenth, quick or a number of rows");
                let rows: u32 = rows.parse().map_err(|_| wrong())?;
                ((f64::from(rows) / 30.0 / Month::ROWS_PER_ACCOUNT_DAY).ceil().max(1.0) as u64, 30)
            }
        })
    }

    fn python(&self) -> PathBuf {
        let tests = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/venv/bin/python");
        let named = self.python.clone().or_else(|| std::env::var_os("TRIBUNE_PYTHON").map(PathBuf::from));
        named.unwrap_or_else(tests)
    }

    fn results_folder(&self) -> Option<PathBuf> {
        let own = || matches!(self.size_name(), "full" | "tenth").then(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        self.results.clone().or_else(own)
    }
}

/// Asks both sides.
struct Bench<'a> {
    args: &'a Args,
    month: Month,
}

impl Bench<'_> {
    /// (a) Raw records to ranking. Gives the account that ranks first.
    fn rank(&self, report: &mut Report) -> Result<String, Failure> {
        let variants: Vec<&str> = match self.args.variant.as_slice() {
            [] => RANK_VARIANTS.to_vec(),
            named => named.iter().map(String::as_str).collect(),
        };
        let mut first = None;
        for _ in 0..self.args.repeat.max(1) {
            for (question, variant) in [(Question::RankAlike, "alike"), (Question::RankWhole, "whole product")] {
                let value = self.ours(question, None)?;
                first.get_or_insert_with(|| value.clone());
                report.add(Measured::new(report::RANK, Who::Ours, variant, value))?;
            }
            for variant in &variants {
                let value = self.duck("rank", json!({ "variant": variant }))?;
                report.add(Measured::new(report::RANK, Who::DuckDb, variant, value))?;
            }
        }
        let account = first.as_ref().and_then(|value| value.pointer("/answer/top/0/0")?.as_str());
        Ok(account.ok_or("nobody is ranked")?.to_owned())
    }

    /// (b) Hourly ticks.
    fn tick(&self, report: &mut Report, account: &str) -> Result<(), Failure> {
        report.add(Measured::new(report::ROLLUPS, Who::Ours, "", self.ours(Question::Rollups, None)?))?;
        report.add(Measured::new(report::ROLLUPS, Who::DuckDb, "", self.duck("state", json!({}))?))?;
        let value = self.ours(Question::Tick, Some(account))?;
        let explained = value.get("explain").cloned().unwrap_or_default();
        report.add(Measured::new(report::EXPLAIN_WARM, Who::Ours, "", explained))?;
        report.add(Measured::of_ticks(Who::Ours, "", &value))?;
        let files: Vec<PathBuf> = (0..TICKS).map(|tick| self.month.tick_file(tick)).collect();
        for variant in TICK_VARIANTS {
            let value = self.duck("tick", json!({ "variant": variant, "ticks": files }))?;
            report.add(Measured::of_ticks(Who::DuckDb, variant, &value))?;
        }
        Ok(())
    }

    /// (c) One account, explained.
    fn explain(&self, report: &mut Report, account: &str) -> Result<(), Failure> {
        let asked = json!({ "account": account });
        let value = self.duck("explain-warm", asked.clone())?;
        report.add(Measured::new(report::EXPLAIN_WARM, Who::DuckDb, "", value))?;
        let value = self.ours(Question::ExplainCold, Some(account))?;
        report.add(Measured::new(report::EXPLAIN_COLD, Who::Ours, "", value))?;
        let value = self.duck("explain-cold", asked)?;
        report.add(Measured::new(report::EXPLAIN_COLD, Who::DuckDb, "", value))
    }

    fn ours(&self, question: Question, account: Option<&str>) -> Result<Value, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--rows").arg(self.args.size_name()).arg("--dir").arg(&self.args.dir);
        command.arg("--threads").arg(self.args.threads.to_string()).arg("ours");
        let name = clap::ValueEnum::to_possible_value(&question).ok_or("a question without a name")?;
        command.arg(name.get_name());
        if let Some(account) = account {
            command.arg("--account").arg(account);
        }
        outcome(&mut command, &format!("ours, {}", name.get_name()))
    }

    fn duck(&self, question: &str, mut more: Value) -> Result<Value, Failure> {
        let month = std::path::absolute(&self.month.folder)?;
        let common = [
            ("question", json!(question)),
            ("month", json!(month)),
            ("threads", json!(self.args.threads)),
            ("memory", json!(self.args.memory)),
        ];
        if let Some(more) = more.as_object_mut() {
            more.extend(common.map(|(name, value)| (name.to_owned(), value)));
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("duck.py");
        let mut command = Command::new(self.args.python());
        command.arg(script).arg(more.to_string());
        let variant = more.get("variant").and_then(Value::as_str).unwrap_or_default();
        outcome(&mut command, &format!("DuckDB, {question} {variant}"))
    }
}

/// Runs a measurement and takes the JSON it prints.
fn outcome(command: &mut Command, what: &str) -> Result<Value, Failure> {
    eprintln!("{what}");
    let hint = "name one that has duckdb with --python, or run `cargo xtask test --only tests` once, which makes one";
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{}: {error}; {hint}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(format!("{what} failed ({})", output.status).into());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("{what} printed no JSON: {error}").into())
}

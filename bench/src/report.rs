//! What was measured, whether both sides found the same, and how it is written down. It measures nothing.

use crate::Failure;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const BEGIN: &str = "<!-- results -->";
const END: &str = "<!-- end of results -->";
/// The sizes that README.md shows, in order.
const SHOWN: [(&str, &str); 2] = [("full", "The month"), ("tenth", "A tenth of it")];

/// The questions, as the tables name them.
pub(crate) const RANK: &str = "(a) rank";
pub(crate) const ROLLUPS: &str = "rollup tables";
pub(crate) const TICK: &str = "(b) tick";
pub(crate) const EXPLAIN_WARM: &str = "(c) explain, state in memory";
pub(crate) const EXPLAIN_COLD: &str = "(c) explain, from disk";

/// Who answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Ours,
    DuckDb,
}

impl Who {
    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "Tribune",
            Self::DuckDb => "DuckDB",
        }
    }
}

/// One measurement, perhaps of several rounds.
#[derive(Debug)]
pub(crate) struct Measured {
    question: &'static str,
    who: Who,
    variant: String,
    /// What it answered; `null` where nothing is asked.
    answer: Value,
    rounds: Vec<Value>,
}

impl Measured {
    pub(crate) fn new(question: &'static str, who: Who, variant: &str, mut value: Value) -> Self {
        let answer = value.as_object_mut().and_then(|value| value.remove("answer")).unwrap_or_default();
        Self { question, who, variant: variant.to_owned(), answer, rounds: vec![value] }
    }

    /// Ticks are rounds of one question, each with its own answer.
    pub(crate) fn of_ticks(who: Who, variant: &str, value: &Value) -> Self {
        let mut rounds = value.get("ticks").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut answers = Vec::new();
        for round in &mut rounds {
            if let Some(round) = round.as_object_mut() {
                answers.push(json!([round.get("new"), round.remove("answer")]));
                round.insert("peak_bytes".into(), value.get("peak_bytes").cloned().unwrap_or_default());
                round.insert("version".into(), value.get("version").cloned().unwrap_or_default());
            }
        }
        Self { question: TICK, who, variant: variant.to_owned(), answer: answers.into(), rounds }
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        let mut numbers: Vec<f64> = self.rounds.iter().filter_map(|round| round.get(name)?.as_f64()).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        numbers
    }

    /// The median of the rounds.
    fn median(&self, name: &str) -> Option<f64> {
        let numbers = self.numbers(name);
        numbers.get(numbers.len() / 2).copied()
    }

    fn seconds(&self) -> Option<f64> {
        self.median("seconds")
    }

    /// The highest of the rounds.
    fn peak_bytes(&self) -> Option<f64> {
        self.numbers("peak_bytes").last().copied()
    }

    fn json(&self, rows: f64) -> Value {
        let reads = !self.question.starts_with("(c)");
        let per_second = self.seconds().filter(|_| reads).map(|seconds| (rows / seconds).round());
        json!({
            "question": self.question, "who": self.who.name(), "variant": self.variant, "seconds": self.seconds(),
            "processor_seconds": self.median("processor_seconds"), "peak_bytes": self.peak_bytes(),
            "rows_per_second": per_second, "rounds": self.rounds,
        })
    }
}

/// All measurements of one size.
pub(crate) struct Report {
    measured: Vec<Measured>,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self { measured: Vec::new() }
    }

    /// Takes a measurement, if its answer is that of all others to the same question.
    pub(crate) fn add(&mut self, new: Measured) -> Result<(), Failure> {
        if let Some(other) = self.measured.iter().find(|other| other.question == new.question)
            && let Some(difference) = difference("", &other.answer, &new.answer)
        {
            return Err(format!(
                "{}: {} {} and {} {} do not answer the same: {difference}",
                new.question,
                other.who.name(),
                other.variant,
                new.who.name(),
                new.variant
            )
            .into());
        }
        let same = |other: &&mut Measured| {
            (other.question, other.who, &other.variant) == (new.question, new.who, &new.variant)
        };
        match self.measured.iter_mut().find(same) {
            Some(other) => other.rounds.extend(new.rounds),
            None => self.measured.push(new),
        }
        Ok(())
    }

    /// Prints the table; with a folder, keeps the results in its `results.json` and shows them in its `README.md`.
    pub(crate) fn write(&self, head: Value, size: &str, folder: Option<&Path>) -> Result<(), Failure> {
        let run = self.json(head);
        println!("{}", table(&run));
        let Some(folder) = folder else { return Ok(()) };
        let (results, readme) = (folder.join("results.json"), folder.join("README.md"));
        let before = std::fs::read_to_string(&results).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let mut runs = before.and_then(|all| all.get("runs")?.as_object().cloned()).unwrap_or_else(Map::new);
        runs.insert(size.to_owned(), run);
        let all = json!({ "schema": "tribune.bench/1", "runs": runs });
        std::fs::write(&results, serde_json::to_string_pretty(&all)? + "\n")?;
        let text = std::fs::read_to_string(&readme).map_err(|error| format!("{}: {error}", readme.display()))?;
        std::fs::write(&readme, shown(&text, &all).ok_or("README.md has lost the marks around its results")?)?;
        Ok(())
    }

    fn json(&self, head: Value) -> Value {
        let first =
            |name: &str| self.measured.iter().flat_map(|one| &one.rounds).find_map(|round| round.get(name).cloned());
        let mut run = head;
        let rows = first("rows").and_then(|rows| rows.as_f64()).unwrap_or_default();
        let ticks = self.measured.iter().find(|one| one.question == TICK && one.who == Who::Ours);
        let tick_rows = ticks.and_then(|one| one.numbers("rows").first().copied()).unwrap_or_default();
        let measurements: Vec<Value> =
            self.measured.iter().map(|one| one.json(if one.question == TICK { tick_rows } else { rows })).collect();
        if let Some(run) = run.as_object_mut() {
            run.insert("rows".into(), json!(rows));
            run.insert("tick_rows".into(), json!(tick_rows));
            run.insert("duckdb".into(), first("version").unwrap_or_default());
            run.insert("same_answers".into(), json!(true));
            run.insert("ratios".into(), self.ratios());
            run.insert("measurements".into(), measurements.into());
        }
        run
    }

    /// DuckDB's seconds ÷ ours, for every pair that answers the same question; a tick also beside asking (a) again.
    fn ratios(&self) -> Value {
        let of = |who: Who| self.measured.iter().filter(move |one| one.who == who);
        let pairs = of(Who::Ours).flat_map(|ours| {
            let again = |theirs: &Measured| ours.question == TICK && theirs.question == RANK;
            let theirs = of(Who::DuckDb).filter(move |theirs| theirs.question == ours.question || again(theirs));
            theirs.filter_map(move |theirs| {
                let name = |one: &Measured| format!("{} {}", one.who.name(), one.variant).trim().to_owned();
                let of = name(theirs) + if again(theirs) { ", from nothing" } else { "" };
                let ratio = theirs.seconds()? / ours.seconds()?;
                Some(json!({ "question": ours.question, "of": of, "to": name(ours), "ratio": ratio }))
            })
        });
        pairs.collect::<Vec<_>>().into()
    }
}

/// Where two answers differ first.
fn difference(path: &str, a: &Value, b: &Value) -> Option<String> {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeMap<&String, ()> = a.keys().chain(b.keys()).map(|name| (name, ())).collect();
            let of = |side: &Map<String, Value>, name: &str| side.get(name).cloned().unwrap_or_default();
            names.keys().find_map(|name| difference(&format!("{path}/{name}"), &of(a, name), &of(b, name)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(at, (a, b))| difference(&format!("{path}/{at}"), a, b))
        }
        (Value::Array(a), Value::Array(b)) => Some(format!("{path} has {} and {} entries", a.len(), b.len())),
        _ => (a != b).then(|| format!("{path} is {a} and {b}")),
    }
}

/// README.md with the results of all runs between its marks.
fn shown(text: &str, all: &Value) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let runs = SHOWN.iter().filter_map(|(size, title)| Some((title, all.pointer(&format!("/runs/{size}"))?)));
    let tables: String = runs.map(|(title, run)| format!("### {title}\n\n{}\n", table(run))).collect();
    Some(format!("{before}{BEGIN}\n\n{tables}{END}{after}"))
}

/// One run as Markdown.
fn table(run: &Value) -> String {
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_f64);
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |name: &str| run.get(name).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let whole = |name: &str| thousands(number(run, name).unwrap_or_default());
    let mut out = format!(
        "{} rows of {} accounts over {} days; a tick brings {} rows. {} threads each; DuckDB {} with {} of memory. {}\n\n",
        whole("rows"),
        whole("accounts"),
        whole("days"),
        whole("tick_rows"),
        whole("threads"),
        text(run, "duckdb"),
        text(run, "duckdb_memory"),
        text(run, "note"),
    );
    out += "| question | who | seconds | of processors | rows a second | peak memory, MiB |\n|---|---|---:|---:|---:|---:|\n";
    for one in list("measurements") {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            text(one, "question"),
            format!("{} {}", text(one, "who"), text(one, "variant")).trim(),
            number(one, "seconds").map_or_else(String::new, short),
            number(one, "processor_seconds").map_or_else(String::new, short),
            number(one, "rows_per_second").map_or_else(String::new, thousands),
            number(one, "peak_bytes").map_or_else(String::new, |bytes| thousands(bytes / 1_048_576.0)),
        );
    }
    out += "\n| question | seconds of | ÷ seconds of | ratio |\n|---|---|---|---:|\n";
    for one in list("ratios") {
        let ratio = number(one, "ratio").map_or_else(String::new, short);
        let _ = writeln!(out, "| {} | {} | {} | {ratio} |", text(one, "question"), text(one, "of"), text(one, "to"));
    }
    out
}

/// Three digits, or whole numbers above.
fn short(number: f64) -> String {
    match number {
        100.0.. => thousands(number),
        10.0.. => format!("{number:.1}"),
        0.1.. => format!("{number:.2}"),
        0.001.. => format!("{number:.4}"),
        _ => format!("{number:.6}"),
    }
}

fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_differ_are_refused_with_the_place() {
        let measured =
            |who, calls: i64| Measured::new("q", who, "v", json!({"seconds": 1, "answer": {"top": [["a", calls]]}}));
        let mut report = Report::new();
        report.add(measured(Who::Ours, 7)).unwrap();
        report.add(measured(Who::DuckDb, 7)).unwrap();
        let refused = report.add(measured(Who::DuckDb, 8)).unwrap_err().to_string();
        assert!(refused.ends_with("/top/0/1 is 7 and 8"), "{refused}");
    }

    #[test]
    fn a_run_replaces_only_its_own_table() {
        let run = |rows: i64| json!({ "rows": rows, "measurements": [], "ratios": [] });
        let all = json!({ "runs": { "full": run(130_000_000), "tenth": run(13), "quick": run(1) } });
        let text = shown(&format!("before {BEGIN} old {END} after"), &all).unwrap();
        assert!(text.starts_with("before") && text.ends_with("after") && !text.contains("old"));
        assert!(text.contains("130,000,000 rows") && text.contains("\n13 rows") && !text.contains("\n1 rows"));
        assert_eq!(shown("no marks", &all), None);
    }

    #[test]
    fn the_median_of_the_rounds_counts() {
        let mut report = Report::new();
        for seconds in [9, 1, 2] {
            report.add(Measured::new("q", Who::Ours, "", json!({ "seconds": seconds, "rows": 10 }))).unwrap();
        }
        assert_eq!(report.json(json!({})).pointer("/measurements/0/seconds"), Some(&json!(2.0)));
    }
}

//! A policy pack: one clause of the terms, the signals that may show its breach, and what a review of it needs.
//!
//! A pack is a folder: `policy.toml`, `clause.md`, `signals/<id>.sql`, `tests/*.toml`. Reading one checks all of it and
//! lists every fault with its file and a way to mend it. It is not the scoring, and it names nobody (invariant 17):
//! [`neutral`] sees to that.

mod neutral;

use crate::sql::{Query, Relations, SqlError};
use crate::workload::Hourly;
use include_dir::{Dir, include_dir};
use review::procedure::Procedure;
use review::words::readable;
use review::{Decibans, EvidenceTable, Family};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../policies");

/// How large one file of a pack may be, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// One thing that is wrong with a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file within the pack.
    pub file: String,
    /// What is wrong and how to mend it.
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.text)
    }
}

/// Why a pack could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// The folder or a file of it could not be read.
    #[error("{path}: {reason}")]
    Read {
        /// Which.
        path: String,
        /// Why not.
        reason: String,
    },
    /// It was read, but is not well formed.
    #[error("the policy pack {pack} is not well formed:{}", list(faults))]
    Faults {
        /// The pack's folder.
        pack: String,
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
    },
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("\n  {fault}")).collect()
}

/// The least data a signal speaks on (blueprint §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Least {
    /// Volumes and ratios.
    #[serde(rename = "6 hours")]
    Hours6,
    /// Rhythm, correlation and peers.
    #[serde(rename = "72 hours")]
    Hours72,
    /// Slopes.
    #[serde(rename = "14 days")]
    Days14,
}

impl fmt::Display for Least {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hours6 => "6 complete hours",
            Self::Hours72 => "72 complete hours",
            Self::Days14 => "14 days",
        })
    }
}

/// When a signal is computed anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refresh {
    /// At every tick.
    Hourly,
    /// At midnight (UTC).
    Daily,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    id: String,
    version: String,
    title: String,
    prior_db: f64,
    floor_db: f64,
    #[serde(default)]
    floor_raise_db: f64,
    #[serde(default = "twenty")]
    cases_per_week: f64,
    families: FamiliesNeeded,
    fast_lane: FastLane,
    review: Procedure,
    #[serde(rename = "signal", default)]
    signals: Vec<SignalFile>,
}

fn twenty() -> f64 {
    20.0
}

/// How many families must speak before a case may open.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FamiliesNeeded {
    /// How many.
    pub count: usize,
    /// With at least this much each, in dB.
    pub at_least_db: f64,
}

/// What needs no second day: overwhelming scale over the last complete hours.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FastLane {
    /// An hourly column of `workload`.
    pub column: String,
    /// From this value on.
    pub at_least: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalFile {
    id: String,
    family: Family,
    unit: String,
    #[serde(default = "one")]
    divisor: i64,
    least: Least,
    refresh: Refresh,
    evidence: Vec<(f64, f64)>,
    #[serde(default)]
    sentence: String,
    #[serde(default)]
    innocent: String,
}

fn one() -> i64 {
    1
}

/// One signal, checked.
#[derive(Clone, Debug)]
pub struct Signal {
    /// Its id, which is also its file's name.
    pub id: String,
    /// Its family.
    pub family: Family,
    /// The unit of its value.
    pub unit: String,
    /// The SQL's value is this many times the value in `unit`.
    pub divisor: i64,
    /// The least data it speaks on.
    pub least: Least,
    /// When it is computed.
    pub refresh: Refresh,
    /// From the SQL's value to evidence.
    pub table: EvidenceTable,
    /// For people, with `{value}` in it.
    pub sentence: String,
    /// What would explain a high value innocently.
    pub innocent: String,
    /// The query.
    pub sql: String,
}

impl Signal {
    /// The SQL's value in the signal's unit.
    pub fn in_unit(&self, value: i64) -> f64 {
        value as f64 / self.divisor as f64
    }

    /// The sentence with the value in it.
    pub fn explain(&self, value: Option<i64>) -> String {
        match value {
            Some(value) => self.sentence.replace("{value}", &readable(value, self.divisor)),
            None => format!("not enough to say (needs {} of data that bear on it)", self.least),
        }
    }
}

/// A policy pack, checked, with its queries planned.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What a reader calls it.
    pub title: String,
    /// The clause, its elements and what may prove them, in Markdown.
    pub clause: String,
    /// The elements' headings, in order: `E1 …`.
    pub elements: Vec<String>,
    /// What is believed before any evidence.
    pub prior: Decibans,
    /// A finding below it opens no case.
    pub floor: Decibans,
    /// How far the population itself may raise the floor.
    pub floor_raise: Decibans,
    /// Cases a week for each 10,000 customers, and at least as many in all.
    pub cases_per_week: f64,
    /// How many families must speak.
    pub families_needed: FamiliesNeeded,
    /// What needs no second day.
    pub fast_lane: FastLane,
    /// What a review needs.
    pub review: Procedure,
    /// The signals, in the pack's order.
    pub signals: Vec<Signal>,
    /// `sha256:…` over all files of the pack.
    pub digest: String,
    /// Its tests: file name and text.
    pub tests: Vec<(String, String)>,
}

/// The files of one pack.
type Files = BTreeMap<String, String>;

impl Policy {
    /// The packs that the binary carries.
    pub fn built_in() -> Result<Vec<Self>, PackError> {
        let packs = BUILT_IN.dirs().map(|dir| {
            let mut files = Files::new();
            embedded(dir, dir.path(), &mut files);
            Self::from_files(&dir.path().display().to_string(), files)
        });
        packs.collect()
    }

    /// The pack in a folder.
    pub fn read(folder: &Path) -> Result<Self, PackError> {
        let mut files = Files::new();
        on_disk(folder, folder, &mut files)?;
        Self::from_files(&folder.display().to_string(), files)
    }

    fn from_files(pack: &str, files: Files) -> Result<Self, PackError> {
        let mut faults = Vec::new();
        let policy = build(&files, &mut faults);
        match policy {
            Some(policy) if faults.is_empty() => Ok(policy),
            _ => Err(PackError::Faults { pack: pack.to_owned(), faults }),
        }
    }

    /// Plans every signal's query, or says what is wrong with each that cannot be.
    pub fn plan(&self, relations: &Relations) -> Result<Vec<Query>, PackError> {
        let mut faults = Vec::new();
        let mut queries = Vec::new();
        for signal in &self.signals {
            match relations.plan(&signal.sql) {
                Ok(query) => queries.push(query),
                Err(SqlError::Plan(text) | SqlError::Refused(text) | SqlError::Run(text)) => {
                    faults.push(Fault { file: format!("signals/{}.sql", signal.id), text });
                }
            }
        }
        if faults.is_empty() { Ok(queries) } else { Err(PackError::Faults { pack: self.id.clone(), faults }) }
    }

    /// How many cases a week a population of so many customers may open.
    pub fn weekly_budget(&self, customers: usize) -> usize {
        (self.cases_per_week * (customers as f64 / 10_000.0).max(1.0)).round() as usize
    }
}

fn embedded(dir: &Dir<'_>, root: &Path, files: &mut Files) {
    for file in dir.files() {
        let path = file.path().strip_prefix(root).unwrap_or(file.path());
        files.insert(slashed(path), file.contents_utf8().unwrap_or_default().to_owned());
    }
    for inner in dir.dirs() {
        embedded(inner, root, files);
    }
}

fn slashed(path: &Path) -> String {
    path.iter().map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
}

fn on_disk(folder: &Path, root: &Path, files: &mut Files) -> Result<(), PackError> {
    let fail = |path: &Path, reason: String| PackError::Read { path: path.display().to_string(), reason };
    let entries =
        std::fs::read_dir(folder).map_err(|e| fail(folder, format!("{e}; name the folder of a policy pack")))?;
    for entry in entries {
        let path = entry.map_err(|e| fail(folder, e.to_string()))?.path();
        let name = slashed(path.strip_prefix(root).unwrap_or(&path));
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            if name.matches('/').count() < 2 {
                on_disk(&path, root, files)?;
            }
            continue;
        }
        let size = path.metadata().map_err(|e| fail(&path, e.to_string()))?.len();
        if size > FILE_LIMIT {
            return Err(fail(&path, format!("is {size} bytes; a file of a pack has at most {FILE_LIMIT}")));
        }
        let bytes = std::fs::read(&path).map_err(|e| fail(&path, e.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| fail(&path, "is not UTF-8 text; save it as UTF-8".into()))?;
        files.insert(name, text);
    }
    Ok(())
}

fn build(files: &Files, faults: &mut Vec<Fault>) -> Option<Policy> {
    let mut fault = |file: &str, text: String| faults.push(Fault { file: file.to_owned(), text });
    for (file, text) in files {
        for named in neutral::names_in(text) {
            fault(
                file,
                format!("names `{named}`; a pack may name no customer, sector, country, language, topic or opinion"),
            );
        }
    }
    let clause = files.get("clause.md").cloned().unwrap_or_default();
    let elements: Vec<String> =
        clause.lines().filter_map(|line| line.strip_prefix("## E")).map(|rest| format!("E{}", rest.trim())).collect();
    if elements.is_empty() {
        fault("clause.md", "defines no element; give each a heading like `## E1 Communications are collected`".into());
    }
    let Some(text) = files.get("policy.toml") else {
        fault("policy.toml", "is missing; every pack has one".into());
        return None;
    };
    let file: PolicyFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or("").lines().count().max(1));
            fault("policy.toml", format!("line {line}: {}", error.message()));
            return None;
        }
    };
    let mut decibans = |name: &str, value: f64, range: std::ops::RangeInclusive<f64>| {
        let parsed = Decibans::from_f64(value).filter(|_| range.contains(&value));
        parsed.unwrap_or_else(|| {
            let text = format!("`{name} = {value}` must lie within {} to {} dB", range.start(), range.end());
            faults.push(Fault { file: "policy.toml".into(), text });
            Decibans::ZERO
        })
    };
    let prior = decibans("prior_db", file.prior_db, -90.0..=-20.0);
    let floor = decibans("floor_db", file.floor_db, -40.0..=30.0);
    let floor_raise = decibans("floor_raise_db", file.floor_raise_db, 0.0..=6.0);
    decibans("families.at_least_db", file.families.at_least_db, 0.0..=16.0);
    check_rules(&file, faults);
    let signals = signals(&file.signals, files, faults);
    Some(Policy {
        id: file.id,
        version: file.version,
        title: file.title,
        clause,
        elements,
        prior,
        floor,
        floor_raise,
        cases_per_week: file.cases_per_week,
        families_needed: file.families,
        fast_lane: file.fast_lane,
        review: file.review,
        signals,
        digest: digest(files),
        tests: files
            .iter()
            .filter(|(name, _)| name.starts_with("tests/") && name.ends_with(".toml"))
            .map(|(name, text)| (name.clone(), text.clone()))
            .collect(),
    })
}

fn check_rules(file: &PolicyFile, faults: &mut Vec<Fault>) {
    let mut fault = |text: String| faults.push(Fault { file: "policy.toml".into(), text });
    if file.id.is_empty() || !file.id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        fault(format!("`id = \"{}\"` must be lower-case letters, digits and hyphens", file.id.escape_default()));
    }
    if file.title.trim().is_empty() || file.version.trim().is_empty() {
        fault("`title` and `version` may not be empty".into());
    }
    if !(1.0..=10_000.0).contains(&file.cases_per_week) {
        fault(format!("`cases_per_week = {}` must lie within 1 and 10,000", file.cases_per_week));
    }
    if !(1..=Family::ALL.len()).contains(&file.families.count) {
        fault("`families.count` must lie within 1 and 5".into());
    }
    if !Hourly::COLUMNS.iter().any(|(name, _)| *name == file.fast_lane.column) {
        fault(format!(
            "`fast_lane.column = \"{}\"` is no hourly column of `workload`",
            file.fast_lane.column.escape_default()
        ));
    }
    for wrong in file.review.faults() {
        fault(format!("review, {wrong}"));
    }
    if file.signals.is_empty() {
        fault("has no [[signal]]; without one it finds nothing".into());
    }
}

fn signals(signals: &[SignalFile], files: &Files, faults: &mut Vec<Fault>) -> Vec<Signal> {
    let mut out: Vec<Signal> = Vec::new();
    for signal in signals {
        let mut fault = |text: String| {
            faults.push(Fault { file: "policy.toml".into(), text: format!("signal `{}`: {text}", signal.id) })
        };
        if out.iter().any(|other| other.id == signal.id) {
            fault("is there twice".into());
        }
        if signal.sentence.trim().is_empty() {
            fault("has no `sentence`; say in words what its value means, with {value} in it".into());
        } else if !signal.sentence.contains("{value}") {
            fault("its `sentence` does not show the value; put {value} in it".into());
        }
        if signal.innocent.trim().is_empty() {
            fault("has no `innocent`; say what would explain a high value innocently".into());
        }
        if signal.divisor < 1 {
            fault("`divisor` must be 1 or more".into());
        }
        let divisor = signal.divisor.max(1);
        let points = signal.evidence.iter().map(|(value, db)| {
            let steps = (value * divisor as f64).round_ties_even();
            Some((steps as i64, Decibans::from_f64(*db)?)).filter(|_| steps.abs() < 9e18)
        });
        let table = match points.collect::<Option<Vec<_>>>() {
            None => {
                Err("`evidence` must be points `[value, dB]` of finite numbers, dB to a hundredth at most".to_owned())
            }
            Some(points) => EvidenceTable::new(points).map_err(|wrong| format!("`evidence` {wrong}")),
        };
        let sql = files.get(&format!("signals/{}.sql", signal.id));
        if sql.is_none() {
            fault(format!("has no `signals/{}.sql`", signal.id));
        }
        match (table, sql) {
            (Err(text), _) => fault(text),
            (Ok(table), Some(sql)) => out.push(Signal {
                id: signal.id.clone(),
                family: signal.family,
                unit: signal.unit.clone(),
                divisor,
                least: signal.least,
                refresh: signal.refresh,
                table,
                sentence: signal.sentence.clone(),
                innocent: signal.innocent.clone(),
                sql: sql.clone(),
            }),
            (Ok(_), None) => {}
        }
    }
    for name in files.keys().filter(|name| name.starts_with("signals/")) {
        let id = name.trim_start_matches("signals/").trim_end_matches(".sql");
        if !signals.iter().any(|signal| signal.id == id) {
            let text = "belongs to no [[signal]] of policy.toml; add one or remove the file".into();
            faults.push(Fault { file: name.clone(), text });
        }
    }
    out
}

/// SHA-256 over each file's name and text, lengths first, in the order of their names.
fn digest(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, text) in files {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    format!("sha256:{}", hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
id = "test"
version = "1"
title = "A test"
prior_db = -50
floor_db = -10
families = { count = 3, at_least_db = 4 }
fast_lane = { column = "calls_per_hour_6h_min", at_least = 100000 }
[review]
protected_services = []
approvals = 2
days_to_answer = 14

[[review.element]]
id = "E1"
title = "it is collected"
rests_on = ["meters"]
interim = true

[[review.intervention]]
id = "ask"
title = "ask"
reach = "asks"
[[signal]]
id = "calls"
family = "scale"
unit = "calls/h"
least = "6 hours"
refresh = "hourly"
evidence = [[0, 0], [10, 16]]
sentence = "about {value} an hour"
innocent = "many lawful workloads are large"
"#;

    fn files(policy: &str) -> Files {
        [("policy.toml", policy), ("clause.md", "# Clause\n\n## E1 Collected\n"), ("signals/calls.sql", "SELECT")]
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .into()
    }

    fn faults(files: Files) -> String {
        match Policy::from_files("p", files) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("the pack was taken"),
        }
    }

    #[test]
    fn a_well_formed_pack_is_taken_and_its_digest_covers_every_file() {
        let policy = Policy::from_files("p", files(POLICY)).unwrap();
        assert_eq!(policy.elements, ["E1 Collected"]);
        let mut other = files(POLICY);
        other.insert("signals/calls.sql".into(), "SELECT 1".into());
        assert_ne!(policy.digest, Policy::from_files("p", other).unwrap().digest);
    }

    #[test]
    fn faults_say_where_and_how_to_mend() {
        for (from, to, says) in [
            ("sentence = \"about {value} an hour\"", "", "no `sentence`"),
            ("about {value} an", "about an", "put {value}"),
            ("[[0, 0], [10, 16]]", "[[0, 0], [10, 16], [20, 3]]", "monotone"),
            ("[[0, 0], [10, 16]]", "[[0, 0], [10, 17]]", "−6 and +16"),
            ("[[0, 0], [10, 16]]", "[[0, nan], [10, 16]]", "finite"),
            ("id = \"test\"", "id = \"Test!\"", "lower-case"),
            ("id = \"test\"", "id = ", "line 2"),
            ("days_to_answer", "days_to_anser", "unknown field `days_to_anser`"),
            ("approvals = 2", "approvals = 1", "at least two people"),
            ("calls_per_hour_6h_min", "sales", "no hourly column"),
            ("family = \"scale\"", "family = \"loudness\"", "loudness"),
            ("id = \"calls\"", "id = \"shout\"", "signals/shout.sql"),
        ] {
            let changed = POLICY.replacen(from, to, 1);
            assert_ne!(changed, POLICY);
            let text = faults(files(&changed));
            assert!(text.contains(says), "{says}: {text}");
        }
    }

    #[test]
    fn a_pack_may_name_nobody() {
        let mut named = files(POLICY);
        named.insert("clause.md".into(), "# Clause\n## E1 Calls of people in France\n".into());
        assert!(faults(named).contains("`France`"));
    }
}

//! Runs a policy pack's own tests: made-up rows in, expected evidence and outcome out.
//!
//! A test states columns of `workload`, `facts`, `peers` and `links` of one entity, and what the pack must say of it;
//! the same SQL and the same scoring run as on real records. It is not a test of the reading of records.

use crate::links::Links;
use crate::pack::Policy;
use crate::watch::{Evaluation, Row, Watch, WatchError};
use review::Decibans;
use serde::Deserialize;
use std::collections::BTreeMap;
use usage::Hour;
use usage::facts::Facts;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    workload: BTreeMap<String, i64>,
    #[serde(default)]
    facts: BTreeMap<String, i64>,
    #[serde(default)]
    peers: BTreeMap<String, i64>,
    #[serde(default)]
    links: BTreeMap<String, i64>,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// Whether it lies above the floor with enough families.
    above: Option<bool>,
    score_at_least: Option<f64>,
    score_at_most: Option<f64>,
    #[serde(default)]
    evidence: BTreeMap<String, f64>,
    #[serde(default)]
    silent: Vec<String>,
}

/// How one test of a pack went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The file within the pack.
    pub file: String,
    /// The test's name.
    pub name: String,
    /// What does not hold; empty if all does.
    pub wrong: Vec<String>,
}

/// Runs all tests of a pack. A file that cannot be read is an outcome with its reason.
pub fn run(policy: &Policy) -> Result<Vec<Outcome>, WatchError> {
    let mut watch = Watch::new(vec![policy.clone()], Facts::empty(), 1)?;
    let mut outcomes = Vec::new();
    for (file, text) in &policy.tests {
        let parsed: File = match toml::from_str(text) {
            Ok(parsed) => parsed,
            Err(error) => {
                let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or("").lines().count().max(1));
                let wrong = vec![format!("line {line}: {}", error.message())];
                outcomes.push(Outcome { file: file.clone(), name: "the file".into(), wrong });
                continue;
            }
        };
        for case in parsed.cases {
            let wrong = run_case(&mut watch, &case)?;
            outcomes.push(Outcome { file: file.clone(), name: case.name, wrong });
        }
    }
    Ok(outcomes)
}

fn run_case(watch: &mut Watch, case: &Case) -> Result<Vec<String>, WatchError> {
    let mut wrong = Vec::new();
    let mut row = Row::default();
    let mut links = Links::default();
    // A week of complete hours and a month of days, unless the test says otherwise.
    for (name, value) in
        [("hours_counted", 162), ("hours_complete", 162), ("completeness_permille", 1_000), ("days_elapsed", 35)]
    {
        row.workload.set(name, value);
    }
    let mut set = |relation: &str, columns: &BTreeMap<String, i64>, set: &mut dyn FnMut(&str, i64) -> bool| {
        for (name, value) in columns {
            if !set(name, *value) {
                wrong.push(format!("`{relation}` has no column `{name}`"));
            }
        }
    };
    set("workload", &case.workload, &mut |name, value| row.workload.set(name, value));
    set("facts", &case.facts, &mut |name, value| row.known.set(name, value));
    set("peers", &case.peers, &mut |name, value| row.standing.set(name, value));
    set("links", &case.links, &mut |name, value| links.set(name, value));
    let evaluations = watch.evaluate_rows(vec![(row, links)], Hour(0))?;
    if let (Some(policy), Some(evaluation)) = (watch.policies.first(), evaluations.first()) {
        compare(policy, evaluation, &case.expect, &mut wrong);
    }
    Ok(wrong)
}

fn compare(policy: &Policy, evaluation: &Evaluation, expect: &Expect, wrong: &mut Vec<String>) {
    let Some(score) = evaluation.scores.first() else { return };
    let needed = Decibans::from_f64(policy.families_needed.at_least_db).unwrap_or_default();
    let above = score.total >= policy.floor && score.families.speaking(needed) >= policy.families_needed.count;
    if expect.above.is_some_and(|expected| expected != above) {
        let families = score.families.values().map(|evidence| evidence.to_string()).join(", ");
        wrong.push(format!(
            "is {} the floor: score {}, families {families}",
            if above { "above" } else { "not above" },
            score.total
        ));
    }
    if expect.score_at_least.and_then(Decibans::from_f64).is_some_and(|least| score.total < least) {
        wrong.push(format!("the score is only {}", score.total));
    }
    if expect.score_at_most.and_then(Decibans::from_f64).is_some_and(|most| score.total > most) {
        wrong.push(format!("the score is as high as {}", score.total));
    }
    let reading = |id: &str| {
        let place = policy.signals.iter().position(|signal| signal.id == id)?;
        evaluation.readings.get(place)?.first().copied()
    };
    for (id, expected) in &expect.evidence {
        match reading(id) {
            None => wrong.push(format!("there is no signal `{id}`")),
            Some(reading) if Some(reading.evidence) != Decibans::from_f64(*expected) => {
                wrong.push(format!("`{id}` says {}, not {expected}", reading.evidence));
            }
            Some(_) => {}
        }
    }
    for id in &expect.silent {
        match reading(id) {
            None => wrong.push(format!("there is no signal `{id}`")),
            Some(reading) if reading.value.is_some() => {
                wrong.push(format!("`{id}` is not silent: {}", reading.evidence))
            }
            Some(_) => {}
        }
    }
}

//! What gates tell: by which snapshot they answer, what they refuse by it and how often; and the one thing that follows
//! from it by itself: where one gate refuses far more than the preview of a decision foresaw, the decision goes back to
//! shadow.
//!
//! It only ever takes away. From the last stage nothing goes back by itself: whoever is refused could bring that about by
//! asking often. A report is the word of whoever holds the token of gates; it ends no restriction that people staged at
//! all gates.

use crate::desk::{Clerk, TRIES};
use crate::error::Error;
use crate::snapshots::{Staged, Staging};
use crate::streams;
use review::case::Decided;
use review::words::{CaseId, DecisionId, Digest, Moment, Target};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How often a restriction refused an operation, or would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Refused.
    pub refused: u64,
    /// Passed, and would have been refused were it not in shadow.
    pub would_refuse: u64,
}

/// What a gate told of the time in which it answered by one snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The gate's own name.
    pub gate: String,
    /// The snapshot, `EPOCH.SEQUENCE`.
    pub version: String,
    /// Of all that it refuses by that (`gate::Set::digest`).
    pub enforces: Digest,
    /// Since when it counts.
    pub since: Moment,
    /// When it told.
    pub at: Moment,
    /// Somebody at the gate lets pass what it would refuse.
    pub broken_glass: bool,
    /// By restriction (case, decision, place, with slashes between) and operation.
    pub refusals: BTreeMap<String, BTreeMap<String, Refused>>,
}

/// A restriction that refused, or would have, more than the preview foresaw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The case.
    pub case: CaseId,
    /// The decision.
    pub decision: DecisionId,
    /// What was counted against what was foreseen, in a sentence.
    pub why: String,
}

/// The record keeps what a gate says at least this often when only the counts changed.
const KEPT_EVERY_HOURS: i64 = 1;

/// A decision may refuse this many times the busiest hour of its preview before it counts as something else: clients try
/// again.
const TIMES_MAX: u64 = 10;

/// And always so many an hour: a preview of nothing foresees somebody who looks.
const AN_HOUR: u64 = 100;

impl Clerk {
    /// Takes up what a gate tells. Gives the decisions that went back to shadow by it.
    ///
    /// # Errors
    /// The record failed.
    pub async fn gate_told(&self, told: &Told) -> Result<Vec<Left>, Error> {
        let left = self.left_preview(&self.staged_here(told).await?).await?;
        for _ in 0..TRIES {
            let (last, length) = self.last_told(&told.gate).await?;
            let same = |last: &Told| {
                let shown = last.version == told.version
                    && last.enforces == told.enforces
                    && last.broken_glass == told.broken_glass;
                shown && (last.refusals == told.refusals || told.at < last.at.plus_hours(KEPT_EVERY_HOURS))
            };
            if left.is_empty() && last.as_ref().is_some_and(same) {
                return Ok(left);
            }
            if self.append(&[streams::append(&streams::gate_stream(&told.gate), length, told.at, told)?]).await? {
                return self.fall_back(told, left).await;
            }
        }
        Err(Error::Busy)
    }

    /// What a gate told last, and how often it did.
    async fn last_told(&self, gate: &str) -> Result<(Option<Told>, u64), Error> {
        let stream = streams::gate_stream(gate);
        let length = self.record.length(&stream).await?;
        let last = self.record.stream_from(&stream, length.saturating_sub(1), 1).await?;
        let told = last.iter().find_map(|event| Some((event.content.as_ref()?, event.position)));
        Ok((told.map(|(content, position)| streams::parse(&content.body, position)).transpose()?, length))
    }

    /// What each gate told last.
    ///
    /// # Errors
    /// The record failed.
    pub async fn gates(&self) -> Result<Vec<Told>, Error> {
        let mut gates = Vec::new();
        for (stream, _) in self.record.streams(streams::GATES).await? {
            let gate = stream.strip_prefix(streams::GATES).unwrap_or(&stream);
            gates.extend(self.last_told(gate).await?.0);
        }
        Ok(gates)
    }

    /// The same report, of those restrictions alone that are at this one gate: of no others anything follows by itself.
    async fn staged_here(&self, told: &Told) -> Result<Told, Error> {
        let (stages, here) = (self.stages().await?, Staged::At { gate: told.gate.clone() });
        let mut told = told.clone();
        told.refusals.retain(|restriction, _| {
            parts(restriction).is_some_and(|(case, decision, _)| stages.get(&(case, decision)) == Some(&here))
        });
        Ok(told)
    }

    /// What of a decision refused more in shadow than its preview foresaw, by what gates told since it came there.
    pub(crate) async fn left_in_shadow(&self, case: &CaseId, decision: &DecisionId) -> Result<Option<Left>, Error> {
        for told in self.gates().await? {
            let left = self.left_preview(&told).await?;
            if let Some(left) = left.into_iter().find(|left| left.case == *case && left.decision == *decision) {
                return Ok(Some(left));
            }
        }
        Ok(None)
    }

    async fn left_preview(&self, told: &Told) -> Result<Vec<Left>, Error> {
        let mut left: Vec<Left> = Vec::new();
        for (restriction, operations) in &told.refusals {
            let Some((case, decision, number)) = parts(restriction) else { continue };
            if left.iter().any(|one| one.case == case && one.decision == decision) {
                continue;
            }
            // What is not there any more, or never was, goes nowhere.
            let Ok(file) = streams::case(&self.record, &case).await else { continue };
            let Some(decided) = file.case.decisions.get(&decision) else { continue };
            let Some(target) = number.checked_sub(1).and_then(|place| decided.decision.targets.get(place)) else {
                continue;
            };
            let why = operations.iter().find_map(|(operation, counted)| {
                let counted = counted.refused + counted.would_refuse;
                let most = most(decided, target, operation, told.at.0.saturating_sub(told.since.0));
                (counted > most).then(|| {
                    let since = told.since;
                    format!("{operation} of {restriction} {counted} times at {} since {since}, at most {most} were foreseen", told.gate)
                })
            });
            left.extend(why.map(|why| Left { case, decision, why }));
        }
        Ok(left)
    }

    /// Brings them back to shadow.
    async fn fall_back(&self, told: &Told, left: Vec<Left>) -> Result<Vec<Left>, Error> {
        for one in &left {
            let (case, decision) = (one.case.clone(), one.decision.clone());
            let (stage, by, why) = (Staged::Shadow, "tribune".parse()?, Some(one.why.clone()));
            self.put_stage(Staging { case, decision, stage, by, at: told.at, why }).await?;
        }
        Ok(left)
    }
}

/// How often a restriction may refuse an operation in so many seconds and still be what its preview showed. What is
/// metered in seconds, characters or bytes has at least one of them for each request.
fn most(decided: &Decided, target: &Target, operation: &str, seconds: i64) -> u64 {
    let hours = u64::try_from(seconds).unwrap_or_default().div_ceil(3_600).max(1);
    let foreseen: i64 = decided.before_effect().map_or(0, |metered| {
        let here = metered.lines.iter().filter(|line| {
            line.account == target.account && line.service == target.service && line.operation.as_str() == operation
        });
        // Where the meter tells days alone, a whole day may come in an hour.
        here.map(|line| line.hour_max.unwrap_or(line.quantity / i64::from(line.days.max(1)))).sum()
    });
    let an_hour = u64::try_from(foreseen).unwrap_or_default().saturating_mul(TIMES_MAX).saturating_add(AN_HOUR);
    an_hour.saturating_mul(hours)
}

/// Case, decision and place in the list, from 1.
fn parts(restriction: &str) -> Option<(CaseId, DecisionId, usize)> {
    let (rest, number) = restriction.rsplit_once('/')?;
    let (case, decision) = rest.rsplit_once('/')?;
    Some((case.parse().ok()?, decision.parse().ok()?, number.parse().ok()?))
}

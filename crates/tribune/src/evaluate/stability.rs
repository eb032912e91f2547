//! How much late, repeated and restated rows change a score: on the way, and once all is known.
//!
//! Compared are the scores as they were given with the scores at the same hour had every row been known at once.

use super::watching::Scores;
use review::Decibans;
use serde::Serialize;

/// Grounding §4: once settled, a score may differ by so much, in dB.
const GOAL_DB: f64 = 0.1;
/// A score this far below the floor still matters.
const NEAR: Decibans = Decibans::from_tenths(100);

/// What delay does to scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Stability {
    /// Rows that were there twice and were counted once.
    pub duplicates: u64,
    /// Everything that is scored, at the end of the records, when all is known.
    pub settled: Change,
    /// What is scored with one and not with the other, because linking differs.
    pub settled_in_one_only: u64,
    /// The goal for the largest change.
    pub goal_db: f64,
    /// Whether it is reached.
    pub goal_met: bool,
    /// Every account at every midnight, with what was late still missing.
    pub unsettled: Change,
    /// Of these, who is within 10 dB of the floor or above it.
    pub unsettled_near_floor: Change,
}

/// Changes of scores.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Change {
    /// Scores compared.
    pub scores: u64,
    /// How many differ by more than the goal.
    pub beyond_goal: u64,
    /// 99 % differ by at most this, in dB.
    pub p99_db: Option<f64>,
    /// The largest difference, in dB.
    pub max_db: Option<f64>,
}

impl Change {
    fn of(pairs: impl Iterator<Item = (Decibans, Decibans)>) -> Self {
        let mut changes: Vec<i32> = pairs.map(|(a, b)| (a - b).hundredths().abs()).collect();
        changes.sort_unstable();
        let db = |hundredths: i32| f64::from(hundredths) / 100.0;
        let place = (changes.len() * 99).div_ceil(100).max(1) - 1;
        Self {
            scores: changes.len() as u64,
            beyond_goal: changes.iter().filter(|change| db(**change) > GOAL_DB).count() as u64,
            p99_db: changes.get(place).copied().map(db),
            max_db: changes.last().copied().map(db),
        }
    }
}

impl Stability {
    /// Compares the scores as given with those without delay.
    pub(super) fn new(given: &Scores, prompt: &Scores, floor: Decibans, duplicates: u64) -> Self {
        let settled = Change::of(given.end.iter().filter_map(|(who, score)| Some((*score, *prompt.end.get(who)?))));
        let one_only = given.end.keys().filter(|who| !prompt.end.contains_key(*who)).count()
            + prompt.end.keys().filter(|who| !given.end.contains_key(*who)).count();
        let midnights = || {
            let both = given.midnights.iter().filter_map(|(at, own)| Some((own, prompt.midnights.get(at)?)));
            both.flat_map(|(own, other)| own.iter().zip(other).filter_map(|(a, b)| (*a).zip(*b)))
        };
        Self {
            duplicates,
            goal_db: GOAL_DB,
            goal_met: settled.beyond_goal == 0 && one_only == 0,
            settled,
            settled_in_one_only: one_only as u64,
            unsettled: Change::of(midnights()),
            unsettled_near_floor: Change::of(midnights().filter(|(a, b)| *a.max(b) >= floor - NEAR)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usage::Hour;

    #[test]
    fn changes_are_counted_on_the_way_and_at_the_end() {
        let db = Decibans::from_tenths;
        let scores = |night: Option<i32>, end: &[(u32, i32)]| Scores {
            midnights: [(Hour(24), vec![night.map(db), Some(db(-500))])].into(),
            end: end.iter().map(|(who, score)| (vec![*who], db(*score))).collect(),
        };
        let (given, prompt) = (scores(Some(-190), &[(0, -100), (1, -300)]), scores(Some(-160), &[(0, -100), (2, 1)]));
        let found = Stability::new(&given, &prompt, db(-160), 4);
        assert_eq!((found.settled.scores, found.settled.max_db), (1, Some(0.0)));
        assert_eq!((found.settled_in_one_only, found.goal_met), (2, false));
        assert_eq!((found.unsettled.scores, found.unsettled.beyond_goal, found.unsettled.max_db), (2, 1, Some(3.0)));
        assert_eq!(found.unsettled_near_floor.scores, 1);
        assert!(Stability::new(&given, &given, db(-160), 0).goal_met);
        assert_eq!(Stability::new(&Scores::default(), &prompt, db(0), 0).unsettled.max_db, None);
    }
}

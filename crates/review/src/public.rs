//! What of the record the world can see: the entries of the public log.
//!
//! Closed fields, digests and commitments; never a text, a name, an account or a time finer than a day. A commitment is
//! SHA-256 over 32 random bytes and what is committed to: without these bytes nobody can try names until one fits, which
//! for a list of accounts would be quick. It writes no log and signs nothing; the same entry is the same bytes anywhere,
//! so that a gate, or an auditor who was given the random bytes, can compute it and ask for its proof.

use crate::act::{Act, Decision, Event, Order};
use crate::case::{Case, Standing};
use crate::metered::Compared;
use crate::seal;
use crate::words::{CaseId, DecisionId, Digest, Moment};
use serde::{Deserialize, Serialize};

/// How many commitments a batch holds, always: a day with fewer is filled up, one with more makes more batches.
pub const BATCH: usize = 800;

/// 32 random bytes; destroyed with what they hide.
pub type Salt = [u8; 32];

/// A commitment to some bytes.
pub fn commitment(salt: &Salt, bytes: impl AsRef<[u8]>) -> Digest {
    Digest::of([salt.as_slice(), bytes.as_ref()].concat())
}

/// An entry of the public log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// A day's private events, in no order, among as many that are nothing as fill the batch.
    Batch {
        /// The UTC day, `YYYY-MM-DD`.
        day: String,
        /// [`BATCH`] of them, sorted.
        commitments: Vec<Digest>,
    },
    /// A decision that enough people approved; there before it takes effect.
    Decision {
        /// To [`seal::text`].
        commitment: Digest,
        /// The policy pack.
        policy: Digest,
        /// Whether it lifts what another ordered.
        lifts: bool,
        /// How many signed.
        approvals: usize,
        /// The UTC day on which enough had.
        day: String,
    },
    /// A statement of reasons that was served.
    Statement {
        /// Of its public text.
        statement: Digest,
        /// The UTC day.
        day: String,
    },
    /// A correction of what was published.
    Correction {
        /// What was wrong.
        statement: Digest,
        /// What takes its place.
        correction: Digest,
        /// The UTC day.
        day: String,
    },
    /// What the days after a decision's effect showed, by the provider's meters: how many kinds of use stopped as they
    /// were to, and how many went on as before.
    Effect {
        /// The public statement of the decision.
        statement: Digest,
        /// Kinds of use.
        kinds: Compared,
        /// The UTC day on which it was.
        day: String,
    },
    /// A year's numbers.
    Counts {
        /// The year.
        year: i32,
        /// Of the table.
        counts: Digest,
    },
    /// An event was erased: its commitment stays, and can be opened no more.
    Erasure {
        /// The commitment.
        commitment: Digest,
        /// The UTC day.
        day: String,
    },
}

impl Entry {
    /// Its bytes in the log: JSON in the order of the fields, without spaces.
    ///
    /// # Errors
    /// None that can be: every field has a form in JSON.
    pub fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

/// The entry of a decision that enough people had approved at this time, as a gate computes it from its snapshot.
pub fn of_decision(
    case: &CaseId,
    decision: &Decision,
    policy: Digest,
    approvals: usize,
    at: Moment,
    salt: &Salt,
) -> Entry {
    let commitment = commitment(salt, seal::text(case, decision));
    let lifts = matches!(decision.order, Order::Lift { .. });
    Entry::Decision { commitment, policy, lifts, approvals, day: at.day() }
}

/// What becomes public at once by an event that was just folded in; `salt` is asked for once for each decision.
pub fn at_once(case: &Case, event: &Event, salt: &mut dyn FnMut(&DecisionId) -> Salt) -> Vec<Entry> {
    match &event.command.act {
        Act::Approve { decision, .. } => {
            let Some(decided) = case.decisions.get(decision) else { return Vec::new() };
            if decided.standing != Standing::Approved {
                return Vec::new();
            }
            let (policy, approvals) = (case.opening.policy.2, decided.approvals.len());
            vec![of_decision(&case.id, &decided.decision, policy, approvals, event.command.at, &salt(decision))]
        }
        Act::ServeNotice { public, .. } => {
            vec![Entry::Statement { statement: *public, day: event.command.at.day() }]
        }
        Act::Compare { decision, .. } => {
            let decided = case.decisions.get(decision);
            let last = decided.and_then(|decided| decided.notice.zip(decided.compared.last()));
            let entry = last.map(|(notice, (at, compared))| Entry::Effect {
                statement: notice.public,
                kinds: *compared,
                day: at.day(),
            });
            entry.into_iter().collect()
        }
        Act::Correct { statement, correction } => {
            let day = event.command.at.day();
            vec![Entry::Correction { statement: *statement, correction: *correction, day }]
        }
        _ => Vec::new(),
    }
}

/// A day's commitments as batches of one size, sorted, so that neither how many there were nor their order is told.
/// `filler` gives digests that are nothing's.
pub fn batches(at: Moment, mut commitments: Vec<Digest>, filler: &mut dyn FnMut() -> Digest) -> Vec<Entry> {
    let full = commitments.len().div_ceil(BATCH).max(1) * BATCH;
    while commitments.len() < full {
        commitments.push(filler());
    }
    commitments.sort_unstable();
    let batch = |commitments: &[Digest]| Entry::Batch { day: at.day(), commitments: commitments.to_vec() };
    commitments.chunks(BATCH).map(batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digest(number: u64) -> Digest {
        Digest::of(number.to_be_bytes())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Invariant 12: batches of the same filler tell neither number nor order.
        #[test]
        fn batches_are_of_one_size_whatever_the_day_was(count in 0..2_100_u64, turn in 0..100_usize) {
            let mut commitments: Vec<Digest> = (0..count).map(digest).collect();
            let made = |commitments: Vec<Digest>| {
                let mut next = 1_000_000;
                batches(Moment(1_772_323_200), commitments, &mut || { next += 1; digest(next) })
            };
            let before = made(commitments.clone());
            let turn = turn.min(commitments.len());
            commitments.rotate_left(turn);
            prop_assert_eq!(&made(commitments.clone()), &before);
            prop_assert_eq!(before.len() as u64, count.div_ceil(BATCH as u64).max(1));
            let mut all = Vec::new();
            let mut sizes = std::collections::BTreeSet::new();
            for entry in &before {
                let Entry::Batch { day, commitments } = entry else { panic!("{entry:?}") };
                prop_assert_eq!((day.as_str(), commitments.len()), ("2026-03-01", BATCH));
                sizes.insert(entry.bytes().unwrap().len());
                all.extend(commitments.iter().copied());
            }
            prop_assert_eq!(sizes.len(), 1, "and of one length in bytes");
            prop_assert!(*sizes.first().unwrap() <= 65_535, "an entry of the log holds no more");
            prop_assert!(commitments.iter().all(|one| all.contains(one)));
        }
    }

    #[test]
    fn a_commitment_hides_what_could_be_guessed() {
        let (one, two) = ([1; 32], [2; 32]);
        assert_ne!(commitment(&one, "account 4711"), commitment(&two, "account 4711"));
        assert_eq!(commitment(&one, "a"), Digest::of([&[1_u8; 32][..], b"a"].concat()));
    }

    #[test]
    fn an_entry_is_the_same_bytes_and_reads_back_and_no_other_field_passes() {
        let entry = Entry::Correction { statement: digest(1), correction: digest(2), day: "2026-03-01".into() };
        let bytes = entry.bytes().unwrap();
        let (one, two) = (digest(1), digest(2));
        let text = format!(r#"{{"entry":"correction","statement":"{one}","correction":"{two}","day":"2026-03-01"}}"#);
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
        assert_eq!(serde_json::from_slice::<Entry>(&bytes).unwrap(), entry);
        let more = text.replace("}", r#","customer":"acme"}"#);
        assert!(serde_json::from_str::<Entry>(&more).is_err());
    }

    /// A gate that is given the parts writes the very entry, and finds it in the log.
    #[test]
    fn a_gate_computes_the_same_entry() {
        for (lifts, approvals) in [(false, 2), (true, 3)] {
            let (text, salt, policy) = ("a decision's text", [3; 32], digest(4));
            let entry = Entry::Decision {
                commitment: commitment(&salt, text),
                policy,
                lifts,
                approvals,
                day: "2026-03-01".into(),
            };
            let own = gate::entry(text, &salt, &gate::Digest(policy.0), lifts, approvals, "2026-03-01");
            assert_eq!(own.into_bytes(), entry.bytes().unwrap());
        }
    }
}

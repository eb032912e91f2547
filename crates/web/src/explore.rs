//! What the console asks of the provider's usage, beside what cases keep: one workload's portrait, and what a policy would
//! have found with other numbers; and what was seen of late of a case's accounts, without being asked.
//!
//! Whoever builds the pages answers it, since pages may not read usage themselves; so these are questions, answers and the
//! numbers that may be tried, and no reading, scoring or drawing.

use crate::portrait::{Explanation, MovedOut};
use review::Decibans;
use review::metered::Metered;
use review::words::CaseId;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Answers from the provider's usage. It may take minutes; it is asked where that holds nobody up.
pub trait Usage: Send + Sync {
    /// The portrait of `account:ID`, `unit:CUSTOMER/UNIT` or `customer:ID`, with its names: whoever asks has said what for.
    ///
    /// # Errors
    /// What is wrong with the question, or why there is no answer, in words for whoever asked.
    fn explain(&self, entity: &str) -> Result<Explanation, String>;

    /// What a policy would have opened in these last days with its own numbers, and with others.
    ///
    /// # Errors
    /// Likewise.
    fn backtest(&self, policy: &str, numbers: &Numbers, days: u16) -> Result<Backtest, String>;

    /// What was seen of a case's accounts when usage was read last. It is there at once or not at all: nothing is read for
    /// it, and who asks may see the case.
    fn recent(&self, case: &CaseId) -> Option<Arc<Recent>>;
}

/// What the usage of late says of the accounts of a case that is open.
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// What was moved out by the day.
    pub moved: MovedOut,
    /// How much of what was used, as previews are made of it.
    pub metered: Metered,
}

/// The numbers of a policy that may be tried otherwise.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Numbers {
    /// What is believed before any evidence.
    pub prior_db: Decibans,
    /// A finding below it opens no case.
    pub floor_db: Decibans,
    /// How far the population itself may raise the floor.
    pub floor_raise_db: Decibans,
    /// Cases a week for each 10,000 customers.
    pub cases_per_week: u32,
    /// How many families must speak.
    pub families: u32,
    /// With at least this much each.
    pub families_db: Decibans,
    /// From this value on, a scale needs no second day.
    pub fast_lane: i64,
    /// By signal: the hundredths of its evidence that count. One that is not named counts in full.
    pub weights: BTreeMap<String, u16>,
}

/// What a policy would have done with its own numbers and with others, over the same records. Nobody is named in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// The policy.
    pub policy: String,
    /// The first and the last hour, as `2026-03-01T05:00:00Z`.
    pub from: String,
    /// See [`Self::from`].
    pub to: String,
    /// Customers with usage.
    pub customers: usize,
    /// With its own numbers.
    pub own: Side,
    /// With the others.
    pub other: Side,
    /// Workloads that would have a case with either.
    pub both: usize,
    /// Those with its own numbers alone.
    pub only_own: Vec<Tried>,
    /// Those with the others alone.
    pub only_other: Vec<Tried>,
}

/// One of two.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Side {
    /// The floor at the end, raised by the population as far as it may.
    pub floor_db: Decibans,
    /// Cases it would have opened.
    pub cases: usize,
    /// Of the cases that people closed: how many with a breach established share an account with one of these.
    pub established: usize,
    /// The same for those in which nothing was established.
    pub cleared: usize,
}

/// A workload that would have a case on one side alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// A pseudonym, the same within one set of records.
    pub customer: String,
    /// How many accounts.
    pub accounts: usize,
    /// When the case would have opened.
    pub opened_at: String,
    /// Its score then.
    pub score_db: Decibans,
}

impl Backtest {
    /// What follows, in a sentence.
    pub fn sentence(&self) -> String {
        let cases = |n: usize| if n == 1 { "1 case".to_owned() } else { format!("{n} cases") };
        format!(
            "{} with these numbers, {} with the policy’s own: {} of the same workloads, {} dropped, {} new",
            cases(self.other.cases),
            cases(self.own.cases),
            self.both,
            self.only_own.len(),
            self.only_other.len()
        )
    }
}

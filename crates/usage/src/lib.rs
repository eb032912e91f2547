//! Reading a provider's usage records.
//!
//! FOCUS exports go in; what comes out is, for each account × measure × region and hour (or day), an integer:
//! how much was used, and from which hour on the provider knew it. Everything else a file holds is dropped here,
//! before anything is written (invariant 1).
//!
//! It is not: scoring, SQL, or anything that knows what a suspicious workload is.

mod books;
pub mod catalogue;
pub mod digest;
pub mod facts;
pub mod feed;
mod fingerprint;
mod focus;
mod input;
mod map;
pub mod measure;
mod read_csv;
mod read_parquet;
pub mod rollup;
mod spill;
pub mod tally;
pub mod time;

pub use books::{Books, Progress, ReadError, ReadOptions, read};
pub use catalogue::{Catalogue, CatalogueError};
pub use digest::records_digest;
pub use measure::Measure;
pub use tally::Tally;
pub use time::{Day, Hour};

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io;

/// An account of the provider's books, as its usage records name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountKey {
    /// FOCUS `ProviderName` (`ServiceProviderName` from 1.3 on).
    pub provider: String,
    /// FOCUS `BillingAccountId`.
    pub customer: String,
    /// FOCUS `SubAccountId`; the `BillingAccountId` where a row names no sub-account.
    pub account: String,
}

/// A region of one provider; the empty id stands for "no region", as global services report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RegionKey {
    /// FOCUS `ProviderName`.
    pub provider: String,
    /// FOCUS `RegionId`.
    pub region: String,
}

/// What a usage record says about when: one hour of it, or one day that nothing divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// Charged within this hour.
    Hour(Hour),
    /// Charged over this (UTC) day; kept at daily resolution, never spread over hours.
    Day(Day),
}

impl Period {
    /// The UTC day the period belongs to.
    pub fn day(self) -> Day {
        match self {
            Self::Hour(hour) => hour.day(),
            Self::Day(day) => day,
        }
    }
}

/// One mapped usage record. Rows of the same key add; duplicates are gone before one is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usage {
    /// Index into [`Names::accounts`].
    pub account: u32,
    /// What was used.
    pub measure: Measure,
    /// Index into [`Names::regions`].
    pub region: u16,
    /// When it was used.
    pub period: Period,
    /// The hour from which the provider knew of it.
    pub known: Hour,
    /// How much, in the measure's [grain](Measure::grain); negative in corrections only.
    pub quantity: i64,
}

/// The names behind the indices of [`Usage`]; sorted, so that an index never depends on the order of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Sorted.
    pub accounts: Vec<AccountKey>,
    /// Sorted; at most 65,536.
    pub regions: Vec<RegionKey>,
}

/// Usage that lies ready by charge day: records just [read](Books), or [rollups](rollup::Rollups) of many readings.
pub trait ByDay {
    /// The charge days that have usage, ascending.
    fn days(&self) -> Vec<Day>;

    /// The earliest and the latest hour at which some of it became known.
    fn known(&self) -> Option<(Hour, Hour)>;

    /// A day's usage; none where there is nothing.
    ///
    /// # Errors
    /// If it is not there as it was written.
    fn day(&self, day: Day) -> Result<DayUsage<'_>, UsageError>;
}

impl<T: ByDay + ?Sized> ByDay for Box<T> {
    fn days(&self) -> Vec<Day> {
        (**self).days()
    }

    fn known(&self) -> Option<(Hour, Hour)> {
        (**self).known()
    }

    fn day(&self, day: Day) -> Result<DayUsage<'_>, UsageError> {
        (**self).day(day)
    }
}

/// The usage of one day.
pub struct DayUsage<'a> {
    /// The names behind the indices of the rows.
    pub names: Cow<'a, Names>,
    /// The rows, sorted by account, measure, region, period and known hour, in parts that never divide an account.
    pub parts: Box<dyn Iterator<Item = io::Result<Vec<Usage>>> + Send + 'a>,
}

/// Why usage that was there cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The scratch folder failed.
    #[error("the scratch folder could not be read: {0}; free some disk and run again")]
    Scratch(#[from] io::Error),
    /// The rollups failed.
    #[error(transparent)]
    Rollups(#[from] rollup::RollupError),
}

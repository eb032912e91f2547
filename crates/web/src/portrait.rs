//! A portrait: everything a reviewer needs of one entity, as `tribune explain --format json` writes it and a case keeps it.
//!
//! The shape alone, and its drawing as a piece of a page ([`Drawing`]); what it says was computed elsewhere, from usage
//! records, and is read here as it was written. It knows no record and no case.

mod chart;
mod drawing;
mod moved;

pub use drawing::{Drawing, OpenedAt, linked, meaning, sentence};
pub(crate) use moved::MovedDrawing;
pub use moved::{MovedOut, OutOnDay};

use gate::time::{DAY_SECONDS, civil};
use review::{Decibans, Family, Finding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;

/// One signal's line in the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The signal.
    pub signal: String,
    /// The value as a person reads it.
    pub value: String,
    /// The value's unit.
    pub unit: String,
    /// Completeness of its data, in per cent.
    pub complete: i64,
    /// Its evidence.
    pub evidence_db: Decibans,
    /// What of it counts: the strongest and what speaks against in full, further ones three tenths.
    pub counted_db: Decibans,
    /// In words.
    pub explanation: String,
    /// What would explain it innocently.
    pub innocent: String,
}

/// A family of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyLines {
    /// Which.
    pub family: Family,
    /// The speaking signals, in the pack's order.
    pub lines: Vec<Line>,
    /// What they add up to before the limits.
    pub sum_db: Decibans,
    /// What the family says.
    pub evidence_db: Decibans,
}

/// What one policy says of the entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// The policy's title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// Its digest.
    pub digest: String,
    /// The finding, as `scan` lists it.
    pub finding: Finding,
    /// From here on a case may open.
    pub floor_db: Decibans,
    /// Its place among all workloads, if it is one of them and not part of a stronger one.
    pub place: Option<u32>,
    /// The place of the stronger workload that holds it.
    pub within: Option<u32>,
    /// How many workloads there are.
    pub workloads: usize,
    /// The ledger.
    pub ledger: Vec<FamilyLines>,
    /// Signals that do not speak, with why.
    pub silent: Vec<(String, String)>,
}

impl Judged {
    /// The speaking signals' lines, those with the most evidence first.
    pub fn strongest(&self) -> Vec<&Line> {
        let mut lines: Vec<&Line> = self.ledger.iter().flat_map(|family| &family.lines).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.evidence_db));
        lines
    }

    /// What would explain innocently what speaks for the finding.
    pub fn innocent(&self) -> Vec<&Line> {
        let mut lines = self.strongest();
        lines.retain(|line| line.evidence_db > Decibans::ZERO && !line.innocent.is_empty());
        lines
    }

    /// How far the score lies above the floor; below it when negative.
    pub fn above(&self) -> Decibans {
        self.finding.score_db - self.floor_db
    }
}

/// One account of the entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccountPart {
    /// The account.
    pub account: String,
    /// Its customer.
    pub customer: String,
    /// Its unit; empty when unknown.
    pub unit: String,
    /// Calls an hour, the mean of the week, or bytes as calls where those are more.
    pub calls_per_hour: i64,
    /// Its share of the entity's, in per cent.
    pub share: i64,
    /// When it was created; empty when unknown.
    pub created_on: String,
    /// Declared use; empty when unknown.
    pub declared_use: String,
    /// Regions it reports in.
    pub regions: String,
}

/// A larger set that holds the entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Around {
    /// `unit`, `customer` or `linked accounts`.
    pub what: String,
    /// How many accounts it holds.
    pub accounts: usize,
    /// Its score by the first policy.
    pub score_db: Decibans,
}

/// One day.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DayRow {
    /// Which.
    pub day: Date,
    /// Whether all its data is there.
    pub complete: bool,
    /// Calls, by the median of three estimates.
    pub calls: i64,
    /// Bytes in.
    pub bytes_in: i64,
    /// Bytes kept, the day's mean.
    pub bytes_stored: i64,
    /// Objects written.
    pub objects_written: i64,
    /// Objects deleted.
    pub objects_deleted: i64,
    /// Seconds of audio, if the bytes were calls.
    pub audio_seconds_implied: i64,
    /// Seconds of audio transcribed.
    pub audio_seconds_transcribed: i64,
    /// Bytes read out and exported; `None` in a portrait that was made before they were kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_moved_out: Option<i64>,
    /// The peers' 5th, 25th, 50th, 75th and 95th percentile of what [`Portrait::by_calls`] says.
    pub peers: Option<[i64; 5]>,
}

/// A column of a relation, with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// The relation.
    pub relation: String,
    /// The column.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// `None` where the records do not say.
    pub value: Option<i64>,
}

/// Everything a reviewer needs of one entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Portrait {
    /// As of.
    pub at: Hour,
    /// What holds it together: `account`, `unit`, `customer` or `linked accounts`.
    pub kind: String,
    /// The customer of its strongest account.
    pub customer: String,
    /// The unit of its strongest account; empty when unknown.
    pub unit: String,
    /// What each policy says.
    pub policies: Vec<Judged>,
    /// Its accounts, strongest first.
    pub accounts: Vec<AccountPart>,
    /// Larger sets that hold it.
    pub around: Vec<Around>,
    /// Who the peers are, in words.
    pub peers: String,
    /// Whether usage is told in calls; else in bytes in.
    pub by_calls: bool,
    /// The days since anything is known, 42 at most, oldest first; `None` before the entity's first.
    pub days: Vec<Option<DayRow>>,
    /// The first of `days`.
    pub first_day: Date,
    /// By hour of the week, the last 168 hours' calls (or bytes in); `None` where they are not complete.
    pub hours: Vec<Option<i64>>,
    /// Whether anything is known by the hour.
    pub hourly: bool,
    /// What cannot be seen, in sentences.
    pub unseen: Vec<String>,
    /// Every column of its rows.
    pub columns: Vec<Column>,
}

impl Portrait {
    /// What was moved out by the day; `None` where its days do not say.
    pub fn moved_out(&self) -> Option<MovedOut> {
        let day = |row: &DayRow| Some(OutOnDay { bytes: row.bytes_moved_out?, complete: row.complete });
        let days: Vec<_> = self.days.iter().map(|row| row.as_ref().and_then(day)).collect();
        days.iter().any(Option::is_some).then_some(MovedOut { at: self.at, first_day: self.first_day, days })
    }

    /// What the relation `links` says of the entity; nothing where the portrait has no such column.
    pub(crate) fn link(&self, name: &str) -> i64 {
        let own = self.columns.iter().find(|column| column.relation == "links" && column.name == name);
        own.and_then(|column| column.value).unwrap_or_default()
    }
}

/// What `tribune explain --format json` prints, as far as a page needs it: the portrait, and what it rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What was read.
    pub records: Records,
    /// The portrait.
    pub explanation: Portrait,
}

/// What an explanation rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Records {
    /// Of the sorted hourly rollup.
    pub digest: String,
}

/// Of [`Explanation`].
pub const SCHEMA: &str = "tribune.explanation/1";

/// Why a text is no explanation.
#[derive(Debug, thiserror::Error)]
pub enum NoExplanation {
    /// It has another form.
    #[error("this is no explanation: give what `tribune explain --format json` printed ({0})")]
    Form(#[from] serde_json::Error),
    /// It is something else.
    #[error("this is `{0}`, and no `tribune.explanation/1`")]
    Schema(String),
    /// Its sums do not hold.
    #[error("its ledger does not add up: {0}")]
    Sums(String),
}

impl Explanation {
    /// Reads an explanation, and adds up its ledger again.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(json: &[u8]) -> Result<Self, NoExplanation> {
        let read: Self = serde_json::from_slice(json)?;
        if read.schema != SCHEMA {
            return Err(NoExplanation::Schema(read.schema));
        }
        for judged in &read.explanation.policies {
            judged.finding.readd().map_err(NoExplanation::Sums)?;
        }
        Ok(read)
    }
}

/// A day: days since 1970-01-01, as text `2026-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub i32);

/// An hour: hours since 1970-01-01T00:00:00Z, as text `2026-03-01T05:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hour(pub i32);

impl Date {
    /// So many days later.
    pub(crate) fn plus(self, days: usize) -> Self {
        Self(self.0.saturating_add(i32::try_from(days).unwrap_or(i32::MAX)))
    }

    /// `3 Mar`.
    pub(crate) fn short(self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (_, month, date) = civil(i64::from(self.0));
        let month = usize::try_from(month - 1).ok().and_then(|month| MONTHS.get(month));
        format!("{date} {}", month.copied().unwrap_or_default())
    }
}

impl Hour {
    /// `2026-03-01, 06:00 UTC`.
    pub fn for_people(self) -> String {
        format!("{}, {:02}:00 UTC", Date(self.0.div_euclid(24)), self.0.rem_euclid(24))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&gate::time::text(i64::from(self.0) * 3_600))
    }
}

/// Written and read as its text.
macro_rules! as_text {
    ($name:ident, $parse:expr, $form:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let parse: fn(&str) -> Option<i64> = $parse;
                let read = parse(&text).and_then(|count| i32::try_from(count).ok()).map(Self);
                read.filter(|read| read.to_string() == text).ok_or_else(|| de::Error::custom($form))
            }
        }
    };
}

as_text!(
    Date,
    |text| gate::time::parse(&format!("{text}T00:00:00Z")).map(|at| at / DAY_SECONDS),
    "a day is `2026-03-01`"
);
as_text!(Hour, |text| gate::time::parse(text).map(|at| at / 3_600), "an hour is `2026-03-01T05:00:00Z`");

//! The words of a review: who, when, which, how much. Types with their rules of form; no rule of the review itself.

use crate::evidence::divide_half_even;
use gate::time::{DAY_SECONDS, civil, days_from_civil};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// A text that is not of the form it must have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: {rule}")]
pub struct FormError {
    text: String,
    what: &'static str,
    rule: &'static str,
}

impl FormError {
    fn new(text: &str, what: &'static str, rule: &'static str) -> Self {
        let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
        Self { text: shown, what, rule }
    }
}

/// An opaque name of one kind of thing: 1 to 200 characters, none of them a control character or a space at an end.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = FormError;

            fn from_str(text: &str) -> Result<Self, FormError> {
                if !gate::seal::is_name(text) {
                    let rule = "1 to 200 characters, without control characters and spaces around them";
                    return Err(FormError::new(text, $what, rule));
                }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

name!(
    /// A case.
    CaseId,
    "case"
);
name!(
    /// A command: the same one sent twice is carried out once.
    CommandId,
    "command"
);
name!(
    /// One person, by the number that stays theirs whatever they are called and however they sign in.
    PersonId,
    "personnel id"
);
name!(
    /// An item of evidence, within its case.
    EvidenceId,
    "evidence"
);
name!(
    /// A decision, within its case.
    DecisionId,
    "decision"
);
name!(
    /// An appeal, within its case.
    AppealId,
    "appeal"
);
name!(
    /// A question to the customer, a follow-up or another thing that is numbered within its case.
    ItemId,
    "item"
);
name!(
    /// A report.
    ReportId,
    "report"
);
name!(
    /// An account of the provider's (FOCUS `SubAccountId`).
    AccountId,
    "account"
);
name!(
    /// A customer of the provider's (FOCUS `BillingAccountId`).
    CustomerId,
    "customer"
);
name!(
    /// A service, as gates compare it: `object-storage`.
    ServiceId,
    "service"
);
name!(
    /// An operation, as gates compare it: `storage.write`.
    OperationId,
    "operation"
);
name!(
    /// A region (FOCUS `RegionId`).
    RegionId,
    "region"
);
name!(
    /// What a use is for, in a word of the facts: `contact_centre`.
    Purpose,
    "purpose"
);
name!(
    /// An element of a clause: `E1`.
    ElementId,
    "element"
);
name!(
    /// A step of a procedure.
    StepId,
    "step"
);
name!(
    /// An intervention of a policy pack.
    InterventionId,
    "intervention"
);
name!(
    /// Where a report or an outside source ultimately comes from: what shares an origin counts once.
    Origin,
    "origin"
);

/// An instant: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

impl Moment {
    /// This many hours later.
    pub const fn plus_hours(self, hours: i64) -> Self {
        Self(self.0.saturating_add(hours.saturating_mul(3_600)))
    }

    /// This many days later.
    pub const fn plus_days(self, days: i64) -> Self {
        Self(self.0.saturating_add(days.saturating_mul(DAY_SECONDS)))
    }

    /// The year, in UTC.
    pub fn year(self) -> i64 {
        civil(self.0.div_euclid(DAY_SECONDS)).0
    }

    /// The first instant of a year, in UTC.
    pub fn start_of_year(year: i64) -> Self {
        Self(days_from_civil(year, 1, 1) * DAY_SECONDS)
    }

    /// The day, in UTC: `2026-03-01`.
    pub fn day(self) -> String {
        let (year, month, day) = civil(self.0.div_euclid(DAY_SECONDS));
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The end of a term of calendar months that begins at this instant: the end of its last day, anywhere on Earth.
    /// The term begins on the latest date that anybody's calendar shows (UTC+14); a month without that day ends it on
    /// the month's last; the day is over when it is over in UTC−12.
    pub fn end_of_months(self, months: i64) -> Self {
        let (year, month, day) = civil((self.0 + 14 * 3_600).div_euclid(DAY_SECONDS));
        let count = year * 12 + month - 1 + months;
        let (year, month) = (count.div_euclid(12), count.rem_euclid(12) + 1);
        let last = days_from_civil(year, month, day.min(days_in_month(year, month)));
        Self((last + 1) * DAY_SECONDS + 12 * 3_600)
    }
}

/// `2026-03-01T05:00:00Z`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&gate::time::text(self.0))
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days_from_civil(next.0, next.1, 1) - days_from_civil(year, month, 1)
}

/// A SHA-256 digest; as text `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&gate::Digest(self.0), f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = FormError;

    fn from_str(text: &str) -> Result<Self, FormError> {
        let wrong = || FormError::new(text, "digest", "`sha256:` and 64 digits of 0 to 9 and a to f");
        gate::Digest::parse(text).map(|digest| Self(digest.0)).ok_or_else(wrong)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A private text, by the digest of what it says. The text itself is kept, encrypted, beside the record.
pub type Text = Digest;

/// What somebody may be in a review. What each may do is also said by the access policies; both must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Takes reports in and speaks with those who made them.
    IntakeOfficer,
    /// Looks at findings and opens cases.
    Analyst,
    /// Carries a case.
    Reviewer,
    /// Is asked about a question of their field.
    Expert,
    /// Advises on law; outside the company or not.
    Counsel,
    /// Approves or refuses decisions.
    Decider,
    /// Decides appeals.
    AppealPanel,
    /// Holds one half of what opens a reporter's identity.
    CustodianA,
    /// Holds the other half.
    CustodianB,
    /// Runs the gates.
    GateEngineer,
    /// Reads everything and changes nothing.
    Auditor,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::IntakeOfficer,
        Self::Analyst,
        Self::Reviewer,
        Self::Expert,
        Self::Counsel,
        Self::Decider,
        Self::AppealPanel,
        Self::CustodianA,
        Self::CustodianB,
        Self::GateEngineer,
        Self::Auditor,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::IntakeOfficer => "intake-officer",
            Self::Analyst => "analyst",
            Self::Reviewer => "reviewer",
            Self::Expert => "expert",
            Self::Counsel => "counsel",
            Self::Decider => "decider",
            Self::AppealPanel => "appeal-panel",
            Self::CustodianA => "custodian-a",
            Self::CustodianB => "custodian-b",
            Self::GateEngineer => "gate-engineer",
            Self::Auditor => "auditor",
        }
    }
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Somebody of the provider's, or whom it asked.
    Person(PersonId),
    /// The customer whom the case is about.
    Customer,
    /// Tribune itself: what a finding, a clock or a meter brings. Never anything that restricts.
    System,
}

/// What of a service is switched off; each is a decision with reasons of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// New content and new processing.
    Write,
    /// Reading what is there.
    Read,
    /// Deleting what is there.
    Delete,
    /// Taking it out in bulk.
    Export,
}

/// One thing that a decision restricts. The list of them is sealed: approvals sign its root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// On which account.
    pub account: AccountId,
    /// Which service.
    pub service: ServiceId,
    /// Only in this region; everywhere if none.
    pub region: Option<RegionId>,
    /// What is switched off.
    pub switches: BTreeSet<Switch>,
}

/// How sure one must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standard {
    /// Enough to look closer, and to hold things as they are.
    ReasonableSuspicion,
    /// More likely than not.
    MoreLikelyThanNot,
    /// Clear and convincing.
    ClearAndConvincing,
}

impl fmt::Display for Standard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReasonableSuspicion => "reasonable suspicion",
            Self::MoreLikelyThanNot => "more likely than not",
            Self::ClearAndConvincing => "clear and convincing",
        })
    }
}

/// A number as a person reads it: three significant digits above a thousand, with separators.
pub fn readable(value: i64, divisor: i64) -> String {
    let digits = |n: i64| {
        let text = n.unsigned_abs().to_string();
        let groups: Vec<&str> =
            text.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
        format!("{}{}", if n < 0 { "−" } else { "" }, groups.join(","))
    };
    let whole = value / divisor;
    if whole.unsigned_abs() >= 1_000 {
        let step = 10_i64.pow(whole.unsigned_abs().ilog10().saturating_sub(2));
        return digits(divide_half_even(i128::from(whole), i128::from(step)) as i64 * step);
    }
    if divisor == 1 {
        return digits(value);
    }
    let decimals = if whole.abs() >= 100 {
        0
    } else if whole.abs() >= 1 {
        1
    } else {
        3
    };
    format!("{:.decimals$}", value as f64 / divisor as f64).replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-01T00:00:00Z.
    const MARCH: Moment = Moment(1_772_323_200);

    #[test]
    fn moments_read_as_their_date() {
        assert_eq!(MARCH.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(Moment(951_782_399).to_string(), "2000-02-28T23:59:59Z");
        assert_eq!(MARCH.plus_hours(-1).plus_days(1).to_string(), "2026-03-01T23:00:00Z");
        assert_eq!((MARCH.year(), MARCH.day().as_str()), (2026, "2026-03-01"));
        let new_year = Moment::start_of_year(2027);
        assert_eq!((new_year.year(), Moment(new_year.0 - 1).day().as_str()), (2027, "2026-12-31"));
        for days in [-800_000_i64, -1, 0, 59, 60, 10_957, 20_513, 2_932_896] {
            let (year, month, day) = civil(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
    }

    #[test]
    fn six_months_end_with_the_last_day_anywhere() {
        assert_eq!(MARCH.end_of_months(6).to_string(), "2026-09-02T12:00:00Z");
        // In UTC+14 it is the first of the next month already.
        assert_eq!(MARCH.plus_hours(-14).end_of_months(6), MARCH.end_of_months(6));
        assert_eq!(MARCH.plus_hours(-15).end_of_months(6).to_string(), "2026-08-29T12:00:00Z");
        // 31 August and six months: the last day of February.
        assert_eq!(MARCH.plus_days(183).end_of_months(6).to_string(), "2027-03-01T12:00:00Z");
    }

    #[test]
    fn names_and_digests_have_a_form() {
        assert!("case-1".parse::<CaseId>().is_ok() && "Ünïcode".parse::<PersonId>().is_ok());
        for text in ["", " a", "a\n", "a\u{7}b", &"x".repeat(201)] {
            let error = text.parse::<CaseId>().unwrap_err().to_string();
            assert!(error.contains("1 to 200 characters") && !error.contains('\u{7}'), "{error}");
        }
        let digest = Digest::of("a");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for text in ["", "sha256:", &digest.to_string()[1..], &digest.to_string().to_uppercase(), "sha256:+1"] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_read_like_numbers() {
        assert_eq!(readable(912_345, 1), "912,000");
        assert_eq!(readable(999, 1), "999");
        assert_eq!(readable(-1_234_567, 1), "−1,230,000");
        assert_eq!(readable(28, 1_000), "0.028");
        assert_eq!(readable(1_500, 1_000), "1.5");
        assert_eq!(readable(i64::MIN, 1), "−9,220,000,000,000,000,000");
    }
}

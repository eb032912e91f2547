//! Hours and days in UTC, counted from 1970; the only times Tribune computes with.
//!
//! It is not a clock: nothing here asks what time it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An hour: the number of whole hours since 1970-01-01T00Z. As an instant it stands for the hour's beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub i32);

/// A UTC day: the number of days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// The first and the day after the last day a record may speak of.
pub const YEARS: std::ops::Range<i32> = 2000..2101;

impl Hour {
    /// The UTC day it lies in.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(24))
    }

    /// The hour of the day, 0 to 23.
    pub const fn of_day(self) -> i32 {
        self.0.rem_euclid(24)
    }

    /// The hour of the week, 0 (Monday 00Z) to 167.
    pub const fn of_week(self) -> i32 {
        // 1970-01-01 was a Thursday.
        (self.0 + 72).rem_euclid(168)
    }

    /// This many hours later (earlier, when negative).
    pub const fn plus(self, hours: i32) -> Self {
        Self(self.0 + hours)
    }
}

impl Day {
    /// Its first hour.
    pub const fn start(self) -> Hour {
        Hour(self.0 * 24)
    }

    /// This many days later (earlier, when negative).
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// The day of a civil date, if there is such a date between [`YEARS`].
    pub fn from_civil(year: i32, month: u32, day: u32) -> Option<Self> {
        if !YEARS.contains(&year) || !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        // Days from civil, H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let month = month as i32;
        let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day as i32 - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Some(Self(era * 146_097 + day_of_era - 719_468))
    }

    /// Year, month (1–12) and day of the month.
    pub fn civil(self) -> (i32, u32, u32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        (yoe + era * 400 + i32::from(month <= 2), month as u32, day as u32)
    }

    /// How many hours the day's month has.
    pub fn month_hours(self) -> i32 {
        let (year, month, _) = self.civil();
        24 * days_in_month(year, month) as i32
    }
}

/// 28 to 31.
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{:02}:00:00Z", self.day(), self.of_day())
    }
}

/// A time that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not of the form.
    #[error("`{0}` is not a time; write it like 2026-03-01T00:00:00Z")]
    Form(String),
    /// Of the form, but there is no such day, or it lies outside 2000–2100.
    #[error("`{0}` is not a day between 2000 and 2100")]
    Range(String),
}

/// Seconds since 1970 of a time written `YYYY-MM-DD[(T| )HH[:MM[:SS[.fff]]]][Z|±HH[:]MM]`; without a zone it is UTC.
pub fn parse_seconds(text: &str) -> Result<i64, TimeError> {
    let form = || TimeError::Form(text.chars().take(40).collect());
    let bytes = text.as_bytes();
    let number = |from: usize, len: usize| -> Result<u32, TimeError> {
        let digits = bytes.get(from..from + len).ok_or_else(form)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(form());
        }
        Ok(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
    };
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return Err(form());
    }
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let range = || TimeError::Range(text.chars().take(40).collect());
    let day = Day::from_civil(year as i32, month, day).ok_or_else(range)?;
    let mut seconds = i64::from(day.0) * 86_400;
    let mut at = 10;
    if matches!(bytes.get(at), Some(b'T' | b't' | b' ')) {
        let (mut limit, mut size) = (24, 3_600);
        loop {
            let part = number(at + 1, 2)?;
            if part >= limit {
                return Err(form());
            }
            seconds += i64::from(part) * size;
            at += 3;
            if size == 1 || bytes.get(at) != Some(&b':') {
                break;
            }
            (limit, size) = (60, size / 60);
        }
        if matches!(bytes.get(at), Some(b'.' | b',')) {
            let digits = bytes.iter().skip(at + 1).take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return Err(form());
            }
            at += 1 + digits;
        }
    }
    let zone = text.get(at..).unwrap_or_default().trim();
    match zone.as_bytes() {
        [] | b"Z" | b"z" | b"UTC" | b" UTC" => Ok(seconds),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let digits: Vec<u8> = rest.iter().copied().filter(|byte| *byte != b':').collect();
            if !(digits.len() == 2 || digits.len() == 4) || !digits.iter().all(u8::is_ascii_digit) {
                return Err(form());
            }
            let value = digits.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            let (hours, minutes) = if digits.len() == 2 { (value, 0) } else { (value / 100, value % 100) };
            let offset = hours * 3_600 + minutes * 60;
            Ok(if *sign == b'+' { seconds - offset } else { seconds + offset })
        }
        _ => Err(form()),
    }
}

impl FromStr for Hour {
    type Err = TimeError;

    /// The hour that holds the time; see [`parse_seconds`] for the form.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        Ok(Self(parse_seconds(text.trim())?.div_euclid(3_600) as i32))
    }
}

impl FromStr for Day {
    type Err = TimeError;

    /// `YYYY-MM-DD`.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        if text.len() != 10 {
            return Err(TimeError::Form(text.chars().take(40).collect()));
        }
        Ok(Self(parse_seconds(text)?.div_euclid(86_400) as i32))
    }
}

/// In files of ours a time is its text.
impl Serialize for Hour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_the_years_reads_back() {
        let first = Day::from_civil(2000, 1, 1).unwrap();
        let last = Day::from_civil(2100, 12, 31).unwrap();
        for day in first.0..=last.0 {
            assert_eq!(Day(day).to_string().parse(), Ok(Day(day)));
        }
        assert_eq!(last.0 - first.0, 36_889);
    }

    #[test]
    fn zones_fractions_and_plain_forms_read() {
        let noon = 1_772_366_400;
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01 12:00:00",
            "2026-03-01T12:00:00.000Z",
            "2026-03-01T14:00:00+02:00",
            "2026-03-01 07:00:00-0500",
            "2026-03-01T12:00Z",
            "2026-03-01T12Z",
            "2026-03-01 12:00:00 UTC",
        ] {
            assert_eq!(parse_seconds(text), Ok(noon), "{text}");
        }
        assert_eq!("2026-03-01".parse::<Hour>(), Ok(Hour(492_312)));
    }

    #[test]
    fn what_is_no_time_says_so() {
        for text in [
            "",
            "yesterday",
            "2026-3-1",
            "2026-03-01T25:00:00Z",
            "2026-03-01T12:00:00Q",
            "2026-03-01T",
            "２０２６-03-01",
        ] {
            assert!(matches!(parse_seconds(text), Err(TimeError::Form(_))), "{text}");
        }
        for text in ["1999-12-31T00:00:00Z", "2101-01-01", "2026-02-29", "2026-13-01"] {
            assert!(matches!(parse_seconds(text), Err(TimeError::Range(_))), "{text}");
        }
    }

    #[test]
    fn monday_midnight_is_hour_zero_of_the_week() {
        assert_eq!("2026-03-02T00Z".parse::<Hour>().unwrap().of_week(), 0);
        assert_eq!("2026-03-01T23Z".parse::<Hour>().unwrap().of_week(), 167);
    }
}

//! Dates, and the hour it is in a place.
//!
//! It is not a clock: nothing here asks what time it is.

use std::fmt;
use std::str::FromStr;

/// A date between 2000 and 2100, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(i32);

/// Text that is no date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a date between 2000 and 2100; write it like 2026-01-01")]
pub struct DateError(String);

impl Date {
    /// The date of a year, a month (1–12) and a day of the month, if there is one.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let known =
            (2000..=2100).contains(&year) && (1..=12).contains(&month) && (1..=month_days(year, month)).contains(&day);
        known.then(|| {
            let years: i32 = (1970..year).map(year_days).sum();
            let months: u32 = (1..month).map(|earlier| month_days(year, earlier)).sum();
            Self(years + (months + day) as i32 - 1)
        })
    }

    /// The date this many days after 1970-01-01.
    pub(crate) const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// This many days later (earlier, when negative).
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// 0 for Monday to 6 for Sunday.
    pub(crate) const fn weekday(self) -> i32 {
        (self.0 + 3).rem_euclid(7)
    }

    /// Year, month and day of the month.
    pub(crate) fn civil(self) -> (i32, u32, u32) {
        let (mut year, mut rest) = (1970, self.0);
        while rest < 0 {
            year -= 1;
            rest += year_days(year);
        }
        while rest >= year_days(year) {
            rest -= year_days(year);
            year += 1;
        }
        let (mut month, mut rest) = (1, rest as u32);
        while rest >= month_days(year, month) {
            rest -= month_days(year, month);
            month += 1;
        }
        (year, month, rest + 1)
    }

    /// The first of this month and the first of the next.
    pub(crate) fn month(self) -> (Self, Self) {
        let (year, month, day) = self.civil();
        let first = self.plus(1 - day as i32);
        (first, first.plus(month_days(year, month) as i32))
    }

    /// The `nth` Sunday of a month; 0 stands for the last one.
    fn sunday(year: i32, month: u32, nth: i32) -> Option<Self> {
        if nth == 0 {
            let last = Self::new(year, month, month_days(year, month))?;
            return Some(last.plus(-((last.weekday() + 1) % 7)));
        }
        let first = Self::new(year, month, 1)?;
        Some(first.plus(6 - first.weekday() + 7 * (nth - 1)))
    }
}

const fn year_days(year: i32) -> i32 {
    if month_days(year, 2) == 29 { 366 } else { 365 }
}

const fn month_days(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let error = || DateError(text.chars().take(40).collect());
        let well_formed = text.len() == 10
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() });
        let mut parts = text.splitn(3, '-').map(str::parse);
        match (well_formed, parts.next(), parts.next(), parts.next()) {
            (true, Some(Ok(year)), Some(Ok(month)), Some(Ok(day))) => {
                Self::new(year as i32, month, day).ok_or_else(error)
            }
            _ => Err(error()),
        }
    }
}

/// When a place sets its clocks forward by an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Summer {
    Never,
    /// From the last Sunday of March to the last of October.
    Europe,
    /// From the second Sunday of March to the first of November.
    America,
    /// From the first Sunday of October to the first of April.
    South,
}

/// How a place's clocks stand to UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Hours ahead of UTC in winter.
    pub(crate) hours: i32,
    pub(crate) summer: Summer,
}

impl Zone {
    /// Hours ahead of UTC on a date; clocks change at midnight here, which is exact to three hours.
    pub(crate) fn ahead(self, date: Date) -> i32 {
        let (year, ..) = date.civil();
        let between =
            |from: Option<Date>, to: Option<Date>| from.zip(to).is_some_and(|(from, to)| from <= date && date < to);
        let summer = match self.summer {
            Summer::Never => false,
            Summer::Europe => between(Date::sunday(year, 3, 0), Date::sunday(year, 10, 0)),
            Summer::America => between(Date::sunday(year, 3, 2), Date::sunday(year, 11, 1)),
            Summer::South => !between(Date::sunday(year, 4, 1), Date::sunday(year, 10, 1)),
        };
        self.hours + i32::from(summer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_reads_back() {
        let first = Date::new(2000, 1, 1).unwrap();
        let last = Date::new(2100, 12, 31).unwrap();
        assert_eq!((first.days(), last.days()), (10_957, 47_846));
        for days in (first.days()..=last.days()).step_by(17) {
            assert_eq!(Date(days).to_string().parse(), Ok(Date(days)));
        }
        for text in ["2026-02-29", "1999-12-31", "2026-1-01", "today", "2026-01-01T00", "+026-01-01"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }

    #[test]
    fn clocks_change_on_their_sundays() {
        let berlin = Zone { hours: 1, summer: Summer::Europe };
        let boston = Zone { hours: -5, summer: Summer::America };
        let sydney = Zone { hours: 10, summer: Summer::South };
        let on = |zone: Zone, date: &str| zone.ahead(date.parse().unwrap());
        assert_eq!([on(berlin, "2026-03-28"), on(berlin, "2026-03-29"), on(berlin, "2026-10-25")], [1, 2, 1]);
        assert_eq!([on(boston, "2026-03-07"), on(boston, "2026-03-08"), on(boston, "2026-11-01")], [-5, -4, -5]);
        assert_eq!([on(sydney, "2026-01-01"), on(sydney, "2026-04-05"), on(sydney, "2026-10-04")], [11, 10, 11]);
    }
}

//! Instants as the texts of decisions write them: seconds since 1970-01-01T00:00:00Z, and `2026-03-01T05:00:00Z`.
//!
//! A calendar, and no clock: what time it is comes from whoever asks.

/// Seconds of a day.
pub const DAY_SECONDS: i64 = 86_400;

/// `2026-03-01T05:00:00Z`.
pub fn text(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
    let of_day = seconds.rem_euclid(DAY_SECONDS);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// What [`text`] wrote, of a year of four digits; nothing else.
pub fn parse(written: &str) -> Option<i64> {
    let part = |from: usize, to: usize| {
        written.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))?.parse::<i64>().ok()
    };
    let days = days_from_civil(part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let seconds = days * DAY_SECONDS + part(11, 13)? * 3_600 + part(14, 16)? * 60 + part(17, 19)?;
    (text(seconds) == written).then_some(seconds)
}

/// The first second of a day that is written `2026-03-01`; nothing else.
pub fn parse_day(written: &str) -> Option<i64> {
    parse(&format!("{written}T00:00:00Z"))
}

/// Year, month, day of the days since 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
pub fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The days since 1970-01-01 of a year, month and day.
pub fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_read_as_it_was_written_and_nothing_else_is() {
        for seconds in [0, -1, 1_772_323_200, 951_782_399, 4_102_444_799, 253_402_300_799] {
            assert_eq!(parse(&text(seconds)), Some(seconds));
        }
        let bad = "2026-02-29T00:00:00Z 2026-13-01T00:00:00Z 2026-01-01T24:00:00Z 2026-01-01 2026-01-01T00:00:00+ +026-01-01T00:00:00Z \
             10000-01-01T00:00:00Z 2026-01-01t00:00:00Z 2026-01-01T00:00:00Zé é";
        for bad in bad.split(' ').chain(["", "2026-01-01T00:00:00Z "]) {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}

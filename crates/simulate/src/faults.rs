//! What goes wrong between a meter and a file: rows that are missing, repeated, late or wrong at first.
//!
//! Faults are drawn apart from the readings, so that the same provider can be had with and without them. It is not
//! outages, in which nothing is used (`world`).

use crate::draw::{Draw, key};
use crate::scenario::Faults;

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Usage,
    Correction,
    Credit,
    Tax,
}

/// One row of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    /// A place among the population's accounts.
    pub(crate) account: u32,
    /// A place in `METERS`; beyond it for rows that no meter stands behind.
    pub(crate) meter: u8,
    /// A place in `REGIONS`.
    pub(crate) region: u8,
    /// The first hour charged, counted from 1970.
    pub(crate) start: i32,
    pub(crate) class: Class,
    /// Millionths of a unit, or of a dollar where no meter stands behind it.
    pub(crate) quantity: i64,
}

/// Decides what becomes of each row.
pub(crate) struct Carrier {
    faults: Faults,
    seed: u64,
    /// Hours that a row is charged for.
    hours: i32,
}

/// Late files are batched by this many hours.
pub(crate) const BATCH_HOURS: i32 = 3;

/// Lateness: a median of 3 hours, and 1 in 100 later than 72: ln(72 ÷ 3) ÷ 2.326.
const LATE_MEDIAN: f64 = 3.0;
const LATE_SIGMA: f64 = 1.366;

/// Where a row goes: with its day, or into the batch that becomes known at an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Day,
    Known(i32),
}

impl Carrier {
    /// Carries rows that are charged for so many hours.
    pub(crate) const fn new(faults: Faults, seed: u64, hours: i32) -> Self {
        Self { faults, seed, hours }
    }

    /// Random numbers for one account's rows of one day.
    pub(crate) fn draw(&self, account: u32, day: i32) -> Draw {
        Draw::of(key(key(key(self.seed, 0xFA17), u64::from(account)), day as u64))
    }

    /// Hands each row that is ever seen to `to`, with the way it goes.
    pub(crate) fn carry(&self, mut row: Row, draw: &mut Draw, mut to: impl FnMut(Way, Row)) {
        let lanes = draw.bits();
        let hit = |lane: u32, share: f64| ((lanes >> (16 * lane)) & 0xFFFF) as f64 / 65_536.0 < share;
        if hit(0, self.faults.missing) {
            return;
        }
        let end = row.start + self.hours;
        if hit(1, self.faults.restated) {
            let wrong = (row.quantity as f64 * draw.range(0.05, 0.5) / 1e6).round() as i64 * 1_000_000;
            if wrong > 0 {
                let later = batch(f64::from(end) + draw.range(24.0, 240.0), end);
                to(Way::Known(later), Row { class: Class::Correction, quantity: -wrong, ..row });
                row.quantity += wrong;
            }
        }
        let arrival =
            |draw: &mut Draw| batch(f64::from(end) + LATE_MEDIAN * crate::draw::exp(LATE_SIGMA * draw.normal()), end);
        let way = if hit(2, self.faults.late) { Way::Known(arrival(draw)) } else { Way::Day };
        to(way, row);
        if hit(3, self.faults.duplicated) {
            let again = if draw.chance(0.5) { way } else { Way::Known(arrival(draw)) };
            to(again, row);
        }
    }
}

/// The batch nearest to an hour that still comes after the row's end.
fn batch(hour: f64, end: i32) -> i32 {
    let nearest = (hour / f64::from(BATCH_HOURS)).round() as i32 * BATCH_HOURS;
    if nearest > end { nearest } else { (end.div_euclid(BATCH_HOURS) + 1) * BATCH_HOURS }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(faults: Faults) -> Vec<(Way, Row)> {
        let carrier = Carrier::new(faults, 1, 1);
        let mut all = Vec::new();
        for account in 0..40 {
            let mut draw = carrier.draw(account, 20_000);
            for start in 480_000..485_000 {
                let row = Row { account, meter: 0, region: 0, start, class: Class::Usage, quantity: 100_000_000 };
                carrier.carry(row, &mut draw, |way, row| all.push((way, row)));
            }
        }
        all
    }

    #[test]
    fn each_fault_comes_at_its_rate() {
        let all = rows(Faults::default());
        let of = |class| all.iter().filter(|(_, row)| row.class == class).count() as f64;
        let sent = 200_000.0;
        assert!((of(Class::Usage) / sent - 0.99 * 1.005).abs() < 0.001, "{}", of(Class::Usage));
        assert!((of(Class::Correction) / sent - 0.001).abs() < 0.0003);
        let mut usage: Vec<Row> =
            all.iter().filter(|(_, row)| row.class == Class::Usage).map(|(_, row)| *row).collect();
        usage.sort_unstable();
        let repeated = usage.windows(2).filter(|pair| pair[0] == pair[1]).count() as f64;
        assert!((repeated / sent - 0.005).abs() < 0.0008, "{repeated}");
    }

    #[test]
    fn the_late_are_late_by_a_median_of_three_hours_and_the_last_hundredth_by_seventy_two() {
        let mut delays: Vec<i32> = rows(Faults { late: 0.2, ..Faults::NONE })
            .into_iter()
            .filter_map(|(way, row)| match way {
                Way::Known(known) => Some(known - row.start - 1),
                Way::Day => None,
            })
            .collect();
        delays.sort_unstable();
        assert!((delays.len() as f64 / 40_000.0 - 1.0).abs() < 0.02);
        assert!((2..=4).contains(&delays[delays.len() / 2]), "{}", delays[delays.len() / 2]);
        assert!((62..=82).contains(&delays[delays.len() * 99 / 100]), "{}", delays[delays.len() * 99 / 100]);
        assert!(delays[0] >= 1);
    }

    #[test]
    fn a_correction_restores_what_was_right() {
        let all = rows(Faults { restated: 0.1, ..Faults::NONE });
        let sum: i64 = all.iter().map(|(_, row)| row.quantity).sum();
        assert_eq!(sum, 200_000 * 100_000_000);
        assert!(all.iter().any(|(_, row)| row.class == Class::Correction && row.quantity < 0));
    }
}

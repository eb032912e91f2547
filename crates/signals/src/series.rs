//! What is remembered of the records: for every account × measure × region the hours of a week and the days of six.
//!
//! The state is a plain sum of the rows known so far, so neither their order nor their lateness matters
//! (invariant 14). Time only moves what falls out of the windows. It is not the rollup store and computes no signal.

use std::collections::BTreeMap;
use usage::{AccountKey, Day, Hour, Measure, Names, Period, RegionKey, Usage};

/// How many hours back a workload row looks.
pub const HOURS: usize = 168;
/// How many days back a workload row looks, and a margin for rows that come late.
pub const DAYS: usize = 42;
/// Hours for which it is remembered who reported: the window, a day before it to compare with, and a margin.
const REPORTED: usize = 256;

/// The cells of a window: narrow until a sum outgrows them, since most meters count few things an hour.
#[derive(Clone, Debug)]
enum Cells<const N: usize> {
    Narrow(Box<[i32; N]>),
    Wide(Box<[i64; N]>),
}

/// A window of `N` cells that slides forward with time; what lies before it is forgotten.
#[derive(Clone, Debug)]
struct Window<const N: usize> {
    cells: Cells<N>,
    /// The cell after the last one written.
    end: i32,
}

#[expect(clippy::indexing_slicing, reason = "an index modulo N lies within N cells; a clipped range within its own")]
impl<const N: usize> Window<N> {
    fn new(at: i32) -> Self {
        Self { cells: Cells::Narrow(Box::new([0; N])), end: at }
    }

    fn slot(at: i32) -> usize {
        at.rem_euclid(N as i32) as usize
    }

    fn get(&self, at: i32) -> i64 {
        match &self.cells {
            Cells::Narrow(cells) => i64::from(cells[Self::slot(at)]),
            Cells::Wide(cells) => cells[Self::slot(at)],
        }
    }

    fn set(&mut self, at: i32, value: i64) {
        match (&mut self.cells, i32::try_from(value)) {
            (Cells::Narrow(cells), Ok(value)) => cells[Self::slot(at)] = value,
            (Cells::Wide(cells), _) => cells[Self::slot(at)] = value,
            (Cells::Narrow(cells), Err(_)) => {
                let mut wide = Box::new(cells.map(i64::from));
                wide[Self::slot(at)] = value;
                self.cells = Cells::Wide(wide);
            }
        }
    }

    fn add(&mut self, at: i32, quantity: i64) {
        if at >= self.end {
            for passed in self.end.max(at - N as i32 + 1)..=at {
                self.set(passed, 0);
            }
            self.end = at + 1;
        } else if at < self.end - N as i32 {
            return;
        }
        self.set(at, self.get(at).saturating_add(quantity));
    }

    /// Adds the cells `[until − out.len(), until)` to `out`.
    fn add_to(&self, until: i32, out: &mut [i64]) {
        let from = until - out.len() as i32;
        let (first, last) = (from.max(self.end - N as i32), until.min(self.end));
        if first >= last {
            return;
        }
        let out = &mut out[(first - from) as usize..(last - from) as usize];
        match &self.cells {
            Cells::Narrow(cells) => add_ring(&cells[..], Self::slot(first), out),
            Cells::Wide(cells) => add_ring(&cells[..], Self::slot(first), out),
        }
    }
}

/// Adds a ring's cells from this slot on to `out`, which is no longer than the ring: one run of cells or two.
fn add_ring<T: Copy + Into<i64>>(ring: &[T], slot: usize, out: &mut [i64]) {
    let (start, rest) = ring.split_at(slot.min(ring.len()));
    let (before, after) = out.split_at_mut(rest.len().min(out.len()));
    // Two plain loops, which the compiler turns into wide additions.
    for (out, ring) in [(before, rest), (after, start)] {
        for (sum, cell) in out.iter_mut().zip(ring) {
            *sum = sum.saturating_add((*cell).into());
        }
    }
}

/// One account's readings of one measure in one region, in the measure's grain.
#[derive(Clone, Debug)]
struct Series {
    measure: Measure,
    region: u16,
    hours: Window<HOURS>,
    days: Window<DAYS>,
}

/// Which hours an account reported in one region.
#[derive(Clone, Debug)]
struct Presence {
    region: u16,
    bits: [u64; REPORTED / 64],
    end: i32,
}

impl Presence {
    /// Marks the hour; true if it was not marked before and still lies in the window.
    fn mark(&mut self, hour: i32) -> bool {
        if hour >= self.end {
            for passed in self.end.max(hour - REPORTED as i32 + 1)..=hour {
                self.word(passed, |word, bit| *word &= !bit);
            }
            self.end = hour + 1;
        } else if hour < self.end - REPORTED as i32 {
            return false;
        }
        let mut new = false;
        self.word(hour, |word, bit| {
            new = *word & bit == 0;
            *word |= bit;
        });
        new
    }

    fn word(&mut self, hour: i32, change: impl FnOnce(&mut u64, u64)) {
        let slot = hour.rem_euclid(REPORTED as i32) as usize;
        if let Some(word) = self.bits.get_mut(slot / 64) {
            change(word, 1 << (slot % 64));
        }
    }
}

/// One account's history.
#[derive(Clone, Debug)]
pub struct Account {
    series: Vec<Series>,
    presence: Vec<Presence>,
    /// The first hour it was charged for anything.
    pub first: Hour,
    /// Days it has a daily row for.
    daily: Window<64>,
}

impl Account {
    fn new(first: Hour) -> Self {
        Self { series: Vec::new(), presence: Vec::new(), first, daily: Window::new(first.day().0) }
    }

    /// The regions it reports hours in.
    pub fn regions(&self) -> impl Iterator<Item = u16> + '_ {
        self.presence.iter().map(|presence| presence.region)
    }

    /// Adds its hours `[until − 168, until)` and its days `[day − 42, day)` to the readings.
    pub fn add_to(&self, until: Hour, day: Day, readings: &mut Readings) {
        for series in &self.series {
            if let Some(hours) = readings.hours.get_mut(series.measure.index()) {
                series.hours.add_to(until.0, hours);
            }
            if let Some(days) = readings.days.get_mut(series.measure.index()) {
                series.days.add_to(day.0, days);
            }
            readings.present |= 1 << series.measure.index();
        }
        self.daily.add_to(day.0, &mut readings.daily_rows);
    }

    /// Stored byte-hours (in grain) by region over the 168 hours before `at`, or the 7 days where there are only days.
    pub fn stored_by_region(&self, at: Hour) -> impl Iterator<Item = (u16, i64)> + '_ {
        self.series.iter().filter(|series| series.measure == Measure::ByteHoursStored).map(move |series| {
            let (mut hours, mut days) = ([0; HOURS], [0; 7]);
            series.hours.add_to(at.0, &mut hours);
            let mut sum = hours.iter().fold(0, |sum: i64, cell| sum.saturating_add(*cell));
            if sum == 0 {
                series.days.add_to(at.day().0, &mut days);
                sum = days.iter().fold(0, |sum: i64, cell| sum.saturating_add(*cell));
            }
            (series.region, sum)
        })
    }

    fn series(&mut self, measure: Measure, region: u16, at: Period) -> Option<&mut Series> {
        let place = self.series.binary_search_by_key(&(measure, region), |series| (series.measure, series.region));
        let place = place.unwrap_or_else(|place| {
            let hour = match at {
                Period::Hour(hour) => hour,
                Period::Day(day) => day.start(),
            };
            let (hours, days) = (Window::new(hour.0), Window::new(hour.day().0));
            self.series.insert(place, Series { measure, region, hours, days });
            place
        });
        self.series.get_mut(place)
    }

    fn presence(&mut self, region: u16, hour: i32) -> Option<&mut Presence> {
        let place = self.presence.binary_search_by_key(&region, |presence| presence.region);
        let place = place.unwrap_or_else(|place| {
            self.presence.insert(place, Presence { region, bits: [0; REPORTED / 64], end: hour });
            place
        });
        self.presence.get_mut(place)
    }
}

/// The readings of one entity, summed over its accounts and regions, oldest first.
#[derive(Clone, Debug)]
pub struct Readings {
    /// Per measure, the 168 hours before the time of the row.
    pub hours: Vec<[i64; HOURS]>,
    /// Per measure, the 42 days before the day of the row; hours and daily rows together.
    pub days: Vec<[i64; DAYS]>,
    /// How many accounts have a daily row on the day.
    pub daily_rows: [i64; DAYS],
    /// A bit per measure that was ever metered.
    pub present: u32,
}

impl Readings {
    /// Nothing metered.
    pub fn empty() -> Self {
        Self {
            hours: vec![[0; HOURS]; Measure::COUNT],
            days: vec![[0; DAYS]; Measure::COUNT],
            daily_rows: [0; DAYS],
            present: 0,
        }
    }

    /// Makes it empty again, touching only what was metered.
    pub fn clear(&mut self) {
        for measure in Measure::ALL {
            if self.present & (1 << measure.index()) != 0 {
                if let Some(hours) = self.hours.get_mut(measure.index()) {
                    hours.fill(0);
                }
                if let Some(days) = self.days.get_mut(measure.index()) {
                    days.fill(0);
                }
            }
        }
        self.daily_rows.fill(0);
        self.present = 0;
    }

    /// One measure's hours, oldest first, in its grain.
    #[expect(clippy::indexing_slicing, reason = "there is an entry for every measure")]
    pub fn hours(&self, measure: Measure) -> &[i64; HOURS] {
        &self.hours[measure.index()]
    }

    /// One measure's days, oldest first, in its grain.
    #[expect(clippy::indexing_slicing, reason = "there is an entry for every measure")]
    pub fn days(&self, measure: Measure) -> &[i64; DAYS] {
        &self.days[measure.index()]
    }
}

/// How many accounts reported in one region, hour by hour.
#[derive(Clone, Debug)]
struct RegionHours {
    accounts: Window<REPORTED>,
    latest: i32,
}

/// Whether each of the 168 hours of a window is complete.
pub type Mask = [bool; HOURS];

/// Everything remembered, of all accounts.
#[derive(Clone, Debug, Default)]
pub struct History {
    account_index: BTreeMap<AccountKey, u32>,
    region_index: BTreeMap<RegionKey, u16>,
    /// Names, by index: in order of arrival, which reaches no result.
    pub account_keys: Vec<AccountKey>,
    /// Names, by index.
    pub region_keys: Vec<RegionKey>,
    /// What is remembered, by account index; `None` before its first row is known.
    pub accounts: Vec<Option<Account>>,
    regions: Vec<Option<RegionHours>>,
}

/// Where the indices of some [`Names`] lie in a [`History`].
#[derive(Clone, Debug)]
pub struct Mapping {
    accounts: Vec<u32>,
    regions: Vec<u16>,
}

impl History {
    /// Takes in names, so that rows that refer to them can be [applied](Self::apply).
    pub fn adopt(&mut self, names: &Names) -> Mapping {
        let accounts = names.accounts.iter().map(|key| {
            *self.account_index.entry(key.clone()).or_insert_with(|| {
                self.account_keys.push(key.clone());
                self.accounts.push(None);
                (self.account_keys.len() - 1) as u32
            })
        });
        let accounts = accounts.collect();
        let regions = names.regions.iter().map(|key| {
            *self.region_index.entry(key.clone()).or_insert_with(|| {
                self.region_keys.push(key.clone());
                self.regions.push(None);
                (self.region_keys.len() - 1) as u16
            })
        });
        Mapping { accounts, regions: regions.collect() }
    }

    /// Adds rows that are known by `until`, the hour that is looked at next. Hours that no window from there on can show
    /// are not added one by one. A row that names nothing adopted is passed over.
    pub fn apply(&mut self, mapping: &Mapping, rows: &[Usage], until: Hour) {
        // Rows come sorted: most lie in the series of the one before.
        let of = |row: &Usage| (row.account, row.measure, row.region);
        for same in rows.chunk_by(|a, b| of(a) == of(b)) {
            let Some(first) = same.first() else { continue };
            let account = mapping.accounts.get(first.account as usize);
            let region = mapping.regions.get(usize::from(first.region));
            if let Some((account, region)) = account.zip(region) {
                self.apply_same(*account, *region, first, same, until);
            }
        }
    }

    /// Adds rows of one series.
    fn apply_same(&mut self, account: u32, region: u16, first: &Usage, rows: &[Usage], until: Hour) {
        let Some(slot) = self.accounts.get_mut(account as usize) else { return };
        let start = |row: &Usage| match row.period {
            Period::Hour(hour) => hour,
            Period::Day(day) => day.start(),
        };
        let account = slot.get_or_insert_with(|| Account::new(start(first)));
        account.first = rows.iter().map(start).fold(account.first, Hour::min);
        if let Some(series) = account.series(first.measure, region, first.period) {
            for row in rows {
                series.days.add(row.period.day().0, row.quantity);
                if let Period::Hour(hour) = row.period
                    && hour >= until.plus(-(HOURS as i32))
                {
                    series.hours.add(hour.0, row.quantity);
                }
            }
        }
        let days = rows.iter().filter_map(|row| if let Period::Day(day) = row.period { Some(day) } else { None });
        days.for_each(|day| account.daily.add(day.0, 1));
        let hours = rows.iter().filter_map(|row| if let Period::Hour(hour) = row.period { Some(hour.0) } else { None });
        let mut hours = hours.peekable();
        let (Some(any), Some(counts)) = (hours.peek().copied(), self.regions.get_mut(usize::from(region))) else {
            return;
        };
        let counts = counts.get_or_insert_with(|| RegionHours { accounts: Window::new(any), latest: any });
        let Some(presence) = account.presence(region, any) else { return };
        for hour in hours {
            counts.latest = counts.latest.max(hour);
            if hour >= until.0 - (HOURS as i32 + 24) && presence.mark(hour) {
                counts.accounts.add(hour, 1);
            }
        }
    }

    /// For every region, which of the 168 hours before `at` are complete: data six hours later is known, and at least
    /// half as many accounts report as in the same hour a day before (blueprint §6).
    pub fn complete_hours(&self, at: Hour) -> Vec<Mask> {
        self.regions
            .iter()
            .map(|region| {
                let mut mask = [false; HOURS];
                let Some(region) = region else { return mask };
                let mut counts = [0; HOURS + 24];
                region.accounts.add_to(at.0, &mut counts);
                for (place, complete) in mask.iter_mut().enumerate() {
                    let hour = at.0 - HOURS as i32 + place as i32;
                    let (now, before) = (counts.get(place + 24), counts.get(place));
                    let enough = now.zip(before).is_some_and(|(now, before)| now * 2 >= *before);
                    *complete = region.latest >= hour + 6 && enough;
                }
                mask
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names() -> Names {
        let key = |account: &str| AccountKey { provider: "p".into(), customer: "c".into(), account: account.into() };
        Names {
            accounts: vec![key("a"), key("b")],
            regions: vec![RegionKey { provider: "p".into(), region: "r".into() }],
        }
    }

    fn row(account: u32, hour: i32, quantity: i64) -> Usage {
        let period = Period::Hour(Hour(hour));
        Usage { account, measure: Measure::BytesIn, region: 0, period, known: Hour(hour + 1), quantity }
    }

    fn readings(history: &History, account: usize, at: i32) -> Readings {
        let mut readings = Readings::empty();
        if let Some(account) = &history.accounts[account] {
            account.add_to(Hour(at), Hour(at).day(), &mut readings);
        }
        readings
    }

    #[test]
    fn an_hour_is_complete_six_hours_later_and_with_half_the_accounts() {
        let mut history = History::default();
        let mapping = history.adopt(&names());
        for hour in 0..48 {
            history.apply(&mapping, &[row(0, hour, 1)], Hour(48));
            if hour != 40 {
                history.apply(&mapping, &[row(1, hour, 1), row(1, hour, 5)], Hour(48));
            }
        }
        let mask = history.complete_hours(Hour(48)).remove(0);
        let complete = |hour: usize| mask[HOURS - 48 + hour];
        assert!(complete(0) && complete(40) && complete(41), "one of two is half");
        assert!(!complete(42), "data of hour 48 is not known yet");
        history.apply(&mapping, &[row(1, 24 * 8, 1)], Hour(24 * 8 + 1));
        assert!(!history.complete_hours(Hour(24 * 8 + 1)).remove(0)[HOURS - 1], "hours nobody reported stay open");
    }

    proptest! {
        /// Invariant 14: late, split and reordered rows end in the same state.
        #[test]
        fn the_order_of_rows_leaves_no_trace(
            hours in proptest::collection::vec((0_u32..2, 0_i32..700, prop_oneof![-5_i64..1_000, -5_000_000_000_i64..5_000_000_000]), 1..120),
            seed in 0_usize..1_000,
        ) {
            let rows: Vec<Usage> = hours.into_iter().map(|(account, hour, quantity)| row(account, hour, quantity)).collect();
            let mut shuffled = rows.clone();
            shuffled.rotate_left(seed % rows.len());
            shuffled.reverse();
            let last = rows.iter().map(|row| row.known.0).max().unwrap();
            let run = |rows: &[Usage]| {
                let mut history = History::default();
                let mapping = history.adopt(&names());
                history.apply(&mapping, rows, Hour(last));
                let of = |account| {
                    let readings = readings(&history, account, last);
                    (readings.hours(Measure::BytesIn).to_vec(), readings.days(Measure::BytesIn).to_vec())
                };
                (of(0), of(1), history.complete_hours(Hour(last)))
            };
            prop_assert_eq!(run(&rows), run(&shuffled));
        }
    }
}

//! From a row to what becomes of it: passed over, unmapped, rejected, or a measure's integer on its way to its day.
//!
//! Rows come in batches whose readers have summed up the fingerprints of what decides the meaning of a row (provider,
//! service, meter, units, region …). That sum is looked up; the strings are looked at once for each that is new.
//!
//! It is not the reading of a format, and it holds no row.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::catalogue::{Catalogue, Found};
use crate::fingerprint::Map;
use crate::focus::{Kept, Layout, Role};
use crate::spill::{Key, Renaming, Row, Spill};
use crate::tally::{FileTally, Rejection, Tallying, Unmapped, quoted};
use crate::time::{Day, Hour, parse_seconds};
use crate::{AccountKey, Measure, Names, Period, RegionKey};

/// An absent number or time.
pub(crate) const NO_NUMBER: u64 = 0x7ff8_0000_0000_0001;
/// A value that is no number.
pub(crate) const BAD_NUMBER: u64 = 0x7ff8_0000_0000_0002;
/// An absent time.
pub(crate) const NO_TIME: i64 = i64::MIN;
/// A value that is no time.
pub(crate) const BAD_TIME: i64 = i64::MIN + 1;

/// No quantity is larger, in steps of its measure's grain.
const STEPS_MAX: f64 = 1e17;
/// The caches of a reader are emptied at this size.
const CACHED: usize = 1 << 18;
/// Tells apart the two decisions on a row that names both units: by what it consumes, and by what is priced.
const PRICED: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7344;
const SECONDS_OF_HOUR: i64 = 3_600;
/// A day of 25 hours is one at the end of daylight saving time.
const LONGEST_DAY: i64 = 25 * SECONDS_OF_HOUR;

/// Some rows of a file, by column. All vectors are as long as there are rows, or empty where the file has no column.
#[derive(Default)]
pub(crate) struct Batch {
    pub(crate) rows: usize,
    /// Fingerprints of what decides the meaning.
    pub(crate) mapping: Vec<u128>,
    /// Of what names the account.
    pub(crate) account: Vec<u128>,
    /// Of all else.
    pub(crate) rest: Vec<u128>,
    /// Bits of `f64`, [`NO_NUMBER`] or [`BAD_NUMBER`].
    pub(crate) consumed: Vec<u64>,
    pub(crate) priced: Vec<u64>,
    /// Seconds since 1970, [`NO_TIME`] or [`BAD_TIME`].
    pub(crate) start: Vec<i64>,
    pub(crate) end: Vec<i64>,
    pub(crate) billing: Vec<i64>,
}

impl Batch {
    /// Makes it ready for this many rows.
    pub(crate) fn reset(&mut self, rows: usize) {
        self.rows = rows;
        for sums in [&mut self.mapping, &mut self.account, &mut self.rest] {
            sums.clear();
            sums.resize(rows, 0);
        }
        for values in [&mut self.consumed, &mut self.priced] {
            values.clear();
        }
        for values in [&mut self.start, &mut self.end, &mut self.billing] {
            values.clear();
        }
    }
}

impl Batch {
    /// Adds a value's digest to its row.
    #[inline]
    pub(crate) fn add(&mut self, role: Role, row: usize, digest: u128) {
        let add = |sums: &mut [u128]| {
            if let Some(sum) = sums.get_mut(row) {
                *sum = sum.wrapping_add(digest);
            }
        };
        if role == Role::Provider {
            add(&mut self.account);
        }
        add(self.sums(role));
    }

    /// The sums that a column counts in; a provider's counts in those of the account, too.
    pub(crate) fn sums(&mut self, role: Role) -> &mut Vec<u128> {
        match role {
            Role::Mapping | Role::Provider => &mut self.mapping,
            Role::Account => &mut self.account,
            _ => &mut self.rest,
        }
    }

    /// Adds a value's bits to its column, if that is one of numbers or times.
    #[inline]
    pub(crate) fn push(&mut self, role: Role, bits: u64) {
        match role {
            Role::Consumed => self.consumed.push(bits),
            Role::Priced => self.priced.push(bits),
            Role::Start => self.start.push(bits as i64),
            Role::End => self.end.push(bits as i64),
            Role::Billing => self.billing.push(bits as i64),
            Role::Dropped | Role::Mapping | Role::Account | Role::Provider => {}
        }
    }
}

/// The texts of a batch, for the few rows that need one.
pub(crate) trait Texts {
    /// The value at a column's place; `None` where it is empty.
    fn text(&self, column: usize, row: usize) -> Option<String>;
    /// The row's number in its file.
    fn number(&self, row: usize) -> u64;
}

/// The file that a batch is of.
pub(crate) struct Origin<'a> {
    pub(crate) name: &'a str,
    pub(crate) known: Option<Hour>,
    pub(crate) layout: &'a Layout,
}

/// The names seen so far by all readers, in the order of appearance.
#[derive(Default)]
pub(crate) struct Interner {
    accounts: Mutex<BTreeMap<AccountKey, u32>>,
    regions: Mutex<BTreeMap<RegionKey, u16>>,
}

impl Interner {
    fn account(&self, key: AccountKey) -> u32 {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let next = accounts.len() as u32;
        *accounts.entry(key).or_insert(next)
    }

    fn region(&self, key: RegionKey) -> Option<u16> {
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(region) = regions.get(&key) {
            return Some(*region);
        }
        let next = u16::try_from(regions.len()).ok()?;
        regions.insert(key, next);
        Some(next)
    }

    /// The names in their order, and the way there.
    pub(crate) fn sorted(self) -> (Names, Renaming) {
        let accounts = self.accounts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let regions = self.regions.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut renaming = Renaming { accounts: vec![0; accounts.len()], regions: vec![0; regions.len()] };
        for (sorted, seen) in accounts.values().enumerate() {
            if let Some(place) = renaming.accounts.get_mut(*seen as usize) {
                *place = sorted as u32;
            }
        }
        for (sorted, seen) in regions.values().enumerate() {
            if let Some(place) = renaming.regions.get_mut(usize::from(*seen)) {
                *place = sorted as u16;
            }
        }
        (Names { accounts: accounts.into_keys().collect(), regions: regions.into_keys().collect() }, renaming)
    }
}

/// What is decided for all rows of one meaning.
#[derive(Clone, Copy)]
struct Meaning {
    outcome: Outcome,
    correction: bool,
}

#[derive(Clone, Copy)]
enum Outcome {
    PassedOver,
    /// The place of its name in [`Mapper::unmapped`].
    Unmapped(usize),
    Meter(Meter),
    /// A kept column is at fault for all rows alike.
    Rejected(Kept, &'static str),
}

#[derive(Clone, Copy)]
struct Meter {
    measure: Measure,
    region: u16,
    /// Steps of the measure's grain in one unit of the row.
    steps: f64,
    per_month: bool,
}

/// What is wrong with a row: the column and the words that follow its value.
struct Fault(Kept, &'static str);

/// Maps batches. Each reader has its own.
pub(crate) struct Mapper<'a> {
    catalogue: &'a Catalogue,
    interner: &'a Interner,
    spill: Spill<'a>,
    pub(crate) tally: Tallying,
    meanings: Map<u128, Meaning>,
    accounts: Map<u128, Option<u32>>,
    unmapped: Vec<(Unmapped, u64)>,
    unmapped_rows: u64,
    unmapped_places: BTreeMap<Unmapped, usize>,
}

impl<'a> Mapper<'a> {
    pub(crate) fn new(catalogue: &'a Catalogue, interner: &'a Interner, spill: Spill<'a>) -> Self {
        Self {
            catalogue,
            interner,
            spill,
            tally: Tallying::default(),
            meanings: Map::default(),
            accounts: Map::default(),
            unmapped: Vec::new(),
            unmapped_rows: 0,
            unmapped_places: BTreeMap::new(),
        }
    }

    /// Writes out what is held and gives the tally.
    pub(crate) fn finish(mut self) -> io::Result<Tallying> {
        self.spill.flush()?;
        self.settle_names();
        Ok(self.tally)
    }

    fn settle_names(&mut self) {
        for (name, rows) in std::mem::take(&mut self.unmapped).into_iter().filter(|(_, rows)| *rows > 0) {
            self.tally.unmapped(&name, rows);
        }
        self.unmapped_places.clear();
    }

    /// Maps the rows of a batch; `examples` counts the rejected rows kept of this part of the file.
    pub(crate) fn map(
        &mut self,
        origin: &Origin<'_>,
        batch: &Batch,
        texts: &dyn Texts,
        examples: &mut usize,
    ) -> io::Result<()> {
        if self.meanings.len() > CACHED || self.accounts.len() > CACHED || self.unmapped.len() > CACHED {
            self.meanings.clear();
            self.accounts.clear();
            self.settle_names();
        }
        self.tally.rows += batch.rows as u64;
        let rows = BatchRows { origin, batch, texts };
        let mut last: Option<(u128, Meaning)> = None;
        for row in 0..batch.rows {
            let priced = !number_is_there(&batch.consumed, row);
            let mapping = batch.mapping.get(row).copied().unwrap_or_default();
            let sum = mapping.wrapping_add(if priced { PRICED } else { 0 });
            let meaning = match last {
                Some((same, meaning)) if same == sum => meaning,
                _ => {
                    let meaning = self.meaning(sum, priced, &rows, row);
                    last = Some((sum, meaning));
                    meaning
                }
            };
            if let Err(Fault(column, what)) = self.take(&rows, row, priced, meaning)? {
                self.tally.reject(examples, || rows.rejection(row, column, what));
            }
        }
        Ok(())
    }

    /// What becomes of one row whose meaning is known.
    #[inline]
    fn take(
        &mut self,
        rows: &BatchRows<'_>,
        row: usize,
        priced: bool,
        meaning: Meaning,
    ) -> io::Result<Result<(), Fault>> {
        if let Outcome::PassedOver = meaning.outcome {
            self.tally.passed_over += 1;
            return Ok(Ok(()));
        }
        let (span, quantity) = match rows.span(row).and_then(|span| Ok((span, rows.quantity(row, priced)?))) {
            Ok(good) => good,
            Err(fault) => return Ok(Err(fault)),
        };
        let meter = match meaning.outcome {
            Outcome::PassedOver => return Ok(Ok(())),
            Outcome::Rejected(column, what) => return Ok(Err(Fault(column, what))),
            Outcome::Unmapped(place) => {
                self.count_unmapped(place);
                return Ok(Ok(()));
            }
            Outcome::Meter(meter) => meter,
        };
        let Some(period) = span.period() else {
            let place = self.name(rows, row, priced, "period longer than a day".to_owned());
            self.count_unmapped(place);
            return Ok(Ok(()));
        };
        let column = if priced { Kept::PricingQuantity } else { Kept::ConsumedQuantity };
        if quantity < 0.0 && !meaning.correction {
            return Ok(Err(Fault(column, "is negative, and `ChargeClass` is not `Correction`")));
        }
        let month = if meter.per_month { f64::from(rows.month_hours(row, span)) } else { 1.0 };
        let steps = (quantity * (meter.steps * month)).round_ties_even();
        if steps.abs() > STEPS_MAX {
            return Ok(Err(Fault(column, "is more than any meter measures")));
        }
        let Some(account) = self.account(rows, row) else {
            return Ok(Err(Fault(Kept::BillingAccountId, "is empty")));
        };
        let fingerprint = rows.fingerprint(row);
        self.spill.push(
            period.day(),
            &Row {
                key: Key::new(account, meter.measure, meter.region, period),
                fingerprint: [(fingerprint >> 64) as u64, fingerprint as u64],
                known: rows.origin.known.map_or_else(|| span.known(), |known| known.0),
                quantity: steps as i64,
            },
        )?;
        Ok(Ok(()))
    }

    fn meaning(&mut self, sum: u128, priced: bool, rows: &BatchRows<'_>, row: usize) -> Meaning {
        if let Some(meaning) = self.meanings.get(&sum) {
            return *meaning;
        }
        let meaning = self.decide(priced, rows, row);
        self.meanings.insert(sum, meaning);
        meaning
    }

    /// Looks at the texts of a row whose meaning is new.
    fn decide(&mut self, priced: bool, rows: &BatchRows<'_>, row: usize) -> Meaning {
        let text = |kept| rows.text(kept, row);
        let is = |kept, word: &str| text(kept).is_some_and(|text| text.trim().eq_ignore_ascii_case(word));
        let correction = is(Kept::ChargeClass, "Correction");
        let of = |outcome| Meaning { outcome, correction };
        if text(Kept::ChargeCategory).is_none() {
            return of(Outcome::Rejected(Kept::ChargeCategory, "is empty"));
        }
        // Nothing was consumed by what is bought once or in advance, nor by a commitment that nobody used.
        let bought = is(Kept::ChargeFrequency, "One-Time")
            || is(Kept::ChargeFrequency, "Recurring")
            || is(Kept::CommitmentDiscountStatus, "Unused");
        if !is(Kept::ChargeCategory, "Usage") || priced && bought {
            return of(Outcome::PassedOver);
        }
        let Some(provider) = rows.provider(row) else {
            return of(Outcome::Rejected(Kept::ProviderName, "is empty"));
        };
        let unit = text(if priced { Kept::PricingUnit } else { Kept::ConsumedUnit }).unwrap_or_default();
        let names = self.catalogue.columns().iter().map(String::as_str);
        let places: BTreeMap<&str, usize> =
            names.zip(rows.origin.layout.matched()).filter_map(|(name, place)| Some((name, (*place)?))).collect();
        let value = |column: &str| rows.texts.text(*places.get(column)?, row);
        match self.catalogue.find(&provider, &unit, &value) {
            Found::Unmapped(why) => of(Outcome::Unmapped(self.name(rows, row, priced, why))),
            Found::Meter { measure, factor, per_month } => {
                let region = RegionKey { provider, region: text(Kept::RegionId).unwrap_or_default() };
                match self.interner.region(region) {
                    Some(region) => {
                        of(Outcome::Meter(Meter { measure, region, steps: factor * measure.grain(), per_month }))
                    }
                    None => of(Outcome::Rejected(Kept::RegionId, "is one region more than the 65,536 there may be")),
                }
            }
        }
    }

    /// The account of a row; `None` where it names none.
    fn account(&mut self, rows: &BatchRows<'_>, row: usize) -> Option<u32> {
        let sum = rows.batch.account.get(row).copied().unwrap_or_default();
        if let Some(account) = self.accounts.get(&sum) {
            return *account;
        }
        let account = rows.text(Kept::BillingAccountId, row).zip(rows.provider(row)).map(|(customer, provider)| {
            let account = rows.text(Kept::SubAccountId, row).unwrap_or_else(|| customer.clone());
            self.interner.account(AccountKey { provider, customer, account })
        });
        self.accounts.insert(sum, account);
        account
    }

    /// The place of an unmapped row's name.
    fn name(&mut self, rows: &BatchRows<'_>, row: usize, priced: bool, why: String) -> usize {
        let text = |kept| rows.text(kept, row);
        let name = Unmapped {
            provider: rows.provider(row).unwrap_or_default(),
            service: text(Kept::ServiceName).unwrap_or_default(),
            meter: text(Kept::SkuMeter).or_else(|| text(Kept::SkuId)).unwrap_or_default(),
            unit: text(if priced { Kept::PricingUnit } else { Kept::ConsumedUnit }).unwrap_or_default(),
            why,
            rows: 0,
        };
        let next = self.unmapped.len();
        let place = *self.unmapped_places.entry(name.clone()).or_insert(next);
        if place == next {
            self.unmapped.push((name, 0));
        }
        place
    }

    fn count_unmapped(&mut self, place: usize) {
        if let Some((_, rows)) = self.unmapped.get_mut(place) {
            *rows += 1;
            self.unmapped_rows += 1;
        }
    }

    /// What was counted since `before`, which was counted then, and the days that were touched since the last call.
    pub(crate) fn since(&mut self, before: &FileTally) -> FileTally {
        let now = self.counts();
        FileTally {
            rows: now.rows - before.rows,
            passed_over: now.passed_over - before.passed_over,
            unmapped: now.unmapped - before.unmapped,
            rejected: now.rejected - before.rejected,
            cut: false,
            days: self.spill.touched().into_iter().collect(),
        }
    }

    /// What was counted of all files up to now.
    pub(crate) fn counts(&self) -> FileTally {
        FileTally {
            rows: self.tally.rows,
            passed_over: self.tally.passed_over,
            unmapped: self.unmapped_rows,
            rejected: self.tally.rejected(),
            ..FileTally::default()
        }
    }
}

fn number_is_there(numbers: &[u64], row: usize) -> bool {
    numbers.get(row).is_some_and(|bits| *bits != NO_NUMBER)
}

/// From when to when a row is charged, in seconds.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    end: i64,
}

impl Span {
    /// Its hour if it lies within one, else its day if it is not longer than one.
    fn period(self) -> Option<Period> {
        let hour = self.start.div_euclid(SECONDS_OF_HOUR);
        if (self.end - 1).div_euclid(SECONDS_OF_HOUR) == hour {
            Some(Period::Hour(Hour(hour as i32)))
        } else if self.end - self.start <= LONGEST_DAY {
            Some(Period::Day(Hour(hour as i32).day()))
        } else {
            None
        }
    }

    /// The first hour at which all of it is over.
    fn known(self) -> i32 {
        (self.end + SECONDS_OF_HOUR - 1).div_euclid(SECONDS_OF_HOUR) as i32
    }
}

/// One batch with all that is needed to look at a row of it.
struct BatchRows<'a> {
    origin: &'a Origin<'a>,
    batch: &'a Batch,
    texts: &'a dyn Texts,
}

impl BatchRows<'_> {
    fn text(&self, kept: Kept, row: usize) -> Option<String> {
        self.texts.text(self.origin.layout.place(kept)?, row)
    }

    fn provider(&self, row: usize) -> Option<String> {
        self.text(Kept::ProviderName, row).or_else(|| self.text(Kept::ServiceProviderName, row))
    }

    fn fingerprint(&self, row: usize) -> u128 {
        let of = |sums: &[u128]| sums.get(row).copied().unwrap_or_default();
        of(&self.batch.mapping).wrapping_add(of(&self.batch.account)).wrapping_add(of(&self.batch.rest))
    }

    fn span(&self, row: usize) -> Result<Span, Fault> {
        let start = time(&self.batch.start, row, Kept::ChargePeriodStart)?;
        let end = time(&self.batch.end, row, Kept::ChargePeriodEnd)?;
        if end <= start {
            return Err(Fault(Kept::ChargePeriodEnd, "is not after `ChargePeriodStart`"));
        }
        Ok(Span { start, end })
    }

    fn quantity(&self, row: usize, priced: bool) -> Result<f64, Fault> {
        let (column, bits) = if priced {
            (Kept::PricingQuantity, self.batch.priced.get(row))
        } else {
            (Kept::ConsumedQuantity, self.batch.consumed.get(row))
        };
        match bits.copied().unwrap_or(NO_NUMBER) {
            NO_NUMBER => Err(Fault(Kept::ConsumedQuantity, "is empty, and no `PricingQuantity` stands in for it")),
            BAD_NUMBER => Err(Fault(column, "is not a number; write it like 12.5")),
            bits if f64::from_bits(bits).is_finite() => Ok(f64::from_bits(bits)),
            _ => Err(Fault(column, "is not a finite number")),
        }
    }

    /// The hours of the billing month; of the charge's month where the file does not say.
    fn month_hours(&self, row: usize, span: Span) -> i32 {
        let billing = self.batch.billing.get(row).copied().filter(|seconds| in_years(*seconds));
        Day(billing.unwrap_or(span.start).div_euclid(24 * SECONDS_OF_HOUR) as i32).month_hours()
    }

    fn rejection(&self, row: usize, column: Kept, what: &str) -> Rejection {
        let value = self.text(column, row).map_or_else(String::new, |text| format!("{} ", quoted(&text)));
        let name = self.origin.layout.place(column).and_then(|place| self.origin.layout.columns.get(place));
        Rejection {
            file: self.origin.name.to_owned(),
            row: self.texts.number(row),
            column: name.map_or_else(|| format!("{column:?}"), |column| column.name.clone()),
            reason: format!("{value}{what}"),
        }
    }
}

fn time(times: &[i64], row: usize, column: Kept) -> Result<i64, Fault> {
    match times.get(row).copied().unwrap_or(NO_TIME) {
        NO_TIME => Err(Fault(column, "is empty")),
        BAD_TIME => Err(Fault(column, "is not a time; write it like 2026-03-01T00:00:00Z")),
        seconds if in_years(seconds) => Ok(seconds),
        _ => Err(Fault(column, "is not between 2000 and 2100")),
    }
}

/// Whether a time lies in the years that a record may speak of; the end of the last one, too.
fn in_years(seconds: i64) -> bool {
    const FIRST: i64 = 10_957 * 86_400;
    const LAST: i64 = FIRST + 36_890 * 86_400;
    (FIRST..LAST).contains(&seconds)
}

/// The seconds of a time's text, or the mark of what is wrong with it.
pub(crate) fn seconds_of(text: &str) -> i64 {
    match parse_seconds(text.trim()) {
        Ok(seconds) => seconds,
        Err(crate::time::TimeError::Range(_)) => i64::MAX,
        Err(crate::time::TimeError::Form(_)) => BAD_TIME,
    }
}

/// The bits of a number's text, or the mark of what is wrong with it.
pub(crate) fn number_of(text: &str) -> u64 {
    text.trim().parse().map_or(BAD_NUMBER, f64::to_bits)
}

/// Whether a text stands for nothing.
pub(crate) fn is_nothing(text: &[u8]) -> bool {
    text.is_empty() || text.eq_ignore_ascii_case(b"null")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::YEARS;

    #[test]
    fn the_years_are_those_of_times() {
        let first = Day::from_civil(YEARS.start, 1, 1).unwrap();
        let last = Day::from_civil(YEARS.end - 1, 12, 31).unwrap();
        assert!(in_years(i64::from(first.0) * 86_400) && !in_years(i64::from(first.0) * 86_400 - 1));
        assert!(in_years(i64::from(last.0) * 86_400 + 86_399) && !in_years(i64::from(last.0) * 86_400 + 86_400));
    }

    #[test]
    fn a_span_is_an_hour_a_day_or_too_long() {
        let day = Day::from_civil(2026, 3, 1).unwrap();
        let start = i64::from(day.start().0) * SECONDS_OF_HOUR;
        let period = |from: i64, to: i64| Span { start: start + from, end: start + to }.period();
        assert_eq!(period(0, 3_600), Some(Period::Hour(day.start())));
        assert_eq!(period(3_700, 3_800), Some(Period::Hour(day.start().plus(1))));
        assert_eq!(period(1_800, 5_400), Some(Period::Day(day)));
        assert_eq!(period(0, 90_000), Some(Period::Day(day)));
        assert_eq!(period(0, 90_001), None);
        assert_eq!(Span { start, end: start + 1 }.known(), day.start().0 + 1);
    }
}

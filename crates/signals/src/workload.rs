//! The workload row: what the records say of one entity at one time, as a wide row of integers.
//!
//! Signals are SQL over these rows. Columns with `refresh: hourly` are as of the tick, the others as of the midnight
//! (UTC) before it. `docs/relations.md` lists them for people. This is not evidence: no column knows what is suspicious.

use crate::numbers::{clamp, correlation_permille, log2_milli, median, median3, percentile, permille, robust_slope};
use crate::series::{DAYS, HOURS, Mask, Readings};
use arrow::array::{ArrayRef, Int64Builder, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;
use usage::{Day, Hour, Measure};

/// Bytes of a call: 2 minutes at 128 kbit/s (grounding §1 and §3).
pub const CALL_BYTES: i64 = 1_900_000;
/// Seconds of a call (grounding §3).
pub const CALL_SECONDS: i64 = 120;
/// An object of a size that a recorded call may have, in bytes: 64 KiB to 16 MiB (grounding §3).
pub const CALL_SIZED: std::ops::RangeInclusive<i64> = 65_536..=16_777_216;

macro_rules! columns {
    ($table:ident $part:ident: $($name:ident $doc:literal;)*) => {
        #[doc = concat!("Columns of `", stringify!($table), "`; `None` where the records do not say.")]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $part { $(#[doc = $doc] pub $name: Option<i64>,)* }

        impl $part {
            /// Name and meaning of every column, in order.
            pub const COLUMNS: &[(&str, &str)] = &[$((stringify!($name), $doc)),*];

            /// The values in the order of [`Self::COLUMNS`].
            pub fn values(&self) -> impl Iterator<Item = Option<i64>> + use<> {
                [$(self.$name),*].into_iter()
            }

            /// Sets a column by its name; false if there is none.
            pub fn set(&mut self, name: &str, value: i64) -> bool {
                match name {
                    $(stringify!($name) => self.$name = Some(value),)*
                    _ => return false,
                }
                true
            }
        }
    };
}
pub(crate) use columns;

columns! { workload Hourly:
    accounts "how many accounts the entity holds";
    hours_elapsed "hours of the last 168 since the entity's first usage that could be complete by now (6 hours' wait apart)";
    hours_complete "hours of the last 168 whose data is complete, at hourly resolution";
    days_reported "days of the last 7 that daily rows cover";
    hours_counted "hours that the `…_7d` totals cover";
    completeness_permille "share of the window that is complete, in thousandths";
    stored_bytes "bytes kept, mean of the last complete day";
    calls_per_hour_p95 "calls an hour: 95th percentile over complete hours of the median of three estimates (call-sized objects written; audio seconds ÷ 120; bytes in ÷ 1.9 MB)";
    calls_per_hour_mean "the median of the same three estimates of the whole window, per hour; known for daily rows too";
    calls_per_hour_6h_min "the least calls an hour in the last 6 complete hours";
    byte_calls_per_hour "bytes in ÷ 1.9 MB, per hour of the window";
    busy_hours_permille "share of complete hours with at least 0.3 of the 95th percentile, in thousandths";
    bytes_per_object "mean bytes per object written";
    foreign_stored_permille "share of the bytes stored in the window outside the accounts' home regions, in thousandths";
    moved_out_bytes_24h "bytes read out and exported in the last 24 hours (or the last day of daily rows)";
}

columns! { workload Daily:
    days_elapsed "days since the entity's first usage";
    rhythm_milli "log2 likelihood per call that the hours of the week are those of a whole population telephoning, against office hours and an even flow, in thousandths of a bit";
    weekend_permille "mean calls of an hour on Saturday and Sunday ÷ on the other days, in thousandths";
    translation_correlation_permille "highest correlation, over lags of 0 to 6 hours, of the hourly changes of audio transcribed and characters translated, in thousandths";
    gpu_correlation_permille "correlation of GPU hours with bytes in, the mean of each hour of the day removed, in thousandths";
    ingress_bytes_per_day "median bytes in per day over the last 28 days";
    stored_growth_bytes_per_day "robust slope (Theil–Sen) of bytes stored over the last 28 days";
    calls_per_day "calls a day, mean of the last 7 days, by the median of three estimates";
    calls_per_day_21d_ago "the same, 21 days earlier";
    ai_growth_permille "AI use (audio, characters, tokens, images; the strongest) of the last 7 days ÷ of the 7 days 21 days earlier, in thousandths";
    days_rising "of the last 21 days, how many saw more calls than the same weekday a week before";
    days_compared "how many of the last 21 days could be so compared";
    moved_out_own_high_permille "the highest share of the stored bytes moved out on one of the 27 days before the last, in thousandths";
}

/// The relation's name.
pub const TABLE: &str = "workload";

/// One entity's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Workload {
    /// As of the tick.
    pub hourly: Hourly,
    /// Totals over the window, by measure, in whole units.
    pub totals: [i64; Measure::COUNT],
    /// As of the last midnight.
    pub daily: Daily,
}

/// The value in whole units of a quantity in its measure's grain.
pub fn whole(measure: Measure, grains: i64) -> i64 {
    match measure.grain() {
        1e6 => grains / 1_000_000,
        1e-3 => grains.saturating_mul(1_000),
        _ => grains,
    }
}

/// Where in time an entity stands, beside its readings.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// How many accounts it holds.
    pub accounts: usize,
    /// The first hour of its first account.
    pub first: Hour,
    /// Which of the last 168 hours are complete in all its regions; `None` if it reports no hours.
    pub mask: Option<&'a Mask>,
}

/// What the records say as of the hour `at`.
pub fn hourly(readings: &Readings, standing: Standing<'_>, at: Hour) -> (Hourly, [i64; Measure::COUNT]) {
    let window_start = at.plus(-(HOURS as i32)).max(standing.first);
    let elapsed = i64::from((at.0 - 6 - window_start.0).max(0));
    let from = (window_start.0 - (at.0 - HOURS as i32)).max(0) as usize;
    let mask = standing.mask.map(|mask| {
        let mut own = *mask;
        own.iter_mut().take(from).for_each(|hour| *hour = false);
        own
    });
    let complete = mask.map_or(0, |mask| mask.iter().filter(|complete| **complete).count() as i64);
    let days_reported = readings.daily_rows.iter().rev().take(7).filter(|rows| **rows > 0).count() as i64;
    let days_elapsed = i64::from((at.day().0 - standing.first.day().0).clamp(0, 7));
    let by_hours = standing.mask.is_some() && (complete > 0 || days_reported == 0);
    let totals = totals(readings, mask.as_ref().filter(|_| by_hours));
    let counted = if by_hours { complete } else { 24 * days_reported };
    let total = |measure: Measure| totals.get(measure.index()).copied().unwrap_or(0);
    let per_hour = |sum: i64| (counted > 0).then(|| sum / counted);

    let mut row = Hourly {
        accounts: Some(standing.accounts as i64),
        hours_elapsed: Some(elapsed),
        hours_complete: Some(if by_hours { complete } else { 0 }),
        days_reported: Some(days_reported),
        hours_counted: Some(counted),
        completeness_permille: if by_hours {
            permille(complete.min(elapsed), elapsed)
        } else {
            permille(days_reported.min(days_elapsed), days_elapsed)
        },
        calls_per_hour_mean: per_hour(calls(
            total(Measure::ObjectsWritten),
            total(Measure::AudioSecondsTranscribed),
            total(Measure::BytesIn),
        )),
        byte_calls_per_hour: per_hour(total(Measure::BytesIn) / CALL_BYTES),
        bytes_per_object: (total(Measure::ObjectsWritten) > 0)
            .then(|| total(Measure::BytesIn) / total(Measure::ObjectsWritten)),
        ..Hourly::default()
    };
    if by_hours {
        hours_only(&mut row, readings, mask.as_ref());
        row.moved_out_bytes_24h = Some(
            [Measure::BytesOut, Measure::BytesExported]
                .into_iter()
                .map(|measure| saturating_sum(last(readings.hours(measure), 24).iter().copied()))
                .fold(0, i64::saturating_add),
        );
    } else if counted > 0 {
        let last_day = |measure: Measure| readings.days(measure).last().copied().unwrap_or(0);
        row.stored_bytes = Some(whole(Measure::ByteHoursStored, last_day(Measure::ByteHoursStored)) / 24);
        row.moved_out_bytes_24h = Some(last_day(Measure::BytesOut).saturating_add(last_day(Measure::BytesExported)));
    }
    (row, totals)
}

/// Sums over the complete hours of the window, or over the last 7 days where there are only days.
fn totals(readings: &Readings, mask: Option<&Mask>) -> [i64; Measure::COUNT] {
    Measure::ALL.map(|measure| {
        if readings.present & (1 << measure.index()) == 0 {
            return 0;
        }
        let days = || saturating_sum(last(readings.days(measure), 7).iter().copied());
        let sum: i64 = match mask {
            Some(mask) => {
                let hours = readings.hours(measure);
                let masked = saturating_sum(hours.iter().zip(mask).map(|(q, complete)| if *complete { *q } else { 0 }));
                // A meter that reports by the day beside others that report by the hour.
                if masked == 0 && hours.iter().all(|q| *q == 0) { days() } else { masked }
            }
            None => days(),
        };
        whole(measure, sum)
    })
}

/// Calls by the median of three independent estimates, so that the loss of any one (bundling, own transcription,
/// re-encoding) does not hide them (grounding §3).
pub fn calls(objects: i64, audio_seconds: i64, bytes: i64) -> i64 {
    let call_sized = objects > 0 && CALL_SIZED.contains(&(bytes / objects));
    median3(if call_sized { objects } else { 0 }, audio_seconds / CALL_SECONDS, bytes / CALL_BYTES)
}

/// [`calls`] of each of several hours or days, in whole units.
fn calls_of<const N: usize>(objects: &[i64; N], audio: &[i64; N], bytes: &[i64; N]) -> [i64; N] {
    let mut out = [0; N];
    for (((out, objects), audio), bytes) in out.iter_mut().zip(objects).zip(audio).zip(bytes) {
        *out = calls(objects / 1_000_000, audio / 1_000_000, *bytes);
    }
    out
}

fn last(values: &[i64], n: usize) -> &[i64] {
    values.get(values.len().saturating_sub(n)..).unwrap_or(values)
}

fn hours_only(row: &mut Hourly, readings: &Readings, mask: Option<&Mask>) {
    let Some(mask) = mask else { return };
    let calls = hourly_calls(readings);
    let mut complete = [0; HOURS];
    let mut count = 0;
    for (calls, _) in calls.iter().zip(mask).filter(|(_, complete)| **complete) {
        if let Some(slot) = complete.get_mut(count) {
            *slot = *calls;
            count += 1;
        }
    }
    let complete = complete.get_mut(..count).unwrap_or_default();
    if count >= 6 {
        row.calls_per_hour_6h_min = last(complete, 6).iter().min().copied();
    }
    row.calls_per_hour_p95 = percentile(complete, 95);
    row.busy_hours_permille = row
        .calls_per_hour_p95
        .filter(|p95| *p95 > 0)
        .and_then(|p95| permille(complete.iter().filter(|calls| **calls * 10 >= p95 * 3).count() as i64, count as i64));
    let stored = readings.hours(Measure::ByteHoursStored).iter().zip(mask).rev();
    let (sum, hours) = stored
        .filter(|(_, complete)| **complete)
        .take(24)
        .fold((0_i64, 0_i64), |(sum, hours), (grains, _)| (sum.saturating_add(*grains), hours + 1));
    row.stored_bytes = (hours > 0).then(|| whole(Measure::ByteHoursStored, sum / hours));
}

fn hourly_calls(readings: &Readings) -> [i64; HOURS] {
    calls_of(
        readings.hours(Measure::ObjectsWritten),
        readings.hours(Measure::AudioSecondsTranscribed),
        readings.hours(Measure::BytesIn),
    )
}

/// Bytes in by hour, for telling whether accounts move together.
pub fn ingress(readings: &Readings) -> [i64; HOURS] {
    *readings.hours(Measure::BytesIn)
}

/// What the records say as of a midnight, the beginning of `day`.
pub fn daily(readings: &Readings, standing: Standing<'_>, day: Day) -> Daily {
    let elapsed = i64::from((day.0 - standing.first.day().0).max(0));
    // The last six hours of the last day of hourly rows are not complete yet at midnight.
    let wait = if standing.mask.is_some() { 1 } else { 0 };
    let mut row = Daily { days_elapsed: Some(elapsed), ..Daily::default() };
    by_days(&mut row, readings, elapsed, wait);
    if let Some(mask) = standing.mask {
        by_hours(&mut row, readings, mask, day.start());
    }
    row
}

/// `len` values that end `skip` before the end, but none from before the first `elapsed` days.
fn days_back(values: &[i64; DAYS], skip: usize, len: usize, elapsed: i64) -> &[i64] {
    let end = DAYS.saturating_sub(skip);
    let start = end.saturating_sub(len).max(DAYS.saturating_sub(elapsed.max(0) as usize));
    values.get(start.min(end)..end).unwrap_or_default()
}

fn by_days(row: &mut Daily, readings: &Readings, elapsed: i64, wait: usize) {
    let calls = calls_of(
        readings.days(Measure::ObjectsWritten),
        readings.days(Measure::AudioSecondsTranscribed),
        readings.days(Measure::BytesIn),
    );
    let mean = |days: &[i64]| (!days.is_empty()).then(|| clamp(sum(days) / days.len() as i128));
    row.calls_per_day = mean(days_back(&calls, wait, 7, elapsed));
    row.calls_per_day_21d_ago = mean(days_back(&calls, wait + 21, 7, elapsed));
    row.ingress_bytes_per_day = median(&mut days_back(readings.days(Measure::BytesIn), wait, 28, elapsed).to_vec());

    let stored = days_back(readings.days(Measure::ByteHoursStored), wait, 28, elapsed);
    row.stored_growth_bytes_per_day = robust_slope(stored).map(|slope| whole(Measure::ByteHoursStored, slope) / 24);

    let pairs = (wait..wait + 21).filter(|back| *back as i64 + 8 <= elapsed).map(|back| {
        let at = |back: usize| calls.iter().rev().nth(back).copied().unwrap_or(0);
        (at(back), at(back + 7))
    });
    let pairs: Vec<_> = pairs.filter(|(now, before)| *now > 0 || *before > 0).collect();
    row.days_compared = Some(pairs.len() as i64);
    row.days_rising = Some(pairs.iter().filter(|(now, before)| now > before).count() as i64);

    row.ai_growth_permille = [
        Measure::AudioSecondsTranscribed,
        Measure::CharactersTranslated,
        Measure::TokensProcessed,
        Measure::ImagesAnalysed,
    ]
    .into_iter()
    .filter_map(|measure| {
        let now = days_back(readings.days(measure), wait, 7, elapsed);
        let before = days_back(readings.days(measure), wait + 21, 7, elapsed);
        (before.len() == 7).then(|| permille(clamp(sum(now)), clamp(sum(before)))).flatten()
    })
    .max();

    let moved = readings.days(Measure::BytesOut).iter().zip(readings.days(Measure::BytesExported));
    let shares = moved.zip(readings.days(Measure::ByteHoursStored)).rev().skip(wait + 1).take(27);
    row.moved_out_own_high_permille = shares
        .filter_map(|((out, exported), stored)| {
            permille(out.saturating_add(*exported), whole(Measure::ByteHoursStored, *stored) / 24)
        })
        .max();
}

fn saturating_sum(values: impl Iterator<Item = i64>) -> i64 {
    values.fold(0, i64::saturating_add)
}

fn sum(values: &[i64]) -> i128 {
    values.iter().map(|value| i128::from(*value)).sum()
}

fn by_hours(row: &mut Daily, readings: &Readings, mask: &Mask, at: Hour) {
    let calls = hourly_calls(readings);
    let first = at.plus(-(HOURS as i32));
    let hours = || (0..HOURS).map(|place| first.plus(place as i32)).zip(calls).zip(mask);
    let complete = || hours().filter(|(_, complete)| **complete).map(|(hour, _)| hour);
    if complete().count() >= 72 {
        row.rhythm_milli = rhythm_milli(complete());
        let mean = |weekend: bool| {
            let of: Vec<i64> =
                complete().filter(|(hour, _)| (hour.of_week() >= 120) == weekend).map(|(_, calls)| calls).collect();
            (of.len() >= 12).then(|| clamp(sum(&of) / of.len() as i128))
        };
        row.weekend_permille = mean(true).zip(mean(false)).and_then(|(weekend, weekday)| permille(weekend, weekday));
    }
    let audio = readings.hours(Measure::AudioSecondsTranscribed);
    let characters = readings.hours(Measure::CharactersTranslated);
    if characters.iter().any(|c| *c > 0) && audio.iter().any(|a| *a > 0) {
        row.translation_correlation_permille =
            (0..=6).filter_map(|lag| lagged_changes(audio, characters, mask, lag)).max();
    }
    let gpu = readings.hours(Measure::GpuHours);
    if gpu.iter().any(|g| *g > 0) {
        row.gpu_correlation_permille = residual_correlation(readings.hours(Measure::BytesIn), gpu, mask);
    }
}

/// Correlation of the hour-to-hour changes of `x` with those of `y` `lag` hours later, over complete hours.
fn lagged_changes(x: &[i64; HOURS], y: &[i64; HOURS], mask: &Mask, lag: usize) -> Option<i64> {
    let usable = |at: usize| mask.get(at).copied().unwrap_or(false);
    let change = |of: &[i64; HOURS], at: usize| Some(of.get(at)?.saturating_sub(*of.get(at - 1)?) / 1_000_000);
    let places =
        (1..HOURS - lag).filter(move |at| usable(*at) && usable(*at - 1) && usable(*at + lag) && usable(*at + lag - 1));
    correlation_permille(places.filter_map(|at| Some((change(x, at)?, change(y, at + lag)?))), 66)
}

/// Correlation of two hourly series over complete hours, each hour of the day's own mean removed.
pub fn residual_correlation(x: &[i64; HOURS], y: &[i64; HOURS], mask: &Mask) -> Option<i64> {
    let residual = |of: &[i64; HOURS]| -> [i64; HOURS] {
        let mut out = *of;
        for hour in 0..24 {
            let same = || of.iter().zip(mask).skip(hour).step_by(24).filter(|(_, complete)| **complete);
            let days = same().count().max(1) as i128;
            let mean = clamp(same().map(|(value, _)| i128::from(*value)).sum::<i128>() / days);
            out.iter_mut().skip(hour).step_by(24).for_each(|value| *value = value.saturating_sub(mean));
        }
        out
    };
    let (x, y) = (residual(x), residual(y));
    let pairs = x.iter().zip(&y).zip(mask).filter(|(_, complete)| **complete).map(|((x, y), _)| (*x, *y));
    correlation_permille(pairs, 72)
}

/// Relative load of a whole population's telephoning by local hour: a night floor near a tenth of the evening's peak.
const TELEPHONE: [i64; 24] =
    [22, 14, 10, 9, 9, 13, 26, 50, 72, 84, 90, 92, 90, 88, 88, 90, 94, 98, 100, 98, 90, 76, 56, 36];
/// Relative load of offices by local hour.
const OFFICE: [i64; 24] = [3, 3, 3, 3, 3, 3, 5, 15, 60, 92, 100, 98, 84, 92, 100, 98, 92, 80, 50, 25, 12, 6, 4, 3];

/// How much better, per call, the calls fit whole-population telephoning (weekends at 0.9) than office hours (weekends
/// at 0.15) or an even flow; each profile at the time zone that suits it best. In thousandths of a bit.
fn rhythm_milli(calls: impl Iterator<Item = (Hour, i64)>) -> Option<i64> {
    // Sum over weeks first: 24 hours × (weekday, weekend).
    let mut seen = [[0_i128; 24]; 2];
    for (hour, calls) in calls {
        let weekend = usize::from(hour.of_week() >= 120);
        if let Some(slot) = seen.get_mut(weekend).and_then(|day| day.get_mut(hour.of_day() as usize)) {
            *slot += i128::from(calls);
        }
    }
    let total: i128 = seen.iter().flatten().sum();
    if total <= 0 {
        return None;
    }
    let fit = |profile: &[i64; 24], weekend_percent: i64| {
        let mass = profile.iter().sum::<i64>() * (500 + 2 * weekend_percent);
        let bits = |of: &[i128; 24], shift: usize, percent: i64| -> i128 {
            let loads = profile.iter().cycle().skip(shift);
            of.iter()
                .zip(loads)
                .map(|(calls, load)| calls * i128::from(log2_milli(load * percent * 1_000) - log2_milli(mass * 10)))
                .sum()
        };
        let [weekday, weekend] = &seen;
        (0..24).map(|shift| bits(weekday, shift, 100) + bits(weekend, shift, weekend_percent)).max().unwrap_or(0)
    };
    let rivals = fit(&OFFICE, 15).max(fit(&[1; 24], 100));
    Some(clamp((fit(&TELEPHONE, 90) - rivals) / total))
}

/// The schema of `workload`: `entity`, then hourly columns, totals, daily columns, all `BIGINT`.
pub fn schema() -> SchemaRef {
    let names = Hourly::COLUMNS.iter().map(|(name, _)| (*name).to_owned());
    let totals = Measure::ALL.into_iter().map(|measure| format!("{}_7d", measure.name()));
    let names = names.chain(totals).chain(Daily::COLUMNS.iter().map(|(name, _)| (*name).to_owned()));
    table_schema(names)
}

/// `entity BIGINT NOT NULL` and then columns of that name, each `BIGINT`.
pub fn table_schema(names: impl Iterator<Item = String>) -> SchemaRef {
    let entity = Field::new("entity", DataType::Int64, false);
    let columns = names.map(|name| Field::new(name, DataType::Int64, true));
    Arc::new(Schema::new(std::iter::once(entity).chain(columns).collect::<Vec<_>>()))
}

/// Rows as one batch; the entity is the row's place.
pub fn batch(
    schema: &SchemaRef,
    rows: impl ExactSizeIterator<Item = impl IntoIterator<Item = Option<i64>>>,
) -> RecordBatch {
    let count = rows.len();
    let mut builders: Vec<Int64Builder> = schema.fields().iter().map(|_| Int64Builder::with_capacity(count)).collect();
    for (entity, row) in rows.enumerate() {
        let values = std::iter::once(Some(entity as i64)).chain(row);
        for (builder, value) in builders.iter_mut().zip(values) {
            builder.append_option(value);
        }
    }
    let columns = builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
    // Every column is built here with the schema's length and type, so there is nothing left to refuse.
    RecordBatch::try_new(schema.clone(), columns).unwrap_or_else(|_| RecordBatch::new_empty(schema.clone()))
}

impl Workload {
    /// Sets a column by its name; false if there is none.
    pub fn set(&mut self, name: &str, value: i64) -> bool {
        let measure = name.strip_suffix("_7d").and_then(Measure::from_name);
        if let Some(slot) = measure.and_then(|measure| self.totals.get_mut(measure.index())) {
            *slot = value;
            return true;
        }
        self.hourly.set(name, value) || self.daily.set(name, value)
    }

    /// The values in the schema's order, without the entity.
    pub fn values(&self) -> impl Iterator<Item = Option<i64>> + use<> {
        self.hourly.values().chain(self.totals.map(Some)).chain(self.daily.values())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fortnight of calls with the given load by hour of the week, per call 2 MB and 120 s.
    fn week(load: impl Fn(Hour) -> i64, at: Hour) -> Readings {
        let mut readings = Readings::empty();
        for place in 0..HOURS {
            let calls = load(at.plus(place as i32 - HOURS as i32));
            readings.hours[Measure::ObjectsWritten.index()][place] = calls * 1_000_000;
            readings.hours[Measure::BytesIn.index()][place] = calls * CALL_BYTES;
            readings.hours[Measure::AudioSecondsTranscribed.index()][place] = calls * CALL_SECONDS * 1_000_000;
        }
        readings.present = u32::MAX;
        readings
    }

    const MIDNIGHT: Hour = Hour(492_336);
    const WHOLE: Mask = [true; HOURS];

    fn standing(mask: Option<&Mask>) -> Standing<'_> {
        Standing { accounts: 1, first: Hour(0), mask }
    }

    #[test]
    fn the_loss_of_one_estimate_does_not_hide_the_calls() {
        assert_eq!(calls(1_000, 1_000 * CALL_SECONDS, 1_000 * CALL_BYTES), 1_000);
        assert_eq!(calls(1_000, 0, 1_000 * CALL_BYTES), 1_000, "own transcription");
        assert_eq!(calls(2, 1_000 * CALL_SECONDS, 1_000 * CALL_BYTES), 1_000, "bundling");
        assert_eq!(calls(1_000, 1_000 * CALL_SECONDS, 1_000 * 150_000), 1_000, "re-encoding");
        assert_eq!(calls(1_000, 0, 1_000 * 20_000_000), 0, "backup chunks are not calls");
    }

    #[test]
    fn only_complete_hours_count_and_totals_say_over_how_many() {
        let mut mask = WHOLE;
        mask[HOURS - 6..].fill(false);
        let readings = week(|_| 100, MIDNIGHT);
        let (row, totals) = hourly(&readings, standing(Some(&mask)), MIDNIGHT);
        assert_eq!(row.hours_complete, Some(162));
        assert_eq!(row.completeness_permille, Some(1_000));
        assert_eq!(row.calls_per_hour_p95, Some(100));
        assert_eq!(totals[Measure::ObjectsWritten.index()], 16_200);
        let new = Standing { first: MIDNIGHT.plus(-10), ..standing(Some(&mask)) };
        let (row, _) = hourly(&readings, new, MIDNIGHT);
        assert_eq!((row.hours_elapsed, row.hours_complete), (Some(4), Some(4)));
    }

    #[test]
    fn daily_rows_give_means_but_no_hours() {
        let mut readings = Readings::empty();
        for day in 0..DAYS {
            readings.days[Measure::ObjectsWritten.index()][day] = 24_000 * 1_000_000;
            readings.days[Measure::BytesIn.index()][day] = 24_000 * CALL_BYTES;
            readings.daily_rows[day] = 3;
        }
        readings.present = u32::MAX;
        let (row, _) = hourly(&readings, standing(None), MIDNIGHT);
        assert_eq!((row.calls_per_hour_mean, row.calls_per_hour_p95), (Some(1_000), None));
        assert_eq!((row.hours_counted, row.completeness_permille), (Some(168), Some(1_000)));
        let row = daily(&readings, standing(None), MIDNIGHT.day());
        assert_eq!((row.calls_per_day, row.rhythm_milli), (Some(24_000), None));
        assert_eq!((row.days_rising, row.days_compared), (Some(0), Some(21)));
    }

    #[test]
    fn a_population_telephoning_is_told_from_offices_in_any_time_zone() {
        for zone in [0, 5, 13] {
            let local = |hour: Hour| hour.plus(zone);
            let population = week(|hour| TELEPHONE[local(hour).of_day() as usize] * 10, MIDNIGHT);
            let office = week(
                |hour| OFFICE[local(hour).of_day() as usize] * if local(hour).of_week() >= 120 { 1 } else { 10 },
                MIDNIGHT,
            );
            let flat = week(|_| 500, MIDNIGHT);
            let rhythm =
                |readings: &Readings| daily(readings, standing(Some(&WHOLE)), MIDNIGHT.day()).rhythm_milli.unwrap();
            assert!(rhythm(&population) > 50, "{}", rhythm(&population));
            assert!(rhythm(&office) < -200, "{}", rhythm(&office));
            assert!(rhythm(&flat) < 0, "{}", rhythm(&flat));
        }
    }

    #[test]
    fn characters_that_follow_the_audio_are_seen_at_their_lag() {
        let noise = |hour: Hour| 1_000 + i64::from(hour.0) * 7_919 % 613;
        let mut readings = week(noise, MIDNIGHT);
        for place in 3..HOURS {
            let audio = readings.hours[Measure::AudioSecondsTranscribed.index()][place - 3];
            readings.hours[Measure::CharactersTranslated.index()][place] = audio * 15;
        }
        let row = daily(&readings, standing(Some(&WHOLE)), MIDNIGHT.day());
        assert!(row.translation_correlation_permille.unwrap() > 950);
        assert_eq!(row.gpu_correlation_permille, None);
    }

    #[test]
    fn the_batch_has_a_column_for_every_value() {
        let schema = schema();
        assert_eq!(schema.fields().len(), 1 + Workload::default().values().count());
        assert_eq!(batch(&schema, [Workload::default().values()].into_iter()).num_rows(), 1);
    }
}

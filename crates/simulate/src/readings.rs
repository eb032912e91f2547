//! One account's meter readings of one day, hour by hour.
//!
//! A reading is a function of account, meter and hour; only what is stored is carried from day to day. So streams can
//! look hours back without remembering, and memory does not grow with the days. It knows nothing of files and faults.

use crate::draw::{Draw, exp, key};
use crate::meter::{METERS, Meter};
use crate::population::Account;
use crate::workload::{LAG_MAX, Source, Stream, Workload};
use crate::world::World;

/// The hours that are computed for a day: its own, and those that lagging streams look back to.
const WINDOW: usize = 24 + LAG_MAX;

/// What an account has stored, in GB, in its first and its second region.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stock {
    gb: [f64; 2],
    /// What there was to take out when the export began.
    leaving_gb: f64,
}

impl Stock {
    /// Before the first day.
    pub(crate) const fn new(gb: f64) -> Self {
        Self { gb: [gb, 0.0], leaving_gb: 0.0 }
    }
}

/// The readings of one meter in one of the account's two regions: millionths of a unit, by hour.
pub(crate) type Hours = [i64; 24];

/// The readings of a day; reused from account to account.
pub(crate) struct Readings {
    sums: Box<[[[f64; 24]; METERS.len()]; 2]>,
    streams: Vec<[f64; WINDOW]>,
    rhythms: Vec<[f64; WINDOW]>,
}

impl Readings {
    /// Room for a day's readings.
    pub(crate) fn new() -> Self {
        Self { sums: Box::new([[[0.0; 24]; METERS.len()]; 2]), streams: Vec::new(), rhythms: Vec::new() }
    }

    /// Computes an account's day (counted from 1970) and what it has stored at its end.
    pub(crate) fn compute(&mut self, world: &World, work: &Workload, account: &Account, day: i32, stock: &mut Stock) {
        for meter in self.sums.iter_mut().flatten() {
            *meter = [0.0; 24];
        }
        self.rhythms.clear();
        for rhythm in &work.rhythms {
            self.rhythms.push(std::array::from_fn(|at| rhythm.at(world, hour_at(day, at))));
        }
        let shared = shared_noise(work, day);
        self.streams.clear();
        let region = usize::from(work.moving.is_some_and(|moving| day >= moving.day));
        let (mut came, mut went) = ([0.0; 2], [0.0; 2]);
        for (index, stream) in work.streams.iter().enumerate() {
            let values = self.values(work, account, stream, index, day, &shared);
            let today: f64 = values.iter().skip(LAG_MAX).sum();
            at(&mut went, region, today * stream.removes_gb);
            if stream.meter == Meter::Ingress {
                at(&mut came, region, today);
            }
            self.add(region, stream.meter, values.iter().skip(LAG_MAX).copied());
            self.streams.push(values);
        }
        let before = *stock;
        for ((stored, came), went) in stock.gb.iter_mut().zip(came).zip(went) {
            *stored = (*stored + came - went).max(0.0);
        }
        self.migrate(work, day, stock);
        self.export(work, day, region, stock);
        let end = stock.gb;
        for (region, (from, to)) in before.gb.into_iter().zip(end).enumerate() {
            self.add(region, Meter::Capacity, (0..24).map(|hour| from + (to - from) * (f64::from(hour) + 0.5) / 24.0));
        }
    }

    /// Every reading above nothing: region (0 or 1), meter, hours.
    pub(crate) fn each(&self, mut visit: impl FnMut(usize, Meter, &Hours)) {
        for (region, meters) in self.sums.iter().enumerate() {
            for (sums, sku) in meters.iter().zip(&METERS) {
                let grain = if sku.whole { (1.0, 1_000_000) } else { (1e6, 1) };
                let hours = sums.map(|sum| (sum * grain.0).round() as i64 * grain.1);
                if hours.iter().any(|quantity| *quantity > 0) {
                    visit(region, sku.meter, &hours);
                }
            }
        }
    }

    fn add(&mut self, region: usize, meter: Meter, hours: impl Iterator<Item = f64>) {
        if let Some(sums) = self.sums.get_mut(region).and_then(|meters| meters.get_mut(meter.index())) {
            sums.iter_mut().zip(hours).for_each(|(sum, value)| *sum += value);
        }
    }

    /// A stream's values for the whole window. Those before the stream's first day are nothing.
    fn values(
        &self,
        work: &Workload,
        account: &Account,
        stream: &Stream,
        index: usize,
        day: i32,
        shared: &[f64; WINDOW],
    ) -> [f64; WINDOW] {
        let noise_key = key(account.key, index as u64);
        let growth = |day: i32| exp(stream.growth * (f64::from(day) - work.level.pivot)).min(stream.ceiling);
        let days = [day - 1, day]
            .map(|day| if stream.span.contains(&day) { (work.level.on(day), growth(day)) } else { (0.0, 0.0) });
        let aged = match stream.source {
            Source::Aged { days, .. } => [day - 1 - days, day - days].map(|day| work.level.on(day)),
            _ => [0.0; 2],
        };
        std::array::from_fn(|at| {
            let today = usize::from(at >= LAG_MAX);
            let (level, growth) = days.get(today).copied().unwrap_or_default();
            if level <= 0.0 {
                return 0.0;
            }
            let rhythm = |index: usize| self.rhythms.get(index).and_then(|hours| hours.get(at)).copied().unwrap_or(0.0);
            let (mean, units) = match stream.source {
                Source::Rhythm(index) => {
                    let shared = shared.get(at).copied().unwrap_or(1.0);
                    (stream.rate * account.share * level * rhythm(index) * shared, f64::INFINITY)
                }
                Source::Aged { rhythm: index, .. } => {
                    let then = aged.get(today).copied().unwrap_or(0.0);
                    (stream.rate * account.share * then * rhythm(index), f64::INFINITY)
                }
                Source::After { stream: followed, lag } => {
                    let values = self.streams.get(followed);
                    let units = at.checked_sub(lag).and_then(|at| values?.get(at).copied()).unwrap_or(0.0);
                    (stream.rate * units, units)
                }
            };
            noisy(mean * growth, units, stream, key(noise_key, hour_at(day, at) as u64))
        })
    }

    /// What is stored follows the workload to its new region: read there, written here, deleted there.
    fn migrate(&mut self, work: &Workload, day: i32, stock: &mut Stock) {
        let Some(moving) = work.moving.filter(|moving| (moving.day..moving.day + moving.days).contains(&day)) else {
            return;
        };
        let [old, new] = &mut stock.gb;
        let gb = *old / f64::from(moving.day + moving.days - day);
        *old -= gb;
        *new += gb;
        let objects = gb / work.object_gb.max(1e-9);
        for (region, meter, total) in [
            (0, Meter::Read, objects),
            (0, Meter::Egress, gb),
            (0, Meter::Delete, objects),
            (1, Meter::Write, objects),
            (1, Meter::Ingress, gb),
        ] {
            self.add(region, meter, std::iter::repeat_n(total / 24.0, 24));
        }
    }

    /// Everything stored leaves the provider, the same amount every day, and is deleted behind.
    fn export(&mut self, work: &Workload, day: i32, region: usize, stock: &mut Stock) {
        let Some(export) = work.export.filter(|export| (export.day..export.day + export.days).contains(&day)) else {
            return;
        };
        let Some(stored) = stock.gb.get_mut(region) else { return };
        if day == export.day {
            stock.leaving_gb = *stored;
        }
        let last = day == export.day + export.days - 1;
        let gb = if last { *stored } else { (stock.leaving_gb / f64::from(export.days)).min(*stored) };
        *stored -= gb;
        let objects = gb / work.object_gb.max(1e-9);
        for (meter, total) in [(Meter::Export, gb), (Meter::Read, objects), (Meter::Delete, objects)] {
            self.add(region, meter, std::iter::repeat_n(total / 24.0, 24));
        }
    }
}

const fn hour_at(day: i32, at: usize) -> i32 {
    day * 24 + at as i32 - LAG_MAX as i32
}

fn at(sums: &mut [f64; 2], region: usize, more: f64) {
    if let Some(sum) = sums.get_mut(region) {
        *sum += more;
    }
}

/// The noise that all accounts of a workload share.
fn shared_noise(work: &Workload, day: i32) -> [f64; WINDOW] {
    let (of_day, of_hour) = work.shared_noise;
    let days = [day - 1, day].map(|day| Draw::of(key(work.key, day as u64)).factor(of_day));
    std::array::from_fn(|at| {
        let day_factor = days.get(usize::from(at >= LAG_MAX)).copied().unwrap_or(1.0);
        day_factor * Draw::of(key(key(work.key, 0x5AFE), hour_at(day, at) as u64)).factor(of_hour)
    })
}

/// A mean with the stream's own noise, and as many whole units as happen to occur.
fn noisy(mean: f64, units: f64, stream: &Stream, key: u64) -> f64 {
    if mean <= 0.0 {
        return 0.0;
    }
    let mut draw = Draw::of(key);
    let spread = (stream.noise * stream.noise + stream.spread * stream.spread / units.max(1.0)).sqrt();
    // A deviation above 1 would be a few huge numbers among many small ones, which no sum of calls is.
    let value = mean * draw.factor(spread.min(1.0));
    if stream.meter.whole() { draw.poisson(value) } else { value }
}

#[cfg(test)]
pub(crate) mod bench {
    //! A workload on its own, in one account of a calm world, for the tests of its numbers.

    use super::*;
    use crate::time::Date;

    /// A period of 28 days without holidays but the first.
    pub(crate) const PERIOD: std::ops::Range<i32> = 20_454..20_482;

    /// Units used in the whole period, by meter, both regions together; and by day.
    pub(crate) struct Used {
        pub(crate) days: Vec<[[f64; METERS.len()]; 2]>,
        pub(crate) hours: Vec<[f64; METERS.len()]>,
    }

    impl Used {
        pub(crate) fn of(&self, meter: Meter) -> f64 {
            self.days.iter().flatten().map(|day| day[meter.index()]).sum()
        }

        pub(crate) fn ratio(&self, meter: Meter, to: Meter) -> f64 {
            self.of(meter) / self.of(to)
        }

        /// Mean size of what is written, in MB.
        pub(crate) fn mb(&self) -> f64 {
            1_000.0 * self.ratio(Meter::Ingress, Meter::Write)
        }
    }

    /// Runs it through the period.
    pub(crate) fn run(work: &Workload) -> Used {
        let first = Date::from_days(PERIOD.start);
        let world = World::draw(1, first, PERIOD.len() as u32, 0.0, 0.0);
        let account = Account {
            id: String::new(),
            customer: String::new(),
            workload: 0,
            share: 1.0,
            regions: [0, 1],
            key: work.key ^ 1,
            known: Vec::new(),
        };
        let mut stock = Stock::new(work.stored_gb);
        let mut readings = Readings::new();
        let mut used = Used { days: Vec::new(), hours: Vec::new() };
        for day in PERIOD {
            readings.compute(&world, work, &account, day, &mut stock);
            let mut units = [[0.0; METERS.len()]; 2];
            let mut hours = vec![[0.0; METERS.len()]; 24];
            readings.each(|region, meter, quantities| {
                for (hour, quantity) in quantities.iter().enumerate() {
                    units[region][meter.index()] += *quantity as f64 / 1e6;
                    hours[hour][meter.index()] += *quantity as f64 / 1e6;
                }
            });
            used.days.push(units);
            used.hours.extend(hours);
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::bench::{PERIOD, run};
    use super::*;
    use crate::scenario::Kind;
    use crate::workload::{Builder, Objects, Shape};

    fn plain(draw: &mut Draw) -> Builder<'_> {
        let mut builder = Builder::new(Kind::ContactCentre, PERIOD, 9, draw);
        let flat = builder.rhythm(Shape::Flat);
        builder.work.level.span = PERIOD.start - 100..i32::MAX;
        builder
            .objects(flat, Objects { per_hour: 1e4, mb: 2.0, reads: 0.1, leaves: 0.5, keep_days: 30.0, deleted: 1.0 });
        builder
    }

    #[test]
    fn what_is_stored_is_what_was_written_less_what_was_deleted() {
        let mut draw = Draw::of(5);
        let work = plain(&mut draw).finish();
        let used = run(&work);
        // 30 days of 10,000 objects an hour of 2 MB each.
        let steady = 30.0 * 24.0 * 1e4 * 0.002;
        assert!((work.stored_gb / steady - 1.0).abs() < 1e-9);
        let capacity = used.of(Meter::Capacity) / (28.0 * 24.0);
        assert!((capacity / steady - 1.0).abs() < 0.05, "{capacity}");
        assert!((used.ratio(Meter::Delete, Meter::Write) - 1.0).abs() < 0.06);
    }

    #[test]
    fn a_stream_follows_another_after_its_lag_across_midnight() {
        let mut draw = Draw::of(6);
        let mut builder = plain(&mut draw);
        builder.stream(Meter::Telephony, Source::After { stream: 0, lag: 5 }, 2.0);
        for stream in &mut builder.work.streams {
            (stream.noise, stream.spread) = (0.0, 0.0);
        }
        let hours = run(&builder.finish()).hours;
        for (at, hour) in hours.iter().enumerate().skip(5) {
            let wanted = 2.0 * hours[at - 5][Meter::Write.index()];
            assert!((hour[Meter::Telephony.index()] / wanted - 1.0).abs() < 1e-6, "hour {at}");
        }
    }

    #[test]
    fn accounts_that_share_a_workload_move_together() {
        let mut draw = Draw::of(7);
        let work = plain(&mut draw).finish();
        let mut twin = work.clone();
        twin.streams[0].rate *= 0.5;
        let (one, two) = (run(&work), run(&twin));
        let mean = |used: &bench::Used| used.of(Meter::Write) / used.hours.len() as f64;
        let (a, b) = (mean(&one), mean(&two));
        let together: f64 = one.hours.iter().zip(&two.hours).map(|(x, y)| (x[0] / a - 1.0) * (y[0] / b - 1.0)).sum();
        assert!(together / one.hours.len() as f64 > 0.005, "{together}");
    }
}

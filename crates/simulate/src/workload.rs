//! What a workload is made of: rhythms, streams of meter readings that follow them, and what it keeps.
//!
//! It is not a catalogue of kinds (`kinds`, `forbidden`) and turns nothing into numbers (`readings`).

use std::ops::Range;

use crate::draw::{Draw, exp, ln};
use crate::meter::Meter;
use crate::scenario::{Evasion, Kind};
use crate::world::World;

/// How people's or machines' activity runs through a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// 08–20, little at weekends: who answers calls for a business.
    Agents,
    /// 09–18, next to nothing at weekends.
    Office,
    /// 08–17 on trading days only.
    Trading,
    /// 08–18, some on rest days.
    Clinic,
    /// The telephone traffic of a whole population, seven days a week.
    Population,
    /// As the population, with bumps on the nights of rest days.
    Emergency,
    /// Highest in the evening.
    Evening,
    /// Morning and evening.
    Home,
    /// Weekday mornings.
    Morning,
    /// When people drive.
    Driving,
    /// Many time zones at once: nearly flat.
    Zones,
    /// The same at every hour.
    Flat,
    /// Six hours of the night.
    Night,
}

/// What calendar an activity keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Calendar {
    /// Holidays are days of rest; the end of a month is busy.
    Business,
    /// People do what people do, and feel shocks.
    Public,
    /// Machines know no holidays, but the end of a month is busy.
    Batch,
    /// Nothing at all.
    Machine,
}

/// Activity by hour of the day, on working days and on days of rest, with mean 1 over a week.
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    working: [f32; 24],
    resting: [f32; 24],
    calendar: Calendar,
    /// A place in [`COUNTRIES`].
    pub(crate) country: u8,
}

#[rustfmt::skip]
const TELEPHONE: [f32; 24] = [
    0.10, 0.05, 0.03, 0.02, 0.03, 0.06, 0.15, 0.32, 0.55, 0.75, 0.85, 0.90,
    0.88, 0.82, 0.80, 0.82, 0.87, 0.95, 1.00, 0.98, 0.88, 0.68, 0.42, 0.22,
];
#[rustfmt::skip]
const AGENTS: [f32; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.10, 0.70, 0.95, 1.00, 0.95,
    0.80, 0.80, 0.92, 0.95, 0.90, 0.75, 0.55, 0.40, 0.08, 0.02, 0.0, 0.0,
];
#[rustfmt::skip]
const OFFICE: [f32; 24] = [
    0.01, 0.01, 0.01, 0.01, 0.01, 0.02, 0.05, 0.25, 0.80, 1.00, 1.00, 0.95,
    0.65, 0.85, 1.00, 0.95, 0.85, 0.50, 0.20, 0.10, 0.06, 0.04, 0.02, 0.01,
];
#[rustfmt::skip]
const TRADING: [f32; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.05, 0.40, 1.00, 0.95, 0.90, 0.85,
    0.70, 0.80, 0.95, 1.00, 0.80, 0.25, 0.04, 0.0, 0.0, 0.0, 0.0, 0.0,
];
#[rustfmt::skip]
const EVENING: [f32; 24] = [
    0.18, 0.08, 0.04, 0.03, 0.03, 0.05, 0.10, 0.20, 0.30, 0.35, 0.38, 0.42,
    0.48, 0.48, 0.48, 0.52, 0.62, 0.78, 0.95, 1.00, 0.98, 0.85, 0.60, 0.35,
];
#[rustfmt::skip]
const HOME: [f32; 24] = [
    0.08, 0.04, 0.03, 0.03, 0.05, 0.20, 0.60, 0.95, 0.80, 0.45, 0.35, 0.35,
    0.40, 0.38, 0.36, 0.42, 0.60, 0.85, 1.00, 0.95, 0.80, 0.60, 0.38, 0.18,
];
#[rustfmt::skip]
const MORNING: [f32; 24] = [
    0.10, 0.10, 0.15, 0.30, 0.60, 0.95, 1.00, 0.90, 0.70, 0.50, 0.40, 0.35,
    0.30, 0.30, 0.28, 0.28, 0.25, 0.22, 0.20, 0.18, 0.15, 0.12, 0.10, 0.10,
];
#[rustfmt::skip]
const DRIVING: [f32; 24] = [
    0.04, 0.03, 0.03, 0.04, 0.10, 0.30, 0.75, 1.00, 0.85, 0.60, 0.55, 0.58,
    0.62, 0.60, 0.65, 0.78, 0.95, 1.00, 0.80, 0.50, 0.32, 0.22, 0.14, 0.08,
];

impl Rhythm {
    /// A rhythm of this shape in a country, a little different for everybody.
    pub(crate) fn draw(shape: Shape, country: u8, draw: &mut Draw) -> Self {
        let flat = [1.0; 24];
        let night = |from: i32| std::array::from_fn(|hour| f32::from((from..from + 6).contains(&(hour as i32))));
        let (day, rest, calendar) = match shape {
            Shape::Agents => (AGENTS, draw.range(0.05, 0.28), Calendar::Business),
            Shape::Office => (OFFICE, draw.range(0.03, 0.12), Calendar::Business),
            Shape::Trading => (TRADING, 0.0, Calendar::Business),
            Shape::Clinic => (OFFICE, draw.range(0.10, 0.25), Calendar::Business),
            Shape::Population | Shape::Emergency => (TELEPHONE, draw.range(0.85, 1.0), Calendar::Public),
            Shape::Evening => (EVENING, draw.range(0.9, 1.2), Calendar::Public),
            Shape::Home => (HOME, draw.range(0.9, 1.1), Calendar::Public),
            Shape::Morning => (MORNING, draw.range(0.3, 0.6), Calendar::Public),
            Shape::Driving => (DRIVING, draw.range(0.5, 0.9), Calendar::Public),
            Shape::Zones => (flat, draw.range(0.55, 0.85), Calendar::Machine),
            Shape::Flat => (flat, 1.0, Calendar::Machine),
            Shape::Night => (night(draw.whole(0, 3)), draw.range(0.8, 1.0), Calendar::Batch),
        };
        let floor = match shape {
            Shape::Population => draw.range(0.045, 0.115) as f32,
            Shape::Emergency => draw.range(0.15, 0.30) as f32,
            _ => 0.0,
        };
        let swing = if shape == Shape::Zones { draw.range(0.05, 0.18) as f32 } else { 0.0 };
        let peak = draw.whole(0, 23);
        let personal: [f32; 24] = std::array::from_fn(|_| draw.factor(0.03) as f32);
        let mut working = day;
        for ((hour, weight), own) in working.iter_mut().enumerate().zip(personal) {
            let distance = (hour as i32 - peak).rem_euclid(24).min((peak - hour as i32).rem_euclid(24)) as f32;
            *weight = (floor + (1.0 - floor) * *weight) * own * (1.0 + swing * (1.0 - distance / 6.0));
        }
        let mut resting = working.map(|weight| weight * rest as f32);
        if shape == Shape::Emergency {
            let bump = draw.range(0.3, 0.6) as f32;
            for (hour, weight) in resting.iter_mut().enumerate() {
                *weight += if !(4..=21).contains(&hour) { bump } else { 0.0 };
            }
        }
        Self { working, resting, calendar, country }.with_mean_one()
    }

    fn with_mean_one(mut self) -> Self {
        let week = 5.0 * self.working.iter().sum::<f32>() + 2.0 * self.resting.iter().sum::<f32>();
        for weight in self.working.iter_mut().chain(&mut self.resting) {
            *weight *= 168.0 / week;
        }
        self
    }

    /// The highest hour of an ordinary week, as a multiple of the mean.
    pub(crate) fn busy_hour(&self) -> f64 {
        f64::from(self.working.iter().chain(&self.resting).copied().fold(0.0, f32::max))
    }

    /// Activity in an hour (counted from 1970, UTC) as a multiple of the mean.
    pub(crate) fn at(&self, world: &World, hour: i32) -> f64 {
        let here = world.local(self.country, hour);
        let resting = here.is_weekend || (here.is_holiday && self.calendar == Calendar::Business);
        let table = if resting { &self.resting } else { &self.working };
        let weight = f64::from(table.get(here.hour).copied().unwrap_or(0.0));
        match self.calendar {
            Calendar::Business if here.is_month_end => 1.2 * weight,
            Calendar::Batch if here.is_month_end => 1.5 * weight,
            Calendar::Public => weight * world.shock(self.country, hour),
            _ => weight,
        }
    }
}

/// What a stream of readings follows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A rhythm of the workload; the rate is the workload's mean for an hour.
    Rhythm(usize),
    /// The same, as large as the workload was this many days ago: what ages out.
    Aged { rhythm: usize, days: i32 },
    /// An earlier stream, at most [`LAG_MAX`] hours later; the rate is for each unit of that stream.
    After { stream: usize, lag: usize },
}

/// The longest a stream lags behind the one it follows, in hours.
pub(crate) const LAG_MAX: usize = 6;

/// Readings of one meter.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) meter: Meter,
    pub(crate) source: Source,
    pub(crate) rate: f64,
    /// Deviation of the logarithm of an account's own noise, hour by hour.
    pub(crate) noise: f64,
    /// Coefficient of variation of one unit of what it follows: calls differ in length.
    pub(crate) spread: f64,
    /// Growth beyond the workload's own, as a logarithm for each day, about the workload's pivot.
    pub(crate) growth: f64,
    /// The factor that growth does not exceed.
    pub(crate) ceiling: f64,
    /// GB that one unit takes away from what is stored.
    pub(crate) removes_gb: f64,
    /// Days (counted from 1970) on which it runs.
    pub(crate) span: Range<i32>,
}

/// When a workload runs, and how large it is from day to day.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// The day it starts and the day before which it ends, counted from 1970.
    pub(crate) span: Range<i32>,
    /// Growth as a logarithm for each day.
    pub(crate) growth: f64,
    /// The day on which it is as large as its rates say.
    pub(crate) pivot: f64,
}

impl Level {
    /// Runs on these days and grows so that its mean over those of them that lie in `period` is 1.
    pub(crate) fn with_mean_one(span: Range<i32>, growth: f64, period: &Range<i32>) -> Self {
        let seen = span.start.max(period.start)..span.end.min(period.end);
        let sum: f64 = seen.clone().map(|day| exp(growth * f64::from(day - seen.start))).sum();
        let days = f64::from((seen.end - seen.start).max(1));
        let shift = if growth.abs() > 1e-9 && sum > 0.0 { ln(sum / days) / growth } else { 0.0 };
        Self { pivot: f64::from(seen.start) + shift, span, growth }
    }

    /// Its size on a day, as a multiple of what its rates say.
    pub(crate) fn on(&self, day: i32) -> f64 {
        if self.span.contains(&day) { exp(self.growth * (f64::from(day) - self.pivot)) } else { 0.0 }
    }
}

/// Bytes that leave within some days, from a day on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Departure {
    pub(crate) day: i32,
    pub(crate) days: i32,
}

/// One purpose, carried out by one account or by several that share it.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) kind: Kind,
    pub(crate) evasions: Vec<Evasion>,
    /// Recorded calls an hour, on average while it runs within the period; 0 where nothing like a call is kept.
    pub(crate) calls_per_hour: f64,
    /// The key of the noise its accounts share.
    pub(crate) key: u64,
    /// Deviations of the logarithm of that noise, for a day and for an hour.
    pub(crate) shared_noise: (f64, f64),
    pub(crate) level: Level,
    pub(crate) rhythms: Vec<Rhythm>,
    pub(crate) streams: Vec<Stream>,
    /// Mean size of what one write stores, in GB.
    pub(crate) object_gb: f64,
    /// GB stored at the first hour of the period.
    pub(crate) stored_gb: f64,
    /// All that is stored leaves the provider; the workload ends with it.
    pub(crate) export: Option<Departure>,
    /// Everything new goes to the accounts' second region, and what is stored follows.
    pub(crate) moving: Option<Departure>,
    /// Reached by a dedicated link, and so by the private-link meter.
    pub(crate) dedicated_link: bool,
}

/// Objects that a workload stores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Objects {
    /// Written in an hour, on average.
    pub(crate) per_hour: f64,
    /// Mean size in MB.
    pub(crate) mb: f64,
    /// Reads for each write.
    pub(crate) reads: f64,
    /// Share of an object that leaves the provider with each read.
    pub(crate) leaves: f64,
    /// Days until deletion, and the share that is deleted then.
    pub(crate) keep_days: f64,
    pub(crate) deleted: f64,
}

/// Builds a workload stream by stream, drawing what is not said.
pub(crate) struct Builder<'a> {
    pub(crate) draw: &'a mut Draw,
    /// The days that are simulated, counted from 1970.
    pub(crate) period: Range<i32>,
    /// The country whose people or offices give the rhythm.
    pub(crate) country: u8,
    /// Days on which streams that are added now run.
    pub(crate) span: Range<i32>,
    keep: Option<Objects>,
    pub(crate) work: Workload,
}

/// The days of anything that has no end.
pub(crate) const ALWAYS: Range<i32> = i32::MIN..i32::MAX;

impl<'a> Builder<'a> {
    /// A workload of a kind that runs throughout and does nothing yet.
    pub(crate) fn new(kind: Kind, period: Range<i32>, country: u8, draw: &'a mut Draw) -> Self {
        let work = Workload {
            kind,
            evasions: Vec::new(),
            calls_per_hour: 0.0,
            key: draw.bits(),
            shared_noise: (0.08, 0.07),
            level: Level { span: ALWAYS, growth: 0.0, pivot: f64::from(period.start) },
            rhythms: Vec::new(),
            streams: Vec::new(),
            object_gb: 0.0,
            stored_gb: 0.0,
            export: None,
            moving: None,
            dedicated_link: false,
        };
        Self { draw, period, country, span: ALWAYS, keep: None, work }
    }

    /// Adds a rhythm and says its place.
    pub(crate) fn rhythm(&mut self, shape: Shape) -> usize {
        self.work.rhythms.push(Rhythm::draw(shape, self.country, self.draw));
        self.work.rhythms.len() - 1
    }

    /// Adds a stream and says its place.
    pub(crate) fn stream(&mut self, meter: Meter, source: Source, rate: f64) -> usize {
        let span = self.span.clone();
        let plain =
            Stream { meter, source, rate, noise: 0.05, spread: 0.0, growth: 0.0, ceiling: 1.0, removes_gb: 0.0, span };
        self.work.streams.push(plain);
        self.work.streams.len() - 1
    }

    /// Adds a stream that follows another at once.
    pub(crate) fn with(&mut self, meter: Meter, stream: usize, rate: f64) -> usize {
        self.stream(meter, Source::After { stream, lag: 0 }, rate)
    }

    /// Adds a stream that follows another some hours later.
    pub(crate) fn after(&mut self, meter: Meter, stream: usize, rate: f64, hours: i32) -> usize {
        let lag = self.draw.whole(0, hours.min(LAG_MAX as i32)) as usize;
        self.stream(meter, Source::After { stream, lag }, rate)
    }

    /// The stream just added follows units that differ this much from each other.
    pub(crate) fn spread(&mut self, spread: f64) {
        if let Some(stream) = self.work.streams.last_mut() {
            stream.spread = spread;
        }
    }

    /// Adds objects that are written, read and deleted in a rhythm; says the place of the writes.
    pub(crate) fn objects(&mut self, rhythm: usize, objects: Objects) -> usize {
        let gb = objects.mb / 1_000.0;
        let writes = self.stream(Meter::Write, Source::Rhythm(rhythm), objects.per_hour);
        let bytes = self.with(Meter::Ingress, writes, gb);
        self.spread(1.2);
        if self.work.dedicated_link {
            let share = self.draw.range(0.85, 1.0);
            self.with(Meter::PrivateLink, bytes, share);
        }
        let reads = self.stream(Meter::Read, Source::Rhythm(rhythm), objects.per_hour * objects.reads);
        self.with(Meter::Egress, reads, gb * objects.leaves);
        self.spread(1.2);
        if objects.deleted > 0.0 {
            let night = self.rhythm(Shape::Night);
            let aged = Source::Aged { rhythm: night, days: objects.keep_days as i32 };
            self.stream(Meter::Delete, aged, objects.per_hour * objects.deleted);
            if let Some(stream) = self.work.streams.last_mut() {
                stream.removes_gb = gb;
            }
        }
        self.keep = Some(objects);
        self.work.object_gb = gb;
        writes
    }

    /// Adds transcription of this share of the audio that is written; says its place.
    pub(crate) fn speech(&mut self, writes: usize, audio_seconds: f64, share: f64) -> usize {
        let speech = self.after(Meter::Transcription, writes, audio_seconds * share, 2);
        self.spread(1.2);
        speech
    }

    /// What a business around the workload uses: machines, logs, a database.
    pub(crate) fn surroundings(&mut self, rhythm: usize, size: f64) {
        let flat = self.rhythm(Shape::Flat);
        let (machines, logs) = (self.draw.log_range(2.0, 60.0), self.draw.log_range(0.02, 2.0));
        let requests = self.draw.log_range(2e3, 2e5);
        self.stream(Meter::Vcpu, Source::Rhythm(flat), size * machines);
        self.stream(Meter::Logs, Source::Rhythm(rhythm), size * logs);
        self.stream(Meter::Database, Source::Rhythm(rhythm), size * requests);
    }

    /// Makes everything larger or smaller, so that it records this many calls an hour.
    pub(crate) fn scale_to(&mut self, calls_per_hour: f64) {
        let factor = calls_per_hour / self.work.calls_per_hour.max(1e-9);
        self.work.calls_per_hour = calls_per_hour;
        self.work.stored_gb *= factor;
        for stream in self.work.streams.iter_mut().filter(|stream| !matches!(stream.source, Source::After { .. })) {
            stream.rate *= factor;
        }
        if let Some(objects) = &mut self.keep {
            objects.per_hour *= factor;
        }
    }

    /// The finished workload, with what it had stored when the period began.
    pub(crate) fn finish(mut self) -> Workload {
        if let Some(objects) = self.keep
            && self.work.stored_gb == 0.0
        {
            let keep = objects.keep_days as i32;
            let level = &self.work.level;
            let first = level.span.start.max(self.period.start - 4_000);
            let days: f64 = (first..self.period.start)
                .map(|day| {
                    level.on(day) - if day - keep >= first { objects.deleted * level.on(day - keep) } else { 0.0 }
                })
                .sum();
            self.work.stored_gb = (24.0 * objects.per_hour * objects.mb / 1_000.0 * days).max(0.0);
        }
        self.work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_keeps_its_mean_over_what_is_seen_of_it() {
        for (span, growth) in [(ALWAYS, 0.03), (80..i32::MAX, 0.05), (0..95, 0.0), (85..95, 0.01)] {
            let level = Level::with_mean_one(span.clone(), growth, &(70..100));
            let seen = span.start.max(70)..span.end.min(100);
            let mean = seen.clone().map(|day| level.on(day)).sum::<f64>() / f64::from(seen.end - seen.start);
            assert!((mean - 1.0).abs() < 1e-9, "{span:?} {growth}: {mean}");
            assert_eq!(level.on(span.start.saturating_sub(1)), if span == ALWAYS { level.on(i32::MIN) } else { 0.0 });
        }
    }

    #[test]
    fn a_population_calls_as_the_grounding_says() {
        for seed in 0..200 {
            let rhythm = Rhythm::draw(Shape::Population, 3, &mut Draw::of(seed));
            let peak = rhythm.busy_hour();
            let floor = f64::from(rhythm.working.iter().copied().fold(f32::MAX, f32::min));
            assert!((1.6..=2.0).contains(&peak), "{peak}");
            assert!((0.05..=0.15).contains(&(floor / peak)), "{}", floor / peak);
        }
    }
}

//! The forbidden workload as its meters would show it, and what each way of hiding changes in them.
//!
//! There is nothing here that intercepts, stores or transcribes anything: these are numbers on an invoice that a
//! detector has to find.

use crate::draw::ln;
use crate::kinds::{CHARACTERS_PER_SECOND, TOKENS_PER_SECOND, audio_mb, services};
use crate::meter::Meter;
use crate::scenario::Evasion;
use crate::workload::{Builder, Departure, Level, Objects, Shape, Source};

/// Days in half a year: the time over which growth was reported.
const HALF_YEAR: f64 = 182.0;

/// Adds what a forbidden workload with these calls an hour does; it starts on a day counted from 1970.
pub(crate) fn fill(b: &mut Builder<'_>, calls_per_hour: f64, start: i32, evasions: &[Evasion]) {
    let hides = |evasion| evasions.contains(&evasion);
    b.work.evasions = evasions.to_vec();
    b.work.calls_per_hour = calls_per_hour;
    leave(b, start, evasions);
    let seconds = b.draw.range(102.0, 150.0);
    let mb = if hides(Evasion::ReEncoding) { b.draw.range(0.15, 0.6) } else { audio_mb(seconds, 128.0) };
    let bundle = if hides(Evasion::Bundling) { b.draw.log_range(100.0, 1_000.0).round() } else { 1.0 };
    let beside = if bundle == 1.0 && b.draw.chance(0.4) { b.draw.range(1.0, 3.0) } else { 1.0 };
    let (keep_days, deleted) = retention(b);
    let rhythm = b.rhythm(Shape::Population);
    let listened = b.draw.log_range(0.005, 0.05) / beside;
    let objects = Objects {
        per_hour: calls_per_hour * beside / bundle,
        mb: mb * bundle / beside,
        reads: listened * bundle,
        leaves: b.draw.range(0.02, 0.3) / bundle,
        keep_days,
        deleted,
    };
    let writes = b.objects(rhythm, objects);
    // From here on, one write stands for this many calls.
    let calls = bundle / beside;
    analyse(b, writes, calls, seconds, hides(Evasion::OwnTranscription));
    if hides(Evasion::Padding) {
        pad(b, rhythm, calls_per_hour, mb);
    }
    services(b);
    let flat = b.rhythm(Shape::Flat);
    let (machines, logs) = (b.draw.log_range(4.0, 200.0), b.draw.log_range(0.02, 1.0));
    b.stream(Meter::Vcpu, Source::Rhythm(flat), machines);
    b.stream(Meter::Logs, Source::Rhythm(rhythm), logs);
}

/// When it starts, grows, moves and goes.
fn leave(b: &mut Builder<'_>, start: i32, evasions: &[Evasion]) {
    let (first, days) = (b.period.start, b.period.end - b.period.start);
    let from = start.max(first);
    let left = b.period.end - from;
    if evasions.contains(&Evasion::MovingRegion) {
        let day = from + (f64::from(left) * b.draw.range(0.4, 0.7)) as i32;
        b.work.moving = Some(Departure { day, days: b.draw.whole(4, 10) });
    }
    let mut end = i32::MAX;
    if evasions.contains(&Evasion::ExportWhenNoticed) {
        let day = from + (f64::from(left) * b.draw.range(0.6, 0.8)) as i32;
        let within = b.draw.log_whole(3, 30) as i32;
        b.work.export = Some(Departure { day, days: within });
        end = day + within;
    }
    let growth =
        if evasions.contains(&Evasion::SlowRamp) { ln(1.0 + b.draw.range(0.01, 0.05)) } else { ln(1.6) / HALF_YEAR };
    b.work.level = Level::with_mean_one(start..end, growth, &(first..first + days));
}

/// Days until deletion and the share deleted: a month, up to a year, or never.
fn retention(b: &mut Builder<'_>) -> (f64, f64) {
    match b.draw.unit() {
        half if half < 0.5 => (30.0, 0.99),
        third if third < 0.83 => (b.draw.log_range(90.0, 365.0), 0.99),
        _ => (4_000.0, 0.0),
    }
}

/// Transcribes, translates, searches: in the provider's services, or on rented GPUs that no speech meter sees.
fn analyse(b: &mut Builder<'_>, writes: usize, calls: f64, seconds: f64, own: bool) {
    let coverage = b.draw.log_range(0.02, 1.0);
    let audio = seconds * calls * coverage;
    let ai = b.work.streams.len();
    let (characters, tokens) = (
        b.draw.range(CHARACTERS_PER_SECOND.0, CHARACTERS_PER_SECOND.1) * b.draw.range(0.3, 1.0),
        b.draw.range(TOKENS_PER_SECOND.0, TOKENS_PER_SECOND.1) * b.draw.log_range(0.05, 1.0),
    );
    if own {
        let speed = b.draw.range(50.0, 200.0);
        b.after(Meter::Gpu, writes, audio / 3_600.0 / speed, 2);
        if b.draw.chance(0.6) {
            b.after(Meter::Translation, writes, audio * characters, 3);
            b.after(Meter::Tokens, writes, audio * tokens, 3);
        }
    } else {
        let speech = b.after(Meter::Transcription, writes, audio, 2);
        b.spread(1.2 / calls.sqrt());
        b.after(Meter::Translation, speech, characters, 3);
        b.after(Meter::Tokens, speech, tokens, 3);
        if b.draw.chance(0.5) {
            b.with(Meter::Embedding, speech, tokens);
        }
        if b.draw.chance(0.4) {
            b.after(Meter::SpeakerId, writes, calls * coverage, 3);
        }
    }
    b.after(Meter::Documents, writes, calls * coverage.max(0.3), 4);
    let growth = ln(b.draw.log_range(10.0, 200.0)) / HALF_YEAR;
    for stream in b.work.streams.iter_mut().skip(ai).filter(|stream| follows(&stream.source, writes)) {
        stream.growth = growth;
        stream.ceiling = 1.0 / coverage;
    }
}

fn follows(source: &Source, writes: usize) -> bool {
    matches!(source, Source::After { stream, .. } if *stream == writes)
}

/// Writes objects of the size of a call only to delete them some hours later.
fn pad(b: &mut Builder<'_>, rhythm: usize, calls_per_hour: f64, mb: f64) {
    let rate = calls_per_hour * b.draw.range(0.5, 2.0);
    let writes = b.stream(Meter::Write, Source::Rhythm(rhythm), rate);
    b.with(Meter::Ingress, writes, mb / 1_000.0);
    b.spread(1.2);
    let lag = b.draw.whole(3, 6) as usize;
    b.stream(Meter::Delete, Source::After { stream: writes, lag }, 1.0);
    if let Some(stream) = b.work.streams.last_mut() {
        stream.removes_gb = mb / 1_000.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;
    use crate::readings::bench::{PERIOD, Used, run};
    use crate::scenario::Kind;

    const CALLS: f64 = 100_000.0;

    fn used(seed: u64, start: i32, evasions: &[Evasion]) -> Used {
        let mut draw = Draw::of(seed);
        let mut builder = Builder::new(Kind::MassSurveillance, PERIOD, 9, &mut draw);
        fill(&mut builder, CALLS, start, evasions);
        run(&builder.finish())
    }

    fn plain(seed: u64) -> Used {
        used(seed, PERIOD.start - 400, &[])
    }

    fn calls(used: &Used) -> f64 {
        used.of(Meter::Write) / used.hours.len() as f64 / CALLS
    }

    #[test]
    fn unhidden_it_is_what_was_reported() {
        for seed in 0..30 {
            let used = plain(seed);
            assert!((0.9..3.2).contains(&calls(&used)), "writes {}", calls(&used));
            let call_mb = used.of(Meter::Ingress) * 1_000.0 / (CALLS * used.hours.len() as f64);
            assert!((1.5..2.6).contains(&call_mb), "MB of a call {call_mb}");
            let reads = used.of(Meter::Read) / (CALLS * used.hours.len() as f64);
            assert!((0.0045..0.056).contains(&reads), "reads {reads}");
            assert!((0.0..1.1).contains(&used.ratio(Meter::Delete, Meter::Write)));
            let audio = used.of(Meter::Transcription) / (CALLS * used.hours.len() as f64);
            assert!((2.0..160.0).contains(&audio), "seconds transcribed of a call {audio}");
            let characters = used.ratio(Meter::Translation, Meter::Transcription) * 3_600.0;
            assert!((45e3 * 0.28..65e3 * 1.05).contains(&characters), "characters an hour {characters}");
            let daily_egress = used.of(Meter::Egress) / used.of(Meter::Capacity) * 24.0;
            assert!(daily_egress < 0.005, "egress {daily_egress}");
            assert!(used.of(Meter::Services) > 0.0);
            for end_user in [Meter::Telephony, Meter::Cdn, Meter::Messaging] {
                assert_eq!(used.of(end_user), 0.0);
            }
        }
    }

    #[test]
    fn it_starts_when_it_starts_with_nothing_stored() {
        let used = used(4, PERIOD.start + 9, &[]);
        let writes = |day: usize| used.days[day][0][Meter::Write.index()];
        assert_eq!((0..9).map(writes).sum::<f64>(), 0.0);
        assert!((9..28).all(|day| writes(day) > 0.5 * 24.0 * CALLS));
        assert_eq!(used.days[8][0][Meter::Capacity.index()], 0.0);
    }

    #[test]
    fn each_way_of_hiding_changes_what_it_should() {
        for seed in 0..12 {
            let bundled = used(seed, PERIOD.start - 400, &[Evasion::Bundling]);
            assert!((90.0..1_120.0).contains(&(1.0 / calls(&bundled))), "calls in an object");
            assert!(bundled.mb() > 100.0);
            let encoded = used(seed, PERIOD.start - 400, &[Evasion::ReEncoding]);
            assert!((0.04..0.65).contains(&encoded.mb()), "{}", encoded.mb());
            let own = used(seed, PERIOD.start - 400, &[Evasion::OwnTranscription]);
            assert_eq!(own.of(Meter::Transcription) + own.of(Meter::SpeakerId), 0.0);
            assert!(own.of(Meter::Gpu) > 0.0);
            let padded = used(seed, PERIOD.start - 400, &[Evasion::Padding]);
            assert!(calls(&padded) > 1.4 * calls(&plain(seed)).min(1.1), "{}", calls(&padded));
            assert!(padded.ratio(Meter::Delete, Meter::Write) > 0.15);
        }
    }

    #[test]
    fn a_slow_ramp_grows_day_by_day_to_the_same_mean() {
        for seed in 0..12 {
            let used = used(seed, PERIOD.start - 90, &[Evasion::SlowRamp]);
            let week = |from: usize| (from..from + 7).map(|day| used.days[day][0][Meter::Write.index()]).sum::<f64>();
            let daily = (week(21) / week(0)).powf(1.0 / 21.0) - 1.0;
            assert!((0.002..0.06).contains(&daily), "{daily}");
        }
    }

    #[test]
    fn a_move_takes_everything_along() {
        let used = used(2, PERIOD.start - 400, &[Evasion::MovingRegion]);
        let (first, last) = (used.days[0], used.days[27]);
        assert!(first[1][Meter::Write.index()] == 0.0 && last[0][Meter::Write.index()] == 0.0);
        assert!(last[0][Meter::Capacity.index()] < 1e-3 * last[1][Meter::Capacity.index()]);
        assert!(last[1][Meter::Capacity.index()] > 0.8 * first[0][Meter::Capacity.index()]);
    }

    #[test]
    fn an_export_takes_everything_out_and_ends_it() {
        let short = (0..60).map(|seed| used(seed, PERIOD.start - 60, &[Evasion::ExportWhenNoticed]));
        let ended: Vec<Used> = short.filter(|used| used.days[27][0][Meter::Export.index()] == 0.0).collect();
        assert!(ended.len() > 5, "some are over within the period");
        for used in ended {
            let most = used.days.iter().map(|day| day[0][Meter::Capacity.index()] / 24.0).fold(0.0, f64::max);
            assert!((0.7..1.7).contains(&(used.of(Meter::Export) / most)), "{}", used.of(Meter::Export) / most);
            assert_eq!(used.days[27][0][Meter::Write.index()], 0.0);
            assert!(used.days[27][0][Meter::Capacity.index()] < 1e-3 * most);
        }
    }
}

//! The lawful kinds of workload: how much each does, in what rhythm, what it keeps, and what surrounds it.
//!
//! Ranges are those of public figures, with sizes leaning to the small end. It is not the forbidden workload
//! (`forbidden`) and not who runs what (`population`).

use crate::meter::Meter;
use crate::scenario::Kind;
use crate::workload::{Builder, Objects, Shape, Source};

/// Adds what a workload of its kind does. `Kind::MassSurveillance` is not drawn here and gets nothing.
pub(crate) fn fill(b: &mut Builder<'_>) {
    match b.work.kind {
        Kind::ContactCentre => contact_centre(b),
        Kind::ContactCentreVendor => contact_centre_vendor(b),
        Kind::Voicemail => voicemail(b),
        Kind::Meetings => meetings(b),
        Kind::Podcast => podcast(b),
        Kind::EmergencyCalls => emergency_calls(b),
        Kind::FinancialRecording => financial_recording(b),
        Kind::CallTracking => call_tracking(b),
        Kind::MediaArchive => media_archive(b),
        Kind::Backup => backup(b),
        Kind::VideoSecurity => video_security(b),
        Kind::Dashcam => dashcam(b),
        Kind::Iot => iot(b),
        Kind::LanguageLearning => language_learning(b),
        Kind::MedicalDictation => medical_dictation(b),
        Kind::VoiceAssistant => voice_assistant(b),
        Kind::MlTraining => ml_training(b),
        Kind::Ediscovery => ediscovery(b),
        Kind::Web => web(b),
        Kind::MassSurveillance => {}
    }
}

/// MB of audio of this length and bit rate.
pub(crate) fn audio_mb(seconds: f64, kbit_per_second: f64) -> f64 {
    seconds * kbit_per_second / 8_000.0
}

/// Characters translated and tokens processed for a second of transcribed speech, at most.
pub(crate) const CHARACTERS_PER_SECOND: (f64, f64) = (45_000.0 / 3_600.0, 65_000.0 / 3_600.0);
pub(crate) const TOKENS_PER_SECOND: (f64, f64) = (12_000.0 / 3_600.0, 27_000.0 / 3_600.0);

impl Builder<'_> {
    /// Language-model tokens for a share of the transcribed speech.
    pub(crate) fn tokens(&mut self, speech: usize, share: f64) {
        let rate = self.draw.range(TOKENS_PER_SECOND.0, TOKENS_PER_SECOND.1);
        self.after(Meter::Tokens, speech, rate * share, 3);
    }

    /// Translation of a share of the transcribed speech.
    pub(crate) fn translation(&mut self, speech: usize, share: f64) {
        let rate = self.draw.range(CHARACTERS_PER_SECOND.0, CHARACTERS_PER_SECOND.1);
        self.after(Meter::Translation, speech, rate * share, 3);
    }
}

fn contact_centre(b: &mut Builder<'_>) {
    let agents = b.draw.low_range(100.0, 20_000.0);
    let calls = agents * b.draw.range(40.0, 60.0) / 24.0;
    let seconds = b.draw.range(240.0, 360.0);
    let mb = audio_mb(seconds, b.draw.pick([64.0, 64.0, 128.0, 256.0]));
    let rhythm = b.rhythm(Shape::Agents);
    let (reads, leaves) = (b.draw.range(0.05, 0.3), b.draw.range(0.1, 0.9));
    let keep_days = b.draw.log_range(90.0, 2_555.0);
    let writes = b.objects(rhythm, Objects { per_hour: calls, mb, reads, leaves, keep_days, deleted: 0.98 });
    b.work.calls_per_hour = calls;
    let coverage = b.draw.log_range(0.05, 1.0);
    let speech = b.speech(writes, seconds, coverage);
    around_calls(b, writes, speech, seconds);
    if b.draw.chance(0.2) {
        let share = b.draw.range(0.05, 0.5);
        b.translation(speech, share);
    }
    b.surroundings(rhythm, agents / 500.0);
}

/// What telephone service to customers brings with it: minutes, messages, summaries, an index.
fn around_calls(b: &mut Builder<'_>, writes: usize, speech: usize, seconds: f64) {
    let (answered, notices) = (b.draw.range(0.9, 1.3), b.draw.log_range(0.05, 1.0));
    b.with(Meter::Telephony, writes, seconds / 60.0 * answered);
    b.spread(1.2);
    b.with(Meter::Messaging, writes, notices);
    if b.draw.chance(0.7) {
        let share = b.draw.range(0.1, 1.0);
        b.tokens(speech, share);
    }
    if b.draw.chance(0.4) {
        let indexed = b.draw.range(0.1, 1.0);
        b.after(Meter::Documents, writes, indexed, 3);
    }
    if b.draw.chance(0.2) {
        let share = b.draw.range(0.1, 1.0);
        b.after(Meter::SpeakerId, writes, share, 3);
    }
}

fn contact_centre_vendor(b: &mut Builder<'_>) {
    let calls = b.draw.low_range(50_000.0, 300_000.0) * b.draw.range(40.0, 50.0) / 24.0;
    let seconds = b.draw.range(240.0, 360.0);
    let mb = audio_mb(seconds, b.draw.pick([64.0, 128.0, 170.0]));
    let rhythm = b.rhythm(Shape::Zones);
    let (reads, leaves) = (b.draw.range(0.07, 0.15), b.draw.range(0.5, 1.0));
    let (keep_days, deleted) = (b.draw.log_range(30.0, 365.0), b.draw.range(0.25, 0.88));
    let writes = b.objects(rhythm, Objects { per_hour: calls, mb, reads, leaves, keep_days, deleted });
    b.work.calls_per_hour = calls;
    let coverage = b.draw.log_range(0.1, 1.0);
    let speech = b.speech(writes, seconds, coverage);
    around_calls(b, writes, speech, seconds);
    if b.draw.chance(0.5) {
        let share = b.draw.range(0.05, 0.3);
        b.translation(speech, share);
    }
    b.surroundings(rhythm, 100.0);
}

fn voicemail(b: &mut Builder<'_>) {
    let calls = b.draw.low_range(1e5, 2e7) / 24.0;
    let seconds = b.draw.range(20.0, 40.0);
    let mb = audio_mb(seconds, b.draw.pick([13.0, 32.0, 64.0]));
    let rhythm = b.rhythm(Shape::Evening);
    let (reads, leaves) = (b.draw.range(0.72, 1.45), b.draw.range(0.8, 1.0));
    let keep_days = b.draw.log_range(7.0, 30.0);
    let writes = b.objects(rhythm, Objects { per_hour: calls, mb, reads, leaves, keep_days, deleted: 0.99 });
    b.work.calls_per_hour = calls;
    let coverage = b.draw.log_range(0.05, 0.8);
    b.speech(writes, seconds, coverage);
    b.with(Meter::Telephony, writes, seconds / 60.0 * 1.4);
    b.with(Meter::Messaging, writes, 1.0);
    b.surroundings(rhythm, 30.0);
}

fn meetings(b: &mut Builder<'_>) {
    let hours = b.draw.low_range(1e5, 5e6) / 24.0;
    let mb_per_hour = b.draw.log_range(30.0, 330.0);
    let length = b.draw.range(0.5, 0.9);
    let rhythm = b.rhythm(Shape::Office);
    let (reads, leaves) = (b.draw.log_range(0.32, 1.9), b.draw.range(0.05, 0.4));
    let (keep_days, deleted) = (b.draw.log_range(60.0, 730.0), b.draw.range(0.32, 0.98));
    let recorded = Objects { per_hour: hours / length, mb: mb_per_hour * length, reads, leaves, keep_days, deleted };
    let writes = b.objects(rhythm, recorded);
    let coverage = b.draw.log_range(0.05, 0.8);
    let speech = b.speech(writes, length * 3_600.0, coverage);
    let share = b.draw.range(0.3, 1.0);
    b.tokens(speech, share);
    if b.draw.chance(0.3) {
        let share = b.draw.range(0.05, 0.3);
        b.translation(speech, share);
    }
    b.with(Meter::Cdn, writes, mb_per_hour * length / 1_000.0 * reads);
    b.with(Meter::Messaging, writes, 4.0);
    b.surroundings(rhythm, 60.0);
}

fn podcast(b: &mut Builder<'_>) {
    let episodes = b.draw.log_range(1_000.0, 50_000.0) / 24.0;
    let mb = b.draw.range(20.0, 60.0);
    let rhythm = b.rhythm(Shape::Morning);
    let reads = b.draw.low_range(110.0, 9_000.0);
    let writes =
        b.objects(rhythm, Objects { per_hour: episodes, mb, reads, leaves: 0.03, keep_days: 3_000.0, deleted: 0.01 });
    let listened = b.stream(Meter::Cdn, Source::Rhythm(rhythm), episodes * reads * mb / 1_000.0 * 0.6);
    b.with(Meter::Database, listened, 300.0);
    let coverage = b.draw.log_range(0.05, 1.0);
    let speech = b.speech(writes, mb * 60.0, coverage);
    b.tokens(speech, 0.5);
    b.surroundings(rhythm, 5.0);
}

fn emergency_calls(b: &mut Builder<'_>) {
    let calls = b.draw.log_range(1_000.0, 5_000.0);
    let seconds = b.draw.range(120.0, 300.0);
    let mb = audio_mb(seconds, b.draw.pick([64.0, 128.0]));
    let rhythm = b.rhythm(Shape::Emergency);
    let (reads, leaves) = (b.draw.range(0.02, 0.1), b.draw.range(0.05, 0.5));
    let keep_days = b.draw.log_range(90.0, 1_095.0);
    let writes = b.objects(rhythm, Objects { per_hour: calls, mb, reads, leaves, keep_days, deleted: 0.95 });
    b.work.calls_per_hour = calls;
    if b.draw.chance(0.6) {
        let coverage = b.draw.log_range(0.05, 1.0);
        let speech = b.speech(writes, seconds, coverage);
        if b.draw.chance(0.5) {
            let share = b.draw.range(0.02, 0.3);
            b.translation(speech, share);
        }
        b.tokens(speech, 0.4);
    }
    if b.draw.chance(0.5) {
        b.with(Meter::Telephony, writes, seconds / 60.0);
    }
    b.surroundings(rhythm, 8.0);
    services(b);
}

/// Consultants on site, in office hours.
pub(crate) fn services(b: &mut Builder<'_>) {
    let office = b.rhythm(Shape::Office);
    let hours = b.draw.log_range(0.3, 8.0);
    b.stream(Meter::Services, Source::Rhythm(office), hours);
}

fn financial_recording(b: &mut Builder<'_>) {
    let desks = b.draw.low_range(1_000.0, 20_000.0);
    let seconds = b.draw.range(120.0, 300.0);
    let calls = desks * b.draw.range(1.0, 3.0) * 3_600.0 / seconds / 24.0;
    let mb = audio_mb(seconds, b.draw.pick([13.0, 32.0, 64.0, 128.0]));
    let rhythm = b.rhythm(Shape::Trading);
    let (reads, leaves) = (b.draw.range(0.006, 0.015), b.draw.range(0.05, 0.5));
    let keep_days = b.draw.range(1_825.0, 2_555.0);
    let deleted = if b.draw.chance(0.7) { 0.0 } else { 0.05 };
    let writes = b.objects(rhythm, Objects { per_hour: calls, mb, reads, leaves, keep_days, deleted });
    b.work.calls_per_hour = calls;
    if b.draw.chance(0.7) {
        let coverage = b.draw.log_range(0.02, 0.6);
        let speech = b.speech(writes, seconds, coverage);
        b.tokens(speech, 0.3);
    }
    if b.draw.chance(0.4) {
        b.after(Meter::Documents, writes, 1.0, 3);
    }
    if b.draw.chance(0.4) {
        b.with(Meter::Telephony, writes, seconds / 60.0);
    }
    b.surroundings(rhythm, 10.0);
    if b.draw.chance(0.5) {
        services(b);
    }
}

fn call_tracking(b: &mut Builder<'_>) {
    let calls = b.draw.low_range(1e5, 3e6) / 24.0;
    let seconds = b.draw.range(60.0, 180.0);
    let mb = audio_mb(seconds, b.draw.pick([32.0, 64.0, 128.0]));
    let rhythm = b.rhythm(Shape::Agents);
    let (reads, leaves) = (b.draw.range(0.12, 0.3), b.draw.range(0.5, 1.0));
    let keep_days = b.draw.log_range(30.0, 365.0);
    let writes = b.objects(rhythm, Objects { per_hour: calls, mb, reads, leaves, keep_days, deleted: 0.97 });
    b.work.calls_per_hour = calls;
    let coverage = b.draw.log_range(0.1, 1.0);
    let speech = b.speech(writes, seconds, coverage);
    around_calls(b, writes, speech, seconds);
    b.with(Meter::Database, writes, 40.0);
    b.with(Meter::Cdn, writes, 0.002);
    b.surroundings(rhythm, 20.0);
}

fn media_archive(b: &mut Builder<'_>) {
    let stored_gb = b.draw.low_range(1e5, 5e7);
    let mb = b.draw.log_range(800.0, 20_000.0);
    let per_hour = stored_gb * b.draw.log_range(3e-4, 3e-3) / 24.0 / (mb / 1_000.0);
    let rhythm = b.rhythm(Shape::Office);
    let (reads, leaves) = (b.draw.range(0.06, 0.45), b.draw.range(0.2, 1.0));
    b.objects(rhythm, Objects { per_hour, mb, reads, leaves, keep_days: 4_000.0, deleted: 0.01 });
    b.work.stored_gb = stored_gb;
    if b.draw.chance(0.5) {
        let from = b.draw.whole(b.period.start, b.period.end - 1);
        let flat = b.rhythm(Shape::Flat);
        b.span = from..from + b.draw.whole(4, 20);
        let seconds = stored_gb * b.draw.log_range(1.0, 30.0) / 24.0;
        let speech = b.stream(Meter::Transcription, Source::Rhythm(flat), seconds);
        b.tokens(speech, 0.5);
        b.with(Meter::Images, speech, 0.1);
        b.span = crate::workload::ALWAYS;
    }
    b.surroundings(rhythm, 10.0);
}

fn backup(b: &mut Builder<'_>) {
    let stored_gb = b.draw.low_range(1e4, 2e7);
    let keep_days = b.draw.log_range(14.0, 365.0);
    let mb = b.draw.log_range(4.0, 64.0);
    let deleted = b.draw.range(0.52, 0.99);
    let per_hour = stored_gb / keep_days / 24.0 / (mb / 1_000.0);
    let rhythm = b.rhythm(Shape::Night);
    let reads = b.draw.log_range(0.0005, 0.009);
    b.objects(rhythm, Objects { per_hour, mb, reads, leaves: 0.5, keep_days, deleted });
    b.work.stored_gb = stored_gb;
    let flat = b.rhythm(Shape::Flat);
    b.stream(Meter::Vcpu, Source::Rhythm(flat), 20.0);
    b.stream(Meter::Logs, Source::Rhythm(rhythm), 0.2);
}

fn video_security(b: &mut Builder<'_>) {
    let cameras = b.draw.low_range(10.0, 50_000.0);
    let gb_per_day = b.draw.range(11.0, 43.0);
    let mb = b.draw.log_range(20.0, 300.0);
    let per_hour = cameras * gb_per_day / 24.0 / (mb / 1_000.0);
    let rhythm = b.rhythm(Shape::Flat);
    let reads = b.draw.log_range(0.001, 0.018);
    let keep_days = b.draw.log_range(14.0, 90.0);
    let writes = b.objects(rhythm, Objects { per_hour, mb, reads, leaves: 0.5, keep_days, deleted: 0.99 });
    if b.draw.chance(0.5) {
        let images = b.draw.log_range(0.05, 5.0);
        b.with(Meter::Images, writes, images);
    }
    if b.draw.chance(0.15) {
        let faces = b.draw.log_range(0.01, 0.5);
        b.with(Meter::FaceId, writes, faces);
    }
    b.stream(Meter::Iot, Source::Rhythm(rhythm), cameras * 60.0);
    b.surroundings(rhythm, 5.0);
}

fn dashcam(b: &mut Builder<'_>) {
    let vehicles = b.draw.low_range(1_000.0, 200_000.0);
    let mb = b.draw.log_range(8.0, 60.0);
    let per_hour = vehicles * b.draw.log_range(0.1, 2.0) / 24.0 / (mb / 1_000.0);
    let rhythm = b.rhythm(Shape::Driving);
    let reads = b.draw.range(0.03, 0.07);
    let keep_days = b.draw.log_range(7.0, 60.0);
    let writes = b.objects(rhythm, Objects { per_hour, mb, reads, leaves: 0.6, keep_days, deleted: 0.98 });
    b.stream(Meter::Iot, Source::Rhythm(rhythm), vehicles * 120.0);
    let images = b.draw.log_range(0.02, 1.0);
    b.with(Meter::Images, writes, images);
    b.surroundings(rhythm, 10.0);
}

fn iot(b: &mut Builder<'_>) {
    let messages = b.draw.low_range(1e4, 1e8) * 60.0;
    let mb = b.draw.log_range(0.0002, 0.004);
    let rhythm = b.rhythm(Shape::Flat);
    let stored = b.draw.log_range(0.01, 0.5);
    let keep_days = b.draw.log_range(30.0, 730.0);
    let reads = b.draw.range(0.05, 0.15);
    b.stream(Meter::Iot, Source::Rhythm(rhythm), messages);
    b.objects(rhythm, Objects { per_hour: messages * stored, mb, reads, leaves: 0.2, keep_days, deleted: 0.95 });
    b.surroundings(rhythm, 20.0);
}

fn language_learning(b: &mut Builder<'_>) {
    let clips = b.draw.low_range(1e6, 5e7) / 24.0;
    let seconds = b.draw.range(3.0, 10.0);
    let mb = audio_mb(seconds, b.draw.pick([16.0, 32.0, 64.0]));
    let rhythm = if b.draw.chance(0.6) { b.rhythm(Shape::Zones) } else { b.rhythm(Shape::Evening) };
    let (reads, keep_days) = (b.draw.range(0.12, 0.3), b.draw.log_range(2.0, 29.0));
    let writes = b.objects(rhythm, Objects { per_hour: clips, mb, reads, leaves: 0.3, keep_days, deleted: 0.98 });
    b.work.calls_per_hour = clips;
    let speech = b.speech(writes, seconds, 0.95);
    b.tokens(speech, 0.6);
    b.translation(speech, 0.2);
    b.stream(Meter::Cdn, Source::Rhythm(rhythm), clips * 0.0004);
    b.with(Meter::Messaging, writes, 0.05);
    b.surroundings(rhythm, 40.0);
}

fn medical_dictation(b: &mut Builder<'_>) {
    let hours = b.draw.log_range(1e4, 2e6) / 730.0;
    let seconds = b.draw.range(90.0, 300.0);
    let per_hour = hours * 3_600.0 / seconds;
    let mb = audio_mb(seconds, b.draw.pick([32.0, 64.0, 128.0]));
    let rhythm = b.rhythm(Shape::Clinic);
    let (reads, keep_days) = (b.draw.range(0.2, 0.4), b.draw.log_range(30.0, 365.0));
    let writes = b.objects(rhythm, Objects { per_hour, mb, reads, leaves: 0.5, keep_days, deleted: 0.97 });
    b.work.calls_per_hour = per_hour;
    let coverage = b.draw.range(0.7, 1.0);
    let speech = b.speech(writes, seconds, coverage);
    let share = b.draw.range(0.3, 1.0);
    b.tokens(speech, share);
    if b.draw.chance(0.3) {
        b.after(Meter::Documents, writes, 1.0, 3);
    }
    if b.draw.chance(0.2) {
        b.translation(speech, 0.1);
    }
    b.surroundings(rhythm, 10.0);
}

fn voice_assistant(b: &mut Builder<'_>) {
    let clips = b.draw.low_range(1e7, 5e8) / 24.0;
    let seconds = b.draw.range(3.0, 8.0);
    let rhythm = b.rhythm(Shape::Home);
    let stored = b.draw.log_range(0.001, 0.02);
    let mb = audio_mb(seconds, 32.0);
    b.objects(
        rhythm,
        Objects { per_hour: clips * stored, mb, reads: 0.01, leaves: 0.1, keep_days: 14.0, deleted: 0.98 },
    );
    let heard = b.stream(Meter::Iot, Source::Rhythm(rhythm), clips);
    let speech = b.speech(heard, seconds, 0.98);
    b.tokens(speech, 0.5);
    b.with(Meter::Database, heard, 2.0);
    b.surroundings(rhythm, 100.0);
}

/// Days on which something is brought in once, and the days on which it is then worked on.
fn once(b: &mut Builder<'_>, days: (i32, i32), then: (i32, i32)) -> (std::ops::Range<i32>, std::ops::Range<i32>) {
    let length = b.period.end - b.period.start;
    let from = b.period.start + b.draw.whole(-10, length * 6 / 10);
    let to = from + b.draw.whole(days.0, days.1);
    (from..to, to..to + b.draw.whole(then.0, then.1))
}

/// Objects brought in once, and then read this many times each.
fn bring_in(
    b: &mut Builder<'_>,
    shapes: [Shape; 2],
    total_gb: f64,
    mb: f64,
    reads: f64,
    spans: [std::ops::Range<i32>; 2],
) -> [usize; 2] {
    let [bring, work] = spans;
    let days = |span: &std::ops::Range<i32>| f64::from(span.end - span.start);
    let objects = total_gb / (mb / 1_000.0);
    let [arriving, working] = shapes.map(|shape| b.rhythm(shape));
    let before = days(&(bring.start.min(b.period.start)..bring.end.min(b.period.start))).max(0.0);
    b.work.stored_gb = total_gb * before / days(&bring);
    b.work.object_gb = mb / 1_000.0;
    b.span = bring.clone();
    let writes = b.stream(Meter::Write, Source::Rhythm(arriving), objects / days(&bring) / 24.0);
    b.with(Meter::Ingress, writes, mb / 1_000.0);
    b.spread(1.2);
    b.span = work.clone();
    let read = b.stream(Meter::Read, Source::Rhythm(working), objects * reads / days(&work) / 24.0);
    [writes, read]
}

fn ml_training(b: &mut Builder<'_>) {
    let spans = once(b, (2, 6), (5, 15));
    let gb = b.draw.low_range(2_000.0, 3e6);
    let mb = if b.draw.chance(0.4) { b.draw.log_range(0.5, 10.0) } else { b.draw.log_range(50.0, 1_000.0) };
    let reads = b.draw.log_range(2.2, 45.0);
    let work = spans.1.clone();
    bring_in(b, [Shape::Flat, Shape::Flat], gb, mb, reads, [spans.0, spans.1]);
    let flat = b.rhythm(Shape::Flat);
    let hours = b.draw.log_range(1_000.0, 200_000.0);
    b.stream(Meter::Gpu, Source::Rhythm(flat), hours / f64::from(work.end - work.start) / 24.0);
    b.span = crate::workload::ALWAYS;
    b.surroundings(flat, 1.0);
}

fn ediscovery(b: &mut Builder<'_>) {
    let spans = once(b, (3, 10), (10, 40));
    let (gb, mb) = (b.draw.low_range(500.0, 50_000.0), b.draw.log_range(0.05, 1.5));
    let reads = b.draw.range(1.1, 4.8);
    let [writes, read] = bring_in(b, [Shape::Office, Shape::Office], gb, mb, reads, [spans.0.clone(), spans.1]);
    b.with(Meter::Egress, read, mb / 1_000.0 * 0.2);
    b.span = spans.0;
    b.after(Meter::Documents, writes, 0.95, 4);
    let (tokens, heard) = (b.draw.log_range(300.0, 2_000.0), b.draw.log_range(0.01, 0.5));
    b.after(Meter::Embedding, writes, tokens, 4);
    b.after(Meter::Transcription, writes, heard, 4);
    b.span = crate::workload::ALWAYS;
    let office = b.rhythm(Shape::Office);
    b.surroundings(office, 2.0);
}

fn web(b: &mut Builder<'_>) {
    b.work.shared_noise = (0.15, 0.15);
    let size = b.draw.factor(1.3);
    let shape = b.draw.pick([Shape::Office, Shape::Office, Shape::Evening, Shape::Evening, Shape::Home, Shape::Zones]);
    let (rhythm, flat) = (b.rhythm(shape), b.rhythm(Shape::Flat));
    // Many accounts are tests, leftovers or small sites that use little of what there is.
    let breadth = b.draw.pick([1.0, 0.6, 0.3]);
    if b.draw.chance(0.85 * breadth) {
        let follows = if b.draw.chance(0.6) { flat } else { rhythm };
        let rate = size * b.draw.log_range(0.5, 60.0);
        b.stream(Meter::Vcpu, Source::Rhythm(follows), rate);
    }
    if b.draw.chance(0.6 * breadth) {
        let objects = Objects {
            per_hour: size * b.draw.log_range(1.0, 1e4),
            mb: b.draw.log_range(0.02, 5.0),
            reads: b.draw.log_range(0.05, 50.0),
            leaves: b.draw.range(0.05, 0.9),
            keep_days: b.draw.log_range(10.0, 1_500.0),
            deleted: b.draw.pick([0.0, 0.0, 0.3, 0.8, 1.0]),
        };
        b.objects(rhythm, objects);
    }
    // Share of accounts that use a meter, and how much of it in an hour.
    for (meter, share, low, high) in [
        (Meter::Database, 0.6, 1e3, 1e6),
        (Meter::Logs, 0.5, 0.01, 3.0),
        (Meter::Cdn, 0.3, 0.05, 50.0),
        (Meter::Messaging, 0.18, 3.0, 3e3),
        (Meter::Tokens, 0.15, 1e4, 5e6),
        (Meter::Embedding, 0.06, 1e4, 1e7),
        (Meter::Telephony, 0.06, 1.0, 500.0),
        (Meter::Documents, 0.05, 1.0, 5e3),
        (Meter::Images, 0.05, 1.0, 3e3),
        (Meter::Services, 0.04, 0.05, 1.0),
        (Meter::Transcription, 0.04, 60.0, 3e4),
        (Meter::Translation, 0.04, 1e3, 3e5),
        (Meter::Gpu, 0.03, 0.1, 20.0),
        (Meter::Iot, 0.02, 100.0, 1e6),
        (Meter::SpeakerId, 0.005, 0.5, 200.0),
        (Meter::FaceId, 0.005, 0.5, 200.0),
    ] {
        if b.draw.chance(share * breadth) {
            let rate = size * b.draw.log_range(low, high);
            b.stream(meter, Source::Rhythm(rhythm), rate);
        }
    }
    if b.work.streams.is_empty() {
        b.stream(Meter::Logs, Source::Rhythm(rhythm), 0.05);
    }
    for stream in &mut b.work.streams {
        stream.noise = 0.2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::Draw;
    use crate::readings::bench::{PERIOD, Used, run};
    use crate::workload::Level;

    fn used(kind: Kind, seed: u64) -> Used {
        let mut draw = Draw::of(seed);
        let mut builder = Builder::new(kind, PERIOD, 9, &mut draw);
        builder.work.level = Level::with_mean_one(PERIOD.start - 3_000..i32::MAX, 0.0, &PERIOD);
        fill(&mut builder);
        run(&builder.finish())
    }

    /// Volume (writes a day), MB of an object, reads for each write, deletes for each write.
    type Ranges = [std::ops::Range<f64>; 4];

    #[test]
    fn every_kind_has_the_volume_and_the_ratios_that_are_known_of_it() {
        let table: [(Kind, Ranges); 16] = [
            (Kind::ContactCentre, [2e3..1.4e6, 1.7..12.0, 0.04..0.33, 0.85..1.15]),
            (Kind::ContactCentreVendor, [1.8e6..1.6e7, 1.7..8.5, 0.06..0.17, 0.2..0.95]),
            (Kind::Voicemail, [0.9e5..2.2e7, 0.03..0.4, 0.65..1.6, 0.85..1.15]),
            (Kind::Meetings, [1e5..1.1e7, 13.0..320.0, 0.28..2.1, 0.28..1.15]),
            (Kind::Podcast, [900.0..5.5e4, 18.0..65.0, 100.0..10_000.0, 0.0..0.05]),
            (Kind::EmergencyCalls, [2.2e4..1.3e5, 0.9..5.2, 0.018..0.11, 0.85..1.1]),
            (Kind::FinancialRecording, [1e4..2e6, 0.18..5.2, 0.005..0.02, 0.0..0.07]),
            (Kind::CallTracking, [0.9e5..3.3e6, 0.2..3.2, 0.11..0.33, 0.85..1.15]),
            (Kind::MediaArchive, [0.1..2e5, 600.0..25_000.0, 0.03..0.7, 0.0..0.1]),
            (Kind::Backup, [0.5..1e9, 3.5..70.0, 0.0..0.011, 0.45..1.1]),
            (Kind::VideoSecurity, [300.0..1.2e8, 18.0..330.0, 0.0..0.02, 0.9..1.1]),
            (Kind::Dashcam, [1e3..6e7, 7.0..66.0, 0.025..0.08, 0.85..1.15]),
            (Kind::Iot, [1e5..1e11, 0.0001..0.005, 0.045..0.16, 0.85..1.1]),
            (Kind::LanguageLearning, [0.9e6..5.5e7, 0.005..0.09, 0.1..0.33, 0.85..1.15]),
            (Kind::MedicalDictation, [3e3..3e6, 0.3..5.2, 0.18..0.45, 0.8..1.2]),
            (Kind::VoiceAssistant, [8e3..1.1e7, 0.01..0.035, 0.005..0.02, 0.85..1.1]),
        ];
        for (kind, ranges) in &table {
            for seed in 0..12 {
                let used = used(*kind, seed);
                let got = [
                    used.of(Meter::Write) / 28.0,
                    used.mb(),
                    used.ratio(Meter::Read, Meter::Write),
                    used.ratio(Meter::Delete, Meter::Write),
                ];
                for (at, (range, got)) in ranges.iter().zip(got).enumerate() {
                    assert!(range.contains(&got), "{} seed {seed}, number {at}: {got} not in {range:?}", kind.word());
                }
            }
        }
    }

    #[test]
    fn what_tells_them_apart_is_there() {
        for seed in 0..12 {
            for kind in [Kind::ContactCentre, Kind::ContactCentreVendor, Kind::CallTracking, Kind::Voicemail] {
                assert!(used(kind, seed).of(Meter::Telephony) > 0.0, "{}", kind.word());
            }
            for kind in [Kind::Backup, Kind::VideoSecurity, Kind::Dashcam, Kind::Iot] {
                assert_eq!(used(kind, seed).of(Meter::Transcription), 0.0, "{}", kind.word());
            }
            let podcast = used(Kind::Podcast, seed);
            assert!(podcast.of(Meter::Cdn) > 5.0 * podcast.of(Meter::Ingress));
            assert_eq!(used(Kind::FinancialRecording, seed).of(Meter::Translation), 0.0);
            let assistant = used(Kind::VoiceAssistant, seed);
            assert!(assistant.ratio(Meter::Transcription, Meter::Write) > 100.0, "speech far beyond what is stored");
            let training = used(Kind::MlTraining, seed);
            assert!(training.of(Meter::Gpu) > 100.0 && training.of(Meter::Transcription) == 0.0);
        }
    }

    #[test]
    fn each_keeps_its_hours() {
        // The share of writes that fall between 08 and 20 on working days, in the customer's own time.
        let daytime = |kind| {
            let used = used(kind, 3);
            let of = |hour: usize| used.hours[hour][Meter::Write.index()];
            let all: f64 = (0..used.hours.len()).map(of).sum();
            let local = |hour: usize| (hour + 1) % 24;
            // The period begins on a Thursday that is a holiday; weeks are judged from the first Monday on.
            let weekday = |hour: usize| ((hour + 1) / 24 + 3) % 7 < 5;
            (0..used.hours.len()).filter(|&hour| weekday(hour) && (8..20).contains(&local(hour))).map(of).sum::<f64>()
                / all
        };
        assert!(daytime(Kind::ContactCentre) > 0.75);
        assert!(daytime(Kind::FinancialRecording) > 0.9);
        assert!(daytime(Kind::MedicalDictation) > 0.75);
        assert!((0.25..0.45).contains(&daytime(Kind::VideoSecurity)));
        assert!((0.3..0.5).contains(&daytime(Kind::ContactCentreVendor)));
        assert!(daytime(Kind::Backup) < 0.1);
    }

    #[test]
    fn documents_of_a_case_are_brought_in_once_and_read_more_than_once() {
        let (mut seen, mut seed) = (0, 0);
        while seen < 8 {
            seed += 1;
            let used = used(Kind::Ediscovery, seed);
            let active = used.days.iter().filter(|day| day[0][Meter::Write.index()] > 0.0).count();
            assert!(active <= 10);
            seen += u32::from((3..=10).contains(&active));
            assert!(used.of(Meter::Documents) <= used.of(Meter::Write));
        }
    }
}

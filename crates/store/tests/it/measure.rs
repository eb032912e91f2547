//! How many events a second are durable, and how soon a publication is shown. Run by hand, in release; it asserts
//! nothing:
//! `cargo test --release -p store --test it measure -- --ignored --nocapture --test-threads=1`

#![allow(clippy::disallowed_methods, reason = "a measurement looks at the clock")]

use std::time::Instant;

use review::words::Moment;
use store::{Append, Files, PublicLog, Publication};

use crate::place::{Place, append, block_on, chance};

const EVENTS: u64 = 50_000;

fn measure(name: &str, place: &Place) {
    let record = place.open();
    let body = "x".repeat(400);
    let mut random = chance(0);
    for (run, batch) in [1, 10, 100, 1_000].into_iter().enumerate() {
        let batches = (EVENTS / batch).min(2_000);
        let started = Instant::now();
        for number in 0..batches {
            let appends: Vec<Append> =
                (0..batch).map(|nth| append(&format!("{run}-{nth}"), number, &[&body])).collect();
            let answers = block_on(record.append_batch(&appends, &mut random)).unwrap();
            assert!(answers.iter().all(Result::is_ok));
        }
        let seconds = started.elapsed().as_secs_f64();
        println!("{name}: {:.0} events a second, {batch} appends a batch", (batches * batch) as f64 / seconds);
    }
    let started = Instant::now();
    let tree = block_on(record.verify(None)).unwrap();
    println!("{name}: {:.0} events a second verified", tree.size as f64 / started.elapsed().as_secs_f64());
}

#[test]
#[ignore = "a measurement, run by hand"]
fn measure_sqlite() {
    measure("SQLite", &Place::sqlite());
}

#[test]
#[ignore = "a measurement, run by hand"]
fn measure_postgresql() {
    if let Some(place) = Place::postgres() {
        measure("PostgreSQL", &place);
    }
}

/// A year of daily batches and as many decisions, each published by itself.
#[test]
#[ignore = "a measurement, run by hand"]
fn measure_publishing() {
    let (place, folder) = (Place::sqlite(), tempfile::tempdir().unwrap());
    let record = place.open();
    let signer = || tlog::Signer::new("tribune.example/log", &[1; 32]).unwrap();
    let open = || block_on(PublicLog::open(&record, Files::local(folder.path()), signer())).unwrap();
    let (mut log, mut random, mut slowest) = (open(), chance(0), 0.0_f64);
    let all = Instant::now();
    for number in 0..730_usize {
        let entries = vec![format!("{number:0width$}", width = if number % 2 == 0 { 58_000 } else { 200 })];
        let publication = Publication { entries, seen: 0, batched: 0 };
        let started = Instant::now();
        block_on(log.publish(&record, Moment(0), publication, &mut random)).unwrap();
        slowest = slowest.max(started.elapsed().as_secs_f64());
    }
    let mean = all.elapsed().as_secs_f64() / 730.0;
    println!("a publication is shown after {:.1} ms, the slowest after {:.1} ms", mean * 1e3, slowest * 1e3);
    let started = Instant::now();
    assert_eq!(open().tree().size, 730);
    println!("a year is opened in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
    let anew = tempfile::tempdir().unwrap();
    let started = Instant::now();
    block_on(PublicLog::open(&record, Files::local(anew.path()), signer())).unwrap();
    println!("and made anew in {:.0} ms", started.elapsed().as_secs_f64() * 1e3);
}

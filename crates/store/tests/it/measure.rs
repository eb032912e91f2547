//! How many events a second are durable. Run by hand, in release; it asserts nothing:
//! `cargo test --release -p store --test it measure -- --ignored --nocapture --test-threads=1`

#![allow(clippy::disallowed_methods, reason = "a measurement looks at the clock")]

use std::time::Instant;

use store::Append;

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

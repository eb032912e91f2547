//! What of a hundred reports anybody could see who holds the files: nothing of when and in which order they came.

use clerk::envelope::{Envelope, Purpose, Sending};
use proptest::prelude::*;
use review::public::batches;
use review::words::Digest;
use store::{Identity, Message};

use crate::house::{House, MIDNIGHT, Place, block_on, chance, drain, message, quick_keys};

/// Eighty reports, of several sizes, ten of which are added to the same day; and ten things that somebody sent twice.
fn hundred(house: &House) -> Vec<Message> {
    let opening = Identity::generate();
    let mut envelopes: Vec<Envelope> = Vec::new();
    for number in 0..80 {
        let keys = quick_keys(number, &opening);
        let text = format!("what I saw, {number}").repeat(if number % 7 == 0 { 1_000 } else { 1 });
        envelopes.push(house.begins(&keys, &text, &["mallory"][..number % 2]));
        if number % 8 == 0 {
            let sending = Sending { text: "and one more thing", files: &[] };
            envelopes.push(house.seal(&keys.report, Purpose::Add, &[], sending).unwrap());
        }
    }
    let again = envelopes[..10].to_vec();
    envelopes.into_iter().chain(again).map(|envelope| message(&envelope)).collect()
}

/// The stored bytes before and after the draining, the backup and the public log's entries, by this order of arrivals.
fn seen_after(messages: &[Message], order: &[usize]) -> Vec<Vec<u8>> {
    let place = Place::new();
    let record = place.open();
    let file = |name: &str| std::fs::read(place.0.path().join(name)).unwrap();
    order.iter().for_each(|at| block_on(record.take_in(std::slice::from_ref(&messages[*at]))).unwrap());
    let mut seen = vec![file("record.db"), file("record.db-wal")];
    assert!(drain(&record, MIDNIGHT).is_empty());
    let backup = place.0.path().join("backup.db");
    block_on(record.back_up(&backup)).unwrap();
    seen.extend([file("record.db"), file("record.db-wal"), file("backup.db")]);
    let events = block_on(record.from(0, 1_000)).unwrap();
    assert_eq!(events.len(), 80 * 2 + 10);
    let mut filler = chance("filler");
    let mut nothing = || {
        let mut bytes = [0; 32];
        filler(&mut bytes);
        Digest(bytes)
    };
    let entries = batches(MIDNIGHT, events.iter().map(|event| Digest(event.commitment)).collect(), &mut nothing);
    seen.extend(entries.iter().map(|entry| entry.bytes().unwrap()));
    seen
}

#[test]
fn a_hundred_reports_moved_about_within_the_day_leave_equal_bytes() {
    let messages = hundred(&House::new());
    assert_eq!(messages.len(), 100);
    let first = seen_after(&messages, &(0..100).collect::<Vec<_>>());
    let names = ["the file", "its journal", "the file of the next day", "its journal", "the backup", "the public log"];
    assert_eq!(first.len(), names.len());
    let config = ProptestConfig { cases: 2, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(order in Just((0..100).collect::<Vec<usize>>()).prop_shuffle())| {
        for ((one, again), name) in first.iter().zip(seen_after(&messages, &order)).zip(names) {
            prop_assert!(*one == again, "{} differs", name);
        }
    });
    for bytes in &first {
        assert!(!bytes.windows(11).any(|part| part == b"what I saw,"), "a text lies there in the clear");
    }
}

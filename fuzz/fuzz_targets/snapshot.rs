//! A snapshot or a delta from anybody, at a gate that holds the example of `docs/snapshot/`: it never panics, and what it
//! takes is a snapshot that the example's keys signed.

#![no_main]

use gate::{Gate, Pins, Snapshot};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

const EXAMPLES: [&[u8]; 3] = [
    include_bytes!("../../docs/snapshot/1.1.snapshot"),
    include_bytes!("../../docs/snapshot/2.1.snapshot"),
    include_bytes!("../../docs/snapshot/2.1.delta"),
];

static HELD: LazyLock<Gate> = LazyLock::new(|| {
    let pins: Pins = include_str!("../../docs/snapshot/pins.txt").parse().expect("the example's pins hold");
    Gate::load(EXAMPLES[0], Arc::new(pins), None, [1; 16]).expect("the example holds")
});

fuzz_target!(|bytes: &[u8]| {
    if let Ok(snapshot) = Snapshot::parse(bytes) {
        assert_eq!(snapshot.bytes().len(), bytes.len(), "what is read is written the same");
    }
    if HELD.next(bytes, [2; 16]).is_ok() {
        assert!(EXAMPLES.contains(&bytes), "somebody else's snapshot was taken");
    }
});

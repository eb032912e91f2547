//! A snapshot or a delta from anybody, at a gate that holds the example of `docs/snapshot/`: it never panics, and
//! restricts no more than the example's people approved.

#![no_main]

use gate::{Gate, Pins, Snapshot};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};

const EXAMPLE: &[u8] = include_bytes!("../../docs/snapshot/1.1.snapshot");

static HELD: LazyLock<Gate> = LazyLock::new(|| {
    let pins: Pins = include_str!("../../docs/snapshot/pins.txt").parse().expect("the example's pins hold");
    Gate::load(EXAMPLE, Arc::new(pins), None, [1; 16]).expect("the example holds")
});

fuzz_target!(|bytes: &[u8]| {
    drop(Snapshot::parse(bytes));
    if let Ok(next) = HELD.next(bytes, [2; 16]) {
        assert!(next.set().len() <= 2, "more is restricted than the example's people approved");
    }
});

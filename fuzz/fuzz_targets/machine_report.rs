//! `fuzzed::machine_report`, for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::machine_report(bytes));

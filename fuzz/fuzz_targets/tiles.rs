//! `fuzzed::tiles`, for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::tiles(bytes));

//! `fuzzed::upload`, for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::upload(bytes));

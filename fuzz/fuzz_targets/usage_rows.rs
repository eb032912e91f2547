//! `fuzzed::usage_rows`, for libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::usage_rows(bytes));

//! libFuzzer entry of `fuzzed::frames`.

#![no_main]

#[path = "../fuzzed.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::frames(data));

//! libFuzzer entry of `fuzzed::pattern`.

#![no_main]

#[path = "../fuzzed.rs"]
#[expect(dead_code, reason = "the other target's functions")]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::pattern(data));

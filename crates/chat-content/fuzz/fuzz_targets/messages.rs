//! libFuzzer entry of `fuzzed::messages`.

#![no_main]

#[path = "../fuzzed.rs"]
#[expect(dead_code, reason = "the other target's function")]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::messages(data));

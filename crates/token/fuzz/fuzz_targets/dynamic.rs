//! libFuzzer entry of `fuzzed::dynamic`.

#![no_main]

#[path = "../fuzzed.rs"]
#[expect(dead_code, reason = "the other targets' functions")]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzed::dynamic(data));

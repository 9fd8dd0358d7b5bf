//! The codec against captured frames, against itself, and against anything.

#![expect(clippy::expect_used, reason = "a suite of tests")]

mod captured;
mod content;
mod properties;

/// Bytes that were written down as hex.
fn hex(text: &str) -> bytes::Bytes {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

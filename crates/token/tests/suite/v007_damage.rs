//! "007": damaged, oversized and hostile tokens.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::common::{APP, CERT, V007_A, text, vectors};
use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use stentor_token::{MAX_TOKEN_LEN, Refusal, v007};

const NOW_S: u64 = 1_111_111;

fn verify(token: &str) -> Result<(), Refusal> {
    v007::verify_rtm(token, APP, CERT, Some("test_user"), NOW_S).map(|_| ())
}

fn pack(body: &[u8]) -> String {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).expect("into memory");
    let zlib = encoder.finish().expect("into memory");
    format!("007{}", BASE64_STANDARD.encode(zlib))
}

fn body(token: &str) -> Vec<u8> {
    let zlib = BASE64_STANDARD.decode(&token[3..]).expect("base64");
    let mut body = Vec::new();
    std::io::copy(&mut ZlibDecoder::new(&*zlib), &mut body).expect("zlib");
    body
}

#[test]
fn every_truncation_and_extension_is_refused() {
    for end in 0..V007_A.len() {
        assert_eq!(verify(&V007_A[..end]), Err(Refusal::Invalid), "{end}");
    }
    for extra in ["A", "=", "AAAA", " ", "\n"] {
        assert!(verify(&format!("{V007_A}{extra}")).is_err(), "{extra:?}");
        assert!(verify(&format!("{extra}{V007_A}")).is_err(), "{extra:?}");
    }
    let zlib = BASE64_STANDARD.decode(&V007_A[3..]).unwrap();
    for end in 0..zlib.len() {
        let token = format!("007{}", BASE64_STANDARD.encode(&zlib[..end]));
        assert_eq!(verify(&token), Err(Refusal::Invalid), "{end} zlib bytes");
    }
}

/// A change that leaves the inflated bytes as they were (deflate has bits without meaning, such
/// as those that fill up its last byte) changes nothing that is signed. All else is refused.
#[test]
fn every_changed_character_is_refused_or_without_meaning() {
    let mut harmless = 0;
    for vector in vectors(include_str!("../vectors/v007.json")) {
        let original = text(&vector, "token");
        let parsed = v007::parse(original).unwrap();
        for at in 0..original.len() {
            for byte in 0..128_u8 {
                let mut bytes = original.as_bytes().to_vec();
                if bytes[at] == byte {
                    continue;
                }
                bytes[at] = byte;
                let Ok(changed) = v007::parse(&String::from_utf8(bytes).unwrap()) else {
                    continue;
                };
                if changed == parsed {
                    harmless += 1;
                } else {
                    let refused = changed.verify_signature(CERT);
                    assert_eq!(refused, Err(Refusal::Invalid), "{at} {byte}");
                }
            }
        }
    }
    // Were base64 or zlib checked loosely, there would be thousands.
    assert!(harmless < 200, "{harmless}");
}

#[test]
fn every_flipped_bit_of_the_body_is_refused() {
    let body = body(V007_A);
    assert_eq!(verify(&pack(&body)), Ok(()));
    for bit in 0..body.len() * 8 {
        let mut changed = body.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let refusal = verify(&pack(&changed)).unwrap_err();
        // Signature (34 bytes) and length of the App ID come first, then its 32 bytes.
        let in_app_id = (36 * 8..68 * 8).contains(&bit);
        if in_app_id {
            assert!(matches!(refusal, Refusal::AppId | Refusal::Invalid), "{bit}");
        } else if !(34 * 8..36 * 8).contains(&bit) {
            assert_eq!(refusal, Refusal::Invalid, "{bit}");
        }
    }
    for end in 0..body.len() {
        assert!(verify(&pack(&body[..end])).is_err(), "{end}");
    }
    let longer = [&body[..], &[0]].concat();
    assert_eq!(verify(&pack(&longer)), Err(Refusal::Invalid));
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let body = body(V007_A);
    let info = &body[34..];
    for len in [0_u16, 1, 31, 33, 64] {
        let mut other = len.to_le_bytes().to_vec();
        other.resize(2 + usize::from(len), 0);
        other.extend_from_slice(info);
        assert_eq!(verify(&pack(&other)), Err(Refusal::Invalid), "{len}");
    }
}

#[test]
fn base64_is_strict() {
    let unpadded = V007_A.trim_end_matches('=');
    assert_ne!(unpadded, V007_A);
    assert_eq!(verify(unpadded), Err(Refusal::Invalid));
    // "A" and "B" before "=" differ only in bits that encode nothing.
    assert!(V007_A.ends_with("A="));
    let trailing_bits = V007_A.replace("A=", "B=");
    assert_eq!(verify(&trailing_bits), Err(Refusal::Invalid));
    let url_safe = V007_A.replace('/', "_").replace('+', "-");
    assert_ne!(url_safe, V007_A);
    assert_eq!(verify(&url_safe), Err(Refusal::Invalid));
    let (head, tail) = V007_A.split_at(60);
    assert_eq!(verify(&format!("{head}\n{tail}")), Err(Refusal::Invalid));
}

#[test]
fn oversized_tokens_are_not_decoded() {
    let start = Instant::now();
    for len in [MAX_TOKEN_LEN + 1, 64 << 10, 64 << 20] {
        let token = format!("007{}", "A".repeat(len - 3));
        assert_eq!(verify(&token), Err(Refusal::Invalid), "{len}");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_genuine_token_in_too_long_a_text_is_refused() {
    let packed = pack(&body(V007_A));
    let padded = |blocks: usize| {
        let mut zlib = BASE64_STANDARD.decode(&packed[3..]).unwrap();
        // Between header and data any number of empty stored blocks may stand.
        zlib.splice(2..2, [0, 0, 0, 0xff, 0xff].repeat(blocks));
        format!("007{}", BASE64_STANDARD.encode(zlib))
    };
    let fits = padded(1190);
    assert!(fits.len() <= MAX_TOKEN_LEN, "{}", fits.len());
    assert_eq!(verify(&fits), Ok(()));
    let exceeds = padded(1220);
    assert!(exceeds.len() > MAX_TOKEN_LEN, "{}", exceeds.len());
    assert_eq!(verify(&exceeds), Err(Refusal::Invalid));
}

#[test]
fn zip_bombs_are_refused() {
    // As large as the text limit lets through, and one beyond it.
    let inside = pack(&vec![0; 5 << 20]);
    assert!(inside.len() <= MAX_TOKEN_LEN, "{}", inside.len());
    let beyond = pack(&vec![0; 12 << 20]);
    assert!(beyond.len() > MAX_TOKEN_LEN && beyond.len() < 64 << 10);
    let start = Instant::now();
    for _ in 0..100 {
        assert_eq!(verify(&inside), Err(Refusal::Invalid));
        assert_eq!(verify(&beyond), Err(Refusal::Invalid));
    }
    // Inflated in full this would be 500 MiB.
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn claimed_counts_cost_nothing() {
    for count in [[0xff; 2].as_slice(), &[0xff, 0xff, 8, 0, 0xff, 0xff]] {
        assert_eq!(v007::parse_services(count), Err(Refusal::Invalid));
    }
    let stt = [[0xff, 0xff].as_slice(), &[10, 0, 0, 0].repeat(65_535)].concat();
    assert_eq!(v007::parse_services(&stt).unwrap().known.len(), 65_535);
}

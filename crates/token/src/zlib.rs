//! zlib with a hard output limit, since a token is inflated before anyone has proved anything.

use std::io::Write;

use flate2::{Compression, Decompress, FlushDecompress, Status, write::ZlibEncoder};

use crate::{BuildError, Refusal};

/// Inflates exactly one zlib stream of at most `limit` output bytes.
///
/// Memory stays below `limit` plus the decoder's fixed state. A stream that is longer, broken,
/// unfinished or followed by other bytes is [`Refusal::Invalid`].
pub(crate) fn inflate(zlib: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    // Login tokens inflate to 100 to 200 bytes: one pass for them, a second one for the rest.
    for capacity in [limit.min(1024), limit] {
        let mut decoder = Decompress::new(true);
        let mut out = Vec::with_capacity(capacity);
        let status = decoder.decompress_vec(zlib, &mut out, FlushDecompress::Finish).map_err(|_| Refusal::Invalid)?;
        if status == Status::StreamEnd {
            let consumed_all = usize::try_from(decoder.total_in()) == Ok(zlib.len());
            let within = out.len() <= limit;
            return (consumed_all && within).then_some(out).ok_or(Refusal::Invalid);
        }
    }
    Err(Refusal::Invalid)
}

/// Deflates `bytes` into one zlib stream.
pub(crate) fn deflate(bytes: &[u8]) -> Result<Vec<u8>, BuildError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).map_err(BuildError::Deflate)?;
    encoder.finish().map_err(BuildError::Deflate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    const LIMIT: usize = 64 * 1024;

    #[test]
    fn round_trip_at_the_limit_and_one_above() {
        for len in [0, 1, 1023, 1024, 1025, LIMIT - 1, LIMIT] {
            let plain = vec![7; len];
            assert_eq!(inflate(&deflate(&plain).unwrap(), LIMIT), Ok(plain));
        }
        let above = deflate(&vec![7; LIMIT + 1]).unwrap();
        assert_eq!(inflate(&above, LIMIT), Err(Refusal::Invalid));
    }

    #[test]
    fn a_bomb_is_refused_quickly() {
        let bomb = deflate(&vec![0; 32 << 20]).unwrap();
        assert!(bomb.len() < 64 * 1024, "{}", bomb.len());
        let start = Instant::now();
        for _ in 0..100 {
            assert_eq!(inflate(&bomb, LIMIT), Err(Refusal::Invalid));
        }
        // 100 full inflations would be 3.2 GiB; 100 refused ones are some 6 MiB.
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn unfinished_broken_and_trailing_are_refused() {
        let good = deflate(b"some token body, some token body").unwrap();
        for end in 0..good.len() {
            assert_eq!(inflate(&good[..end], LIMIT), Err(Refusal::Invalid), "{end}");
        }
        let mut longer = good.clone();
        longer.push(0);
        assert_eq!(inflate(&longer, LIMIT), Err(Refusal::Invalid));
        let mut checksum = good.clone();
        *checksum.last_mut().unwrap() ^= 1;
        assert_eq!(inflate(&checksum, LIMIT), Err(Refusal::Invalid));
        let mut twice = good.clone();
        twice.extend_from_slice(&good);
        assert_eq!(inflate(&twice, LIMIT), Err(Refusal::Invalid));
    }
}

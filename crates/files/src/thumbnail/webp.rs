//! What the WebP decoder believes without asking, looked at before it is asked.
//!
//! A WebP file names its size twice: for the canvas, and in each lossy frame. The decoder makes room for the frame
//! before it compares the two, up to 16383 by 16383 pixels in a file of a hundred bytes. And it makes room for the
//! notes (EXIF) by the length that the file claims, up to 4 GiB.

use super::NoThumbnail;

/// The start of a lossy frame: `VP8 `, four bytes of length, three of flags, this code, then width and height of 14
/// bits each. The decoder accepts nothing else, wherever the frame stands.
const START_CODE: [u8; 3] = [0x9d, 0x01, 0x2a];

/// Refuses a file with a frame of more than `max_pixels`, or with notes that end behind the file.
pub(super) fn check(bytes: &[u8], max_pixels: u64) -> Result<(), NoThumbnail> {
    let too_large = |frame: &[u8]| {
        let edge = |at: usize| u64::from(u16::from_le_bytes([frame[at], frame[at + 1]]) & 0x3fff);
        frame.starts_with(b"VP8 ") && frame[11..14] == START_CODE && edge(14) * edge(16) > max_pixels
    };
    if bytes.windows(18).any(too_large) {
        return Err(NoThumbnail::TooLarge);
    }
    if notes_fit(bytes) { Ok(()) } else { Err(NoThumbnail::Damaged) }
}

fn notes_fit(bytes: &[u8]) -> bool {
    // After `RIFF`, a length and `WEBP`.
    let mut rest = bytes.get(12..).unwrap_or_default();
    while let Some((header, body)) = rest.split_first_chunk::<8>() {
        let [name @ .., a, b, c, d] = *header;
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if name == *b"EXIF" && length > body.len() {
            return false;
        }
        // Chunks have an even length, which the last byte of a file may lack.
        rest = body.get(length.next_multiple_of(2)..).unwrap_or_default();
    }
    true
}

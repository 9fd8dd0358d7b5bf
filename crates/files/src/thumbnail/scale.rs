//! From a picture's bytes to its thumbnail's. Pure, and slow: for a thread that may block.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::{Thumbnail, webp};
use crate::content::{ImageType, image_type};

const DEFAULT_EDGE: u32 = 170;
const MAX_EDGE: u32 = 1024;

/// What JPEG can express; other formats claim more.
const MAX_SOURCE_EDGE: u32 = 65_535;

const JPEG_QUALITY: u8 = 80;

/// The box that a thumbnail fits into, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    width: u32,
    height: u32,
}

impl Bounds {
    /// A box of this width and height. Less than 1 is 1, more than 1024 is 1024: they are a client's wish.
    #[must_use]
    pub fn new(width: u32, height: u32) -> Self {
        Self { width: width.clamp(1, MAX_EDGE), height: height.clamp(1, MAX_EDGE) }
    }
}

impl Default for Bounds {
    /// 170 by 170, as documented.
    fn default() -> Self {
        Self::new(DEFAULT_EDGE, DEFAULT_EDGE)
    }
}

/// What decoding a picture may take.
#[derive(Debug, Clone, Copy)]
pub struct DecodeLimits {
    /// Width times height. A decoder takes up to about ten bytes per pixel (a progressive JPEG), whatever
    /// `max_bytes` says.
    pub max_pixels: u64,
    /// For the decoded picture, and what else a decoder counts. In bytes.
    pub max_bytes: u64,
}

impl Default for DecodeLimits {
    /// 25 million pixels, a camera's picture, and 128 MiB.
    fn default() -> Self {
        Self { max_pixels: 25_000_000, max_bytes: 128 * 1024 * 1024 }
    }
}

/// Why a file has no thumbnail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoThumbnail {
    /// It is no JPEG, PNG, GIF or WebP.
    #[error("not a picture")]
    NotAnImage,
    /// It has too many bytes or pixels.
    #[error("too large for a thumbnail")]
    TooLarge,
    /// It begins like a picture and cannot be decoded.
    #[error("not a whole picture")]
    Damaged,
}

impl From<ImageError> for NoThumbnail {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            _ => Self::Damaged,
        }
    }
}

/// The thumbnail of a picture, the right way up. A picture that is smaller than the bounds keeps its size. Of an
/// animation, the first frame. What the camera has written into the file (place, time) is not in the thumbnail.
///
/// # Errors
/// When it is not a picture, too large, or damaged.
pub fn scale(bytes: &[u8], bounds: Bounds, limits: &DecodeLimits) -> Result<Thumbnail, NoThumbnail> {
    let (picture, orientation) = decode(bytes, limits)?;
    let mut picture = shrink(picture, turned(bounds, orientation));
    picture.apply_orientation(orientation);
    encode(&picture)
}

fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<(DynamicImage, Orientation), NoThumbnail> {
    let format = match image_type(bytes).ok_or(NoThumbnail::NotAnImage)? {
        ImageType::Jpeg => ImageFormat::Jpeg,
        ImageType::Png => ImageFormat::Png,
        ImageType::Gif => ImageFormat::Gif,
        ImageType::WebP => {
            webp::check(bytes, limits.max_pixels)?;
            ImageFormat::WebP
        }
    };
    let mut bounded = Limits::no_limits();
    bounded.max_image_width = Some(MAX_SOURCE_EDGE);
    bounded.max_image_height = Some(MAX_SOURCE_EDGE);
    bounded.max_alloc = Some(limits.max_bytes);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounded.clone());
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(NoThumbnail::TooLarge);
    }
    // A picture with damaged notes is a picture.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    bounded.reserve(decoder.total_bytes())?;
    decoder.set_limits(bounded)?;
    Ok((DynamicImage::from_decoder(decoder)?, orientation))
}

/// The bounds as the picture sees them before it is turned.
fn turned(bounds: Bounds, orientation: Orientation) -> Bounds {
    match orientation {
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH => {
            Bounds { width: bounds.height, height: bounds.width }
        }
        _ => bounds,
    }
}

fn shrink(picture: DynamicImage, bounds: Bounds) -> DynamicImage {
    if picture.width() <= bounds.width && picture.height() <= bounds.height {
        return picture;
    }
    picture.thumbnail(bounds.width, bounds.height)
}

fn encode(picture: &DynamicImage) -> Result<Thumbnail, NoThumbnail> {
    let mut bytes = Vec::new();
    let transparent = picture.color().has_alpha().then(|| picture.to_rgba8());
    let transparent = transparent.filter(|picture| picture.pixels().any(|pixel| pixel.0[3] != u8::MAX));
    let format = if let Some(picture) = transparent {
        picture.write_with_encoder(PngEncoder::new(&mut bytes))?;
        ImageType::Png
    } else {
        picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
        ImageType::Jpeg
    };
    Ok(Thumbnail { bytes: bytes.into(), content_type: format.content_type() })
}

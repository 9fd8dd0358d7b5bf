//! Thumbnails: what they look like, and what is not decoded.

use std::io::Cursor;

use bytes::Bytes;
use image::{DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use stentor_files::thumbnail::{Bounds, DecodeLimits, NoThumbnail, SMALL_BYTES, ThumbnailOptions, scale};
use stentor_files::{Thumbnail, ThumbnailError, Thumbnails};

use crate::world::{PLENTY, World, bytes, key, source, uuid};

/// A picture that no encoder makes small: a coloured noise, red in the top left quarter.
fn picture(width: u32, height: u32) -> DynamicImage {
    let mut noise = 1u32;
    RgbImage::from_fn(width, height, |x, y| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let shade = (noise >> 26) as u8;
        if x < width / 2 && y < height / 2 {
            Rgb([255 - shade, shade, shade])
        } else {
            Rgb([shade, shade, 255 - shade])
        }
    })
    .into()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Bytes {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner().into()
}

fn decoded(thumbnail: &Thumbnail) -> DynamicImage {
    let format = ImageFormat::from_mime_type(thumbnail.content_type).unwrap();
    image::load_from_memory_with_format(&thumbnail.bytes, format).unwrap()
}

fn scaled(bytes: &[u8], width: u32, height: u32) -> Result<Thumbnail, NoThumbnail> {
    scale(bytes, Bounds::new(width, height), &DecodeLimits::default())
}

#[test]
fn every_format_becomes_small_and_keeps_its_shape() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP] {
        let original = encoded(&picture(400, 200), format);
        let thumbnail = scale(&original, Bounds::default(), &DecodeLimits::default()).unwrap();
        assert_eq!(thumbnail.content_type, "image/jpeg", "{format:?}");
        assert_eq!(decoded(&thumbnail).dimensions(), (170, 85), "{format:?}");
        assert!(thumbnail.bytes.len() < original.len() / 4);
    }
}

#[test]
fn bounds_are_kept_and_nothing_is_enlarged() {
    let original = encoded(&picture(300, 200), ImageFormat::Png);
    for ((width, height), expected) in [
        ((170, 170), (170, 113)),
        ((100, 50), (75, 50)),
        ((0, 0), (1, 1)),
        ((1, 1000), (1, 1)),
        ((300, 200), (300, 200)),
        ((301, 201), (300, 200)),
        ((u32::MAX, u32::MAX), (300, 200)),
    ] {
        assert_eq!(decoded(&scaled(&original, width, height).unwrap()).dimensions(), expected, "{width}x{height}");
    }
    let wide = encoded(&picture(3000, 2), ImageFormat::Png);
    assert_eq!(decoded(&scaled(&wide, 170, 170).unwrap()).dimensions(), (170, 1));
    let huge = encoded(&picture(1500, 1200), ImageFormat::Jpeg);
    assert_eq!(decoded(&scaled(&huge, u32::MAX, u32::MAX).unwrap()).dimensions(), (1024, 819));
}

#[test]
fn only_what_is_transparent_is_a_png() {
    let mut picture: RgbaImage = picture(300, 300).to_rgba8();
    let opaque = encoded(&picture.clone().into(), ImageFormat::Png);
    assert_eq!(scaled(&opaque, 100, 100).unwrap().content_type, "image/jpeg");
    for pixel in picture.pixels_mut().take(300 * 150) {
        *pixel = Rgba([0, 0, 0, 0]);
    }
    let transparent = scaled(&encoded(&picture.into(), ImageFormat::Png), 100, 100).unwrap();
    assert_eq!(transparent.content_type, "image/png");
    assert_eq!(decoded(&transparent).get_pixel(50, 10).0[3], 0);
    assert_eq!(decoded(&transparent).get_pixel(50, 90).0[3], 255);
}

/// A JPEG with the note that the camera was held this way (EXIF orientation, 1 to 8).
fn held(picture: &DynamicImage, orientation: u8) -> Vec<u8> {
    let jpeg = encoded(picture, ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

#[test]
fn a_turned_picture_is_turned_back() {
    let original = picture(400, 200);
    // Where the red quarter is to be seen, by orientation.
    for (orientation, size, (right, below)) in [
        (1, (100, 50), (false, false)),
        (2, (100, 50), (true, false)),
        (3, (100, 50), (true, true)),
        (4, (100, 50), (false, true)),
        (5, (25, 50), (false, false)),
        (6, (25, 50), (true, false)),
        (7, (25, 50), (true, true)),
        (8, (25, 50), (false, true)),
    ] {
        let thumbnail = decoded(&scaled(&held(&original, orientation), 100, 50).unwrap());
        assert_eq!(thumbnail.dimensions(), size, "{orientation}");
        for (x, y) in [(false, false), (false, true), (true, false), (true, true)] {
            let at = |far: bool, edge: u32| if far { edge * 3 / 4 } else { edge / 4 };
            let pixel = thumbnail.get_pixel(at(x, size.0), at(y, size.1)).0;
            assert_eq!(pixel[0] > 128, (x, y) == (right, below), "{orientation}: {pixel:?} at {x} {y}");
        }
    }
    // Thumbnails tell nothing about where they were taken.
    let notes = scaled(&held(&original, 6), 100, 50).unwrap().bytes;
    assert!(!notes.windows(4).any(|bytes| bytes == b"Exif"));
}

fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc(&header).to_be_bytes());
    png.extend(b"\0\0\x10\0IDAT\x78\x9c");
    png
}

/// As PNG has it. Nobody minds how slow it is.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, content) in chunks {
        body.extend(*name);
        body.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        body.extend(*content);
    }
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF", &length[..], &body].concat()
}

/// A canvas of 10 by 10, with notes and a lossy picture, or an animation of it.
const CANVAS: [u8; 10] = [0, 0, 0, 0, 9, 0, 0, 9, 0, 0];

fn lossy_frame(width: u16, height: u16) -> Vec<u8> {
    let [a, b] = width.to_le_bytes();
    let [c, d] = height.to_le_bytes();
    [&[0x10, 2, 0, 0x9d, 1, 0x2a, a, b, c, d][..], &[0; 64]].concat()
}

#[test]
fn bombs_are_not_decoded() {
    let frame = lossy_frame(16_383, 16_383);
    let mut animated = CANVAS;
    animated[0] = 0b10;
    let mut movie = vec![0; 16];
    movie[6] = 9;
    movie[9] = 9;
    movie.extend([b"VP8 ", &u32::try_from(frame.len()).unwrap().to_le_bytes()[..], &frame].concat());
    let mut gif = b"GIF89a".to_vec();
    gif.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0, b',', 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 2, 0]);
    for (what, bomb) in [
        ("a png of 60000 by 60000", png_that_claims(60_000, 60_000)),
        ("a png wider than any picture", png_that_claims(70_000, 1)),
        ("a gif of 65535 by 65535", gif),
        ("a webp of 16383 by 16383", webp(&[(b"VP8 ", &frame)])),
        ("a webp that is larger than it says", webp(&[(b"VP8X", &CANVAS), (b"VP8 ", &frame)])),
        ("an animated one", webp(&[(b"VP8X", &animated), (b"ANIM", &[0; 6]), (b"ANMF", &movie)])),
    ] {
        assert_eq!(scaled(&bomb, 170, 170), Err(NoThumbnail::TooLarge), "{what}");
    }
}

/// The decoder would make room for four gigabytes before it finds that they are not there.
#[test]
fn notes_that_are_longer_than_the_file() {
    let mut noted = CANVAS;
    noted[0] = 0b1000;
    let mut bytes = webp(&[(b"VP8X", &noted), (b"VP8 ", &lossy_frame(10, 10)), (b"EXIF", b"MM")]);
    let length = bytes.len() - 6..bytes.len() - 2;
    bytes[length].copy_from_slice(&[0xfe, 0xff, 0xff, 0xff]);
    assert_eq!(scaled(&bytes, 170, 170), Err(NoThumbnail::Damaged));
}

#[test]
fn pixels_and_memory_at_the_limit_and_one_past_it() {
    let original = encoded(&picture(200, 100), ImageFormat::Png);
    let with = |max_pixels, max_bytes| scale(&original, Bounds::default(), &DecodeLimits { max_pixels, max_bytes });
    let roomy = DecodeLimits::default().max_bytes;
    assert!(with(20_000, roomy).is_ok());
    assert_eq!(with(19_999, roomy), Err(NoThumbnail::TooLarge));
    assert_eq!(with(20_000, 59_999), Err(NoThumbnail::TooLarge));
}

#[test]
fn what_is_not_a_picture_or_not_whole() {
    let whole = encoded(&picture(300, 200), ImageFormat::Png);
    for (file, expected) in [
        (&b""[..], NoThumbnail::NotAnImage),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", NoThumbnail::NotAnImage),
        (b"BM\x46\0\0\0\0\0\0\0\x36", NoThumbnail::NotAnImage),
        (b"\xff\xd8\xff", NoThumbnail::Damaged),
        (b"RIFF\0\0\0\0WEBP", NoThumbnail::Damaged),
        (b"GIF89a", NoThumbnail::Damaged),
        (&whole[..whole.len() / 2], NoThumbnail::Damaged),
    ] {
        assert_eq!(scaled(file, 170, 170), Err(expected), "{:?}", Bytes::copy_from_slice(&file[..file.len().min(20)]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Whatever is wrong in a picture, the answer is a picture or a reason.
    #[test]
    fn a_damaged_picture_is_no_panic(
        format in prop::sample::select(vec![ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = encoded(&picture(40, 30), format).to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len() * 2));
        let limits = DecodeLimits { max_pixels: 10_000, max_bytes: 1 << 20 };
        // The server catches a decoder's panic; here it would end the test.
        let _ = scale(&bytes, Bounds::new(10, 10), &limits);
    }
}

struct Gallery {
    world: World,
    thumbnails: Thumbnails,
}

impl Gallery {
    fn new() -> Self {
        Self::with(ThumbnailOptions::default())
    }

    fn with(options: ThumbnailOptions) -> Self {
        let world = World::new();
        Self { thumbnails: Thumbnails::new(world.files.clone(), options), world }
    }

    async fn put(&self, n: u32, file: &Bytes) {
        self.world.files.put(&key(n), source(file, 10_000), PLENTY).await.unwrap();
    }

    async fn get(&self, n: u32) -> Result<Thumbnail, ThumbnailError> {
        self.thumbnails.get(&key(n), Bounds::default()).await
    }
}

#[tokio::test]
async fn made_once_kept_and_deleted_with_the_file() {
    let gallery = Gallery::new();
    gallery.put(1, &encoded(&picture(400, 200), ImageFormat::Png)).await;
    let made = gallery.get(1).await.unwrap();
    assert_eq!(decoded(&made).dimensions(), (170, 85));
    let file = format!("acme_23demo/{}", uuid(1));
    assert_eq!(gallery.world.on_disk().await, [file.clone(), format!("{file}.thumb")]);
    // Not made again, or it would have the other size.
    assert_eq!(gallery.thumbnails.get(&key(1), Bounds::new(10, 10)).await.unwrap(), made);
    gallery.world.files.delete(&key(1)).await.unwrap();
    assert!(gallery.world.on_disk().await.is_empty());
    assert!(matches!(gallery.get(1).await, Err(ThumbnailError::NotFound)));
}

#[tokio::test]
async fn a_small_picture_is_its_own_thumbnail() {
    let gallery = Gallery::new();
    // Whatever stands behind a picture's end does not matter to it.
    let exactly = |size: u64| {
        let mut png = encoded(&DynamicImage::new_rgb8(300, 300), ImageFormat::Png).to_vec();
        png.resize(usize::try_from(size).unwrap(), 0);
        Bytes::from(png)
    };
    gallery.put(1, &exactly(SMALL_BYTES)).await;
    gallery.put(2, &exactly(SMALL_BYTES + 1)).await;
    let itself = gallery.get(1).await.unwrap();
    assert_eq!((itself.bytes, itself.content_type), (exactly(SMALL_BYTES), "image/png"));
    assert_eq!(decoded(&gallery.get(2).await.unwrap()).dimensions(), (170, 170));
}

#[tokio::test]
async fn files_without_a_thumbnail() {
    let gallery = Gallery::with(ThumbnailOptions { max_file_bytes: 200_000, ..ThumbnailOptions::default() });
    gallery.put(1, &bytes(50_000)).await;
    gallery.put(2, &Bytes::new()).await;
    gallery.put(3, &encoded(&picture(500, 500), ImageFormat::Png)).await;
    let whole = encoded(&picture(150, 150), ImageFormat::Png);
    gallery.put(4, &whole.slice(..whole.len() - 1000)).await;
    for (n, expected) in [
        (1, NoThumbnail::NotAnImage),
        (2, NoThumbnail::NotAnImage),
        (3, NoThumbnail::TooLarge),
        (4, NoThumbnail::Damaged),
    ] {
        let refused = gallery.get(n).await;
        assert!(matches!(refused, Err(ThumbnailError::None(why)) if why == expected), "{n}: {refused:?}");
    }
    assert!(matches!(gallery.get(9).await, Err(ThumbnailError::NotFound)));
}

#[tokio::test]
async fn everybody_wants_the_same_one() {
    let gallery = Gallery::with(ThumbnailOptions { at_a_time: 2, waiting: 30, ..ThumbnailOptions::default() });
    gallery.put(1, &encoded(&picture(400, 400), ImageFormat::Jpeg)).await;
    let all = futures_util::future::try_join_all((0..32).map(|_| gallery.get(1))).await.unwrap();
    assert!(all.iter().all(|one| *one == all[0]));
}

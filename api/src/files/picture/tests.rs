//! Pictures of every format, whole and broken, and what is left of what came along with them.

use super::*;
use image::codecs::gif::GifEncoder;
use image::{Frame, Rgb, RgbImage, Rgba, RgbaImage};

/// Marks what must not be kept.
const SECRET: &[u8] = b"<script>secret</script>";

fn drawn(width: u32, height: u32) -> DynamicImage {
    let colour = |x: u32, y: u32| Rgb([x, y, x ^ y].map(|value| u8::try_from(value % 256).unwrap()));
    RgbImage::from_fn(width, height, colour).into()
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    encode(image, format).unwrap().bytes
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn size_of(encoded: &Encoded) -> (u32, u32) {
    let image = image::load_from_memory(&encoded.bytes).unwrap();
    (image.width(), image.height())
}

/// Puts an Exif segment into a JPEG: turned by 90 degrees, and a secret.
fn with_exif(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0II\x2a\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend(SECRET);
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length[..], &exif, &jpeg[2..]].concat()
}

#[test]
fn a_still_picture_is_drawn_anew_without_what_came_along() {
    for (format, kind, kept) in [
        (ImageFormat::Png, Format::Png, "image/png"),
        (ImageFormat::Jpeg, Format::Jpeg, "image/jpeg"),
        (ImageFormat::WebP, Format::WebP, "image/webp"),
        (ImageFormat::Gif, Format::Gif, "image/png"),
    ] {
        let sent = [encoded(&drawn(700, 400), format), SECRET.to_vec()].concat();
        assert_eq!(Format::of(&sent), Some(kind));
        let picture = Picture::take(kind, &sent).unwrap();
        assert_eq!((picture.width, picture.height, picture.image.mime), (700, 400, kept));
        assert_eq!((size_of(&picture.image), size_of(&picture.thumb)), ((700, 400), (320, 183)));
        assert!(!holds(&picture.image.bytes, SECRET) && !holds(&picture.thumb.bytes, SECRET));
    }
}

#[test]
fn a_photo_is_turned_the_way_up_and_forgets_where_it_was_taken() {
    let sent = with_exif(&encoded(&drawn(60, 40), ImageFormat::Jpeg), 6);
    assert!(holds(&sent, b"Exif") && holds(&sent, SECRET));
    let picture = Picture::take(Format::Jpeg, &sent).unwrap();
    assert_eq!((picture.width, picture.height), (40, 60));
    assert_eq!((size_of(&picture.image), size_of(&picture.thumb)), ((40, 60), (40, 60)));
    assert!(!holds(&picture.image.bytes, b"Exif") && !holds(&picture.image.bytes, SECRET));
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_by_its_head() {
    let small = encoded(&drawn(1, 1), ImageFormat::Png);
    for (width, height) in [(10_000_u32, 10_000_u32), (u32::MAX >> 1, 1), (40_000_001, 1)] {
        let mut bomb = small.clone();
        bomb[16..20].copy_from_slice(&width.to_be_bytes());
        bomb[20..24].copy_from_slice(&height.to_be_bytes());
        let checksum = crc(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = Picture::take(Format::Png, &bomb).unwrap_err();
        let is_too_large = matches!(error, PictureError::TooManyPixels { .. } | PictureError::TooMuchMemory);
        assert!(is_too_large, "{error}");
    }
}

/// CRC-32 as PNG has it (W3C PNG, annex D).
fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn what_only_begins_like_a_picture_is_refused() {
    for (format, kind) in [
        (ImageFormat::Png, Format::Png),
        (ImageFormat::Jpeg, Format::Jpeg),
        (ImageFormat::WebP, Format::WebP),
        (ImageFormat::Gif, Format::Gif),
    ] {
        let whole = encoded(&drawn(40, 40), format);
        for cut in [16, 30, whole.len() / 3] {
            assert!(Picture::take(kind, &whole[..cut]).is_err(), "{kind:?} cut at {cut}");
        }
    }
    assert!(Picture::take(Format::Gif, b"GIF89a/*\0\0\0\0*/=1;alert(1)").is_err());
}

#[test]
fn a_moving_gif_keeps_its_frames_and_nothing_between_them() {
    let mut sent = Vec::new();
    let mut encoder = GifEncoder::new(&mut sent);
    encoder.set_repeat(image::codecs::gif::Repeat::Infinite).unwrap();
    for shade in [10, 200, 90] {
        encoder.encode_frame(Frame::new(RgbaImage::from_pixel(30, 20, Rgba([shade, 0, 0, 255])))).unwrap();
    }
    drop(encoder);
    // A comment before the first extension, and a page behind the end.
    let at = 13 + palette(sent[10]);
    let comment = [&[0x21, 0xfe, u8::try_from(SECRET.len()).unwrap()], SECRET, &[0]].concat();
    let sent = [&sent[..at], &comment, &sent[at..], SECRET].concat();

    let picture = Picture::take(Format::Gif, &sent).unwrap();
    assert_eq!((picture.image.mime, picture.width, picture.height), ("image/gif", 30, 20));
    assert!(!holds(&picture.image.bytes, SECRET) && holds(&picture.image.bytes, b"NETSCAPE2.0"));
    let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(&picture.image.bytes)).unwrap();
    let frames = image::AnimationDecoder::into_frames(decoder).collect_frames().unwrap();
    assert_eq!(frames.len(), 3);
    assert_eq!(size_of(&picture.thumb), (30, 20));
}

fn palette(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

#[test]
fn a_moving_webp_keeps_its_frames_and_nothing_between_them() {
    let chunk = |name: &[u8], content: &[u8]| {
        let pad = &[0][..content.len() % 2];
        [name, &u32::try_from(content.len()).unwrap().to_le_bytes(), content, pad].concat()
    };
    let still = encoded(&drawn(30, 20), ImageFormat::WebP);
    let bitstream = &still[12..];
    let head = [0, 0, 0, 0, 0, 0, 29, 0, 0, 19, 0, 0, 100, 0, 0, 0];
    let frame = [&head[..], bitstream, &chunk(b"JUNK", SECRET)].concat();
    let chunks = [
        chunk(b"VP8X", &[0x02 | 0x08 | 0x10, 0, 0, 0, 29, 0, 0, 19, 0, 0]),
        chunk(b"ANIM", &[0; 6]),
        chunk(b"ANMF", &frame),
        chunk(b"ANMF", &frame),
        chunk(b"EXIF", SECRET),
    ]
    .concat();
    let length = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
    let sent = [&b"RIFF"[..], &length, b"WEBP", &chunks, SECRET].concat();

    let picture = Picture::take(Format::WebP, &sent).unwrap();
    assert_eq!((picture.image.mime, picture.width, picture.height), ("image/webp", 30, 20));
    assert!(!holds(&picture.image.bytes, SECRET));
    let decoder = image::codecs::webp::WebPDecoder::new(Cursor::new(&picture.image.bytes)).unwrap();
    assert!(decoder.has_animation());
    assert_eq!(image::AnimationDecoder::into_frames(decoder).collect_frames().unwrap().len(), 2);
}

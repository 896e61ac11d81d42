//! Pictures: what of them is kept is drawn anew, so nothing comes along that is not the picture.
//!
//! Neither place nor device, no preview of an uncropped original, no bytes behind the end. A still
//! picture is decoded and encoded again; of a moving one the frames are kept as they are and
//! everything between them is left out. All of it is plain work on bytes, for a thread that may block.

mod gif;
mod webp;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use rookery_protocol::limits::{PICTURE_PIXELS, THUMB_PIXELS};
use std::io::Cursor;

/// Bytes that the pixels of one picture may take.
///
/// [`PICTURE_PIXELS`] of four bytes, and half as much again for formats with wider ones.
const PIXEL_BYTES: u64 = PICTURE_PIXELS * 6;

/// Quality of a JPEG that is encoded again, of 100: differences to the original are not seen from there on.
const JPEG_QUALITY: u8 = 90;

/// Quality of a small picture.
const THUMB_QUALITY: u8 = 80;

/// A format that is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// GIF.
    Gif,
    /// WebP.
    WebP,
}

/// A picture as it is kept.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) image: Encoded,
    pub(super) width: u32,
    pub(super) height: u32,
    /// At most [`THUMB_PIXELS`] wide and high.
    pub(super) thumb: Encoded,
}

/// An image file.
#[derive(Debug)]
pub(super) struct Encoded {
    pub(super) mime: &'static str,
    pub(super) bytes: Vec<u8>,
}

/// Why a picture is not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    /// It has more pixels than are decoded.
    #[error("decode a picture of {width} x {height} pixels")]
    TooManyPixels {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// Its decoder would need more memory than pictures get.
    #[error("decode the picture within its memory")]
    TooMuchMemory,
    /// It is not what its beginning says.
    #[error("decode the picture: {0}")]
    Unreadable(String),
}

impl From<image::ImageError> for PictureError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooMuchMemory,
            error => Self::Unreadable(error.to_string()),
        }
    }
}

impl Format {
    /// Recognises a format by the beginning of a file.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match image::guess_format(head).ok()? {
            ImageFormat::Png => Some(Self::Png),
            ImageFormat::Jpeg => Some(Self::Jpeg),
            ImageFormat::Gif => Some(Self::Gif),
            ImageFormat::WebP => Some(Self::WebP),
            _ => None,
        }
    }

    /// Returns its media type.
    pub(super) fn mime(self) -> &'static str {
        self.image().to_mime_type()
    }

    const fn image(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Gif => ImageFormat::Gif,
            Self::WebP => ImageFormat::WebP,
        }
    }
}

impl Picture {
    /// Decodes a picture within the limits, which are looked at before anything is decoded, and makes of it
    /// what is kept. Takes up to about three times [`PIXEL_BYTES`] of memory, and a second or two of a core.
    ///
    /// # Errors
    /// [`PictureError`]; it is the client's picture that is at fault.
    pub(super) fn take(format: Format, sent: &[u8]) -> Result<Self, PictureError> {
        let image = decode(format, sent)?;
        let (width, height) = (image.width(), image.height());
        let thumb = thumb(&image)?;
        let image = match format {
            Format::Png => png(&image)?,
            Format::Jpeg => jpeg(&image, JPEG_QUALITY)?,
            Format::Gif => match gif::moving(sent)? {
                Some(bytes) => Encoded { mime: format.mime(), bytes },
                None => png(&image)?,
            },
            Format::WebP => match webp::look(sent)? {
                webp::Look::Moving(bytes) => Encoded { mime: format.mime(), bytes },
                webp::Look::Lossy if !image.color().has_alpha() => jpeg(&image, JPEG_QUALITY)?,
                webp::Look::Lossy | webp::Look::Lossless => encode(&image, ImageFormat::WebP)?,
            },
        };
        Ok(Self { image, width, height, thumb })
    }
}

/// Decodes the picture, or the first frame of a moving one, the way up that its camera was held.
fn decode(format: Format, sent: &[u8]) -> Result<DynamicImage, PictureError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(PIXEL_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(sent), format.image());
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > PICTURE_PIXELS || decoder.total_bytes() > PIXEL_BYTES {
        return Err(PictureError::TooManyPixels { width, height });
    }
    // A broken orientation is as good as none.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

fn thumb(image: &DynamicImage) -> Result<Encoded, PictureError> {
    let is_small = image.width().max(image.height()) <= THUMB_PIXELS;
    let scaled = (!is_small).then(|| image.thumbnail(THUMB_PIXELS, THUMB_PIXELS));
    let small = scaled.as_ref().unwrap_or(image);
    if small.color().has_alpha() {
        // Eight bits a channel are enough for it.
        png(&DynamicImage::ImageRgba8(small.to_rgba8()))
    } else {
        jpeg(small, THUMB_QUALITY)
    }
}

fn png(image: &DynamicImage) -> Result<Encoded, PictureError> {
    encode(image, ImageFormat::Png)
}

fn jpeg(image: &DynamicImage, quality: u8) -> Result<Encoded, PictureError> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    // The format knows grey and colours of eight bits, and nothing else.
    match image {
        DynamicImage::ImageLuma8(grey) => grey.write_with_encoder(encoder)?,
        DynamicImage::ImageRgb8(colours) => colours.write_with_encoder(encoder)?,
        other => other.to_rgb8().write_with_encoder(encoder)?,
    }
    Ok(Encoded { mime: ImageFormat::Jpeg.to_mime_type(), bytes })
}

fn encode(image: &DynamicImage, format: ImageFormat) -> Result<Encoded, PictureError> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format)?;
    Ok(Encoded { mime: format.to_mime_type(), bytes: bytes.into_inner() })
}

#[cfg(test)]
mod tests;

//! PNG, BMP and WEBP, with the `image` crate.

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder};
use image::error::ImageError as DecoderError;
use image::{DynamicImage, ImageResult, Limits, RgbImage, Rgba};

use super::multiply;
use crate::bytes::FileBytes;
use crate::error::ImageError;
use crate::format::ImageInfo;

const WHITE: Rgba<u8> = Rgba([255; 4]);

/// Most memory for what a PNG file holds beside its pixels. Text and colour
/// profiles are compressed, and so could grow a thousandfold; this is the bound
/// that Pillow puts on text.
const PNG_METADATA_BYTES: u64 = 64 << 20;

/// Decodes `data` with `read`, the reader of its format.
pub(crate) fn decode(
    data: &[u8],
    info: &ImageInfo,
    read: fn(&[u8]) -> ImageResult<DynamicImage>,
) -> Result<RgbImage, ImageError> {
    let file = FileBytes::new(info.format, data);
    let image = read(data).map_err(|error| describe(file, &error))?;
    if (image.width(), image.height()) != (info.width, info.height) {
        return Err(file.damaged("its headers contradict each other"));
    }
    Ok(if image.color().has_alpha() {
        composite_on_white(&image)
    } else {
        image.into_rgb8()
    })
}

pub(crate) fn read_bmp(data: &[u8]) -> ImageResult<DynamicImage> {
    DynamicImage::from_decoder(BmpDecoder::new(Cursor::new(data))?)
}

pub(crate) fn read_png(data: &[u8]) -> ImageResult<DynamicImage> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(PNG_METADATA_BYTES);
    DynamicImage::from_decoder(PngDecoder::with_limits(Cursor::new(data), limits)?)
}

pub(crate) fn read_webp(data: &[u8]) -> ImageResult<DynamicImage> {
    let mut decoder = WebPDecoder::new(Cursor::new(data))?;
    if decoder.has_animation() {
        // What the first frame leaves bare is transparent, hence white.
        decoder.set_background_color(WHITE)?;
    }
    DynamicImage::from_decoder(decoder)
}

/// Composites straight (not premultiplied) alpha on white.
fn composite_on_white(image: &DynamicImage) -> RgbImage {
    let rgba = image.to_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (Rgba([r, g, b, alpha]), target) in rgba.pixels().zip(rgb.pixels_mut()) {
        target.0 = [r, g, b].map(|sample| over_white(*sample, *alpha));
    }
    rgb
}

/// `sample` at `alpha` over white.
fn over_white(sample: u8, alpha: u8) -> u8 {
    255 - multiply(255 - sample, alpha)
}

fn describe(file: FileBytes<'_>, error: &DecoderError) -> ImageError {
    match error {
        DecoderError::Unsupported(_) => file.unsupported("an encoding without a decoder"),
        DecoderError::IoError(_) => file.truncated("its image data", file.len().saturating_add(1)),
        DecoderError::Limits(_) => file.damaged("its metadata takes too much memory"),
        _ => file.damaged("its image data cannot be decoded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compositing_is_exact_at_both_ends() {
        for sample in 0..=255 {
            assert_eq!(over_white(sample, 255), sample);
            assert_eq!(over_white(sample, 0), 255);
        }
        assert_eq!(over_white(0, 128), 127);
    }
}

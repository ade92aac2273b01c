//! Pixels for the engines that run locally: RGB, 8 bits a sample, upright.

mod jpeg;
mod raster;

use std::panic::catch_unwind;

use image::DynamicImage;
pub use image::RgbImage;
use image::metadata::Orientation;

use crate::bytes::FileBytes;
use crate::error::ImageError;
use crate::format::{Format, ImageInfo};
use crate::limits::Limits;
use crate::probe::probe;
use crate::structure;

/// Decodes `data` into interleaved RGB: height × width × 3 samples in 0–255.
///
/// The EXIF orientation is applied, transparency is composited on white, and
/// grey, palette, 16-bit and CMYK samples are converted. Of an animation it is
/// the first frame. Colour profiles are not applied.
///
/// The sides are checked against `limits` before anything is allocated; the
/// length of the file is not.
///
/// # Errors
///
/// Those of [`probe`] and [`structure::check`];
/// [`ImageError::DimensionsOutOfRange`]; [`ImageError::UnsupportedFormat`]
/// for variants without a decoder, such as arithmetic coding in JPEG; and
/// [`ImageError::Damaged`] or [`ImageError::Truncated`] where decoding fails.
pub fn decode_rgb8(data: &[u8], limits: &Limits) -> Result<RgbImage, ImageError> {
    let info = probe(data)?;
    limits.check_dimensions(&info)?;
    structure::check(data, info.format)?;
    let file = FileBytes::new(info.format, data);
    // Decoders have panicked on hostile files before (zune-image issue 257,
    // image-webp issue 33). In Python a panic is a BaseException, which the
    // handlers of a server let through.
    let decoded = catch_unwind(|| decode_format(data, &info))
        .map_err(|_| file.damaged("its decoder failed on it"))??;
    Ok(upright(decoded, info.orientation))
}

fn decode_format(data: &[u8], info: &ImageInfo) -> Result<RgbImage, ImageError> {
    match info.format {
        Format::Jpeg => jpeg::decode(data, info),
        Format::Png => raster::decode(data, info, raster::read_png),
        Format::Bmp => raster::decode(data, info, raster::read_bmp),
        Format::Webp => raster::decode(data, info, raster::read_webp),
    }
}

/// The product of two samples that stand for 0 to 1: `a` × `b` ÷ 255, rounded
/// to the nearest.
fn multiply(a: u8, b: u8) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
    let product = ((u32::from(a) * u32::from(b) + 127) / 255) as u8;
    product
}

fn upright(image: RgbImage, orientation: u8) -> RgbImage {
    match Orientation::from_exif(orientation) {
        None | Some(Orientation::NoTransforms) => image,
        Some(orientation) => {
            let mut image = DynamicImage::ImageRgb8(image);
            image.apply_orientation(orientation);
            image.into_rgb8()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_round_to_the_nearest() {
        for a in 0..=255 {
            for b in 0..=255 {
                let expected = (f64::from(a) * f64::from(b) / 255.0).round();
                assert!((f64::from(multiply(a, b)) - expected).abs() < f64::EPSILON);
            }
        }
    }

    #[test]
    fn every_orientation_puts_the_marked_corner_where_exif_says() {
        // Where row 0, column 0 of the stored image is shown (CIPA DC-008,
        // table 4), in an image shown as 2x3 or, on its side, as 3x2.
        let corners = [
            (0, 0),
            (1, 0),
            (1, 2),
            (0, 2),
            (0, 0),
            (2, 0),
            (2, 1),
            (0, 1),
        ];
        for (orientation, corner) in (1..=8).zip(corners) {
            let mut stored = RgbImage::new(2, 3);
            stored.put_pixel(0, 0, image::Rgb([255; 3]));
            let shown = upright(stored, orientation);
            assert_eq!(
                shown.get_pixel(corner.0, corner.1).0,
                [255; 3],
                "{orientation}"
            );
        }
    }
}

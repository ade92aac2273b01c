//! The input of an image classifier: resized, then cropped to a square.

use std::fmt;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// Greatest side that can be asked for, in pixels.
const MAX_SIDE: u32 = 4096;

/// Why an image cannot be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitError {
    /// The sizes are not 1 ≤ `crop` ≤ `short_side` ≤ 4096 px.
    Sizes {
        /// Short side asked for, in pixels.
        short_side: u32,
        /// Side of the crop asked for, in pixels.
        crop: u32,
    },
    /// The image has no pixels.
    NoPixels,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sizes { short_side, crop } => write!(
                f,
                "cannot resize to {short_side} px and crop to {crop} px: \
                 sizes must be 1 <= crop <= resize <= {MAX_SIDE}"
            ),
            Self::NoPixels => f.write_str("the image has no pixels"),
        }
    }
}

impl std::error::Error for FitError {}

/// Scales `image` so that its short side is `short_side` px, and takes the
/// `crop` × `crop` px at its centre.
///
/// The filter is bicubic (Catmull-Rom, a = −0.5), widened by the scale so that
/// it does not alias: what Pillow calls `BICUBIC`. Sizes and offsets round as
/// in torchvision's `Resize` and `CenterCrop`: the long side down, the offset
/// to the nearest and ties to even. Only the pixels of the crop are computed.
///
/// # Errors
///
/// [`FitError`].
pub fn fit_cover_rgb8(image: &RgbImage, short_side: u32, crop: u32) -> Result<RgbImage, FitError> {
    if !(1..=short_side).contains(&crop) || short_side > MAX_SIDE {
        return Err(FitError::Sizes { short_side, crop });
    }
    let (width, height) = image.dimensions();
    if width == 0 || height == 0 {
        return Err(FitError::NoPixels);
    }
    let source = ImageRef::new(width, height, image.as_raw(), PixelType::U8x3)
        .map_err(|_| FitError::NoPixels)?;
    let mut target = Image::new(crop, crop, PixelType::U8x3);
    let (left, box_width) = source_span(width, height, short_side, crop);
    let (top, box_height) = source_span(height, width, short_side, crop);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .crop(left, top, box_width, box_height);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|_| FitError::NoPixels)?;
    RgbImage::from_raw(crop, crop, target.into_vec()).ok_or(FitError::NoPixels)
}

/// Where the crop lies along one axis of the source: its offset and its length,
/// in source pixels. `side` is the source's along that axis, `other` across it.
fn source_span(side: u32, other: u32, short_side: u32, crop: u32) -> (f64, f64) {
    let shortest = u64::from(side.min(other).max(1));
    let resized = u64::from(side) * u64::from(short_side) / shortest;
    let resized = u32::try_from(resized).unwrap_or(u32::MAX);
    let scale = f64::from(side) / f64::from(resized);
    let offset = half_to_even(resized.saturating_sub(crop));
    (f64::from(offset) * scale, f64::from(crop) * scale)
}

/// `value` ÷ 2, ties to even, as Python's `round` has it.
const fn half_to_even(value: u32) -> u32 {
    let half = value / 2;
    half + (half & value & 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_round_to_even() {
        let halves = [0, 1, 2, 3, 4, 5, 6, 7].map(half_to_even);
        assert_eq!(halves, [0, 0, 1, 2, 2, 2, 3, 4]);
    }

    #[test]
    fn the_crop_is_taken_from_the_centre() {
        // Black but for a white square in the middle third of the long side.
        let image = RgbImage::from_fn(90, 30, |x, _| {
            image::Rgb([if x / 30 == 1 { 255 } else { 0 }; 3])
        });
        let fitted = fit_cover_rgb8(&image, 30, 30).unwrap();
        assert_eq!(fitted.dimensions(), (30, 30));
        assert!(fitted.pixels().all(|pixel| pixel.0 == [255; 3]));
    }

    #[test]
    fn a_flat_image_stays_flat_at_every_scale() {
        for (width, height) in [(1, 1), (1, 4096), (4096, 1), (37, 91), (512, 512)] {
            let image = RgbImage::from_pixel(width, height, image::Rgb([10, 128, 250]));
            let fitted = fit_cover_rgb8(&image, 64, 48).unwrap();
            assert!(fitted.pixels().all(|pixel| pixel.0 == [10, 128, 250]));
        }
    }

    #[test]
    fn sizes_are_checked() {
        let image = RgbImage::new(20, 20);
        for (short_side, crop) in [(0, 0), (10, 0), (10, 11), (4097, 10)] {
            let error = fit_cover_rgb8(&image, short_side, crop).unwrap_err();
            assert_eq!(error, FitError::Sizes { short_side, crop });
        }
        let error = fit_cover_rgb8(&RgbImage::new(0, 0), 10, 10).unwrap_err();
        assert_eq!(error, FitError::NoPixels);
    }
}

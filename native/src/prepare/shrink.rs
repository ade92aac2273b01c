//! Writing an image within a length: quality first, size second.

use super::policy::{Alpha, LOWEST_QUALITY, Output, Policy};
use crate::body::base64_len;
use crate::encode::{self, EncodeError};
use crate::error::ImageError;
use crate::format::Format;
use crate::raster::Raster;
use crate::resize::{self, Chroma};

/// Most times that an image is written. The second attempt nearly always fits;
/// the others are for images that no model describes.
const MAX_ATTEMPTS: u32 = 6;

/// A goal a little below the limit, as the model errs by a few percent.
const SAFETY: f64 = 0.95;

/// Length of what a JPEG holds beside its image: headers and tables.
const TABLES: usize = 620;

/// Length of a photograph written at each quality, relative to that at 90 (the
/// median over the photographs of `bench/prepare`).
const RELATIVE_LENGTH: [(u8, f64); 8] = [
    (100, 2.9),
    (95, 1.55),
    (90, 1.0),
    (85, 0.78),
    (80, 0.65),
    (75, 0.57),
    (70, 0.51),
    (60, 0.43),
];

/// An image that has been written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) data: Vec<u8>,
    pub(crate) format: Format,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Of JPEG; 0 for PNG.
    pub(crate) quality: u8,
    /// Whether quality or size were given up.
    pub(crate) is_shrunk: bool,
}

impl Written {
    /// # Errors
    ///
    /// [`ImageError::EncodedTooLarge`].
    pub(crate) fn within(self, policy: &Policy) -> Result<Self, ImageError> {
        policy.limits.check_encoded_len(self.data.len())?;
        Ok(self)
    }
}

/// Writes `raster`, if it may be shrunk so that it keeps the policy's limit
/// where that can be reached.
pub(crate) fn write(
    raster: &Raster,
    mut output: Output,
    orientation: u8,
    policy: &Policy,
) -> Result<Written, EncodeError> {
    let max_chars = policy.limits.max_base64_chars;
    let mut quality = policy.quality;
    let mut smaller: Option<Raster> = None;
    let mut is_shrunk = false;
    let mut attempt = 1;
    loop {
        let source = smaller.as_ref().unwrap_or(raster);
        let (data, format) = encoded(source, output, quality, orientation)?;
        let (width, height) = source.size();
        let length = base64_len(data.len());
        let is_png = format == Format::Png;
        if length <= max_chars || !policy.shrink || attempt == MAX_ATTEMPTS {
            return Ok(Written {
                data,
                format,
                width,
                height,
                quality: if is_png { 0 } else { quality },
                is_shrunk,
            });
        }
        attempt += 1;
        is_shrunk = true;
        let may_be_jpeg = policy.output == Output::Auto
            && policy.alpha == Alpha::White
            && policy.formats.contains(Format::Jpeg);
        if is_png && may_be_jpeg {
            output = Output::Jpeg;
            continue;
        }
        let ratio = expected_ratio(max_chars, length, is_png);
        if !is_png && quality > LOWEST_QUALITY && attempt < MAX_ATTEMPTS {
            quality = lower_quality(quality, ratio);
            continue;
        }
        // The last attempt is what would fit if anything does.
        let ratio = if attempt == MAX_ATTEMPTS { 0.0 } else { ratio };
        quality = quality.min(LOWEST_QUALITY);
        match smaller_size(width, height, ratio, policy) {
            Some((width, height)) => {
                let extent = resize::whole(raster);
                smaller = Some(
                    resize::resize(raster, extent, (width, height), Chroma::Half)
                        .map_err(|error| EncodeError::new(&error))?,
                );
            }
            None => attempt = MAX_ATTEMPTS,
        }
    }
}

/// How much shorter the image itself has to become.
fn expected_ratio(max_chars: usize, length: usize, is_png: bool) -> f64 {
    let tables = if is_png { 0 } else { base64_len(TABLES) };
    ratio(
        max_chars.saturating_sub(tables),
        length.saturating_sub(tables),
    ) * SAFETY
}

fn encoded(
    raster: &Raster,
    output: Output,
    quality: u8,
    orientation: u8,
) -> Result<(Vec<u8>, Format), EncodeError> {
    let (data, format) = match output {
        Output::Png => (encode::png(raster)?, Format::Png),
        Output::Jpeg | Output::Auto => (encode::jpeg(raster, quality)?, Format::Jpeg),
    };
    Ok((encode::with_orientation(data, format, orientation), format))
}

#[expect(clippy::cast_precision_loss, reason = "lengths are far below 2^52")]
fn ratio(wanted: usize, length: usize) -> f64 {
    wanted as f64 / length.max(1) as f64
}

/// The quality that is expected to make a file `ratio` times as long; at least
/// [`LOWEST_QUALITY`], and lower than `quality`.
fn lower_quality(quality: u8, ratio: f64) -> u8 {
    let goal = relative_length(quality) * ratio;
    (LOWEST_QUALITY..quality)
        .rev()
        .find(|candidate| relative_length(*candidate) <= goal)
        .unwrap_or(LOWEST_QUALITY)
}

/// [`RELATIVE_LENGTH`], with straight lines in between.
fn relative_length(quality: u8) -> f64 {
    RELATIVE_LENGTH
        .iter()
        .zip(RELATIVE_LENGTH.iter().skip(1))
        .find(|(_, (low, _))| quality >= *low)
        .map_or(0.0, |((high, longer), (low, shorter))| {
            let share = f64::from(quality.saturating_sub(*low)) / f64::from(high - low);
            shorter + share * (longer - shorter)
        })
}

/// The sides that are expected to make a file `ratio` times as long: its length
/// grows somewhat slower than its area. The narrow one is at least the policy's
/// least; `None` if it is no longer than that already.
fn smaller_size(width: u32, height: u32, ratio: f64, policy: &Policy) -> Option<(u32, u32)> {
    let wide = width.max(height);
    let least = policy.limits.min_side_px;
    if width.min(height) <= least {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the side, which is of 32 bits"
    )]
    let side = (f64::from(wide) * ratio.clamp(0.0, 1.0).sqrt()) as u32;
    let side = side.min(wide.saturating_sub(1)).max(1);
    let scaled = super::plan::scaled_to(width, height, side);
    if scaled.0.min(scaled.1) >= least {
        return Some(scaled);
    }
    let narrow = u64::from(width.min(height));
    let side = (u64::from(wide) * u64::from(least)).div_ceil(narrow);
    let (width, height) = super::plan::scaled_to(width, height, u32::try_from(side).ok()?);
    (width.min(height) >= least).then_some((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_quality_is_lower_and_bounded() {
        assert_eq!(lower_quality(90, 0.65), 80);
        assert_eq!(lower_quality(90, 0.999), 89);
        assert_eq!(lower_quality(90, 0.01), LOWEST_QUALITY);
        assert_eq!(lower_quality(61, 0.5), LOWEST_QUALITY);
    }

    #[test]
    fn lengths_grow_with_quality() {
        let lengths: Vec<f64> = (LOWEST_QUALITY..=100).map(relative_length).collect();
        assert!(lengths.is_sorted());
        assert!(lengths.first() > Some(&0.4) && lengths.last() > Some(&2.8));
    }

    #[test]
    fn a_smaller_size_keeps_the_ratio_and_the_least_side() {
        let policy = Policy::default();
        assert_eq!(smaller_size(4000, 2000, 0.25, &policy), Some((2000, 1000)));
        assert_eq!(smaller_size(4000, 20, 0.25, &policy), Some((3000, 15)));
        assert_eq!(smaller_size(4000, 15, 0.25, &policy), None);
        assert_eq!(smaller_size(100, 100, 1.0, &policy), Some((99, 99)));
    }
}

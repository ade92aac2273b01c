//! What has to be done to an image, decided from its headers.

use super::policy::{Alpha, Convert, Formats, Output, Policy};
use crate::body::base64_len;
use crate::decode;
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};
use crate::probe::probe;
use crate::structure;

/// The conversion of an image whose colours are in another profile than sRGB.
pub(crate) const PROFILE: &str = "colour profile";
/// That of transparency.
pub(crate) const ALPHA: &str = "alpha";

/// What has to be done to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What its headers say.
    pub info: ImageInfo,
    /// Stored width and height that it is to have, in pixels.
    pub size: (u32, u32),
    /// Why it has to be converted, if it has; what it is then.
    pub conversion: Option<&'static str>,
    /// Whether transparency is lost when it is written anew.
    pub loses_alpha: bool,
    /// Whether it is too long in base64 as it is.
    pub is_too_long: bool,
    /// Length of the file, in bytes.
    pub length: usize,
}

impl Plan {
    /// Whether its pixels have to be decoded and written anew, whatever its
    /// metadata.
    #[must_use]
    pub fn changes_pixels(&self) -> bool {
        self.is_scaled() || self.conversion.is_some()
    }

    /// What is converted, as far as headers tell.
    #[must_use]
    pub fn conversions(&self) -> Vec<&'static str> {
        let named = self.conversion.into_iter();
        let alpha = self.changes_pixels()
            && self.loses_alpha
            && !self.conversion.is_some_and(|what| what.contains(ALPHA));
        named.chain(alpha.then_some(ALPHA)).collect()
    }

    /// Whether it is made smaller.
    #[must_use]
    pub fn is_scaled(&self) -> bool {
        self.size != (self.info.width, self.info.height)
    }

    /// About as many bytes as preparing it takes at the most, beside the file.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let (width, height) = self.size;
        let written = u64::from(width) * u64::from(height);
        // Resized, turned, and encoded.
        decode::memory(&self.info, 1, self.length).saturating_add(written.saturating_mul(4 + 4 + 2))
    }
}

/// Decides what has to be done to `data`, without decoding it.
///
/// # Errors
///
/// Those of [`probe`] and [`structure::check`];
/// [`ImageError::DimensionsOutOfRange`], [`ImageError::EncodedTooLarge`] and
/// [`ImageError::ConversionNeeded`] where the repair is switched off,
/// [`ImageError::CannotFit`] where it does not help, and
/// [`ImageError::TooManyPixels`].
pub fn plan(data: &[u8], policy: &Policy) -> Result<Plan, ImageError> {
    let mut plan = plan_of(probe(data)?, policy)?;
    plan.length = data.len();
    plan.is_too_long = base64_len(data.len()) > policy.limits.max_base64_chars;
    // Without its metadata it may be short enough.
    let may_get_shorter = policy.shrink || policy.strip || (policy.fit && plan.changes_pixels());
    if !may_get_shorter {
        policy.limits.check_encoded_len(data.len())?;
    }
    structure::check(data, plan.info.format)?;
    if policy.convert == Convert::Always
        && plan.conversion.is_none()
        && decode::profile(data, &plan.info).is_some()
    {
        plan.conversion = Some(PROFILE);
    }
    if plan.changes_pixels() || plan.is_too_long || policy.full_decode {
        check_pixels(&plan.info, policy)?;
    }
    if plan.changes_pixels() || policy.full_decode {
        decode::check_decodable(data, &plan.info)?;
    }
    Ok(plan)
}

/// [`plan()`] of an image of which no more is known than `info`.
pub(crate) fn plan_of(info: ImageInfo, policy: &Policy) -> Result<Plan, ImageError> {
    let size = fitted(&info, policy)?;
    let conversion = conversion(&info, policy);
    if let Some(what) = conversion
        && policy.convert == Convert::Never
    {
        return Err(ImageError::ConversionNeeded {
            what: what.into(),
            allowed: policy.formats.names(),
        });
    }
    Ok(Plan {
        info,
        size,
        conversion,
        loses_alpha: info.has_alpha
            && (policy.alpha == Alpha::White || output(info.has_alpha, policy) == Output::Jpeg),
        is_too_long: false,
        length: 0,
    })
}

pub(crate) fn check_pixels(info: &ImageInfo, policy: &Policy) -> Result<(), ImageError> {
    if u64::from(info.width) * u64::from(info.height) <= policy.max_pixels {
        return Ok(());
    }
    Err(ImageError::TooManyPixels {
        width: info.width,
        height: info.height,
        max: policy.max_pixels,
    })
}

/// The size that an image is to have.
fn fitted(info: &ImageInfo, policy: &Policy) -> Result<(u32, u32), ImageError> {
    let (width, height) = (info.width, info.height);
    let limits = &policy.limits;
    let max = policy.max_side_px();
    let too_large = width.max(height) > max;
    if width.min(height) < limits.min_side_px || (too_large && !policy.fit) {
        limits.check_dimensions(info)?;
    }
    if !too_large || !policy.fit {
        return Ok((width, height));
    }
    let size = scaled_to(width, height, max);
    if size.0.min(size.1) < limits.min_side_px {
        return Err(ImageError::CannotFit {
            width,
            height,
            fitted: size,
            min: limits.min_side_px,
            max,
        });
    }
    Ok(size)
}

/// `width` × `height` with the wide side at `side`, in the same ratio, to the
/// nearest pixel.
pub(crate) fn scaled_to(width: u32, height: u32, side: u32) -> (u32, u32) {
    let wide = u64::from(width.max(height).max(1));
    let scale = |length: u32| {
        let scaled = (u64::from(length) * u64::from(side) * 2 + wide) / (2 * wide);
        u32::try_from(scaled.max(1)).unwrap_or(side)
    };
    (scale(width), scale(height))
}

/// What about `info` has to be converted.
fn conversion(info: &ImageInfo, policy: &Policy) -> Option<&'static str> {
    if !policy.formats.contains(info.format) {
        return Some(match info.format {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::Bmp => "BMP",
            Format::Webp => "WEBP",
        });
    }
    let needed = match (info.format, info.color, info.encoding) {
        (_, ColorModel::Cmyk | ColorModel::Ycck, _) => Some("CMYK"),
        (Format::Webp, ..) if info.is_animated => Some("animation"),
        (_, ColorModel::Grey, _) if info.has_alpha => Some("grey with alpha"),
        (Format::Jpeg, _, encoding) if !COMMON_PROCESSES.contains(&encoding) => Some(encoding),
        _ if info.bit_depth > 8 => Some("more than 8 bits"),
        _ => None,
    };
    let optional = match info.color {
        ColorModel::Palette => Some("palette"),
        _ if info.has_alpha && policy.alpha == Alpha::White => Some(ALPHA),
        _ => None,
    };
    needed.or(if policy.convert == Convert::Always {
        optional
    } else {
        None
    })
}

/// The coding processes of JPEG that everyone decodes, as the probe names them.
const COMMON_PROCESSES: [&str; 3] = ["baseline", "extended", "progressive"];

/// What the image is to be written as.
pub(crate) fn output(has_alpha: bool, policy: &Policy) -> Output {
    let wanted = match policy.output {
        Output::Auto if has_alpha && policy.alpha == Alpha::Keep => Output::Png,
        Output::Auto => Output::Jpeg,
        chosen => chosen,
    };
    let is_allowed = |formats: Formats, output| match output {
        Output::Png => formats.contains(Format::Png),
        Output::Jpeg | Output::Auto => formats.contains(Format::Jpeg),
    };
    match wanted {
        Output::Png if !is_allowed(policy.formats, Output::Png) => Output::Jpeg,
        Output::Jpeg if !is_allowed(policy.formats, Output::Jpeg) => Output::Png,
        other => other,
    }
}

//! From files to pixels.

mod jpeg;
mod raster;
mod webp;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::budget;
use crate::bytes::FileBytes;
use crate::color::{Profile, grey_to_rgb, on_white};
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};
use crate::limits::Limits;
use crate::orient;
use crate::probe::probe;
use crate::raster::{Pixels, Raster};
use crate::structure;

/// How many times as many pixels as wanted a JPEG keeps along each side, as a
/// ratio, when it is decoded at a reduced size.
pub(crate) const REDUCTION_MARGIN: (u64, u64) = (15, 8);

/// What a decoded image is wanted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Whatever costs least.
    Any,
    /// Grey or interleaved, for formats without chroma planes.
    WithoutChroma,
}

/// An image as it is stored, at its own size or less.
#[derive(Debug)]
pub struct Decoded {
    /// Its pixels, before orientation, in whatever form costs least.
    pub raster: Raster,
    /// The profile that they are in, unless that is sRGB.
    pub profile: Option<Profile>,
}

/// Decodes `data`, of which `info` is what [`probe`] found, at 1/`reduction`
/// of its size (1, 2, 4 or 8), rounded up. Only JPEG can be reduced, and not
/// with every coding process: others are decoded whole. Of an animation it is
/// the first frame.
///
/// Nothing is checked of its size. Damage that a decoder notices is an error:
/// codes that do not exist, data that ends early, checksums of PNG. A flipped bit
/// in the data of a JPEG or a lossy WEBP is mostly a valid file of another image.
///
/// # Errors
///
/// [`ImageError::UnsupportedFormat`] for variants without a decoder;
/// [`ImageError::Damaged`] or [`ImageError::Truncated`] where decoding fails.
pub fn decode(
    data: &[u8],
    info: &ImageInfo,
    reduction: u32,
    form: Form,
) -> Result<Decoded, ImageError> {
    guarded(data, info, || match info.format {
        Format::Jpeg => jpeg::decode(data, info, reduction, form),
        Format::Png => raster::decode(data, info, raster::read_png),
        Format::Bmp => raster::decode(data, info, raster::read_bmp),
        Format::Webp => webp::decode(data, info, form),
    })
}

/// Refuses what has no decoder here, as far as headers tell.
///
/// # Errors
///
/// [`ImageError::UnsupportedFormat`].
pub fn check_decodable(data: &[u8], info: &ImageInfo) -> Result<(), ImageError> {
    match info.format {
        Format::Jpeg => jpeg::check_decodable(FileBytes::new(info.format, data), info),
        Format::Png | Format::Bmp | Format::Webp => Ok(()),
    }
}

/// The colour profile of `data`, of which `info` is what [`probe`] found:
/// `None` where that is sRGB, or none that can be used
/// for its colours.
#[must_use]
pub fn profile(data: &[u8], info: &ImageInfo) -> Option<Profile> {
    let read = || match info.format {
        Format::Jpeg => Ok(jpeg::profile(data, info)),
        Format::Png => Ok(raster::png_profile(data, info)),
        Format::Bmp => Ok(None),
        Format::Webp => Ok(raster::webp_profile(data, info)),
    };
    guarded(data, info, read).ok().flatten()
}

/// Decodes `data` into interleaved RGB for the engines that run locally.
///
/// The EXIF orientation is applied, transparency is composited on white, and
/// grey, palette, 16-bit and CMYK samples are converted. Of an animation it is
/// the first frame. Profiles of RGB are not applied, and damage to a JPEG's
/// entropy-coded data is passed over.
///
/// The sides are checked against `limits` before anything is allocated; the
/// length of the file is not. Waits for its share of [`budget::DECODES`]; what
/// is returned is no longer counted.
///
/// # Errors
///
/// Those of [`probe`], [`structure::check`] and [`decode`];
/// [`ImageError::DimensionsOutOfRange`].
pub fn decode_rgb8(data: &[u8], limits: &Limits) -> Result<Pixels, ImageError> {
    let info = probe(data)?;
    limits.check_dimensions(&info)?;
    structure::check(data, info.format)?;
    let _memory = budget::DECODES.acquire(memory(&info, 1, data.len()));
    upright_rgb(data, &info, 1)
}

/// How far an image of `size` can be reduced while it is decoded, if it is
/// going to be scaled to `wanted`: what the DCT blurs or aliases has to be cut
/// off by the scaling that follows.
#[must_use]
pub fn reduction(size: (u32, u32), wanted: (u32, u32)) -> u32 {
    let is_enough = |side: u32, by: u32, wanted: u32| {
        u64::from(side.div_ceil(by)) * REDUCTION_MARGIN.1 >= u64::from(wanted) * REDUCTION_MARGIN.0
    };
    [8, 4, 2]
        .into_iter()
        .find(|by| is_enough(size.0, *by, wanted.0) && is_enough(size.1, *by, wanted.1))
        .unwrap_or(1)
}

/// About as many bytes as decoding an image takes at the most, from a file of
/// `length` bytes.
#[must_use]
pub fn memory(info: &ImageInfo, reduction: u32, length: usize) -> u64 {
    let pixels = u64::from(info.width) * u64::from(info.height);
    // As they are decoded, and as they are converted to or halved.
    let samples = match (info.format, info.color) {
        (Format::Jpeg, ColorModel::Cmyk | ColorModel::Ycck) => 4 + 3,
        // Lossless WEBP, with what it refers back to.
        (Format::Webp, color) if color != ColorModel::YCbCr => 4 + 4 + 3,
        (Format::Webp | Format::Png, _) if info.has_alpha => 4 + 4 + 3,
        (Format::Webp, _) => 2 + 3 + 3,
        _ => 3 + 3,
    };
    // Turned upright, at the worst before it is made smaller.
    let samples = samples + if info.orientation > 1 { 3 } else { 0 };
    let bytes_per_sample = if info.bit_depth > 8 { 2 } else { 1 };
    // Coefficients of 16 bits are kept until the last scan of a progressive file.
    let coefficients = match info.format {
        Format::Jpeg if info.encoding != "baseline" => 6,
        _ => 0,
    };
    let reduced = pixels / (u64::from(reduction) * u64::from(reduction)).max(1);
    reduced
        .saturating_mul(samples * bytes_per_sample)
        .saturating_add(pixels.saturating_mul(coefficients))
        .saturating_add(prefix_codes(info, length))
}

/// Bytes that tables of prefix codes take at the most: 12 bytes of lossless WEBP
/// can make one of 4 KiB, and there may be 5 in each of 65 536 groups, whether
/// the image uses them or not (image-webp 0.2.4).
fn prefix_codes(info: &ImageInfo, length: usize) -> u64 {
    let is_lossy = info.color == ColorModel::YCbCr && !info.has_alpha && !info.is_animated;
    if info.format != Format::Webp || is_lossy {
        return 0;
    }
    (length as u64).saturating_mul(360).min(1_400_000_000)
}

fn upright_rgb(data: &[u8], info: &ImageInfo, reduction: u32) -> Result<Pixels, ImageError> {
    let raster = guarded(data, info, || match info.format {
        Format::Jpeg => jpeg::decode_leniently(data, info, reduction).map(Raster::Pixels),
        Format::Png => raster::decode(data, info, raster::read_png).map(|it| it.raster),
        Format::Bmp => raster::decode(data, info, raster::read_bmp).map(|it| it.raster),
        Format::Webp => raster::decode(data, info, raster::read_webp).map(|it| it.raster),
    })?;
    Ok(match orient::upright(raster, info.orientation) {
        Raster::Pixels(pixels) => on_white(pixels),
        // Without chroma: only JPEG and WEBP have some, and are not decoded to planes here.
        Raster::Planes(planes) => grey_to_rgb(&planes),
    })
}

/// Decoders have panicked on hostile files before (zune-image issue 257,
/// image-webp issue 33). In Python a panic is a `BaseException`, which the
/// handlers of a server let through.
pub(crate) fn guarded<T>(
    data: &[u8],
    info: &ImageInfo,
    decode: impl FnOnce() -> Result<T, ImageError>,
) -> Result<T, ImageError> {
    let file = FileBytes::new(info.format, data);
    // What a panic leaves behind is dropped with the closure.
    catch_unwind(AssertUnwindSafe(decode))
        .unwrap_or_else(|_| Err(file.damaged("its decoder failed on it")))
}

//! JPEG: what cameras write to planes with [`baseline`], everything else with
//! libjpeg-turbo-rs.

use libjpeg_turbo_rs::{DecodeLimits, Decoder, JpegError, PixelFormat, ScalingFactor};

use super::{Decoded, Form};
use crate::baseline;
use crate::bytes::{FileBytes, index};
use crate::color::{Profile, cmyk_to_rgb};
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};
use crate::probe::jpeg::Header;
use crate::raster::{Layout, Pixels, Plane, Planes, Range, Raster};

/// Most scans of a progressive file that are decoded. libjpeg's default script
/// has 10; a hostile file may have thousands, each as costly as the first.
const MAX_SCANS: u64 = 100;

/// Bound on scans × pixels, so that large images get fewer.
const MAX_SCANNED_PIXELS: u64 = 1 << 32;

/// What is done about damage in the entropy-coded data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It is an error.
    Refused,
    /// What can be read is, as in libjpeg.
    Tolerated,
}

/// Decodes `data` at 1/`reduction` of its size (1, 2, 4 or 8), in the DCT
/// domain: to planes where its colours are YCbCr of sRGB or grey, unless
/// they are wanted in another form, and otherwise to RGB.
pub(crate) fn decode(
    data: &[u8],
    info: &ImageInfo,
    reduction: u32,
    form: Form,
) -> Result<Decoded, ImageError> {
    let file = FileBytes::new(Format::Jpeg, data);
    check_decodable(file, info)?;
    let decoder = open(file, data, info)?;
    let profile = profile_of(&decoder, info);
    let is_planar = match info.color {
        ColorModel::Grey => true,
        ColorModel::YCbCr => form == Form::Any && profile.is_none(),
        _ => false,
    } && is_luma_finest(&decoder);
    if !is_planar {
        let pixels = decode_pixels(
            file,
            decoder,
            info,
            reduction,
            profile.as_ref(),
            Damage::Refused,
        )?;
        return Ok(Decoded {
            raster: Raster::Pixels(pixels),
            // That of ink has been applied.
            profile: profile
                .filter(|_| info.color != ColorModel::Cmyk && info.color != ColorModel::Ycck),
        });
    }
    let pixels = u64::from(info.width) * u64::from(info.height);
    let planes = match baseline::decode(data, reduction, pixels) {
        Some(planes) => planes,
        // Another kind of JPEG, or a damaged one: the library tells.
        None => whole_planes(file, decoder, info)?,
    };
    Ok(Decoded {
        raster: Raster::Planes(planes),
        profile,
    })
}

/// Decodes `data` to RGB at 1/`reduction` of its size, past damage, without regard to a profile of RGB.
pub(crate) fn decode_leniently(
    data: &[u8],
    info: &ImageInfo,
    reduction: u32,
) -> Result<Pixels, ImageError> {
    let file = FileBytes::new(Format::Jpeg, data);
    check_decodable(file, info)?;
    let decoder = open(file, data, info)?;
    let profile = profile_of(&decoder, info);
    decode_pixels(
        file,
        decoder,
        info,
        reduction,
        profile.as_ref(),
        Damage::Tolerated,
    )
}

pub(crate) fn profile(data: &[u8], info: &ImageInfo) -> Option<Profile> {
    let file = FileBytes::new(Format::Jpeg, data);
    profile_of(&open(file, data, info).ok()?, info)
}

pub(crate) fn check_decodable(file: FileBytes<'_>, info: &ImageInfo) -> Result<(), ImageError> {
    if info.color == ColorModel::Other {
        return Err(file.unsupported("a number of components other than 1, 3 or 4"));
    }
    if info.bit_depth != 8 {
        return Err(file.unsupported("samples of other than 8 bits"));
    }
    if matches!(
        info.encoding,
        "hierarchical" | "lossless" | "arithmetic-lossless"
    ) {
        return Err(file.unsupported("a coding process without a decoder"));
    }
    Ok(())
}

fn open<'a>(
    file: FileBytes<'_>,
    data: &'a [u8],
    info: &ImageInfo,
) -> Result<Decoder<'a>, ImageError> {
    let pixels = u64::from(info.width) * u64::from(info.height);
    // A block takes a bit at the least (T.81, annex C); only arithmetic coding gets below.
    let least = index(info.width.div_ceil(8)).saturating_mul(index(info.height.div_ceil(8))) / 8;
    if data.len() < least && !info.encoding.starts_with("arithmetic") {
        return Err(file.truncated("its image data", least));
    }
    let limits = DecodeLimits {
        max_pixels: pixels,
        max_scans: usize::try_from(max_scans(pixels)).unwrap_or(usize::MAX),
        ..DecodeLimits::default()
    };
    Decoder::new_with_limits(data, limits).map_err(|error| describe(file, &error))
}

fn max_scans(pixels: u64) -> u64 {
    (MAX_SCANNED_PIXELS / pixels.max(1)).clamp(1, MAX_SCANS)
}

fn profile_of(decoder: &Decoder<'_>, info: &ImageInfo) -> Option<Profile> {
    let icc = decoder.icc_profile().ok().flatten()?;
    Profile::read(&icc).filter(|profile| profile.fits(info))
}

/// Whether the chroma has at most the resolution of the luma; files where it
/// has more exist only as test cases.
fn is_luma_finest(decoder: &Decoder<'_>) -> bool {
    let components = &decoder.header().components;
    components.first().is_some_and(|luma| {
        components.iter().all(|component| {
            component.horizontal_sampling <= luma.horizontal_sampling
                && component.vertical_sampling <= luma.vertical_sampling
        })
    })
}

fn whole_planes(
    file: FileBytes<'_>,
    decoder: Decoder<'_>,
    info: &ImageInfo,
) -> Result<Planes, ImageError> {
    let factors: Vec<(u32, u32)> = decoder
        .header()
        .components
        .iter()
        .map(|component| {
            (
                u32::from(component.horizontal_sampling),
                u32::from(component.vertical_sampling),
            )
        })
        .collect();
    let raw = decoder
        .decode_raw()
        .map_err(|error| describe(file, &error))?;
    let (width, height) = (narrow(raw.width), narrow(raw.height));
    check_size(file, info, 1, (width, height))?;
    let &(across, down) = factors.first().unwrap_or(&(1, 1));
    let chroma_scale = factors.get(1).map_or([1.0; 2], |(h, v)| {
        [
            f64::from(*h) / f64::from(across.max(1)),
            f64::from(*v) / f64::from(down.max(1)),
        ]
    });
    let mut planes = raw
        .planes
        .into_iter()
        .zip(raw.plane_widths)
        .zip(factors)
        .map(|((data, stride), (h, v))| Plane {
            data,
            width: (width * h).div_ceil(across.max(1)),
            height: (height * v).div_ceil(down.max(1)),
            stride: narrow(stride),
        });
    let luma = planes
        .next()
        .ok_or_else(|| file.damaged("it has no components"))?;
    let chroma = planes.next().zip(planes.next());
    Ok(Planes {
        width,
        height,
        luma,
        chroma: chroma.map(|(blue, red)| Box::new([blue, red])),
        chroma_scale,
        range: Range::Full,
    })
}

fn decode_pixels(
    file: FileBytes<'_>,
    mut decoder: Decoder<'_>,
    info: &ImageInfo,
    reduction: u32,
    profile: Option<&Profile>,
    damage: Damage,
) -> Result<Pixels, ImageError> {
    let is_cmyk = matches!(info.color, ColorModel::Cmyk | ColorModel::Ycck);
    decoder.set_output_format(if is_cmyk {
        PixelFormat::Cmyk
    } else {
        PixelFormat::Rgb
    });
    decoder.set_lenient(damage == Damage::Tolerated);
    if let Ok(scale) = ScalingFactor::try_new(1, reduction) {
        decoder.set_scale(scale);
    }
    let image = decoder
        .decode_image()
        .map_err(|error| describe(file, &error))?;
    let data = if is_cmyk {
        let mut inks = image.data;
        // Adobe stores what ink leaves of the light.
        if Header::read(file)?.is_adobe() {
            for sample in &mut inks {
                *sample = !*sample;
            }
        }
        profile
            .and_then(|profile| profile.cmyk_to_rgb(&inks))
            .unwrap_or_else(|| cmyk_to_rgb(&inks))
    } else {
        image.data
    };
    let (width, height) = (narrow(image.width), narrow(image.height));
    check_size(file, info, reduction, (width, height))?;
    if data.len() != index(width).saturating_mul(index(height)).saturating_mul(3) {
        return Err(file.damaged("its frame headers contradict each other"));
    }
    Ok(Pixels {
        width,
        height,
        layout: Layout::Rgb,
        data,
    })
}

/// A file with two frame headers may show one to the probe and the other to the
/// decoder.
fn check_size(
    file: FileBytes<'_>,
    info: &ImageInfo,
    reduction: u32,
    size: (u32, u32),
) -> Result<(), ImageError> {
    let reduced = |side: u32| side.div_ceil(reduction.max(1));
    if size == (info.width, info.height) || size == (reduced(info.width), reduced(info.height)) {
        return Ok(());
    }
    Err(file.damaged("its frame headers contradict each other"))
}

/// Sides of a JPEG have 16 bits.
fn narrow(side: usize) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}

fn describe(file: FileBytes<'_>, error: &JpegError) -> ImageError {
    match error {
        JpegError::Unsupported(_) => file.unsupported("a coding process without a decoder"),
        JpegError::UnexpectedEof => file.damaged("its image data ends early"),
        JpegError::LimitExceeded {
            what,
            actual,
            limit,
        } => file.damaged(format!("{what} {actual} is more than {limit}")),
        JpegError::AllocationFailed { .. } => file.damaged("there is no memory to decode it"),
        _ => file.damaged("its image data cannot be decoded"),
    }
}

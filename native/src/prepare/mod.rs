//! Preparation: a file in, and out comes a file that an operation takes, or
//! the precise reason why there is none.

pub mod plan;
pub mod policy;
mod quality;
mod report;
mod shrink;

pub use plan::{Plan, plan};
pub use policy::{Alpha, Convert, Formats, Output, Policy};
pub use report::{Action, Prepared};

use crate::body::base64_len;
use crate::budget;
use crate::bytes::FileBytes;
use crate::color::{self, Profile, on_white, to_full_range};
use crate::decode::{self, Decoded, Form};
use crate::encode::EncodeError;
use crate::error::ImageError;
use crate::format::{Format, ImageInfo};
use crate::orient;
use crate::raster::{Layout, Pixels, PixelsRef, Raster};
use crate::resize::{self, Chroma};
use crate::strip;

/// Prepares `data` as `policy` says.
///
/// Decoding waits for its share of [`budget::DECODES`].
///
/// # Errors
///
/// Those of [`plan()`] and [`decode::decode`], and
/// [`ImageError::EncodedTooLarge`] for what cannot be made short enough.
pub fn prepare(data: &[u8], policy: &Policy) -> Result<Prepared, ImageError> {
    let plan = plan(data, policy)?;
    if !plan.changes_pixels()
        && let Some(prepared) = passed_on(data, &plan, policy)?
    {
        return Ok(prepared);
    }
    if !plan.changes_pixels() && !policy.shrink {
        policy.limits.check_encoded_len(data.len())?;
    }
    let _memory = budget::DECODES.acquire(plan.memory());
    let form = match plan::output(plan.info.has_alpha, policy) {
        Output::Png => Form::WithoutChroma,
        Output::Jpeg | Output::Auto => Form::Any,
    };
    let policy = &Policy {
        quality: quality::of_source(data, &plan.info)
            .map_or(policy.quality, |of_source| policy.quality.min(of_source)),
        ..policy.clone()
    };
    decode::guarded(data, &plan.info, || {
        let reduction = reduction(&plan);
        let decoded = decode::decode(data, &plan.info, reduction, form)?;
        written_anew(decoded, reduction, &plan, data.len(), policy)
    })
}

/// Prepares interleaved pixels, upright, that somebody else decoded from a file
/// of `source_len` bytes: `what`, such as `GIF`. They are copied once there is
/// memory for that.
///
/// # Errors
///
/// As [`prepare`].
pub fn prepare_pixels(
    pixels: PixelsRef<'_>,
    what: &str,
    source_len: usize,
    policy: &Policy,
) -> Result<Prepared, ImageError> {
    // What it is sent as has no part in the decisions left.
    let info = ImageInfo {
        format: Format::Bmp,
        encoding: "uncompressed",
        width: pixels.width,
        height: pixels.height,
        bit_depth: 8,
        color: crate::format::ColorModel::Rgb,
        orientation: 1,
        has_alpha: pixels.layout == Layout::Rgba,
        is_animated: false,
    };
    // They are converted already.
    let policy = &Policy {
        convert: Convert::Needed,
        ..policy.clone()
    };
    let mut plan = plan::plan_of(info, policy)?;
    plan.conversion = None;
    let _memory = budget::DECODES.acquire(plan.memory());
    decode::guarded(pixels.data, &info, || {
        let decoded = Decoded {
            raster: Raster::Pixels(pixels.to_owned()),
            profile: None,
        };
        let mut prepared = written_anew(decoded, 1, &plan, source_len, policy)?;
        prepared.actions.insert(
            0,
            Action::Convert {
                what: what.to_owned(),
            },
        );
        Ok(prepared)
    })
}

/// Prepares `data` as `policy` says, but for writing it: the pixels that would
/// be written, as RGB. How long a file of them would be is nobody's business.
///
/// # Errors
///
/// Those of [`plan()`] and [`decode::decode`].
pub fn prepare_array(data: &[u8], policy: &Policy) -> Result<(Pixels, Prepared), ImageError> {
    // Transparency has no place in RGB.
    let policy = &Policy {
        shrink: true,
        alpha: Alpha::White,
        ..policy.clone()
    };
    let plan = plan(data, policy)?;
    plan::check_pixels(&plan.info, policy)?;
    let _memory = budget::DECODES.acquire(plan.memory());
    let info = &plan.info;
    decode::guarded(data, info, || {
        let reduction = reduction(&plan);
        let decoded = decode::decode(data, info, reduction, Form::WithoutChroma)?;
        let mut actions = Vec::new();
        let raster = finished(
            decoded,
            reduction,
            &plan,
            Output::Jpeg,
            policy,
            &mut actions,
        )?;
        let pixels = match raster {
            Raster::Pixels(pixels) => pixels,
            Raster::Planes(planes) => color::grey_to_rgb(&planes),
        };
        let prepared = Prepared {
            info: *info,
            data: None,
            format: info.format,
            width: pixels.width,
            height: pixels.height,
            orientation: left_orientation(info, policy),
            actions,
        };
        Ok((pixels, prepared))
    })
}

/// The file as it is, but for its metadata; `None` if that is too long.
fn passed_on(data: &[u8], plan: &Plan, policy: &Policy) -> Result<Option<Prepared>, ImageError> {
    let stripped = if policy.strip {
        strip::strip(data, &plan.info)?
    } else {
        None
    };
    let len = stripped.as_ref().map_or(data.len(), |it| it.data.len());
    if base64_len(len) > policy.limits.max_base64_chars {
        return Ok(None);
    }
    if policy.full_decode {
        let _memory = budget::DECODES.acquire(plan.memory());
        decode::decode(data, &plan.info, 1, Form::Any)?;
    }
    let mut prepared = Prepared {
        info: plan.info,
        data: None,
        format: plan.info.format,
        width: plan.info.width,
        height: plan.info.height,
        orientation: plan.info.orientation,
        actions: Vec::new(),
    };
    if let Some(stripped) = stripped {
        prepared.actions.push(Action::Strip {
            removed: stripped
                .removed
                .kinds()
                .map(strip::Kind::name)
                .collect::<Vec<_>>()
                .join(", "),
            bytes: data.len().saturating_sub(stripped.data.len()),
        });
        prepared.data = Some(stripped.data);
    }
    Ok(Some(prepared))
}

/// How far a JPEG can be reduced while it is decoded.
fn reduction(plan: &Plan) -> u32 {
    let info = &plan.info;
    if info.format == Format::Jpeg && plan.is_scaled() {
        decode::reduction((info.width, info.height), plan.size)
    } else {
        1
    }
}

/// Resizes, converts, turns and writes what was decoded.
fn written_anew(
    decoded: Decoded,
    reduction: u32,
    plan: &Plan,
    source_len: usize,
    policy: &Policy,
) -> Result<Prepared, ImageError> {
    let info = &plan.info;
    let mut actions = Vec::new();
    let output = plan::output(info.has_alpha, policy);
    let orientation = left_orientation(info, policy);
    let raster = finished(decoded, reduction, plan, output, policy, &mut actions)?;
    let written = shrink::write(&raster, output, orientation, policy)
        .map_err(|error| internal(info, &error))?
        .within(policy)?;
    if written.is_shrunk || (plan.is_too_long && !plan.changes_pixels()) {
        actions.push(Action::Shrink {
            from: source_len,
            to: written.data.len(),
            quality: written.quality,
        });
    }
    Ok(Prepared {
        info: *info,
        format: written.format,
        width: written.width,
        height: written.height,
        data: Some(written.data),
        orientation,
        actions,
    })
}

/// The orientation of the result.
fn left_orientation(info: &ImageInfo, policy: &Policy) -> u8 {
    if policy.rotate { 1 } else { info.orientation }
}

/// The pixels to write: resized, converted and turned.
fn finished(
    decoded: Decoded,
    reduction: u32,
    plan: &Plan,
    output: Output,
    policy: &Policy,
    actions: &mut Vec<Action>,
) -> Result<Raster, ImageError> {
    let orientation = plan.info.orientation;
    let turns = policy.rotate && orientation != 1;
    // Of an odd side the last sample of halved chroma is half outside. Turned, it
    // would come first: so the chroma is halved once the image is upright.
    let chroma = if turns && (plan.size.0 % 2 == 1 || plan.size.1 % 2 == 1) {
        Chroma::Whole
    } else {
        Chroma::Half
    };
    let raster = scaled(decoded.raster, reduction, chroma, plan, actions)?;
    let raster = converted(raster, decoded.profile, output, plan, policy, actions);
    if !turns {
        return Ok(raster);
    }
    actions.push(Action::Rotate { orientation });
    Ok(resize::with_half_chroma(orient::upright(
        raster,
        orientation,
    )))
}

fn scaled(
    raster: Raster,
    reduction: u32,
    chroma: Chroma,
    plan: &Plan,
    actions: &mut Vec<Action>,
) -> Result<Raster, ImageError> {
    if plan.is_scaled() {
        actions.push(Action::Fit {
            from: (plan.info.width, plan.info.height),
            to: plan.size,
        });
    }
    let needs_resize = match &raster {
        // The encoder wants rows without padding, and chroma at half the sides.
        Raster::Planes(planes) => {
            raster.size() != plan.size
                || planes.luma.stride != planes.width
                || planes.luma.data.len() as u64
                    != u64::from(planes.width) * u64::from(planes.height)
                || planes.chroma.is_some()
        }
        Raster::Pixels(_) => raster.size() != plan.size,
    };
    if !needs_resize {
        return Ok(raster);
    }
    let stored = (plan.info.width, plan.info.height);
    // What was reduced is rounded up; a decoder that cannot do it gives the whole.
    let extent = if raster.size() == stored {
        resize::whole(&raster)
    } else {
        [stored.0, stored.1].map(|side| f64::from(side) / f64::from(reduction))
    };
    resize::resize(&raster, extent, plan.size, chroma).map_err(|error| {
        FileBytes::new(plan.info.format, &[]).damaged(format!("it cannot be resized: {error}"))
    })
}

/// To sRGB in the full range, and without alpha unless that is kept.
fn converted(
    raster: Raster,
    profile: Option<Profile>,
    output: Output,
    plan: &Plan,
    policy: &Policy,
    actions: &mut Vec<Action>,
) -> Raster {
    // That of the profile is reported where it is done.
    let mut conversions: Vec<&str> = plan
        .conversion
        .into_iter()
        .filter(|what| *what != plan::PROFILE)
        .collect();
    let raster = match raster {
        Raster::Planes(mut planes) => {
            to_full_range(&mut planes);
            let grey = profile.as_ref().filter(|_| planes.chroma.is_none());
            match grey.and_then(|profile| profile.grey_to_rgb(&planes.luma.data)) {
                Some(data) => {
                    conversions.push(plan::PROFILE);
                    Raster::Pixels(Pixels {
                        width: planes.width,
                        height: planes.height,
                        layout: Layout::Rgb,
                        data,
                    })
                }
                None => Raster::Planes(planes),
            }
        }
        Raster::Pixels(mut pixels) => {
            if profile.is_some_and(|profile| profile.apply(&mut pixels)) {
                conversions.push(plan::PROFILE);
            }
            if pixels.layout == Layout::Rgba
                && (policy.alpha == Alpha::White || output == Output::Jpeg)
            {
                if !conversions.iter().any(|what| what.contains(plan::ALPHA)) {
                    conversions.push(plan::ALPHA);
                }
                pixels = on_white(pixels);
            }
            Raster::Pixels(pixels)
        }
    };
    actions.extend(conversions.into_iter().map(|what| Action::Convert {
        what: what.to_owned(),
    }));
    raster
}

/// An encoder that refuses what a decoder gave it.
fn internal(info: &ImageInfo, error: &EncodeError) -> ImageError {
    FileBytes::new(info.format, &[]).damaged(format!("it cannot be written: {error}"))
}

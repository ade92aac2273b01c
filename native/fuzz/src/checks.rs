//! What holds of every input, hostile or not. The fuzz targets, `corpus` and
//! the tests of the core all run these; a promise that is broken panics.

use _native::body::base64_len;
use _native::decode::{self, Decoded};
use _native::limits::{Limits, validate};
use _native::prepare::{Alpha, Convert, Formats, Output, Policy, prepare};
use _native::raster::{Plane, Raster};
use _native::{Format, ImageError, ImageInfo, probe, strip, structure, vp8};

/// Most pixels that the checks decode: what a larger image could show, a smaller
/// one shows sooner.
pub const MAX_PIXELS: u64 = 1 << 20;

/// Bytes ahead of the image in the input of [`policy_and_image`].
pub const POLICY_LEN: usize = 12;

/// Probing, the check of the structure, and validation agree.
pub fn probing(data: &[u8]) -> Result<ImageInfo, ImageError> {
    let limits = Limits::default();
    let validated = validate(data, &limits);
    let probed = probe::probe(data);
    match &probed {
        Err(error) => assert_eq!(validated.as_ref(), Err(error)),
        Ok(info) => {
            assert!(info.width > 0 && info.height > 0, "{info:?}");
            assert!((1..=8).contains(&info.orientation), "{info:?}");
            assert!((1..=32).contains(&info.bit_depth), "{info:?}");
            let whole = limits
                .check_dimensions(info)
                .and_then(|()| limits.check_encoded_len(data.len()))
                .and_then(|()| structure::check(data, info.format));
            assert_eq!(validated, whole.map(|()| *info));
        }
    }
    if let Err(error) = &probed {
        assert!(!error.to_string().is_empty() && !error.kind().is_empty());
    }
    probed
}

/// A stripped file is whole, says the same of itself, and has nothing to strip.
pub fn stripping(data: &[u8]) -> Result<(), ImageError> {
    let info = probe::probe(data)?;
    let is_whole = structure::check(data, info.format).is_ok();
    let stripped = match strip::strip(data, &info) {
        Ok(Some(stripped)) => stripped,
        Ok(None) => return Ok(()),
        Err(error) => {
            assert!(!is_whole, "it is whole, and cannot be stripped: {error}");
            return Err(error);
        }
    };
    assert!(stripped.removed.kinds().next().is_some());
    assert!(stripped.removed.bytes() <= data.len());
    assert_eq!(probe::probe(&stripped.data), Ok(info));
    if is_whole {
        assert_eq!(structure::check(&stripped.data, info.format), Ok(()));
    }
    assert_eq!(strip::strip(&stripped.data, &info), Ok(None));
    Ok(())
}

/// Everything that is decoded has the size that the headers say, and as many
/// samples as that takes.
pub fn decoding(data: &[u8]) -> Result<(), ImageError> {
    let info = probe::probe(data)?;
    if u64::from(info.width) * u64::from(info.height) > MAX_PIXELS {
        return Ok(());
    }
    let _ = decode::profile(data, &info);
    let whole =
        decode::decode(data, &info, 1, decode::Form::Any).inspect(|it| whole_raster(it, &info, 1));
    for reduction in [2, 4, 8] {
        if let Ok(decoded) = decode::decode(data, &info, reduction, decode::Form::Any) {
            whole_raster(&decoded, &info, reduction);
        }
    }
    if let Ok(decoded) = decode::decode(data, &info, 1, decode::Form::WithoutChroma) {
        whole_raster(&decoded, &info, 1);
        let has_chroma =
            matches!(&decoded.raster, Raster::Planes(planes) if planes.chroma.is_some());
        assert!(!has_chroma);
    }
    let limits = Limits {
        min_side_px: 1,
        max_side_px: u32::MAX,
        max_base64_chars: usize::MAX,
    };
    if let Ok(pixels) = decode::decode_rgb8(data, &limits) {
        assert_eq!((pixels.width, pixels.height), info.display_size());
        assert_eq!(
            pixels.data.len(),
            pixels.width as usize * pixels.height as usize * 3
        );
    }
    whole.map(|_| ())
}

fn whole_raster(decoded: &Decoded, info: &ImageInfo, reduction: u32) {
    let size = decoded.raster.size();
    let reduced = [info.width, info.height].map(|side| side.div_ceil(reduction));
    // A JPEG that cannot be reduced is decoded whole, like other formats.
    let is_reduced = info.format == Format::Jpeg && size == (reduced[0], reduced[1]);
    let is_whole = size == (info.width, info.height);
    assert!(
        is_reduced || is_whole,
        "{size:?}: {info:?} at 1/{reduction}"
    );
    match &decoded.raster {
        Raster::Pixels(pixels) => assert_eq!(
            pixels.data.len(),
            size.0 as usize * size.1 as usize * pixels.layout.channels()
        ),
        Raster::Planes(planes) => {
            whole_plane(&planes.luma);
            assert_eq!((planes.luma.width, planes.luma.height), size);
            for plane in planes.chroma.iter().flat_map(|both| both.iter()) {
                whole_plane(plane);
                assert!(plane.width <= size.0 && plane.height <= size.1);
            }
        }
    }
}

fn whole_plane(plane: &Plane) {
    assert!(plane.width > 0 && plane.height > 0);
    assert!(
        plane.stride >= plane.width,
        "{} {}",
        plane.stride,
        plane.width
    );
    let last_row = plane.stride as usize * (plane.height as usize - 1);
    assert!(plane.data.len() >= last_row + plane.width as usize);
}

/// What is prepared keeps the policy, and is left as it is when it is prepared
/// again.
pub fn preparing(data: &[u8], policy: &Policy) -> Result<(), ImageError> {
    let prepared = prepare(data, policy).inspect_err(|error| {
        let error = error.to_string();
        assert!(!error.contains("cannot be written"), "{error}: {policy:?}");
        assert!(!error.contains("cannot be resized"), "{error}: {policy:?}");
    })?;
    let file = prepared.data.as_deref().unwrap_or(data);
    let info = probe::probe(file).expect("a result has a header");
    assert_eq!(info.format, prepared.format);
    assert_eq!((info.width, info.height), (prepared.width, prepared.height));
    assert_eq!(info.orientation, prepared.orientation);
    // A wanted side below the limit is reached by scaling alone.
    let max_side = if policy.fit {
        policy.max_side_px()
    } else {
        policy.limits.max_side_px
    };
    assert!(info.width.max(info.height) <= max_side);
    assert!(info.width.min(info.height) >= policy.limits.min_side_px);
    assert!(base64_len(file.len()) <= policy.limits.max_base64_chars);
    assert!(policy.formats.contains(info.format));
    assert_eq!(structure::check(file, info.format), Ok(()));
    if prepared.data.is_none() {
        assert!(prepared.actions.is_empty(), "{:?}", prepared.actions);
    } else {
        assert!(
            !prepared.actions.is_empty(),
            "{info:?} {policy:?} {:?}",
            prepared.info
        );
    }
    for action in &prepared.actions {
        assert!(!action.to_string().is_empty());
    }
    let again = prepare(file, policy).expect("a result can be prepared");
    assert_eq!(
        (again.data, again.actions),
        (None, Vec::new()),
        "{prepared:?}"
    );
    Ok(())
}

/// A policy from the first bytes, and the image behind them. A policy of zeros
/// is the default one, but for the bound on pixels.
pub fn policy_and_image(input: &[u8]) -> Option<(Policy, &[u8])> {
    let (choices, image) = input.split_first_chunk::<POLICY_LEN>()?;
    let [
        sides,
        target,
        len,
        repairs,
        convert,
        alpha,
        output,
        quality,
        formats,
        ..,
    ] = *choices;
    let side = |choice: u8| [4096, 16, 17, 24, 40, 100, 300, 1000][usize::from(choice % 8)];
    let chars = [10_485_760, 400, 700, 1_000, 1_500, 3_000, 10_000, 100_000];
    let formats = [Format::Jpeg, Format::Png, Format::Bmp, Format::Webp]
        .into_iter()
        .enumerate()
        .filter(|(bit, _)| formats >> bit & 1 == 0)
        .fold(Formats::none(), |set, (_, format)| set.with(format));
    let can_write = formats.contains(Format::Jpeg) || formats.contains(Format::Png);
    let policy = Policy {
        limits: Limits {
            min_side_px: [15, 1, 2, 16][usize::from(sides >> 3 & 3)],
            max_side_px: side(sides),
            max_base64_chars: chars[usize::from(len % 8)],
        },
        // No policy forbids all that can be written.
        formats: if can_write {
            formats
        } else {
            formats.with(Format::Png)
        },
        target_side_px: if target & 8 == 0 { 0 } else { side(target) },
        max_pixels: MAX_PIXELS,
        fit: repairs & 1 == 0,
        shrink: repairs & 2 == 0,
        rotate: repairs & 4 == 0,
        strip: repairs & 8 == 0,
        full_decode: repairs & 16 != 0,
        convert: [Convert::Needed, Convert::Always, Convert::Never][usize::from(convert % 3)],
        alpha: [Alpha::White, Alpha::Keep][usize::from(alpha % 2)],
        output: [Output::Auto, Output::Jpeg, Output::Png][usize::from(output % 3)],
        quality: match quality {
            0 => 90,
            other => (other - 1) % 100 + 1,
        },
    };
    Some((policy, image))
}

/// [`preparing`] with the policy that the input begins with.
pub fn preparing_by_choice(input: &[u8]) -> Result<(), ImageError> {
    match policy_and_image(input) {
        Some((policy, image)) => preparing(image, &policy),
        None => Err(ImageError::Empty),
    }
}

/// The bitstream of lossy WEBP, without a file around it.
pub fn decoding_vp8(data: &[u8]) -> Result<(), vp8::Vp8Error> {
    let planes = vp8::decode(data, MAX_PIXELS)?;
    assert!(u64::from(planes.width) * u64::from(planes.height) <= MAX_PIXELS);
    let chroma = (planes.width.div_ceil(2), planes.height.div_ceil(2));
    for (plane, size) in [
        (&planes.y, (planes.width, planes.height)),
        (&planes.u, chroma),
        (&planes.v, chroma),
    ] {
        assert_eq!((plane.width, plane.height), size);
        assert!(plane.stride >= plane.width);
        assert!(plane.data.len() >= plane.stride as usize * plane.height as usize);
    }
    Ok(())
}

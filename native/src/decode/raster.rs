//! PNG, BMP and WEBP, with the `image` crate.

use std::io::Cursor;

use image::codecs::{bmp::BmpDecoder, png::PngDecoder, webp::WebPDecoder};
use image::error::ImageError as DecoderError;
use image::{ColorType, DynamicImage, ImageDecoder, ImageResult, Limits, Rgba};

use super::Decoded;
use crate::bytes::FileBytes;
use crate::color::{MAX_PROFILE_BYTES, Profile};
use crate::error::ImageError;
use crate::format::ImageInfo;
use crate::raster::{Layout, Pixels, Plane, Planes, Range, Raster};

/// Transparent white: what it leaves bare is white once it is composited.
const BACKGROUND: Rgba<u8> = Rgba([255, 255, 255, 0]);

/// Most memory for what a PNG file holds beside its pixels. Text and colour
/// profiles are compressed, and so could grow a thousandfold; this is the bound
/// that Pillow puts on text.
const PNG_METADATA_BYTES: u64 = 16 << 20;

/// What a reader gives: an image, and its profile as it is in the file.
type Read = (DynamicImage, Option<Vec<u8>>);

/// Decodes `data` with `read`, the reader of its format.
pub(crate) fn decode(
    data: &[u8],
    info: &ImageInfo,
    read: fn(&[u8]) -> ImageResult<Read>,
) -> Result<Decoded, ImageError> {
    let file = FileBytes::new(info.format, data);
    let (image, icc) = read(data).map_err(|error| describe(file, &error))?;
    if (image.width(), image.height()) != (info.width, info.height) {
        return Err(file.damaged("its headers contradict each other"));
    }
    let profile = icc.and_then(|icc| Profile::read(&icc));
    Ok(Decoded {
        raster: raster(image),
        profile: profile.filter(|profile| profile.fits(info)),
    })
}

pub(crate) fn read_bmp(data: &[u8]) -> ImageResult<Read> {
    let decoder = BmpDecoder::new(Cursor::new(data))?;
    Ok((DynamicImage::from_decoder(decoder)?, None))
}

pub(crate) fn read_png(data: &[u8]) -> ImageResult<Read> {
    let mut decoder = png_decoder(data, PNG_METADATA_BYTES)?;
    let icc = decoder.icc_profile()?;
    Ok((DynamicImage::from_decoder(decoder)?, icc))
}

pub(crate) fn read_webp(data: &[u8]) -> ImageResult<Read> {
    let mut decoder = WebPDecoder::new(Cursor::new(data))?;
    let icc = decoder.icc_profile()?;
    if decoder.has_animation() {
        decoder.set_background_color(BACKGROUND)?;
    }
    Ok((DynamicImage::from_decoder(decoder)?, icc))
}

fn png_decoder(data: &[u8], max_metadata: u64) -> ImageResult<PngDecoder<Cursor<&[u8]>>> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_metadata);
    PngDecoder::with_limits(Cursor::new(data), limits)
}

pub(crate) fn png_profile(data: &[u8], info: &ImageInfo) -> Option<Profile> {
    Profile::read(
        &png_decoder(data, MAX_PROFILE_BYTES as u64)
            .ok()?
            .icc_profile()
            .ok()??,
    )
    .filter(|profile| profile.fits(info))
}

pub(crate) fn webp_profile(data: &[u8], info: &ImageInfo) -> Option<Profile> {
    let mut decoder = WebPDecoder::new(Cursor::new(data)).ok()?;
    Profile::read(&decoder.icc_profile().ok()??).filter(|profile| profile.fits(info))
}

/// 8 bits a sample; grey without alpha stays grey.
fn raster(image: DynamicImage) -> Raster {
    let (width, height) = (image.width(), image.height());
    let pixels = |layout, data| {
        Raster::Pixels(Pixels {
            width,
            height,
            layout,
            data,
        })
    };
    match image.color() {
        ColorType::L8 | ColorType::L16 => Raster::Planes(Planes {
            width,
            height,
            luma: Plane::packed(image.into_luma8().into_raw(), width, height),
            chroma: None,
            chroma_scale: [1.0; 2],
            range: Range::Full,
        }),
        color if color.has_alpha() => pixels(Layout::Rgba, image.into_rgba8().into_raw()),
        _ => pixels(Layout::Rgb, image.into_rgb8().into_raw()),
    }
}

fn describe(file: FileBytes<'_>, error: &DecoderError) -> ImageError {
    match error {
        DecoderError::Unsupported(_) => file.unsupported("an encoding without a decoder"),
        DecoderError::IoError(_) => file.damaged("its image data ends early"),
        DecoderError::Limits(_) => file.damaged("its metadata takes too much memory"),
        _ => file.damaged("its image data cannot be decoded"),
    }
}

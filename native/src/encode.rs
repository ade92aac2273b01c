//! Writing images: JPEG (ITU-T T.81, with JFIF) and PNG (W3C PNG, third
//! edition).

use std::fmt;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use libjpeg_turbo_rs::api::raw_data::compress_raw;
use libjpeg_turbo_rs::{PixelFormat, Subsampling, compress};

use crate::color::on_white;
use crate::format::Format;
use crate::raster::{Layout, Pixels, Plane, Planes, Range, Raster};
use crate::strip;

/// SOI, and APP0 with a JFIF header without a thumbnail.
const JPEG_HEADER_LEN: usize = 2 + 18;
/// The signature and chunk IHDR.
const PNG_HEADER_LEN: usize = 8 + 25;

/// An image that cannot be written: it has no pixels, or too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeError(String);

impl EncodeError {
    pub(crate) fn new(error: &impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EncodeError {}

/// Writes a baseline JPEG with the example tables of T.81, annex K, scaled to
/// `quality` (1 to 100) as the Independent JPEG Group does, and 4:2:0 chroma.
/// Transparency is composited on white.
///
/// # Errors
///
/// [`EncodeError`] where a side is 0 or over 65 535 px, and where the chroma
/// does not have half the sides, rounded up.
pub fn jpeg(raster: &Raster, quality: u8) -> Result<Vec<u8>, EncodeError> {
    match raster {
        Raster::Planes(planes) => jpeg_of_planes(planes, quality),
        Raster::Pixels(pixels) if pixels.layout == Layout::Rgba => {
            jpeg_of_rgb(&on_white(pixels.clone()), quality)
        }
        Raster::Pixels(pixels) => jpeg_of_rgb(pixels, quality),
    }
}

fn jpeg_of_rgb(pixels: &Pixels, quality: u8) -> Result<Vec<u8>, EncodeError> {
    rgb_to_jpeg(
        &pixels.data,
        pixels.width,
        pixels.height,
        quality,
        Subsampling::S420,
    )
}

/// Writes RGB that somebody else owns as a baseline JPEG with chroma at full
/// resolution, as [`jpeg`] does otherwise.
///
/// # Errors
///
/// [`EncodeError`] where a side is 0 or over 65 535 px.
pub fn rgb_as_jpeg(
    data: &[u8],
    width: u32,
    height: u32,
    quality: u8,
) -> Result<Vec<u8>, EncodeError> {
    rgb_to_jpeg(data, width, height, quality, Subsampling::S444)
}

fn rgb_to_jpeg(
    data: &[u8],
    width: u32,
    height: u32,
    quality: u8,
    subsampling: Subsampling,
) -> Result<Vec<u8>, EncodeError> {
    compress(
        data,
        width as usize,
        height as usize,
        PixelFormat::Rgb,
        quality,
        subsampling,
    )
    .map_err(|error| EncodeError::new(&error))
}

fn jpeg_of_planes(planes: &Planes, quality: u8) -> Result<Vec<u8>, EncodeError> {
    let mut all: Vec<&Plane> = vec![&planes.luma];
    if let Some(chroma) = &planes.chroma {
        all.extend(chroma.iter());
    }
    if planes.range != Range::Full || all.iter().any(|plane| plane.stride != plane.width) {
        return Err(EncodeError(
            "rows are padded, or samples in another range".to_owned(),
        ));
    }
    let samples: Vec<&[u8]> = all.iter().map(|plane| plane.data.as_slice()).collect();
    let widths: Vec<usize> = all.iter().map(|plane| plane.width as usize).collect();
    let heights: Vec<usize> = all.iter().map(|plane| plane.height as usize).collect();
    let subsampling = if planes.chroma.is_some() {
        Subsampling::S420
    } else {
        Subsampling::S444
    };
    compress_raw(
        &samples,
        &widths,
        &heights,
        planes.width as usize,
        planes.height as usize,
        quality,
        subsampling,
    )
    .map_err(|error| EncodeError::new(&error))
}

/// Writes a PNG: grey, RGB or RGBA, 8 bits a sample, with the fast deflate of
/// `fdeflate`, which for photographs is as good as zlib's first level.
///
/// # Errors
///
/// [`EncodeError`] where a side is 0, and for planes with chroma.
pub fn png(raster: &Raster) -> Result<Vec<u8>, EncodeError> {
    let (data, width, height, color) = match raster {
        Raster::Pixels(pixels) => {
            let color = match pixels.layout {
                Layout::Rgb => ExtendedColorType::Rgb8,
                Layout::Rgba => ExtendedColorType::Rgba8,
            };
            (&pixels.data, pixels.width, pixels.height, color)
        }
        Raster::Planes(planes) if planes.chroma.is_none() && planes.luma.stride == planes.width => {
            (
                &planes.luma.data,
                planes.width,
                planes.height,
                ExtendedColorType::L8,
            )
        }
        Raster::Planes(_) => return Err(EncodeError("planes with chroma".to_owned())),
    };
    write_png(data, width, height, color)
}

/// Writes RGB that somebody else owns as a PNG, as [`png`] does.
///
/// # Errors
///
/// [`EncodeError`] where a side is 0.
pub fn rgb_as_png(data: &[u8], width: u32, height: u32) -> Result<Vec<u8>, EncodeError> {
    write_png(data, width, height, ExtendedColorType::Rgb8)
}

fn write_png(
    data: &[u8],
    width: u32,
    height: u32,
    color: ExtendedColorType,
) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Adaptive)
        .write_image(data, width, height, color)
        .map_err(|error| EncodeError::new(&error))?;
    Ok(out)
}

/// `data`, as [`jpeg`] or [`png`] wrote it, with an EXIF orientation.
#[must_use]
pub fn with_orientation(mut data: Vec<u8>, format: Format, orientation: u8) -> Vec<u8> {
    // Behind SOI and the JFIF segment, or behind IHDR.
    let at = if format == Format::Jpeg {
        JPEG_HEADER_LEN
    } else {
        PNG_HEADER_LEN
    };
    if let Some(part) = strip::orientation_part(format, orientation)
        && at <= data.len()
    {
        data.splice(at..at, part);
    }
    data
}

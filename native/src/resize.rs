//! Changing the size of images.

use std::fmt;

use fast_image_resize::images::{CroppedImage, Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::decode::REDUCTION_MARGIN;
use crate::halve::{Samples, halved};
use crate::raster::{Pixels, Plane, Planes, Raster};

/// Why an image cannot be resized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FitError {
    /// The image has no pixels, or is to have none.
    NoPixels,
}

impl fmt::Display for FitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPixels => f.write_str("the image has no pixels"),
        }
    }
}

impl std::error::Error for FitError {}

/// At which resolution chroma is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// Half that of the luma, rounded up: 4:2:0.
    Half,
    /// That of the luma: 4:4:4.
    Whole,
}

/// Scales the part `extent` of `raster`, which begins in its first corner and
/// has so many pixels across and down, to `width` × `height` px, and its chroma, where it has some
/// of its own, to half of that, rounded up: 4:2:0.
///
/// The filter is Lanczos with three lobes, widened by the scale so that it does
/// not alias, and separable: what Pillow calls `LANCZOS`. Alpha is multiplied
/// in meanwhile, so that what is transparent does not bleed. Luma and chroma
/// are linear in the stored R′G′B′, so scaling planes scales the image, at half
/// the samples and without converting colours twice.
///
/// # Errors
///
/// [`FitError::NoPixels`].
pub fn resize(
    raster: &Raster,
    extent: [f64; 2],
    (width, height): (u32, u32),
    chroma: Chroma,
) -> Result<Raster, FitError> {
    if width == 0 || height == 0 {
        return Err(FitError::NoPixels);
    }
    match raster {
        Raster::Planes(planes) => {
            resize_planes(planes, extent, (width, height), chroma).map(Raster::Planes)
        }
        Raster::Pixels(pixels) => resize_pixels(pixels, extent, width, height).map(Raster::Pixels),
    }
}

/// The whole of `raster`, as an extent.
#[must_use]
pub fn whole(raster: &Raster) -> [f64; 2] {
    let (width, height) = raster.size();
    [f64::from(width), f64::from(height)]
}

fn resize_planes(
    planes: &Planes,
    extent: [f64; 2],
    (width, height): (u32, u32),
    chroma: Chroma,
) -> Result<Planes, FitError> {
    let divisor = match chroma {
        Chroma::Half => 2,
        Chroma::Whole => 1,
    };
    let mut resizer = Resizer::new();
    let mut scale = |plane: &Plane, extent, width, height| {
        let samples = Samples::of_plane(plane, extent);
        scaled(samples, width, height, &mut resizer).map(|data| Plane::packed(data, width, height))
    };
    let luma = scale(&planes.luma, extent, width, height)?;
    let chroma = match &planes.chroma {
        Some(chroma) => {
            let [blue, red] = chroma.as_ref();
            let (columns, rows) = (width.div_ceil(divisor), height.div_ceil(divisor));
            // Of an odd number of pixels the last sample covers one that is not there.
            let [across, down] = extent;
            let [chroma_across, chroma_down] = planes.chroma_scale;
            let extent = [
                across * chroma_across * f64::from(divisor * columns) / f64::from(width),
                down * chroma_down * f64::from(divisor * rows) / f64::from(height),
            ];
            Some(Box::new([
                scale(blue, extent, columns, rows)?,
                scale(red, extent, columns, rows)?,
            ]))
        }
        None => None,
    };
    Ok(Planes {
        width,
        height,
        luma,
        chroma,
        chroma_scale: [1.0 / f64::from(divisor); 2],
        range: planes.range,
    })
}

/// `raster`, with chroma at half the resolution of the luma if it was as fine.
#[must_use]
pub fn with_half_chroma(raster: Raster) -> Raster {
    let Raster::Planes(mut planes) = raster else {
        return raster;
    };
    let is_whole = planes.chroma_scale.iter().all(|scale| *scale > 0.75);
    for plane in planes.chroma.iter_mut().flat_map(|both| both.iter_mut()) {
        if is_whole {
            let half = halved(Samples::of_plane(plane, [0.0; 2]));
            *plane = Plane::packed(half, plane.width.div_ceil(2), plane.height.div_ceil(2));
        }
    }
    if is_whole && planes.chroma.is_some() {
        planes.chroma_scale = [0.5; 2];
    }
    Raster::Planes(planes)
}

fn resize_pixels(
    pixels: &Pixels,
    extent: [f64; 2],
    width: u32,
    height: u32,
) -> Result<Pixels, FitError> {
    let data = scaled(
        Samples::of_pixels(pixels, extent),
        width,
        height,
        &mut Resizer::new(),
    )?;
    Ok(Pixels {
        width,
        height,
        layout: pixels.layout,
        data,
    })
}

/// Scales one image, whose rows may be padded.
///
/// What is to become much smaller is halved first, as long as that leaves
/// nearly twice as many pixels along each side as wanted: the Lanczos filter
/// then decides alone what is seen, from a quarter of the samples.
fn scaled(
    samples: Samples<'_>,
    width: u32,
    height: u32,
    resizer: &mut Resizer,
) -> Result<Vec<u8>, FitError> {
    let [across, down] = samples.extent;
    if across > f64::from(samples.width) || down > f64::from(samples.height) {
        let padded = samples.padded();
        return scaled(padded.samples(), width, height, resizer);
    }
    // Transparent pixels have no say in the mean: those are left to the resizer.
    if samples.channels < 4 && leaves_enough(&samples, width, height) {
        let half = halved(samples);
        let samples = Samples {
            data: &half,
            width: samples.width.div_ceil(2),
            height: samples.height.div_ceil(2),
            stride: samples.width.div_ceil(2),
            channels: samples.channels,
            // A last column that was counted twice is half outside.
            extent: samples.extent.map(|side| side / 2.0),
        };
        return scaled(samples, width, height, resizer);
    }
    let kind = pixel_type(samples.channels);
    let from = ImageRef::new(samples.stride, samples.height, rows_of(&samples)?, kind)
        .map_err(|_| FitError::NoPixels)?;
    // Past the width there is padding, which no filter may reach into.
    let from = CroppedImage::new(&from, 0, 0, samples.width, samples.height)
        .map_err(|_| FitError::NoPixels)?;
    let mut to = Image::new(width, height, kind);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
        .crop(0.0, 0.0, across, down);
    resizer
        .resize(&from, &mut to, &options)
        .map_err(|_| FitError::NoPixels)?;
    Ok(to.into_vec())
}

fn leaves_enough(samples: &Samples<'_>, width: u32, height: u32) -> bool {
    let is_enough = |side: u32, wanted: u32| {
        u64::from(side) / 2 * REDUCTION_MARGIN.1 >= u64::from(wanted) * REDUCTION_MARGIN.0
    };
    is_enough(samples.width, width) && is_enough(samples.height, height)
}

/// The rows there are to be; decoders may give more of them.
fn rows_of<'a>(samples: &Samples<'a>) -> Result<&'a [u8], FitError> {
    let length =
        u64::from(samples.stride) * u64::from(samples.height) * u64::from(samples.channels);
    usize::try_from(length)
        .ok()
        .and_then(|length| samples.data.get(..length))
        .ok_or(FitError::NoPixels)
}

const fn pixel_type(channels: u32) -> PixelType {
    match channels {
        1 => PixelType::U8,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Layout, Range};

    fn whole_to(image: Pixels, width: u32, height: u32) -> Result<Raster, FitError> {
        let raster = Raster::Pixels(image);
        resize(&raster, whole(&raster), (width, height), Chroma::Half)
    }

    fn flat(width: u32, height: u32, rgb: [u8; 3]) -> Pixels {
        Pixels {
            width,
            height,
            layout: Layout::Rgb,
            data: rgb.repeat((width * height) as usize),
        }
    }

    #[test]
    fn a_flat_image_stays_flat_at_every_scale() {
        for (width, height) in [(1, 1), (1, 4096), (4096, 1), (37, 91), (512, 512)] {
            let image = flat(width, height, [10, 128, 250]);
            let Ok(Raster::Pixels(resized)) = whole_to(image, 33, 7) else {
                panic!()
            };
            assert_eq!(resized.data, [10, 128, 250].repeat(33 * 7));
        }
    }

    #[test]
    fn padding_of_planes_does_not_bleed_in() {
        let plane = |width: u32, height: u32, value| Plane {
            data: [vec![value; width as usize], vec![99; 3]]
                .concat()
                .repeat(height as usize + 2),
            width,
            height,
            stride: width + 3,
        };
        let planes = Planes {
            width: 41,
            height: 21,
            luma: plane(41, 21, 10),
            chroma: Some(Box::new([plane(21, 11, 20), plane(21, 11, 30)])),
            chroma_scale: [0.5; 2],
            range: Range::Full,
        };
        let Ok(Raster::Planes(small)) =
            resize(&Raster::Planes(planes), [41.0, 21.0], (15, 9), Chroma::Half)
        else {
            panic!()
        };
        assert_eq!(small.luma, Plane::packed(vec![10; 15 * 9], 15, 9));
        let [blue, red] = *small.chroma.unwrap();
        assert_eq!(blue, Plane::packed(vec![20; 8 * 5], 8, 5));
        assert_eq!(red, Plane::packed(vec![30; 8 * 5], 8, 5));
    }

    #[test]
    fn sizes_are_checked() {
        let image = flat(20, 20, [0; 3]);
        assert_eq!(whole_to(image, 0, 1), Err(FitError::NoPixels));
    }
}

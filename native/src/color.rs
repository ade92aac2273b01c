//! Colours as sRGB: profiles (ICC.1), ink, transparency, and the ranges of
//! video.

use moxcms::{ColorProfile, DataColorSpace, Layout as ProfileLayout, TransformOptions};

use crate::format::{ColorModel, ImageInfo};
use crate::raster::{Layout, Pixels, Planes, Range};

/// Longest profile that is read; longer ones are taken for absent. Profiles of
/// printing presses have up to 3 MB.
pub(crate) const MAX_PROFILE_BYTES: usize = 8 << 20;

/// How far apart colours may lie for two profiles to be taken for the same, in
/// steps of 8 bits: encoders round the numbers of sRGB in several ways.
const SAME_WITHIN: u8 = 2;

/// A colour profile other than sRGB, ready for use.
#[derive(Debug)]
pub struct Profile(ColorProfile);

impl Profile {
    /// Reads an ICC profile. `None` if it is sRGB or cannot be used: such
    /// pictures are shown as sRGB everywhere.
    #[must_use]
    pub fn read(icc: &[u8]) -> Option<Self> {
        if icc.len() > MAX_PROFILE_BYTES {
            return None;
        }
        let profile = Self(ColorProfile::new_from_slice(icc).ok()?);
        profile.is_of_use().then_some(profile)
    }

    /// Whether its colours are those of an image as its headers describe it. A
    /// profile of others, which some writers leave behind, has no meaning.
    #[must_use]
    pub fn fits(&self, info: &ImageInfo) -> bool {
        let space = match info.color {
            ColorModel::Grey if info.has_alpha => return false,
            ColorModel::Grey => DataColorSpace::Gray,
            ColorModel::Cmyk | ColorModel::Ycck => DataColorSpace::Cmyk,
            ColorModel::Rgb | ColorModel::Palette | ColorModel::YCbCr => DataColorSpace::Rgb,
            ColorModel::Other => return false,
        };
        self.0.color_space == space
    }

    fn is_rgb(&self) -> bool {
        self.0.color_space == DataColorSpace::Rgb
    }

    /// Whether its colours can be converted, and are not those of sRGB.
    fn is_of_use(&self) -> bool {
        match self.0.color_space {
            DataColorSpace::Rgb => self.differs_from_srgb(),
            DataColorSpace::Gray => self.grey_to_rgb(&[0]).is_some(),
            DataColorSpace::Cmyk => self.cmyk_to_rgb(&[0; 4]).is_some(),
            _ => false,
        }
    }

    fn differs_from_srgb(&self) -> bool {
        const STEPS: [u8; 6] = [0, 51, 102, 153, 204, 255];
        let colours: Vec<u8> = STEPS
            .iter()
            .flat_map(|r| STEPS.iter().flat_map(move |g| STEPS.map(|b| [*r, *g, b])))
            .flatten()
            .collect();
        self.convert(&colours, ProfileLayout::Rgb, ProfileLayout::Rgb)
            .is_some_and(|converted| {
                colours
                    .iter()
                    .zip(&converted)
                    .any(|(before, after)| before.abs_diff(*after) > SAME_WITHIN)
            })
    }

    /// Converts `pixels` to sRGB. False, and nothing is changed, if the profile
    /// does not allow that.
    pub fn apply(&self, pixels: &mut Pixels) -> bool {
        let layout = match pixels.layout {
            Layout::Rgb => ProfileLayout::Rgb,
            Layout::Rgba => ProfileLayout::Rgba,
        };
        if !self.is_rgb() {
            return false;
        }
        let converted = self.convert(&pixels.data, layout, layout);
        converted.map(|data| pixels.data = data).is_some()
    }

    /// Converts grey to RGB; `None` if the profile does not allow that.
    #[must_use]
    pub fn grey_to_rgb(&self, samples: &[u8]) -> Option<Vec<u8>> {
        (self.0.color_space == DataColorSpace::Gray)
            .then(|| self.convert(samples, ProfileLayout::Gray, ProfileLayout::Rgb))
            .flatten()
    }

    /// Converts interleaved CMYK (0 is no ink) to RGB; `None` if the profile
    /// does not allow that.
    #[must_use]
    pub fn cmyk_to_rgb(&self, samples: &[u8]) -> Option<Vec<u8>> {
        // Four samples a pixel, like RGBA: what the library takes CMYK for.
        (self.0.color_space == DataColorSpace::Cmyk)
            .then(|| self.convert(samples, ProfileLayout::Rgba, ProfileLayout::Rgb))
            .flatten()
    }

    fn convert(&self, samples: &[u8], from: ProfileLayout, to: ProfileLayout) -> Option<Vec<u8>> {
        let transform = self
            .0
            .create_transform_8bit(
                from,
                &ColorProfile::new_srgb(),
                to,
                TransformOptions::default(),
            )
            .ok()?;
        let pixels = samples.len() / from.channels();
        let mut converted = vec![0; pixels * to.channels()];
        transform.transform(samples, &mut converted).ok()?;
        Some(converted)
    }
}

/// The product of two samples that stand for 0 to 1: `a` × `b` ÷ 255, rounded
/// to the nearest.
#[must_use]
pub fn multiply(a: u8, b: u8) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 255")]
    let product = ((u32::from(a) * u32::from(b) + 127) / 255) as u8;
    product
}

/// Converts interleaved CMYK (0 is no ink) without a profile, as libjpeg's
/// users do: each of red, green and blue is (1 − ink)(1 − black).
#[must_use]
pub fn cmyk_to_rgb(samples: &[u8]) -> Vec<u8> {
    let (colours, _) = samples.as_chunks::<4>();
    colours
        .iter()
        .flat_map(|[c, m, y, k]| [c, m, y].map(|ink| multiply(255 - ink, 255 - k)))
        .collect()
}

/// Composites straight (not premultiplied) alpha on white.
#[must_use]
pub fn on_white(pixels: Pixels) -> Pixels {
    if pixels.layout != Layout::Rgba {
        return pixels;
    }
    let (colours, _) = pixels.data.as_chunks::<4>();
    let data = colours
        .iter()
        .flat_map(|[r, g, b, alpha]| [r, g, b].map(|sample| over_white(*sample, *alpha)))
        .collect();
    Pixels {
        layout: Layout::Rgb,
        data,
        ..pixels
    }
}

/// `sample` at `alpha` over white.
fn over_white(sample: u8, alpha: u8) -> u8 {
    255 - multiply(255 - sample, alpha)
}

/// Grey planes as RGB, three equal samples a pixel.
#[must_use]
pub fn grey_to_rgb(planes: &Planes) -> Pixels {
    let rows = planes.luma.data.chunks(planes.luma.stride.max(1) as usize);
    let data = rows
        .take(planes.height as usize)
        .flat_map(|row| row.iter().take(planes.width as usize))
        .flat_map(|grey| [*grey; 3])
        .collect();
    Pixels {
        width: planes.width,
        height: planes.height,
        layout: Layout::Rgb,
        data,
    }
}

/// Stretches samples from the range of video to the full one (ITU-R BT.601).
pub fn to_full_range(planes: &mut Planes) {
    if planes.range == Range::Full {
        return;
    }
    planes.range = Range::Full;
    let luma = range_table(16, 0, 219);
    let chroma = range_table(128, 128, 224);
    stretch(&mut planes.luma.data, &luma);
    for plane in planes.chroma.iter_mut().flat_map(|both| both.iter_mut()) {
        stretch(&mut plane.data, &chroma);
    }
}

fn stretch(samples: &mut [u8], table: &[u8; 256]) {
    for sample in samples {
        // A byte is always in range of the table.
        *sample = table.get(usize::from(*sample)).copied().unwrap_or(*sample);
    }
}

/// (`sample` − `from`) × 255 ÷ `span` + `to`, for all 256 samples.
fn range_table(from: i32, to: i32, span: i32) -> [u8; 256] {
    let mut table = [0; 256];
    for (sample, entry) in (0..).zip(&mut table) {
        let scaled = f64::from(sample - from) * 255.0 / f64::from(span) + f64::from(to);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a byte"
        )]
        let rounded = scaled.round().clamp(0.0, 255.0) as u8;
        *entry = rounded;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Plane;

    #[test]
    fn products_round_to_the_nearest() {
        for a in 0..=255 {
            for b in 0..=255 {
                let expected = (f64::from(a) * f64::from(b) / 255.0).round();
                assert!((f64::from(multiply(a, b)) - expected).abs() < f64::EPSILON);
            }
        }
    }

    #[test]
    fn cmyk_is_light_left_by_ink_and_black() {
        // No ink, full cyan, half black.
        let stored = [0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 128];
        let rgb = [255, 255, 255, 0, 255, 255, 127, 127, 127];
        assert_eq!(cmyk_to_rgb(&stored), rgb);
    }

    #[test]
    fn compositing_is_exact_at_both_ends() {
        for sample in 0..=255 {
            assert_eq!(over_white(sample, 255), sample);
            assert_eq!(over_white(sample, 0), 255);
        }
        assert_eq!(over_white(0, 128), 127);
    }

    #[test]
    fn video_range_reaches_black_white_and_neutral() {
        let plane = |data: &[u8]| Plane::packed(data.to_vec(), 3, 1);
        let mut planes = Planes {
            width: 3,
            height: 1,
            luma: plane(&[16, 235, 126]),
            chroma: Some(Box::new([plane(&[16, 128, 240]), plane(&[0, 128, 255])])),
            chroma_scale: [1.0; 2],
            range: Range::Video,
        };
        to_full_range(&mut planes);
        assert_eq!(planes.luma.data, [0, 255, 128]);
        let [blue, red] = *planes.chroma.unwrap();
        assert_eq!(blue.data, [1, 128, 255]);
        assert_eq!(red.data, [0, 128, 255]);
    }

    #[test]
    fn srgb_needs_no_conversion_and_others_do() {
        let srgb = ColorProfile::new_srgb().encode().unwrap();
        assert!(Profile::read(&srgb).is_none());
        let p3 = ColorProfile::new_display_p3().encode().unwrap();
        let profile = Profile::read(&p3).unwrap();
        let mut pixels = Pixels {
            width: 1,
            height: 1,
            layout: Layout::Rgb,
            data: vec![200, 100, 50],
        };
        assert!(profile.apply(&mut pixels));
        // A colour of the wider space has more extreme numbers in sRGB.
        assert!(pixels.data[0] > 205 && pixels.data[2] < 45, "{pixels:?}");
        assert!(Profile::read(b"not a profile").is_none());
    }
}

//! JPEG, with zune-jpeg.

use image::RgbImage;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::multiply;
use crate::bytes::{FileBytes, index};
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};
use crate::probe::jpeg::Header;

pub(crate) fn decode(data: &[u8], info: &ImageInfo) -> Result<RgbImage, ImageError> {
    let file = FileBytes::new(Format::Jpeg, data);
    if info.color == ColorModel::Other {
        return Err(file.unsupported("a number of components other than 1, 3 or 4"));
    }
    let is_cmyk = info.color == ColorModel::Cmyk;
    let options = DecoderOptions::default()
        // Like libjpeg, go on past stray bytes and bad entropy-coded data.
        .set_strict_mode(false)
        .set_max_width(index(info.width))
        .set_max_height(index(info.height))
        .jpeg_set_out_colorspace(if is_cmyk {
            ColorSpace::CMYK
        } else {
            ColorSpace::RGB
        });
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
    let samples = decoder.decode().map_err(|error| describe(file, &error))?;
    let pixels = if is_cmyk {
        cmyk_to_rgb(&samples, Header::read(file)?.is_adobe())
    } else {
        samples
    };
    RgbImage::from_raw(info.width, info.height, pixels)
        .ok_or_else(|| file.damaged("its frame headers contradict each other"))
}

/// Converts interleaved CMYK without a colour profile, as libjpeg's users do:
/// each of red, green and blue is (1 − ink)(1 − black).
fn cmyk_to_rgb(samples: &[u8], is_inverted: bool) -> Vec<u8> {
    // What an inverted file stores is already 1 − ink.
    let flip = if is_inverted { 0x00 } else { 0xFF };
    samples
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|cmyk| {
            let [c, m, y, k] = cmyk.map(|sample| sample ^ flip);
            [c, m, y].map(|light| multiply(light, k))
        })
        .collect()
}

fn describe(file: FileBytes<'_>, error: &DecodeErrors) -> ImageError {
    match error {
        DecodeErrors::Unsupported(_) => file.unsupported("a coding process without a decoder"),
        DecodeErrors::ExhaustedData | DecodeErrors::IoErrors(_) => {
            file.truncated("its image data", file.len().saturating_add(1))
        }
        DecodeErrors::LargeDimensions(_) => file.damaged("its frame headers contradict each other"),
        DecodeErrors::HuffmanDecode(_) => file.damaged("its Huffman tables cannot be used"),
        DecodeErrors::DqtError(_) => file.damaged("its quantization tables cannot be used"),
        DecodeErrors::SosError(_) => file.damaged("its scan header cannot be used"),
        DecodeErrors::SofError(_) => file.damaged("its frame header cannot be used"),
        _ => file.damaged("its image data cannot be decoded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmyk_is_light_left_by_ink_and_black() {
        // No ink, full cyan, half black.
        let stored = [0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 128];
        let rgb = [255, 255, 255, 0, 255, 255, 127, 127, 127];
        assert_eq!(cmyk_to_rgb(&stored, false), rgb);
        assert_eq!(cmyk_to_rgb(&stored.map(|sample| !sample), true), rgb);
    }
}

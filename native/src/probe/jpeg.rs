//! JPEG headers (ITU-T T.81, annex B).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::exif;
use crate::bytes::FileBytes;
use crate::container::jpeg::{Segments, marker};
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};

/// What the segments ahead of the first scan say.
#[derive(Debug)]
pub(crate) struct Header {
    frame: Frame,
    /// `ColorTransform` of the Adobe APP14 segment, where there is one.
    adobe_transform: Option<u8>,
    orientation: u8,
}

/// A frame header (ITU-T T.81, B.2.2).
#[derive(Debug)]
struct Frame {
    encoding: &'static str,
    precision: u8,
    width: u16,
    height: u16,
    /// Identifiers of the first three components; 0 where there is none.
    component_ids: [u8; 3],
    component_count: u8,
}

pub(crate) fn probe(file: FileBytes<'_>) -> Result<ImageInfo, ImageError> {
    let header = Header::read(file)?;
    Ok(ImageInfo {
        format: Format::Jpeg,
        encoding: header.frame.encoding,
        width: header.frame.width.into(),
        height: header.frame.height.into(),
        bit_depth: header.frame.precision,
        color: header.color(),
        orientation: header.orientation,
        has_alpha: false,
        is_animated: false,
    })
}

impl Header {
    /// Reads the segments up to the first scan. A fault after the frame header
    /// is left to the structure check: the facts are known by then.
    pub(crate) fn read(file: FileBytes<'_>) -> Result<Self, ImageError> {
        let mut segments = Segments::new(file);
        let mut frame = None;
        let mut adobe_transform = None;
        let mut orientation = None;
        loop {
            let segment = match segments.next_segment() {
                Ok(segment) => segment,
                Err(_) if frame.is_some() => break,
                Err(error) => return Err(error),
            };
            let parameters = segment.parameters;
            match segment.marker {
                marker::SOS | marker::EOI => break,
                marker::DHT | marker::JPG | marker::DAC => {}
                code @ marker::SOF0..=marker::SOF15 if frame.is_none() => {
                    frame = Some(Frame::parse(file, code, parameters)?);
                }
                marker::APP1 if orientation.is_none() && parameters.starts_with(exif::PREFIX) => {
                    orientation = Some(exif::orientation(parameters));
                }
                marker::APP14 if adobe_transform.is_none() => {
                    adobe_transform = parse_adobe_transform(parameters);
                }
                _ => {}
            }
        }
        Ok(Self {
            frame: frame.ok_or_else(|| file.damaged("there is no frame header before the scan"))?,
            adobe_transform,
            orientation: orientation.unwrap_or(exif::UPRIGHT),
        })
    }

    /// Whether an Adobe segment is present, which means that CMYK samples are
    /// stored inverted (0 is full ink).
    pub(crate) const fn is_adobe(&self) -> bool {
        self.adobe_transform.is_some()
    }

    /// The colour model, by the rules of libjpeg's `default_decompress_parms`.
    pub(crate) fn color(&self) -> ColorModel {
        match (self.frame.component_count, self.adobe_transform) {
            (1, _) => ColorModel::Grey,
            (3, Some(0)) => ColorModel::Rgb,
            (3, None) if self.frame.component_ids == *b"RGB" => ColorModel::Rgb,
            (3, _) => ColorModel::YCbCr,
            (4, Some(2)) => ColorModel::Ycck,
            (4, _) => ColorModel::Cmyk,
            _ => ColorModel::Other,
        }
    }
}

impl Frame {
    fn parse(file: FileBytes<'_>, marker: u8, parameters: &[u8]) -> Result<Self, ImageError> {
        let Some(&[precision, y1, y0, x1, x0, component_count]) = parameters.first_chunk() else {
            return Err(file.damaged(format!(
                "its frame header is {} bytes long; at least 6 are needed",
                parameters.len()
            )));
        };
        let height = u16::from_be_bytes([y1, y0]);
        let width = u16::from_be_bytes([x1, x0]);
        if height == 0 {
            // B.2.5: the number of lines then follows the first scan.
            return Err(file.unsupported("the height in a DNL segment after the first scan"));
        }
        if width == 0 || component_count == 0 {
            return Err(file.damaged(format!(
                "its frame header states a width of {width} px and {component_count} components"
            )));
        }
        if !(2..=16).contains(&precision) {
            return Err(file.damaged(format!(
                "its frame header states {precision} bits per sample"
            )));
        }
        // Three bytes a component, the identifier first.
        let mut component_ids = [0; 3];
        for (id, component) in component_ids
            .iter_mut()
            .zip(parameters.get(6..).unwrap_or_default().chunks_exact(3))
        {
            *id = component.first().copied().unwrap_or_default();
        }
        Ok(Self {
            encoding: encoding(marker),
            precision,
            width,
            height,
            component_ids,
            component_count,
        })
    }
}

/// Name of the process a frame marker stands for (ITU-T T.81, table B.1).
const fn encoding(marker: u8) -> &'static str {
    match marker {
        0xC0 => "baseline",
        0xC1 => "extended",
        0xC2 => "progressive",
        0xC3 => "lossless",
        0xC9 => "arithmetic",
        0xCA => "arithmetic-progressive",
        0xCB => "arithmetic-lossless",
        // C5 to C7 and, with arithmetic coding, CD to CF.
        _ => "hierarchical",
    }
}

/// `ColorTransform` from an Adobe APP14 segment (Adobe Technical Note 5116,
/// section 18): `Adobe`, a version, two flag words, then the transform.
fn parse_adobe_transform(parameters: &[u8]) -> Option<u8> {
    let fields = parameters.strip_prefix(b"Adobe")?;
    fields.get(6).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::probe;

    /// SOI, `segments`, and a frame header of 8 bits and 20x10 px.
    fn jpeg(segments: &[u8], sof: u8, ids: &[u8]) -> Vec<u8> {
        let mut data = vec![0xFF, 0xD8];
        data.extend(segments);
        let count = u8::try_from(ids.len()).unwrap();
        data.extend([0xFF, sof, 0, 8 + 3 * count, 8, 0, 10, 0, 20, count]);
        for id in ids {
            data.extend([*id, 0x11, 0]);
        }
        data.extend([0xFF, marker::SOS, 0, 2]);
        data
    }

    fn adobe(transform: u8) -> Vec<u8> {
        let mut segment = b"\xFF\xEE\x00\x0EAdobe\0\x64\0\0\0\0".to_vec();
        segment.push(transform);
        segment
    }

    #[test]
    fn reads_the_frame_header() {
        let info = probe(&jpeg(&[], 0xC0, &[1, 2, 3])).unwrap();
        assert_eq!((info.width, info.height), (20, 10));
        assert_eq!(info.encoding, "baseline");
        assert_eq!(info.bit_depth, 8);
        assert_eq!(info.color, ColorModel::YCbCr);
        assert_eq!(info.orientation, 1);
    }

    #[test]
    fn names_every_process_but_takes_no_table_for_a_frame() {
        for sof in (0xC0..=0xCF).filter(|sof| ![0xC4, 0xC8, 0xCC].contains(sof)) {
            assert!(probe(&jpeg(&[], sof, &[1])).is_ok(), "{sof:x}");
        }
        for table in [0xC4, 0xC8, 0xCC] {
            let error = probe(&jpeg(&[], table, &[1])).unwrap_err();
            assert_eq!(error.kind(), "damaged", "{table:x}");
        }
    }

    #[test]
    fn tells_color_models_apart() {
        let color = |segments: &[u8], ids: &[u8]| probe(&jpeg(segments, 0xC0, ids)).unwrap().color;
        assert_eq!(color(&[], &[1]), ColorModel::Grey);
        assert_eq!(color(&[], b"RGB"), ColorModel::Rgb);
        assert_eq!(color(&adobe(0), &[1, 2, 3]), ColorModel::Rgb);
        assert_eq!(color(&adobe(1), &[1, 2, 3]), ColorModel::YCbCr);
        assert_eq!(color(&adobe(0), &[1, 2, 3, 4]), ColorModel::Cmyk);
        assert_eq!(color(&adobe(2), &[1, 2, 3, 4]), ColorModel::Ycck);
        assert_eq!(color(&[], &[1, 2]), ColorModel::Other);
    }

    #[test]
    fn reads_the_orientation_from_app1() {
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0";
        let mut segment = vec![0xFF, marker::APP1, 0, 30];
        segment.extend(exif::PREFIX);
        segment.extend(tiff);
        segment[3] = u8::try_from(segment.len() - 2).unwrap();
        let info = probe(&jpeg(&segment, 0xC0, &[1])).unwrap();
        assert_eq!(info.orientation, 6);
        assert_eq!(info.display_size(), (10, 20));
    }

    #[test]
    fn a_height_left_to_dnl_is_not_supported() {
        let mut data = jpeg(&[], 0xC0, &[1]);
        data[7..9].fill(0);
        assert_eq!(probe(&data).unwrap_err().kind(), "unsupported_format");
    }

    #[test]
    fn an_image_without_a_frame_is_damaged() {
        let error = probe(b"\xFF\xD8\xFF\xD9").unwrap_err();
        assert_eq!(error.kind(), "damaged");
    }
}

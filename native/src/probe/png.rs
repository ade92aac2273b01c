//! PNG headers (W3C PNG, third edition, section 11).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::exif;
use crate::bytes::FileBytes;
use crate::container::png::Chunks;
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};

const IHDR_LEN: usize = 13;
/// PNG integers are at most 2³¹ − 1 (section 7.1).
const MAX_SIDE: u32 = 0x7FFF_FFFF;

pub(crate) fn probe(file: FileBytes<'_>) -> Result<ImageInfo, ImageError> {
    let mut chunks = Chunks::new(file);
    let first = chunks.next_chunk()?;
    if first.name != *b"IHDR" || first.data.len() != IHDR_LEN {
        return Err(file.damaged(format!(
            "it begins with chunk {} of {} bytes, not with IHDR of {IHDR_LEN}",
            first.name.escape_ascii(),
            first.data.len()
        )));
    }
    let mut info = parse_ihdr(file, first.data.start)?;

    // Only acTL and tRNS have to come before the image data; eXIf may follow
    // it. A fault from here on is left to the structure check.
    let mut before_image_data = true;
    while let Ok(chunk) = chunks.next_chunk() {
        match &chunk.name {
            b"IDAT" => before_image_data = false,
            b"IEND" => break,
            b"acTL" if before_image_data => info.is_animated = true,
            b"tRNS" if before_image_data => info.has_alpha = true,
            b"eXIf" => info.orientation = exif::orientation(file.range(chunk.data, "chunk eXIf")?),
            _ => {}
        }
    }
    Ok(info)
}

fn parse_ihdr(file: FileBytes<'_>, offset: usize) -> Result<ImageInfo, ImageError> {
    let [
        w3,
        w2,
        w1,
        w0,
        h3,
        h2,
        h1,
        h0,
        bit_depth,
        color_type,
        compression,
        filter,
        interlace,
    ] = file.array::<IHDR_LEN>(offset, "chunk IHDR")?;
    let width = u32::from_be_bytes([w3, w2, w1, w0]);
    let height = u32::from_be_bytes([h3, h2, h1, h0]);
    if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
        return Err(file.damaged(format!("IHDR states {width}x{height} px")));
    }
    // Section 11.2.1, table 12: the allowed combinations.
    let (color, has_alpha) = match (color_type, bit_depth) {
        (0, 1 | 2 | 4 | 8 | 16) => (ColorModel::Grey, false),
        (2, 8 | 16) => (ColorModel::Rgb, false),
        (3, 1 | 2 | 4 | 8) => (ColorModel::Palette, false),
        (4, 8 | 16) => (ColorModel::Grey, true),
        (6, 8 | 16) => (ColorModel::Rgb, true),
        _ => {
            return Err(file.damaged(format!(
                "IHDR states colour type {color_type} with {bit_depth} bits per sample"
            )));
        }
    };
    let encoding = match (compression, filter, interlace) {
        (0, 0, 0) => "non-interlaced",
        (0, 0, 1) => "interlaced",
        _ => {
            return Err(file.damaged(format!(
                "IHDR states compression {compression}, filter {filter} and interlace {interlace}"
            )));
        }
    };
    Ok(ImageInfo {
        format: Format::Png,
        encoding,
        width,
        height,
        bit_depth,
        color,
        orientation: exif::UPRIGHT,
        has_alpha,
        is_animated: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::png::SIGNATURE;
    use crate::probe::probe;

    fn chunk(name: [u8; 4], data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], &name, data, b"CRC!"].concat()
    }

    /// Signature, an IHDR of 20x10 px, then `tail`.
    fn png(bit_depth: u8, color_type: u8, interlace: u8, tail: &[Vec<u8>]) -> Vec<u8> {
        let ihdr = [
            0, 0, 0, 20, 0, 0, 0, 10, bit_depth, color_type, 0, 0, interlace,
        ];
        [&SIGNATURE[..], &chunk(*b"IHDR", &ihdr), &tail.concat()].concat()
    }

    #[test]
    fn reads_ihdr() {
        let info = probe(&png(4, 3, 1, &[])).unwrap();
        assert_eq!((info.width, info.height), (20, 10));
        assert_eq!(info.bit_depth, 4);
        assert_eq!(info.color, ColorModel::Palette);
        assert_eq!(info.encoding, "interlaced");
        assert!(!info.has_alpha);
    }

    #[test]
    fn allows_only_the_combinations_of_the_standard() {
        let allowed = (0..=u8::MAX)
            .flat_map(|color| (0..=u8::MAX).map(move |depth| (color, depth)))
            .filter(|&(color, depth)| probe(&png(depth, color, 0, &[])).is_ok())
            .count();
        assert_eq!(allowed, 5 + 2 + 4 + 2 + 2);
    }

    #[test]
    fn ancillary_chunks_tell_alpha_animation_and_orientation() {
        let exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x08\0\0";
        let info = probe(&png(
            8,
            3,
            0,
            &[
                chunk(*b"acTL", &[0; 8]),
                chunk(*b"tRNS", &[0]),
                chunk(*b"IDAT", &[]),
                chunk(*b"eXIf", exif),
                chunk(*b"IEND", &[]),
            ],
        ))
        .unwrap();
        assert!(info.has_alpha);
        assert!(info.is_animated);
        assert_eq!(info.orientation, 8);
    }

    #[test]
    fn animation_control_after_the_image_data_does_not_count() {
        let tail = [chunk(*b"IDAT", &[]), chunk(*b"acTL", &[0; 8])];
        assert!(!probe(&png(8, 2, 0, &tail)).unwrap().is_animated);
    }

    #[test]
    fn another_first_chunk_is_damage() {
        let data = [&SIGNATURE[..], &chunk(*b"CgBI", &[0; 4])].concat();
        let error = probe(&data).unwrap_err();
        assert_eq!(error.kind(), "damaged");
        assert!(error.to_string().contains("CgBI"), "{error}");
    }

    #[test]
    fn a_side_of_zero_is_damage() {
        let mut data = png(8, 2, 0, &[]);
        data[19] = 0;
        assert_eq!(probe(&data).unwrap_err().kind(), "damaged");
    }
}

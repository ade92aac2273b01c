//! WEBP headers (RFC 9649).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::exif;
use crate::bytes::FileBytes;
use crate::container::riff::{self, Chunks, FILE_HEADER_LEN};
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};

/// Offset of the first chunk's payload.
pub(crate) const FIRST_PAYLOAD: usize = FILE_HEADER_LEN + 8;

/// Feature flags of a VP8X chunk (section 2.7).
const FLAG_ANIMATION: u8 = 0x02;
pub(crate) const FLAG_XMP: u8 = 0x04;
pub(crate) const FLAG_EXIF: u8 = 0x08;
const FLAG_ALPHA: u8 = 0x10;

/// Length of the fields ahead of a frame's own chunks in ANMF (section 2.7.1.1).
pub(crate) const ANMF_HEADER_LEN: usize = 16;

/// Length of the header that an image chunk, or the one with the canvas, has to
/// hold.
pub(crate) const fn header_len(fourcc: [u8; 4]) -> usize {
    match &fourcc {
        b"VP8X" | b"VP8 " => 10,
        b"VP8L" => 5,
        _ => 0,
    }
}

/// What the header of a VP8 or VP8L bitstream says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bitstream {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) has_alpha: bool,
    is_lossy: bool,
}

pub(crate) fn probe(file: FileBytes<'_>) -> Result<ImageInfo, ImageError> {
    let fourcc = file.array(FILE_HEADER_LEN, "the first chunk")?;
    match &fourcc {
        b"VP8 " => Ok(Bitstream::read_vp8(file, FIRST_PAYLOAD)?.info("lossy")),
        b"VP8L" => Ok(Bitstream::read_vp8l(file, FIRST_PAYLOAD)?.info("lossless")),
        b"VP8X" => probe_extended(file),
        _ => Err(file.damaged(format!(
            "it begins with chunk {}, not with VP8, VP8L or VP8X",
            fourcc.escape_ascii()
        ))),
    }
}

fn probe_extended(file: FileBytes<'_>) -> Result<ImageInfo, ImageError> {
    let (width, height) = canvas_size(file)?;
    let flags = file.u8(FIRST_PAYLOAD, "chunk VP8X")?;
    let mut color = None;
    let mut orientation = exif::UPRIGHT;
    // A fault past VP8X is left to the structure check.
    let end = riff::end(file)?.min(file.len());
    let mut chunks = Chunks::new(file, FILE_HEADER_LEN..end);
    while let Ok(Some(chunk)) = chunks.next_chunk() {
        match &chunk.fourcc {
            b"VP8 " | b"VP8L" | b"ANMF" if color.is_none() => {
                color = bitstream_color(file, chunk.fourcc, &chunk.payload);
            }
            b"EXIF" if flags & FLAG_EXIF != 0 => {
                orientation = exif::orientation(file.range(chunk.payload, "chunk EXIF")?);
            }
            _ => {}
        }
    }
    Ok(ImageInfo {
        format: Format::Webp,
        encoding: "extended",
        width,
        height,
        bit_depth: 8,
        color: color.unwrap_or(ColorModel::YCbCr),
        orientation,
        has_alpha: flags & FLAG_ALPHA != 0,
        is_animated: flags & FLAG_ANIMATION != 0,
    })
}

/// Canvas width and height of a file that begins with VP8X (section 2.7).
pub(crate) fn canvas_size(file: FileBytes<'_>) -> Result<(u32, u32), ImageError> {
    let width = file.u24_le(FIRST_PAYLOAD.saturating_add(4), "chunk VP8X")?;
    let height = file.u24_le(FIRST_PAYLOAD.saturating_add(7), "chunk VP8X")?;
    Ok((width.saturating_add(1), height.saturating_add(1)))
}

/// Colour model of an image chunk; for a frame, of the first such chunk in it.
fn bitstream_color(
    file: FileBytes<'_>,
    fourcc: [u8; 4],
    payload: &Range<usize>,
) -> Option<ColorModel> {
    match &fourcc {
        b"VP8 " => Some(ColorModel::YCbCr),
        b"VP8L" => Some(ColorModel::Rgb),
        b"ANMF" => {
            let start = payload.start.saturating_add(ANMF_HEADER_LEN);
            let mut chunks = Chunks::new(file, start..payload.end);
            while let Ok(Some(chunk)) = chunks.next_chunk() {
                match &chunk.fourcc {
                    b"VP8 " => return Some(ColorModel::YCbCr),
                    b"VP8L" => return Some(ColorModel::Rgb),
                    _ => {}
                }
            }
            None
        }
        _ => None,
    }
}

impl Bitstream {
    /// Reads a VP8 frame header (RFC 6386, section 9.1): a frame tag of three
    /// bytes, a start code, then 14 bits a side with two bits of scaling above.
    pub(crate) fn read_vp8(file: FileBytes<'_>, offset: usize) -> Result<Self, ImageError> {
        const READING: &str = "the VP8 frame header";
        let [tag, _, _, s0, s1, s2, w0, w1, h0, h1] = file.array(offset, READING)?;
        if tag & 1 != 0 || [s0, s1, s2] != [0x9D, 0x01, 0x2A] {
            return Err(file.damaged("its VP8 data does not begin with a key frame"));
        }
        let width = u32::from(u16::from_le_bytes([w0, w1]) & 0x3FFF);
        let height = u32::from(u16::from_le_bytes([h0, h1]) & 0x3FFF);
        if width == 0 || height == 0 {
            return Err(file.damaged(format!("its VP8 data states {width}x{height} px")));
        }
        Ok(Self {
            width,
            height,
            has_alpha: false,
            is_lossy: true,
        })
    }

    /// Reads a VP8L header (RFC 9649, section 3.4): a signature byte, 14 bits
    /// a side less one, a hint of alpha and a version of three bits.
    pub(crate) fn read_vp8l(file: FileBytes<'_>, offset: usize) -> Result<Self, ImageError> {
        const READING: &str = "the VP8L header";
        let [signature, b0, b1, b2, b3] = file.array(offset, READING)?;
        let bits = u32::from_le_bytes([b0, b1, b2, b3]);
        let version = bits >> 29;
        if signature != 0x2F || version != 0 {
            return Err(file.damaged(format!(
                "its VP8L data begins with byte 0x{signature:02x} and version {version}"
            )));
        }
        Ok(Self {
            width: (bits & 0x3FFF).saturating_add(1),
            height: (bits >> 14 & 0x3FFF).saturating_add(1),
            has_alpha: bits >> 28 & 1 == 1,
            is_lossy: false,
        })
    }

    const fn info(&self, encoding: &'static str) -> ImageInfo {
        ImageInfo {
            format: Format::Webp,
            encoding,
            width: self.width,
            height: self.height,
            bit_depth: 8,
            color: if self.is_lossy {
                ColorModel::YCbCr
            } else {
                ColorModel::Rgb
            },
            orientation: exif::UPRIGHT,
            has_alpha: self.has_alpha,
            is_animated: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::probe;

    const VP8: &[u8] = b"\0\0\0\x9d\x01\x2a\x14\x40\x0a\x00";
    /// 20x10 px with the alpha hint set.
    const VP8L: &[u8] = &[0x2F, 0x13, 0x40, 0x02, 0x10];

    fn chunk(fourcc: [u8; 4], payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        let mut data = [&fourcc[..], &length, payload].concat();
        data.resize(data.len().next_multiple_of(2), 0);
        data
    }

    fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
        let body = [b"WEBP", &chunks.concat()[..]].concat();
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        [b"RIFF", &size[..], &body].concat()
    }

    fn vp8x(flags: u8) -> Vec<u8> {
        chunk(*b"VP8X", &[flags, 0, 0, 0, 19, 0, 0, 9, 0, 0])
    }

    #[test]
    fn reads_a_lossy_file_without_the_scaling_bits() {
        let info = probe(&webp(&[chunk(*b"VP8 ", VP8)])).unwrap();
        assert_eq!((info.width, info.height), (20, 10));
        assert_eq!(info.encoding, "lossy");
        assert_eq!(info.color, ColorModel::YCbCr);
        assert!(!info.has_alpha);
    }

    #[test]
    fn reads_a_lossless_file_and_its_alpha_hint() {
        let info = probe(&webp(&[chunk(*b"VP8L", VP8L)])).unwrap();
        assert_eq!((info.width, info.height), (20, 10));
        assert_eq!(info.encoding, "lossless");
        assert_eq!(info.color, ColorModel::Rgb);
        assert!(info.has_alpha);
    }

    #[test]
    fn reads_the_flags_and_the_canvas_of_an_extended_file() {
        let exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0";
        let chunks = [
            vp8x(FLAG_ALPHA | FLAG_ANIMATION | FLAG_EXIF),
            chunk(
                *b"ANMF",
                &[&[0; ANMF_HEADER_LEN][..], &chunk(*b"VP8L", VP8L)].concat(),
            ),
            chunk(*b"EXIF", exif),
        ];
        let info = probe(&webp(&chunks)).unwrap();
        assert_eq!((info.width, info.height), (20, 10));
        assert_eq!(info.encoding, "extended");
        assert_eq!(info.color, ColorModel::Rgb);
        assert!(info.has_alpha);
        assert!(info.is_animated);
        assert_eq!(info.orientation, 3);
    }

    #[test]
    fn an_exif_chunk_without_its_flag_is_ignored() {
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0";
        let chunks = [vp8x(0), chunk(*b"VP8 ", VP8), chunk(*b"EXIF", exif)];
        assert_eq!(probe(&webp(&chunks)).unwrap().orientation, 1);
    }

    #[test]
    fn wrong_bitstream_headers_are_damage() {
        let interframe = b"\x01\0\0\x9d\x01\x2a\x14\0\x0a\0";
        let no_width = b"\0\0\0\x9d\x01\x2a\0\x40\x0a\0";
        let version_1 = [0x2F, 0, 0, 0, 0x20];
        for chunk in [
            chunk(*b"VP8 ", interframe),
            chunk(*b"VP8 ", no_width),
            chunk(*b"VP8L", &version_1),
            chunk(*b"ICCP", &[]),
        ] {
            assert_eq!(probe(&webp(&[chunk])).unwrap_err().kind(), "damaged");
        }
    }
}

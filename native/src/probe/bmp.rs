//! BMP headers: BITMAPFILEHEADER and the device-independent bitmap headers
//! (Microsoft, *Bitmap Header Types*), told apart by their length.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::exif;
use crate::bytes::FileBytes;
use crate::error::ImageError;
use crate::format::{ColorModel, Format, ImageInfo};

/// Length of BITMAPFILEHEADER, which the other header follows.
const FILE_HEADER_LEN: usize = 14;
/// BITMAPCOREHEADER: 16-bit sides, no compression.
const CORE_LEN: u32 = 12;
/// OS/2 2.x: shares its first 40 bytes with BITMAPINFOHEADER, but not the
/// meaning of its compression field.
const OS2_V2_LEN: u32 = 64;
/// The first header with a mask for alpha; 40 has no masks and 52 three.
const ALPHA_MASK_LEN: u32 = 56;
const READING: &str = "the bitmap header";

/// What the headers of a BMP file say.
#[derive(Debug)]
pub(crate) struct Header {
    pub(crate) width: u32,
    /// Rows; the sign of the stored value, which tells their order, is dropped.
    pub(crate) height: u32,
    pub(crate) bit_count: u16,
    pub(crate) compression: Compression,
    /// Offset of the pixel array in the file.
    pub(crate) pixel_offset: u32,
    /// Length of the file header and the bitmap header.
    pub(crate) headers_len: u32,
    /// Length of the pixel array as stated; may be 0 where it is uncompressed.
    pub(crate) image_size: u32,
    /// Masks of red, green, blue and alpha; all 0 where the layout is fixed.
    masks: [u32; 4],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Uncompressed,
    Rle8,
    Rle4,
    Bitfields,
    AlphaBitfields,
}

pub(crate) fn probe(file: FileBytes<'_>) -> Result<ImageInfo, ImageError> {
    let header = Header::read(file)?;
    Ok(ImageInfo {
        format: Format::Bmp,
        encoding: header.compression.name(),
        width: header.width,
        height: header.height,
        bit_depth: header.bit_depth(),
        color: if header.bit_count <= 8 {
            ColorModel::Palette
        } else {
            ColorModel::Rgb
        },
        orientation: exif::UPRIGHT,
        has_alpha: matches!(header.masks, [_, _, _, alpha] if alpha != 0),
        is_animated: false,
    })
}

impl Header {
    /// # Errors
    ///
    /// [`ImageError::Truncated`], [`ImageError::Damaged`] where fields
    /// contradict each other, and [`ImageError::UnsupportedFormat`] for the
    /// variants meant for printers and for OS/2 2.x.
    pub(crate) fn read(file: FileBytes<'_>) -> Result<Self, ImageError> {
        let pixel_offset = file.u32_le(10, "the file header")?;
        let length = file.u32_le(FILE_HEADER_LEN, READING)?;
        let (width, height, bit_count, compression) = match length {
            CORE_LEN => (
                u32::from(file.u16_le(18, READING)?),
                u32::from(file.u16_le(20, READING)?),
                file.u16_le(24, READING)?,
                0,
            ),
            40 | 52 | ALPHA_MASK_LEN | 108 | 124 => (
                file.u32_le(18, READING)?,
                // A negative height means that rows run from the top down.
                file.u32_le(22, READING)?.cast_signed().unsigned_abs(),
                file.u16_le(28, READING)?,
                file.u32_le(30, READING)?,
            ),
            OS2_V2_LEN => return Err(file.unsupported("an OS/2 2.x bitmap header")),
            _ => {
                return Err(file.damaged(format!(
                    "its bitmap header states a length of {length} bytes"
                )));
            }
        };
        // Width is signed as well, and may not be negative.
        if width.cast_signed() <= 0 || height == 0 {
            return Err(file.damaged(format!(
                "its bitmap header states {}x{height} px",
                width.cast_signed()
            )));
        }
        let compression = Compression::from_code(file, compression)?;
        compression.check_bit_count(file, bit_count)?;
        Ok(Self {
            width,
            height,
            bit_count,
            compression,
            pixel_offset,
            headers_len: length.saturating_add(14),
            image_size: if length == CORE_LEN {
                0
            } else {
                file.u32_le(34, READING)?
            },
            masks: compression.read_masks(file, length)?,
        })
    }

    /// Bits of the widest channel, or of an index.
    fn bit_depth(&self) -> u8 {
        let widest_mask = self.masks.iter().map(|mask| mask.count_ones()).max();
        let bits = match (self.bit_count, widest_mask) {
            (_, Some(bits @ 1..)) => bits,
            (16, _) => 5,
            (bits @ 1..=8, _) => u32::from(bits),
            _ => 8,
        };
        u8::try_from(bits).unwrap_or(u8::MAX)
    }
}

impl Compression {
    fn from_code(file: FileBytes<'_>, code: u32) -> Result<Self, ImageError> {
        match code {
            0 => Ok(Self::Uncompressed),
            1 => Ok(Self::Rle8),
            2 => Ok(Self::Rle4),
            3 => Ok(Self::Bitfields),
            6 => Ok(Self::AlphaBitfields),
            4 => Err(file.unsupported("JPEG data in a bitmap")),
            5 => Err(file.unsupported("PNG data in a bitmap")),
            11..=13 => Err(file.unsupported("CMYK samples")),
            _ => Err(file.damaged(format!("its bitmap header states compression {code}"))),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Uncompressed => "uncompressed",
            Self::Rle8 => "rle8",
            Self::Rle4 => "rle4",
            Self::Bitfields => "bitfields",
            Self::AlphaBitfields => "alpha-bitfields",
        }
    }

    fn check_bit_count(self, file: FileBytes<'_>, bit_count: u16) -> Result<(), ImageError> {
        let is_allowed = match self {
            // 2 is from Windows CE; common readers take it.
            Self::Uncompressed => matches!(bit_count, 1 | 2 | 4 | 8 | 16 | 24 | 32),
            Self::Rle8 => bit_count == 8,
            Self::Rle4 => bit_count == 4,
            Self::Bitfields | Self::AlphaBitfields => matches!(bit_count, 16 | 32),
        };
        if is_allowed {
            Ok(())
        } else {
            Err(file.damaged(format!(
                "its bitmap header states {bit_count} bits per pixel with compression {}",
                self.name()
            )))
        }
    }

    /// The masks follow the first 40 bytes of the header, inside it or, where
    /// it is that short, right behind it.
    fn read_masks(self, file: FileBytes<'_>, header_len: u32) -> Result<[u32; 4], ImageError> {
        let has_alpha_mask = match self {
            Self::Bitfields => header_len >= ALPHA_MASK_LEN,
            Self::AlphaBitfields => true,
            Self::Uncompressed | Self::Rle8 | Self::Rle4 => return Ok([0; 4]),
        };
        Ok([
            file.u32_le(54, READING)?,
            file.u32_le(58, READING)?,
            file.u32_le(62, READING)?,
            if has_alpha_mask {
                file.u32_le(66, READING)?
            } else {
                0
            },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::probe;

    fn bmp(length: u32, height: i32, bit_count: u16, compression: u32, masks: [u32; 4]) -> Vec<u8> {
        let mut data = b"BM\0\0\0\0\0\0\0\0".to_vec();
        data.extend((14 + length).to_le_bytes());
        data.extend(length.to_le_bytes());
        data.extend(20_u32.to_le_bytes());
        data.extend(height.to_le_bytes());
        data.extend(1_u16.to_le_bytes());
        data.extend(bit_count.to_le_bytes());
        data.extend(compression.to_le_bytes());
        data.resize(54, 0);
        data.extend(masks.iter().flat_map(|mask| mask.to_le_bytes()));
        data.resize(14 + 124, 0);
        data
    }

    const BGRA: [u32; 4] = [0xFF_0000, 0xFF00, 0xFF, 0xFF00_0000];

    #[test]
    fn reads_every_info_header_and_both_row_orders() {
        for length in [40, 52, 56, 108, 124] {
            for height in [10, -10] {
                let info = probe(&bmp(length, height, 24, 0, [0; 4])).unwrap();
                assert_eq!((info.width, info.height), (20, 10), "{length}");
                assert_eq!(info.encoding, "uncompressed");
                assert_eq!((info.bit_depth, info.color), (8, ColorModel::Rgb));
            }
        }
    }

    #[test]
    fn reads_the_core_header() {
        let data = b"BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x14\0\x0a\0\x01\0\x08\0";
        let info = probe(data).unwrap();
        assert_eq!((info.width, info.height), (20, 10));
        assert_eq!((info.bit_depth, info.color), (8, ColorModel::Palette));
    }

    #[test]
    fn alpha_needs_a_mask_that_counts() {
        let has_alpha = |length, compression, masks| {
            let info = probe(&bmp(length, 10, 32, compression, masks)).unwrap();
            info.has_alpha
        };
        assert!(has_alpha(124, 3, BGRA));
        assert!(has_alpha(56, 3, BGRA));
        assert!(has_alpha(40, 6, BGRA));
        assert!(!has_alpha(124, 0, BGRA), "masks do not apply");
        assert!(!has_alpha(52, 3, BGRA), "the header has three masks");
        assert!(!has_alpha(124, 3, [0xFF_0000, 0xFF00, 0xFF, 0]));
    }

    #[test]
    fn bit_depth_is_that_of_the_widest_channel() {
        let depth = |bits, compression, masks| {
            let info = probe(&bmp(124, 10, bits, compression, masks)).unwrap();
            info.bit_depth
        };
        assert_eq!(depth(1, 0, [0; 4]), 1);
        assert_eq!(depth(16, 0, [0; 4]), 5);
        assert_eq!(depth(16, 3, [0xF800, 0x07E0, 0x001F, 0]), 6);
        assert_eq!(depth(32, 3, BGRA), 8);
    }

    #[test]
    fn contradictions_are_damage() {
        for data in [
            bmp(41, 10, 24, 0, [0; 4]),
            bmp(40, 0, 24, 0, [0; 4]),
            bmp(40, 10, 7, 0, [0; 4]),
            bmp(40, 10, 24, 1, [0; 4]),
            bmp(40, 10, 24, 99, [0; 4]),
        ] {
            assert_eq!(probe(&data).unwrap_err().kind(), "damaged");
        }
        let mut negative_width = bmp(40, 10, 24, 0, [0; 4]);
        negative_width[21] = 0x80;
        assert_eq!(probe(&negative_width).unwrap_err().kind(), "damaged");
    }

    #[test]
    fn rare_variants_are_named() {
        for compression in [4, 5, 11] {
            let error = probe(&bmp(40, 10, 24, compression, [0; 4])).unwrap_err();
            assert_eq!(error.kind(), "unsupported_format");
        }
        let error = probe(&bmp(64, 10, 24, 0, [0; 4])).unwrap_err();
        assert!(error.to_string().contains("OS/2"), "{error}");
    }

    #[test]
    fn the_least_height_does_not_overflow() {
        let info = probe(&bmp(40, i32::MIN, 24, 0, [0; 4])).unwrap();
        assert_eq!(info.height, 1 << 31);
    }
}

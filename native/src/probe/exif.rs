//! The orientation tag of an EXIF block (CIPA DC-008, on top of TIFF 6.0).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// Prefix of the block in a JPEG APP1 segment. Some writers also put it into a
/// PNG `eXIf` or a WEBP `EXIF` chunk.
pub(crate) const PREFIX: &[u8] = b"Exif\0\0";

/// The value of an image stored the way it is shown.
pub(crate) const UPRIGHT: u8 = 1;

/// Tag number of Orientation (CIPA DC-008, table 4).
const ORIENTATION: u16 = 0x0112;
const TYPE_SHORT: u16 = 3;
const TYPE_LONG: u16 = 4;
const ENTRY_LEN: usize = 12;

/// Reads the orientation, 1 to 8, from the first image file directory.
///
/// An EXIF block is a hint beside the image: one that is damaged, or that
/// states a value out of range, leaves the image [`UPRIGHT`].
pub(crate) fn orientation(block: &[u8]) -> u8 {
    let tiff = block.strip_prefix(PREFIX).unwrap_or(block);
    find(tiff)
        .and_then(|value| u8::try_from(value).ok())
        .filter(|value| (1..=8).contains(value))
        .unwrap_or(UPRIGHT)
}

fn find(tiff: &[u8]) -> Option<u32> {
    let order = match tiff.first_chunk()? {
        b"II*\0" => ByteOrder::Little,
        b"MM\0*" => ByteOrder::Big,
        _ => return None,
    };
    let offset = usize::try_from(order.u32(tiff.get(4..)?)?).ok()?;
    let directory = tiff.get(offset..)?;
    let count = usize::from(order.u16(directory)?);
    // An entry: tag (2 bytes), type (2), number of values (4), value (4).
    directory
        .get(2..)?
        .chunks_exact(ENTRY_LEN)
        .take(count)
        .find(|entry| order.u16(entry) == Some(ORIENTATION))
        .and_then(|entry| {
            let value = entry.get(8..)?;
            match order.u16(entry.get(2..)?)? {
                TYPE_SHORT => order.u16(value).map(u32::from),
                TYPE_LONG => order.u32(value),
                _ => None,
            }
        })
}

#[derive(Clone, Copy)]
enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    fn u16(self, bytes: &[u8]) -> Option<u16> {
        let bytes = *bytes.first_chunk()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        })
    }

    fn u32(self, bytes: &[u8]) -> Option<u32> {
        let bytes = *bytes.first_chunk()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block with one other tag ahead of Orientation = `value`.
    fn big_endian(value: u16) -> Vec<u8> {
        let mut block = b"MM\0*\0\0\0\x08\0\x02".to_vec();
        block.extend(b"\x01\x0F\0\x02\0\0\0\x04abc\0");
        block.extend(b"\x01\x12\0\x03\0\0\0\x01");
        block.extend(value.to_be_bytes());
        block.extend([0, 0]);
        block
    }

    fn little_endian(value: u16) -> Vec<u8> {
        let mut block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        block.extend(value.to_le_bytes());
        block.extend([0, 0]);
        block
    }

    #[test]
    fn reads_every_value_in_both_byte_orders() {
        for value in 1..=8 {
            assert_eq!(u16::from(orientation(&big_endian(value))), value);
            assert_eq!(u16::from(orientation(&little_endian(value))), value);
        }
    }

    #[test]
    fn values_out_of_range_are_upright() {
        for value in [0, 9, 0x0100, u16::MAX] {
            assert_eq!(orientation(&big_endian(value)), UPRIGHT);
            assert_eq!(orientation(&little_endian(value)), UPRIGHT);
        }
    }

    #[test]
    fn accepts_the_app1_prefix() {
        let block = [PREFIX, &big_endian(6)].concat();
        assert_eq!(orientation(&block), 6);
    }

    #[test]
    fn every_cut_is_upright_and_in_bounds() {
        let block = big_endian(6);
        for length in 0..block.len() - 2 {
            assert_eq!(orientation(&block[..length]), UPRIGHT, "{length}");
        }
    }

    #[test]
    fn a_directory_out_of_bounds_is_upright() {
        let mut block = little_endian(6);
        block[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(orientation(&block), UPRIGHT);
    }
}

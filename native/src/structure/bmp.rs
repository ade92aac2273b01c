//! A BMP file is whole if its pixel array fits behind its offset.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use crate::bytes::{FileBytes, index};
use crate::error::ImageError;
use crate::probe::bmp::{Compression, Header};

pub(crate) fn check(file: FileBytes<'_>) -> Result<(), ImageError> {
    let header = Header::read(file)?;
    if header.pixel_offset < header.headers_len {
        return Err(file.damaged(format!(
            "its pixel array begins at byte {}, inside the headers of {} bytes",
            header.pixel_offset, header.headers_len
        )));
    }
    let pixel_array_len = match header.compression {
        Compression::Uncompressed | Compression::Bitfields | Compression::AlphaBitfields => {
            index(header.height).saturating_mul(row_len(&header))
        }
        // Only the header tells; the shortest run is 2 bytes.
        Compression::Rle8 | Compression::Rle4 => index(header.image_size).max(2),
    };
    let end = index(header.pixel_offset).saturating_add(pixel_array_len);
    if end > file.len() {
        return Err(file.truncated("the pixel array", end));
    }
    Ok(())
}

/// Bytes of a row: padded to a multiple of 4.
fn row_len(header: &Header) -> usize {
    let bits = index(header.width).saturating_mul(usize::from(header.bit_count));
    bits.div_ceil(32).saturating_mul(4)
}

#[cfg(test)]
mod tests {
    use crate::format::Format;
    use crate::structure::check;

    /// A BITMAPINFOHEADER file of 3x2 px with `pixels` behind its headers.
    fn bmp(bit_count: u8, compression: u8, pixels: usize) -> Vec<u8> {
        let mut data = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x03\0\0\0\x02\0\0\0\x01\0".to_vec();
        data.extend([bit_count, 0, compression]);
        data.resize(54 + pixels, 0);
        data
    }

    #[test]
    fn rows_are_padded_to_four_bytes() {
        for (bit_count, row) in [(1, 4), (4, 4), (8, 4), (16, 8), (24, 12), (32, 12)] {
            assert_eq!(check(&bmp(bit_count, 0, 2 * row), Format::Bmp), Ok(()));
            let error = check(&bmp(bit_count, 0, 2 * row - 1), Format::Bmp).unwrap_err();
            assert_eq!(error.kind(), "truncated");
            assert_eq!(
                error.allowed(),
                format!("at least {} bytes", 54 + 2 * row),
                "{bit_count}"
            );
        }
    }

    #[test]
    fn run_length_encoded_pixels_are_as_long_as_stated() {
        assert_eq!(check(&bmp(8, 1, 2), Format::Bmp), Ok(()));
        let error = check(&bmp(8, 1, 0), Format::Bmp).unwrap_err();
        assert_eq!(error.kind(), "truncated");

        let mut stated = bmp(8, 1, 9);
        stated[34] = 10;
        let error = check(&stated, Format::Bmp).unwrap_err();
        assert_eq!(error.allowed(), "at least 64 bytes");
    }

    #[test]
    fn pixels_inside_the_headers_are_damage() {
        let mut data = bmp(24, 0, 24);
        data[10] = 53;
        assert_eq!(check(&data, Format::Bmp).unwrap_err().kind(), "damaged");
    }

    #[test]
    fn enormous_sides_do_not_overflow() {
        let mut data = bmp(32, 0, 24);
        data[18..26].copy_from_slice(b"\xFF\xFF\xFF\x7F\x00\x00\x00\x80");
        assert_eq!(check(&data, Format::Bmp).unwrap_err().kind(), "truncated");
    }
}

//! A PNG file is whole if its chunks reach IEND and some hold image data
//! (W3C PNG, third edition, section 5.6).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use crate::bytes::FileBytes;
use crate::container::png::Chunks;
use crate::error::ImageError;

pub(crate) fn check(file: FileBytes<'_>) -> Result<(), ImageError> {
    let mut chunks = Chunks::new(file);
    let mut has_image_data = false;
    loop {
        match &chunks.next_chunk()?.name {
            b"IDAT" => has_image_data = true,
            b"IEND" if has_image_data => return Ok(()),
            b"IEND" => return Err(file.damaged("there is no IDAT chunk before IEND")),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::format::Format;
    use crate::structure::check;

    const WHOLE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x01IDATxCRC!\0\0\0\0IENDCRC!";

    #[test]
    fn reaches_iend() {
        assert_eq!(check(WHOLE, Format::Png), Ok(()));
        assert_eq!(check(&[WHOLE, b"trailing"].concat(), Format::Png), Ok(()));
    }

    #[test]
    fn every_cut_is_a_truncation() {
        for length in 8..WHOLE.len() {
            let error = check(&WHOLE[..length], Format::Png).unwrap_err();
            assert_eq!(error.kind(), "truncated", "{length}");
        }
    }

    #[test]
    fn a_file_without_image_data_is_damaged() {
        let error = check(b"\x89PNG\r\n\x1a\n\0\0\0\0IENDCRC!", Format::Png).unwrap_err();
        assert_eq!(error.kind(), "damaged");
    }
}

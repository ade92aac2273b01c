//! Facts about an image, read from its headers alone.
//!
//! Nothing is decoded and nothing is allocated in proportion to the file; the
//! work is at most one pass over the headers of its segments or chunks.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub(crate) mod bmp;
pub(crate) mod exif;
mod foreign;
pub(crate) mod jpeg;
mod markup;
mod png;
pub(crate) mod webp;

use crate::bytes::FileBytes;
use crate::container;
use crate::error::ImageError;
use crate::format::{Format, ImageInfo};

/// Bytes of an unknown file that its error shows.
const PREFIX_LEN: usize = 8;

/// Reads what the headers of `data` say.
///
/// # Errors
///
/// [`ImageError::Empty`]; [`ImageError::UnsupportedFormat`] or
/// [`ImageError::Unrecognised`] where the format or its variant is none that is
/// handled; [`ImageError::Truncated`] or [`ImageError::Damaged`] where the
/// header cannot be used.
pub fn probe(data: &[u8]) -> Result<ImageInfo, ImageError> {
    let format = sniff(data)?;
    let file = FileBytes::new(format, data);
    match format {
        Format::Jpeg => jpeg::probe(file),
        Format::Png => png::probe(file),
        Format::Bmp => bmp::probe(file),
        Format::Webp => webp::probe(file),
    }
}

/// Tells the format from the file signature.
fn sniff(data: &[u8]) -> Result<Format, ImageError> {
    match data {
        [] => Err(ImageError::Empty),
        [0xFF, 0xD8, 0xFF, ..] => Ok(Format::Jpeg),
        [b'B', b'M', ..] => Ok(Format::Bmp),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Ok(Format::Webp),
        _ if data.starts_with(&container::png::SIGNATURE) => Ok(Format::Png),
        _ => Err(foreign::identify(data).map_or_else(
            || ImageError::Unrecognised {
                prefix_hex: prefix_hex(data),
            },
            |name| ImageError::UnsupportedFormat { name: name.into() },
        )),
    }
}

fn prefix_hex(data: &[u8]) -> String {
    use std::fmt::Write as _;
    data.iter()
        .take(PREFIX_LEN)
        .fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_signature_is_shown_in_hexadecimal() {
        let error = probe(b"\x00\x01hello, world").unwrap_err();
        assert_eq!(error.kind(), "unrecognised");
        assert_eq!(error.measured(), "000168656c6c6f2c");
    }

    #[test]
    fn a_known_foreign_signature_is_named() {
        let error = probe(b"GIF89a\x01\0\x01\0").unwrap_err();
        assert_eq!(error.kind(), "unsupported_format");
        assert_eq!(error.measured(), "GIF");
    }

    #[test]
    fn no_bytes_are_an_error_of_their_own() {
        assert_eq!(probe(&[]), Err(ImageError::Empty));
    }

    #[test]
    fn a_bare_signature_is_a_cut_file() {
        for data in [
            &b"\xFF\xD8\xFF"[..],
            b"\x89PNG\r\n\x1a\n",
            b"BM",
            b"RIFF\x04\0\0\0WEBP",
        ] {
            assert_eq!(probe(data).unwrap_err().kind(), "truncated", "{data:?}");
        }
    }
}

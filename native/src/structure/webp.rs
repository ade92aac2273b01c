//! A WEBP file is whole if its chunks fill the RIFF chunk, hold an image, and
//! agree on its size (RFC 9649, section 2).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::bytes::FileBytes;
use crate::container::riff::{self, Chunks, FILE_HEADER_LEN};
use crate::error::ImageError;
use crate::probe::webp::{ANMF_HEADER_LEN, Bitstream, canvas_size, header_len};

pub(crate) fn check(file: FileBytes<'_>) -> Result<(), ImageError> {
    let end = riff::end(file)?;
    if end > file.len() {
        return Err(file.truncated("the RIFF chunk", end));
    }
    let mut chunks = Chunks::new(file, FILE_HEADER_LEN..end);
    let mut canvas = None;
    let mut has_image = false;
    while let Some(chunk) = chunks.next_chunk()? {
        if chunk.payload.len() < header_len(chunk.fourcc) {
            return Err(file.damaged("a chunk is too short for its header"));
        }
        match &chunk.fourcc {
            b"VP8X" if canvas.is_none() => canvas = Some(canvas_size(file)?),
            b"VP8 " | b"VP8L" => {
                check_size(file, chunk.fourcc, chunk.payload.start, canvas)?;
                has_image = true;
            }
            b"ANMF" => {
                check_frame(file, chunk.payload)?;
                has_image = true;
            }
            _ => {}
        }
    }
    if has_image {
        Ok(())
    } else {
        Err(file.damaged("there is no image data in it"))
    }
}

/// Checks one frame of an animation (section 2.7.1.1): its position, its sides
/// less one, a duration and flags, then chunks of its own.
fn check_frame(file: FileBytes<'_>, payload: Range<usize>) -> Result<(), ImageError> {
    const READING: &str = "chunk ANMF";
    let width = file.u24_le(payload.start.saturating_add(6), READING)?;
    let height = file.u24_le(payload.start.saturating_add(9), READING)?;
    let size = (width.saturating_add(1), height.saturating_add(1));
    let start = payload.start.saturating_add(ANMF_HEADER_LEN);
    let mut chunks = Chunks::new(file, start..payload.end);
    let mut has_image = false;
    while let Some(chunk) = chunks.next_chunk()? {
        if let b"VP8 " | b"VP8L" = &chunk.fourcc {
            if chunk.payload.len() < header_len(chunk.fourcc) {
                return Err(file.damaged("a chunk is too short for its header"));
            }
            check_size(file, chunk.fourcc, chunk.payload.start, Some(size))?;
            has_image = true;
        }
    }
    if has_image {
        Ok(())
    } else {
        Err(file.damaged("a frame of its animation has no image data"))
    }
}

/// Checks that a bitstream is as large as what holds it. Decoders allocate by
/// the bitstream's own header, so without this a small canvas could hide a
/// large image from the limits.
fn check_size(
    file: FileBytes<'_>,
    fourcc: [u8; 4],
    offset: usize,
    expected: Option<(u32, u32)>,
) -> Result<(), ImageError> {
    let bitstream = if fourcc == *b"VP8L" {
        Bitstream::read_vp8l(file, offset)?
    } else {
        Bitstream::read_vp8(file, offset)?
    };
    let Bitstream { width, height, .. } = bitstream;
    match expected {
        Some((w, h)) if (w, h) != (width, height) => Err(file.damaged(format!(
            "its image data is {width}x{height} px where {w}x{h} px are declared"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::error::ImageError;
    use crate::format::Format;
    use crate::structure::check;

    /// A VP8L header of 20x10 px, and its pad byte.
    const VP8L: &[u8] = b"VP8L\x05\0\0\0\x2F\x13\x40\x02\0\0";

    fn vp8x(width_less_one: u8) -> Vec<u8> {
        [
            b"VP8X\x0A\0\0\0\0\0\0\0",
            &[width_less_one, 0, 0, 9, 0, 0][..],
        ]
        .concat()
    }

    fn webp(chunks: &[&[u8]]) -> Vec<u8> {
        let body = [b"WEBP", &chunks.concat()[..]].concat();
        let size = u32::try_from(body.len()).unwrap().to_le_bytes();
        [b"RIFF", &size[..], &body].concat()
    }

    fn check_webp(data: &[u8]) -> Result<(), ImageError> {
        check(data, Format::Webp)
    }

    #[test]
    fn a_whole_file_passes_with_data_behind_it() {
        let data = webp(&[VP8L]);
        assert_eq!(check_webp(&data), Ok(()));
        assert_eq!(check_webp(&[&data[..], b"trailing"].concat()), Ok(()));
    }

    #[test]
    fn the_last_pad_byte_may_be_missing() {
        let data = webp(&[&VP8L[..VP8L.len() - 1]]);
        assert_eq!(check_webp(&data), Ok(()));
    }

    #[test]
    fn every_cut_is_a_truncation() {
        let data = webp(&[VP8L]);
        for length in 8..data.len() {
            let error = check_webp(&data[..length]).unwrap_err();
            assert_eq!(error.kind(), "truncated", "{length}");
        }
    }

    #[test]
    fn the_image_has_to_fill_the_canvas() {
        assert_eq!(check_webp(&webp(&[&vp8x(19), VP8L])), Ok(()));
        let error = check_webp(&webp(&[&vp8x(18), VP8L])).unwrap_err();
        assert_eq!(error.kind(), "damaged");
        assert!(error.to_string().contains("19x10"), "{error}");
    }

    #[test]
    fn a_frame_has_to_hold_an_image_of_its_size() {
        let frame = |width_less_one: u8, image: &[u8]| {
            let length = u32::try_from(16 + image.len()).unwrap().to_le_bytes();
            let header = [0, 0, 0, 0, 0, 0, width_less_one, 0, 0, 9, 0, 0, 0, 0, 0, 0];
            webp(&[&vp8x(99), b"ANMF", &length, &header, image])
        };
        assert_eq!(check_webp(&frame(19, VP8L)), Ok(()));
        assert_eq!(check_webp(&frame(18, VP8L)).unwrap_err().kind(), "damaged");
        assert_eq!(check_webp(&frame(19, b"")).unwrap_err().kind(), "damaged");
    }

    #[test]
    fn a_file_without_an_image_is_damaged() {
        let error = check_webp(&webp(&[&vp8x(19)])).unwrap_err();
        assert_eq!(error.kind(), "damaged");
    }
}

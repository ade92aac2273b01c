//! PNG chunks (W3C PNG, third edition, section 5).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::bytes::{FileBytes, index};
use crate::error::ImageError;

/// The eight bytes every PNG file begins with.
pub(crate) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// PNG lengths are at most 2³¹ − 1, so that signed readers can hold them.
const MAX_LENGTH: u32 = 0x7FFF_FFFF;

/// Most chunks that are walked. A large file has some thousands; a hostile one
/// could make a walk of a million out of empty ones.
const MAX_CHUNKS: u32 = 65_536;

/// One chunk: its four-letter type and where its data lies in the file.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) name: [u8; 4],
    pub(crate) data: Range<usize>,
}

/// A walk over the chunks behind the signature. CRCs are stepped over, not
/// checked: that is the decoder's work.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    file: FileBytes<'a>,
    offset: usize,
    count: u32,
}

impl<'a> Chunks<'a> {
    pub(crate) const fn new(file: FileBytes<'a>) -> Self {
        Self {
            file,
            offset: SIGNATURE.len(),
            count: 0,
        }
    }

    /// Reads the next chunk's header and makes sure that the whole chunk, CRC
    /// included, is there.
    ///
    /// # Errors
    ///
    /// [`ImageError::Truncated`] where the file ends first, and
    /// [`ImageError::Damaged`] at a length above 2³¹ − 1, or after 65 536 chunks.
    pub(crate) fn next_chunk(&mut self) -> Result<Chunk, ImageError> {
        const READING: &str = "a chunk";
        self.count = self.count.saturating_add(1);
        if self.count > MAX_CHUNKS {
            return Err(self
                .file
                .damaged(format!("there are more than {MAX_CHUNKS} chunks")));
        }
        let length = self.file.u32_be(self.offset, READING)?;
        let name = self.file.array(self.offset.saturating_add(4), READING)?;
        if length > MAX_LENGTH {
            return Err(self
                .file
                .damaged(format!("a chunk states a length of {length} bytes")));
        }
        let start = self.offset.saturating_add(8);
        let end = start.saturating_add(index(length));
        let next = end.saturating_add(4);
        if next > self.file.len() {
            return Err(self.file.truncated(READING, next));
        }
        self.offset = next;
        Ok(Chunk {
            name,
            data: start..end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn first_chunk(tail: &[u8]) -> Result<Chunk, ImageError> {
        let data = [&SIGNATURE, tail].concat();
        Chunks::new(FileBytes::new(Format::Png, &data)).next_chunk()
    }

    #[test]
    fn a_chunk_is_where_its_header_says() {
        let chunk = first_chunk(b"\0\0\0\x02tEXthiCRC!").unwrap();
        assert_eq!(&chunk.name, b"tEXt");
        assert_eq!(chunk.data, 16..18);
    }

    #[test]
    fn a_missing_crc_is_a_truncation() {
        let error = first_chunk(b"\0\0\0\x02tEXthiCRC").unwrap_err();
        assert_eq!(error.allowed(), "at least 22 bytes");
    }

    #[test]
    fn a_length_above_the_limit_is_damage() {
        let error = first_chunk(b"\x80\0\0\0tEXt").unwrap_err();
        assert_eq!(error.kind(), "damaged");
    }
}

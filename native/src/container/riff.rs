//! RIFF chunks as WEBP uses them (RFC 9649, section 2.3).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::ops::Range;

use crate::bytes::{FileBytes, index};
use crate::error::ImageError;

/// Length of the file header: `RIFF`, the size of what follows, `WEBP`.
pub(crate) const FILE_HEADER_LEN: usize = 12;

/// Most chunks that are walked, within one range. An animation has one for each
/// frame; a hostile file could make a walk of a million out of empty ones.
const MAX_CHUNKS: u32 = 65_536;

/// One chunk: its `FourCC` and where its payload lies in the file.
#[derive(Debug)]
pub(crate) struct Chunk {
    pub(crate) fourcc: [u8; 4],
    pub(crate) payload: Range<usize>,
}

/// A walk over the chunks inside one range of the file.
#[derive(Debug)]
pub(crate) struct Chunks<'a> {
    file: FileBytes<'a>,
    range: Range<usize>,
    count: u32,
}

impl<'a> Chunks<'a> {
    /// `range` is the payload of the enclosing chunk, within the file.
    pub(crate) const fn new(file: FileBytes<'a>, range: Range<usize>) -> Self {
        Self {
            file,
            range,
            count: 0,
        }
    }

    /// The next chunk, or `None` at the end of the range. The pad byte after a
    /// payload of odd length may be missing from the last chunk: several
    /// writers leave it out and decoders do not mind.
    ///
    /// # Errors
    ///
    /// [`ImageError::Damaged`] where the chunk runs past the range, and after
    /// 65 536 chunks.
    pub(crate) fn next_chunk(&mut self) -> Result<Option<Chunk>, ImageError> {
        const READING: &str = "a chunk header";
        let Range { start, end } = self.range;
        if start >= end {
            return Ok(None);
        }
        self.count = self.count.saturating_add(1);
        if self.count > MAX_CHUNKS {
            return Err(self
                .file
                .damaged(format!("there are more than {MAX_CHUNKS} chunks")));
        }
        let payload_start = start.saturating_add(8);
        if payload_start > end {
            return Err(self.overrun());
        }
        let fourcc = self.file.array(start, READING)?;
        let length = index(self.file.u32_le(start.saturating_add(4), READING)?);
        let payload_end = payload_start.saturating_add(length);
        if payload_end > end {
            return Err(self.overrun());
        }
        self.range.start = payload_end.saturating_add(length & 1);
        Ok(Some(Chunk {
            fourcc,
            payload: payload_start..payload_end,
        }))
    }

    fn overrun(&self) -> ImageError {
        self.file
            .damaged("a chunk runs past the end of the one around it")
    }
}

/// End of the RIFF chunk, from the size in the file header.
///
/// # Errors
///
/// [`ImageError::Truncated`] where the header is not whole.
pub(crate) fn end(file: FileBytes<'_>) -> Result<usize, ImageError> {
    let size = file.u32_le(4, "the RIFF header")?;
    Ok(index(size).saturating_add(8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn walk(data: &[u8]) -> Result<Vec<Range<usize>>, ImageError> {
        let mut chunks = Chunks::new(FileBytes::new(Format::Webp, data), 0..data.len());
        let mut found = Vec::new();
        while let Some(chunk) = chunks.next_chunk()? {
            found.push(chunk.payload);
        }
        Ok(found)
    }

    #[test]
    fn payloads_of_odd_length_are_padded() {
        let data = b"ABCD\x01\0\0\0x\0EFGH\x02\0\0\0yy";
        assert_eq!(walk(data), Ok(vec![8..9, 18..20]));
    }

    #[test]
    fn the_last_pad_byte_may_be_missing() {
        assert_eq!(walk(b"ABCD\x01\0\0\0x").unwrap()[0], 8..9);
    }

    #[test]
    fn a_chunk_may_not_run_past_its_range() {
        assert_eq!(walk(b"ABCD\x02\0\0\0x").unwrap_err().kind(), "damaged");
        assert_eq!(walk(b"ABCD").unwrap_err().kind(), "damaged");
        assert!(walk(b"ABCD\xFF\xFF\xFF\xFFx").is_err());
    }
}

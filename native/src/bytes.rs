//! Bounds-checked reads from one file.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::borrow::Cow;
use std::ops::Range;

use crate::error::ImageError;
use crate::format::Format;

/// A file whose reads fail with [`ImageError::Truncated`] past its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FileBytes<'a> {
    format: Format,
    data: &'a [u8],
}

impl<'a> FileBytes<'a> {
    pub(crate) const fn new(format: Format, data: &'a [u8]) -> Self {
        Self { format, data }
    }

    pub(crate) const fn len(self) -> usize {
        self.data.len()
    }

    /// Everything from `offset` on; empty past the end.
    pub(crate) fn tail(self, offset: usize) -> &'a [u8] {
        self.data.get(offset..).unwrap_or_default()
    }

    pub(crate) fn range(
        self,
        range: Range<usize>,
        reading: &'static str,
    ) -> Result<&'a [u8], ImageError> {
        let end = range.end;
        self.data
            .get(range)
            .ok_or_else(|| self.truncated(reading, end))
    }

    pub(crate) fn array<const N: usize>(
        self,
        offset: usize,
        reading: &'static str,
    ) -> Result<[u8; N], ImageError> {
        self.tail(offset)
            .first_chunk()
            .copied()
            .ok_or_else(|| self.truncated(reading, offset.saturating_add(N)))
    }

    pub(crate) fn u8(self, offset: usize, reading: &'static str) -> Result<u8, ImageError> {
        self.array(offset, reading).map(u8::from_be_bytes)
    }

    pub(crate) fn u16_be(self, offset: usize, reading: &'static str) -> Result<u16, ImageError> {
        self.array(offset, reading).map(u16::from_be_bytes)
    }

    pub(crate) fn u16_le(self, offset: usize, reading: &'static str) -> Result<u16, ImageError> {
        self.array(offset, reading).map(u16::from_le_bytes)
    }

    pub(crate) fn u24_le(self, offset: usize, reading: &'static str) -> Result<u32, ImageError> {
        let [low, middle, high] = self.array(offset, reading)?;
        Ok(u32::from_le_bytes([low, middle, high, 0]))
    }

    pub(crate) fn u32_be(self, offset: usize, reading: &'static str) -> Result<u32, ImageError> {
        self.array(offset, reading).map(u32::from_be_bytes)
    }

    pub(crate) fn u32_le(self, offset: usize, reading: &'static str) -> Result<u32, ImageError> {
        self.array(offset, reading).map(u32::from_le_bytes)
    }

    /// The error of a file that should have been `needed` bytes long.
    pub(crate) fn truncated(self, reading: &'static str, needed: usize) -> ImageError {
        ImageError::Truncated {
            format: self.format,
            reading,
            needed: needed as u64,
            have: self.data.len() as u64,
        }
    }

    /// The error of a file that contradicts its format.
    pub(crate) fn damaged(self, what: impl Into<Cow<'static, str>>) -> ImageError {
        ImageError::Damaged {
            format: self.format,
            what: what.into(),
        }
    }

    /// The error of a variant that is not handled, `what` being what it has.
    pub(crate) fn unsupported(self, what: &str) -> ImageError {
        ImageError::UnsupportedFormat {
            name: format!("{} with {what}", self.format).into(),
        }
    }
}

/// A length field as an index. Where `usize` is narrower than 32 bits the
/// length saturates, so a read at it fails as truncated.
pub(crate) fn index(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_byte_orders() {
        let file = FileBytes::new(Format::Bmp, &[1, 2, 3, 4]);
        assert_eq!(file.u16_be(0, "x"), Ok(0x0102));
        assert_eq!(file.u16_le(1, "x"), Ok(0x0302));
        assert_eq!(file.u24_le(1, "x"), Ok(0x0004_0302));
        assert_eq!(file.u32_be(0, "x"), Ok(0x0102_0304));
        assert_eq!(file.u32_le(0, "x"), Ok(0x0403_0201));
    }

    #[test]
    fn a_read_past_the_end_states_both_lengths() {
        let file = FileBytes::new(Format::Bmp, &[1, 2, 3, 4]);
        let expected = ImageError::Truncated {
            format: Format::Bmp,
            reading: "x",
            needed: 5,
            have: 4,
        };
        assert_eq!(file.u32_be(1, "x"), Err(expected.clone()));
        assert_eq!(file.range(0..5, "x"), Err(expected));
        assert!(file.u8(usize::MAX, "x").is_err());
    }
}

//! JPEG marker segments (ITU-T T.81, annex B.1).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use memchr::memchr;

use crate::bytes::FileBytes;
use crate::error::ImageError;

/// Marker codes: the byte after `0xFF` (ITU-T T.81, table B.1).
pub(crate) mod marker {
    pub(crate) const TEM: u8 = 0x01;
    pub(crate) const SOF0: u8 = 0xC0;
    pub(crate) const DHT: u8 = 0xC4;
    pub(crate) const JPG: u8 = 0xC8;
    pub(crate) const DAC: u8 = 0xCC;
    pub(crate) const SOF15: u8 = 0xCF;
    pub(crate) const RST0: u8 = 0xD0;
    pub(crate) const EOI: u8 = 0xD9;
    pub(crate) const SOS: u8 = 0xDA;
    pub(crate) const APP1: u8 = 0xE1;
    pub(crate) const APP14: u8 = 0xEE;
}

/// One marker and, unless it stands alone, the parameters after its length.
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    pub(crate) parameters: &'a [u8],
    /// Offset of the byte after the segment.
    pub(crate) end: usize,
}

/// A walk over the marker segments after SOI.
///
/// Bytes that cannot begin a marker are skipped. Before the first scan that is
/// the leniency of libjpeg towards stray bytes; after it, it is how a walk
/// passes over entropy-coded data, whose `0xFF` bytes are stuffed with `0x00`.
#[derive(Debug)]
pub(crate) struct Segments<'a> {
    file: FileBytes<'a>,
    offset: usize,
}

impl<'a> Segments<'a> {
    /// Starts behind the SOI marker, which the caller has recognised.
    pub(crate) const fn new(file: FileBytes<'a>) -> Self {
        Self { file, offset: 2 }
    }

    /// Reads the next segment.
    ///
    /// # Errors
    ///
    /// [`ImageError::Truncated`] where the file ends first, and
    /// [`ImageError::Damaged`] at a reserved marker or an impossible length.
    pub(crate) fn next_segment(&mut self) -> Result<Segment<'a>, ImageError> {
        let marker = self.next_marker()?;
        let parameters: &[u8] = match marker {
            marker::TEM | marker::RST0..=marker::EOI => &[],
            0x02..=0xBF => {
                return Err(self
                    .file
                    .damaged(format!("reserved marker 0xff{marker:02x}")));
            }
            _ => self.parameters()?,
        };
        self.offset = self.offset.saturating_add(parameters.len());
        Ok(Segment {
            marker,
            parameters,
            end: self.offset,
        })
    }

    /// Finds the next `0xFF` that introduces a marker, past fill bytes (any
    /// number of further `0xFF`) and stuffed zeros, and returns its code.
    fn next_marker(&mut self) -> Result<u8, ImageError> {
        const READING: &str = "the end-of-image marker";
        loop {
            let rest = self.file.tail(self.offset);
            // A call of memchr pays off over runs, not where markers touch.
            let skipped = match rest.first() {
                Some(0xFF) => Some(0),
                _ => memchr(0xFF, rest),
            }
            .ok_or_else(|| {
                let needed = self.file.len().saturating_add(2);
                self.file.truncated(READING, needed)
            })?;
            self.offset = self.offset.saturating_add(skipped);
            let mut code = 0xFF;
            while code == 0xFF {
                self.offset = self.offset.saturating_add(1);
                code = self.file.u8(self.offset, READING)?;
            }
            self.offset = self.offset.saturating_add(1);
            if code != 0x00 {
                return Ok(code);
            }
        }
    }

    /// Reads a length, which counts its own two bytes, and what it covers.
    fn parameters(&mut self) -> Result<&'a [u8], ImageError> {
        const READING: &str = "a marker segment";
        let length = usize::from(self.file.u16_be(self.offset, READING)?);
        let start = self.offset.saturating_add(2);
        let end = self.offset.saturating_add(length);
        if length < 2 {
            return Err(self.file.damaged(format!(
                "a marker segment states a length of {length} bytes"
            )));
        }
        self.offset = start;
        self.file.range(start..end, READING)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn markers(data: &[u8]) -> (Vec<u8>, ImageError) {
        let mut segments = Segments::new(FileBytes::new(Format::Jpeg, data));
        let mut found = Vec::new();
        loop {
            match segments.next_segment() {
                Ok(segment) => found.push(segment.marker),
                Err(error) => return (found, error),
            }
        }
    }

    #[test]
    fn passes_fill_bytes_stray_bytes_and_stuffing() {
        let data = [
            0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xE0, 0, 3, 7, // fill bytes before APP0
            9, 9, 0xFF, 0x00, 0xFF, 0xD3, // stray bytes, a stuffed zero, RST3
            0xFF, 0xD9,
        ];
        assert_eq!(markers(&data).0, [0xE0, 0xD3, marker::EOI]);
    }

    #[test]
    fn a_segment_past_the_end_is_truncated() {
        let (found, error) = markers(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 9, 1]);
        assert!(found.is_empty());
        assert_eq!(error.kind(), "truncated");
        assert_eq!(error.allowed(), "at least 13 bytes");
    }

    #[test]
    fn impossible_lengths_and_reserved_markers_are_damage() {
        assert_eq!(markers(&[0xFF, 0xD8, 0xFF, 0xE0, 0, 1]).1.kind(), "damaged");
        assert_eq!(markers(&[0xFF, 0xD8, 0xFF, 0x40]).1.kind(), "damaged");
    }
}

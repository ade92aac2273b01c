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
    pub(crate) const RST7: u8 = 0xD7;
    pub(crate) const SOI: u8 = 0xD8;
    pub(crate) const EOI: u8 = 0xD9;
    pub(crate) const SOS: u8 = 0xDA;
    pub(crate) const DQT: u8 = 0xDB;
    pub(crate) const APP0: u8 = 0xE0;
    pub(crate) const APP1: u8 = 0xE1;
    pub(crate) const APP2: u8 = 0xE2;
    pub(crate) const APP13: u8 = 0xED;
    pub(crate) const APP14: u8 = 0xEE;
    pub(crate) const APP15: u8 = 0xEF;
    pub(crate) const JPG0: u8 = 0xF0;
    pub(crate) const COM: u8 = 0xFE;
}

/// Most segments that are walked. Real files have fewer than a thousand; a
/// hostile one could make a walk of millions out of empty segments.
const MAX_SEGMENTS: u32 = 65_536;

/// One marker and, unless it is SOI or EOI, the parameters after its length.
#[derive(Debug)]
pub(crate) struct Segment<'a> {
    pub(crate) marker: u8,
    pub(crate) parameters: &'a [u8],
    /// Offset of the byte after the segment.
    pub(crate) end: usize,
}

/// A walk over the marker segments after SOI.
///
/// Bytes that cannot begin a segment are skipped. Before the first scan that is
/// the leniency of libjpeg towards stray bytes; after it, it is how a walk
/// passes over entropy-coded data, in which `0xFF` is followed by `0x00` or is
/// part of a restart marker.
#[derive(Debug)]
pub(crate) struct Segments<'a> {
    file: FileBytes<'a>,
    offset: usize,
    count: u32,
}

impl<'a> Segments<'a> {
    /// Starts behind the SOI marker, which the caller has recognised.
    pub(crate) const fn new(file: FileBytes<'a>) -> Self {
        Self {
            file,
            offset: 2,
            count: 0,
        }
    }

    /// Reads the next segment.
    ///
    /// # Errors
    ///
    /// [`ImageError::Truncated`] where the file ends first, and
    /// [`ImageError::Damaged`] at a reserved marker, at an impossible length or
    /// after 65 536 segments.
    pub(crate) fn next_segment(&mut self) -> Result<Segment<'a>, ImageError> {
        self.count = self.count.saturating_add(1);
        if self.count > MAX_SEGMENTS {
            return Err(self.file.damaged(format!(
                "there are more than {MAX_SEGMENTS} marker segments"
            )));
        }
        let marker = self.next_marker()?;
        let parameters: &[u8] = match marker {
            marker::SOI | marker::EOI => &[],
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

    /// Finds the next `0xFF` that introduces a segment, past fill bytes (any
    /// number of further `0xFF`), stuffed zeros and the markers that stand
    /// alone amid data, and returns its code.
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
            if !matches!(code, 0x00 | marker::TEM | marker::RST0..=marker::RST7) {
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
        assert_eq!(markers(&data).0, [0xE0, marker::EOI]);
    }

    #[test]
    fn a_walk_is_bounded() {
        let empty_comments = [0xFF, 0xFE, 0, 2].repeat(70_000);
        let (found, error) = markers(&[&[0xFF, 0xD8][..], &empty_comments].concat());
        assert_eq!(found.len(), 65_536);
        assert_eq!(error.kind(), "damaged");
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

//! JPEG: segments are dropped by their marker (ITU-T T.81, B.1 and B.2), and
//! application segments by what they begin with.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use memchr::memchr;

use super::{Edit, Kind, ORIENTATION_BLOCK_LEN, Stripped, kept_block};
use crate::bytes::FileBytes;
use crate::container::jpeg::{Segment, Segments, marker};
use crate::error::ImageError;
use crate::probe::exif;

/// Marker, length and `Exif\0\0` ahead of the orientation block.
const EXIF_SEGMENT_LEN: usize = 10 + ORIENTATION_BLOCK_LEN;

/// `JFIF\0`, a version, the unit and the two densities (ITU-T T.871, 10.1).
const JFIF_LEN: usize = 12;
/// The sides of a thumbnail follow, one byte each, then its samples.
const JFIF_SIDES_LEN: usize = 2;
/// `Adobe`, a version, two flag words and the transform (Adobe Technical Note
/// 5116, section 18).
const ADOBE_LEN: usize = 12;

pub(crate) fn strip(
    file: FileBytes<'_>,
    data: &[u8],
    orientation: u8,
) -> Result<Option<Stripped>, ImageError> {
    let mut headers = Headers::new(data, orientation);
    let mut segments = Segments::new(file);
    let mut start = 2;
    loop {
        let segment = segments.next_segment()?;
        match segment.marker {
            marker::EOI => return Err(file.damaged("it ends before any scan")),
            code => headers.read(start, &segment, code),
        }
        start = segment.end;
        if segment.marker == marker::SOS {
            break;
        }
    }
    let mut edit = headers.edit;
    let end = strip_scans(data, start, &mut edit).ok_or_else(|| {
        let needed = file.len().saturating_add(2);
        file.truncated("the end-of-image marker", needed)
    })?;
    Ok(edit.finish(end))
}

/// The segments up to the first scan.
struct Headers<'a> {
    edit: Edit<'a>,
    exif_segment: Option<[u8; EXIF_SEGMENT_LEN]>,
    has_jfif: bool,
}

impl<'a> Headers<'a> {
    fn new(data: &'a [u8], orientation: u8) -> Self {
        Self {
            edit: Edit::new(data),
            exif_segment: kept_block(orientation).map(exif_segment),
            has_jfif: false,
        }
    }

    /// Keeps a segment or cuts it, together with the stray bytes between
    /// `start`, where the last one ended, and its marker.
    fn read(&mut self, start: usize, segment: &Segment<'_>, code: u8) {
        let Segment {
            parameters, end, ..
        } = *segment;
        let parameters_start = end.saturating_sub(parameters.len());
        let segment_start = parameters_start.saturating_sub(4);
        if let Some(kind) = self.kind(code, parameters) {
            if kind == Kind::Exif
                && let Some(exif_segment) = self.exif_segment.take()
            {
                // A reader takes the first block, so this one held the
                // orientation.
                self.edit.cut(start..segment_start, Kind::Other);
                if self.edit.data.get(segment_start..end) != Some(&exif_segment[..]) {
                    self.edit.cut(segment_start..end, kind);
                    self.edit.insert(end, &exif_segment);
                }
                return;
            }
            self.edit.cut(start..end, kind);
            return;
        }
        self.edit.cut(start..segment_start, Kind::Other);
        // What is left of these two has no length that varies.
        let (kept_len, tail, kind): (_, &[u8], _) = match code {
            marker::APP0 => (JFIF_LEN, &[0; JFIF_SIDES_LEN], Kind::Thumbnail),
            marker::APP14 => (ADOBE_LEN, &[], Kind::Other),
            _ => return,
        };
        if parameters.get(kept_len..) == Some(tail) {
            return;
        }
        let length = kept_len.saturating_add(tail.len()).saturating_add(2);
        self.edit.overwrite(
            segment_start.saturating_add(2),
            &u16::try_from(length).unwrap_or_default().to_be_bytes(),
        );
        self.edit
            .cut(parameters_start.saturating_add(kept_len)..end, kind);
        self.edit.insert(end, tail);
    }

    /// What a segment is, unless it is kept.
    fn kind(&mut self, code: u8, parameters: &[u8]) -> Option<Kind> {
        match code {
            marker::APP0
                if !self.has_jfif
                    && parameters.starts_with(b"JFIF\0")
                    && parameters.len() >= JFIF_LEN + JFIF_SIDES_LEN =>
            {
                self.has_jfif = true;
                None
            }
            // Parts of a profile are numbered and joined by their readers.
            marker::APP2 if parameters.starts_with(b"ICC_PROFILE\0") => None,
            marker::APP14 if parameters.starts_with(b"Adobe") && parameters.len() >= ADOBE_LEN => {
                None
            }
            // Inside a file a marker of its start has no meaning.
            marker::SOI => Some(Kind::Other),
            _ => metadata_kind(code, parameters),
        }
    }
}

/// What a segment is, if its marker is one that a decoder can do without: an
/// application segment, a comment, or an extension of T.81 that no decoder
/// knows.
fn metadata_kind(code: u8, parameters: &[u8]) -> Option<Kind> {
    // CIPA DC-008, 4.7.2 (EXIF); ISO 16684-3 (XMP); CIPA DC-007 (MPF).
    let kind = match code {
        marker::APP0 if parameters.starts_with(b"JFXX\0") => Kind::Thumbnail,
        marker::APP1 if parameters.starts_with(exif::PREFIX) => Kind::Exif,
        marker::APP1 if parameters.starts_with(b"http://ns.adobe.com/x") => Kind::Xmp,
        marker::APP2 if parameters.starts_with(b"MPF\0") => Kind::Thumbnail,
        marker::APP13
            if parameters.starts_with(b"Photoshop ")
                || parameters.starts_with(b"Adobe_Photoshop") =>
        {
            Kind::Iptc
        }
        marker::COM => Kind::Comment,
        marker::APP0..=marker::APP15 | marker::JPG0..=marker::COM => Kind::Other,
        _ => return None,
    };
    Some(kind)
}

pub(super) fn exif_segment(block: [u8; ORIENTATION_BLOCK_LEN]) -> [u8; EXIF_SEGMENT_LEN] {
    #[expect(clippy::cast_possible_truncation, reason = "34")]
    const LENGTH: u8 = EXIF_SEGMENT_LEN as u8 - 2;
    let mut segment = [0; EXIF_SEGMENT_LEN];
    let parts = [0xFF, marker::APP1, 0, LENGTH]
        .into_iter()
        .chain(exif::PREFIX.iter().copied())
        .chain(block);
    for (byte, value) in segment.iter_mut().zip(parts) {
        *byte = value;
    }
    segment
}

/// Cuts the segments between scans that are not needed, `start` being where the
/// first scan begins, and returns the end of the image: that of the first EOI,
/// which ends the walk. Behind it lie other images, as CIPA DC-007 has it.
///
/// A structure check does not read this far where a file ends in EOI, so faults
/// are passed over and what they touch is kept: the file decodes as it did. A
/// segment counts only as long as it ends before the last EOI, so that one is
/// found wherever the check saw one.
fn strip_scans(data: &[u8], start: usize, edit: &mut Edit<'_>) -> Option<usize> {
    let limit = last_segment_end(data);
    let mut offset = start;
    loop {
        let marker_start = find_marker(data, offset)?;
        let code_at = skip_fill(data, marker_start)?;
        let code = *data.get(code_at)?;
        let behind_code = code_at.saturating_add(1);
        offset = match code {
            marker::EOI => return Some(behind_code),
            // Stuffing, markers without parameters and reserved ones.
            0x00..=0xBF | marker::RST0..=marker::SOI => behind_code,
            _ => {
                let length = *data.get(behind_code..)?.first_chunk()?;
                let length = usize::from(u16::from_be_bytes(length));
                let parameters_start = behind_code.saturating_add(2);
                let end = behind_code.saturating_add(length);
                if length < 2 || end > limit {
                    // The two bytes are passed so that no part of them is
                    // taken for a marker and cut.
                    if parameters_start <= limit {
                        parameters_start
                    } else {
                        behind_code
                    }
                } else {
                    let parameters = data.get(parameters_start..end)?;
                    // T.81 has them between a scan and the next marker. One
                    // amid entropy-coded data is damage to that data.
                    if let Some(kind) = metadata_kind(code, parameters)
                        && is_marker(data, end)
                    {
                        edit.cut(marker_start..end, kind);
                    }
                    end
                }
            }
        }
    }
}

/// The furthest that a segment may reach and leave room for an EOI.
fn last_segment_end(data: &[u8]) -> usize {
    // Some writers pad a file to a block size.
    let end = data.iter().rposition(|byte| *byte != 0);
    let trimmed = data.get(..=end.unwrap_or_default()).unwrap_or_default();
    let end = if trimmed.ends_with(&[0xFF, marker::EOI]) {
        trimmed.len()
    } else {
        data.len()
    };
    end.saturating_sub(2)
}

/// Offset of the next `0xFF`, if it is no further than that of the next marker.
///
/// In coded data one byte in a few hundred is `0xFF`, mostly with a stuffed zero
/// behind it. Runs without anything else are passed in blocks, which is four
/// times as fast as a search for each `0xFF`.
fn find_marker(data: &[u8], offset: usize) -> Option<usize> {
    const BLOCK: usize = 64;
    let first = data.get(offset..)?;
    let second = first.get(1..)?;
    let blocks = first.as_chunks::<BLOCK>().0.iter();
    let clean = blocks
        .zip(second.as_chunks::<BLOCK>().0)
        .take_while(|(first, second)| !has_marker(*first, *second))
        .count();
    let start = offset.saturating_add(clean.saturating_mul(BLOCK));
    Some(start.saturating_add(memchr(0xFF, data.get(start..)?)?))
}

/// Whether `0xFF` in `first` has another byte than zero behind it, `second`
/// being the same bytes from the next one on. In `u8` and without branches, so
/// that it is compiled to vector instructions.
fn has_marker(first: &[u8], second: &[u8]) -> bool {
    let pairs = first.iter().zip(second);
    let found = pairs.fold(0, |found, (byte, next)| {
        found | (u8::from(*byte == 0xFF) & u8::from(*next != 0))
    });
    found != 0
}

/// Offset of the marker code behind the `0xFF` at `offset` and any further ones.
fn skip_fill(data: &[u8], offset: usize) -> Option<usize> {
    let fill = data.get(offset..)?.iter().position(|byte| *byte != 0xFF)?;
    Some(offset.saturating_add(fill))
}

/// Whether a marker other than those that occur within a scan is at `offset`.
fn is_marker(data: &[u8], offset: usize) -> bool {
    data.get(offset) == Some(&0xFF)
        && skip_fill(data, offset)
            .and_then(|code_at| data.get(code_at))
            .is_some_and(|code| !matches!(code, 0x00..=0xBF | marker::RST0..=marker::RST7))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_found_wherever_it_lies_in_a_block() {
        for offset in 0..200 {
            let mut data = [0xFF, 0, 0x55].repeat(100);
            data.splice(offset..offset, [0xFF, marker::EOI]);
            let mut edit = Edit::new(&data);
            let end = strip_scans(&data, 0, &mut edit);
            assert_eq!(end, Some(offset + 2), "{offset}");
            assert!(!edit.has_cuts());
        }
    }

    #[test]
    fn a_scan_without_an_end_has_none() {
        for data in [
            &b""[..],
            b"\xFF",
            b"\x12\xFF\x00",
            &[0xFF; 100],
            &[0x12; 100],
        ] {
            assert_eq!(strip_scans(data, 0, &mut Edit::new(data)), None);
        }
    }
}

//! Lossless removal of metadata: what a picture tells besides what it shows.
//!
//! A photograph carries the place and time it was taken, the camera's serial
//! number, names, captions, earlier versions of itself as previews, and at
//! times a film of the moment. [`strip`] takes these out without decoding
//! anything: the coded image is copied byte for byte.
//!
//! What decides how the picture looks stays: the EXIF orientation, as the only
//! tag of a new block, ICC profiles and colour chunks, the Adobe marker,
//! transparency and animation.
//!
//! Segments and chunks are kept by an allow-list, so that an unknown one goes.
//! What lies inside those that are kept is not looked at: an ICC profile keeps
//! the text in it.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod jpeg;
mod png;
mod webp;

use std::ops::Range;

use crate::bytes::FileBytes;
use crate::error::ImageError;
use crate::format::{Format, ImageInfo};
use crate::probe::exif::UPRIGHT;

/// Length of [`orientation_block`].
const ORIENTATION_BLOCK_LEN: usize = 26;

/// The most that is written over what is cut: an EXIF chunk of 8 bytes of
/// header, the block, and the pad byte of the chunk ahead of it. An EXIF chunk
/// of PNG is 12 bytes and the block.
const MAX_GROWTH: usize = 12 + ORIENTATION_BLOCK_LEN;

/// A file without its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stripped {
    /// The whole file.
    pub data: Vec<u8>,
    /// What is no longer in it.
    pub removed: Removed,
}

/// A kind of metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// CIPA DC-008: camera, time, GPS, a thumbnail, maker's data.
    Exif,
    /// ISO 16684-1, the extended part included.
    Xmp,
    /// Photoshop image resources, which hold IPTC captions.
    Iptc,
    /// A comment or another text.
    Comment,
    /// A thumbnail outside EXIF, or an index of previews behind the image.
    Thumbnail,
    /// The time of the last change, where it has a chunk of its own.
    Time,
    /// Bytes behind the end of the image, such as previews and video.
    Trailing,
    /// A segment or chunk that is none of these, and stray bytes between them.
    Other,
}

impl Kind {
    /// Every kind, in the order in which [`Removed::kinds`] lists them.
    pub const ALL: [Self; 8] = [
        Self::Exif,
        Self::Xmp,
        Self::Iptc,
        Self::Comment,
        Self::Thumbnail,
        Self::Time,
        Self::Trailing,
        Self::Other,
    ];

    /// Lower-case name, stable.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exif => "exif",
            Self::Xmp => "xmp",
            Self::Iptc => "iptc",
            Self::Comment => "comment",
            Self::Thumbnail => "thumbnail",
            Self::Time => "time",
            Self::Trailing => "trailing",
            Self::Other => "other",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What was taken out of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    kinds: u8,
    bytes: usize,
}

impl Removed {
    /// The kinds that occurred, each once.
    pub fn kinds(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// Whether `kind` occurred.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.kinds & kind.bit() != 0
    }

    /// Bytes of the file that were not copied. The result can be longer than
    /// the rest by an orientation block, which is written anew.
    #[must_use]
    pub const fn bytes(self) -> usize {
        self.bytes
    }
}

/// Takes the metadata out of `data`, of which [`probe`](crate::probe::probe)
/// read `info`.
///
/// `None` means that there is none, and that `data` can be sent as it is; it
/// costs a walk over the headers and, for JPEG, a search for the end of the
/// image. It is what a second run always returns, and the answer for every BMP.
///
/// Otherwise the result passes [`structure::check`](crate::structure::check) if
/// `data` does, probes to the same `info` and decodes to the same pixels. Only
/// where the coded data of a JPEG is damaged may the pixels change: what a
/// decoder makes of damage can depend on what follows it.
///
/// # Errors
///
/// [`ImageError::Truncated`] and [`ImageError::Damaged`] where the framing of
/// the file cannot be followed to its end. Every file that passes
/// [`structure::check`](crate::structure::check) can be stripped.
pub fn strip(data: &[u8], info: &ImageInfo) -> Result<Option<Stripped>, ImageError> {
    let file = FileBytes::new(info.format, data);
    match info.format {
        Format::Jpeg => jpeg::strip(file, data, info.orientation),
        Format::Png => png::strip(file, data, info.orientation),
        Format::Webp => webp::strip(file, data, info.orientation),
        // Its headers have no room for metadata.
        Format::Bmp => Ok(None),
    }
}

/// A copy of a file with parts left out, made from front to back. Nothing is
/// allocated before the first cut.
#[derive(Debug)]
struct Edit<'a> {
    data: &'a [u8],
    /// Where the part that is not yet copied begins.
    pending: usize,
    out: Vec<u8>,
    removed: Removed,
}

impl<'a> Edit<'a> {
    const fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            pending: 0,
            out: Vec::new(),
            removed: Removed { kinds: 0, bytes: 0 },
        }
    }

    /// Leaves out `range`, which must not begin before the end of the last
    /// one; nothing happens where it is empty.
    fn cut(&mut self, range: Range<usize>, kind: Kind) {
        if range.is_empty() {
            return;
        }
        self.copy_until(range.start);
        self.pending = range.end;
        self.removed.kinds |= kind.bit();
        self.removed.bytes = self.removed.bytes.saturating_add(range.len());
    }

    /// Writes `bytes` between what lies before `offset` and what follows it.
    fn insert(&mut self, offset: usize, bytes: &[u8]) {
        self.copy_until(offset);
        self.out.extend_from_slice(bytes);
    }

    /// Writes `bytes` over those at `offset`.
    fn overwrite(&mut self, offset: usize, bytes: &[u8]) {
        self.insert(offset, bytes);
        self.pending = offset.saturating_add(bytes.len());
    }

    fn copy_until(&mut self, offset: usize) {
        if self.out.capacity() == 0 {
            // What is cut later is not known yet; memory that is never written
            // costs address space only.
            let capacity = self.data.len().saturating_add(MAX_GROWTH);
            self.out.reserve_exact(capacity);
        }
        let kept = self.data.get(self.pending..offset).unwrap_or_default();
        self.out.extend_from_slice(kept);
        self.pending = self.pending.max(offset);
    }

    const fn has_cuts(&self) -> bool {
        self.removed.kinds != 0
    }

    /// Cuts everything from `end` on and returns the copy, if it differs.
    fn finish(mut self, end: usize) -> Option<Stripped> {
        self.cut(end..self.data.len(), Kind::Trailing);
        if !self.has_cuts() {
            return None;
        }
        self.copy_until(self.data.len());
        Some(Stripped {
            data: self.out,
            removed: self.removed,
        })
    }
}

/// The segment of a JPEG, or the chunk of a PNG, that states `orientation`;
/// none for an image that is [`UPRIGHT`], or of another format.
pub(crate) fn orientation_part(format: Format, orientation: u8) -> Option<Vec<u8>> {
    let block = kept_block(orientation)?;
    match format {
        Format::Jpeg => Some(jpeg::exif_segment(block).to_vec()),
        Format::Png => Some(png::exif_chunk(block).to_vec()),
        Format::Bmp | Format::Webp => None,
    }
}

/// The EXIF block to keep: one with the orientation alone, or none where the
/// image is [`UPRIGHT`] anyway.
fn kept_block(orientation: u8) -> Option<[u8; ORIENTATION_BLOCK_LEN]> {
    (orientation != UPRIGHT).then(|| orientation_block(orientation))
}

/// A TIFF header, and a directory of one entry: tag Orientation, of type SHORT
/// and with one value (CIPA DC-008, sections 4.5 and 4.6).
fn orientation_block(orientation: u8) -> [u8; ORIENTATION_BLOCK_LEN] {
    let mut block = *b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0";
    if let Some(value) = block.get_mut(19) {
        *value = orientation;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::exif;

    #[test]
    fn the_block_that_is_written_is_read_back() {
        for orientation in 1..=8 {
            let block = orientation_block(orientation);
            assert_eq!(exif::orientation(&block), orientation);
        }
    }

    #[test]
    fn kinds_have_a_bit_and_a_name_each() {
        let all = Kind::ALL.iter().fold(0, |bits, kind| bits | kind.bit());
        assert_eq!(all, u8::MAX);
        let removed = Removed {
            kinds: Kind::Exif.bit() | Kind::Trailing.bit(),
            bytes: 9,
        };
        let names: Vec<_> = removed.kinds().map(Kind::name).collect();
        assert_eq!(names, ["exif", "trailing"]);
    }

    #[test]
    fn an_edit_cuts_inserts_and_overwrites() {
        let mut edit = Edit::new(b"0123456789");
        edit.cut(1..3, Kind::Exif);
        edit.cut(3..4, Kind::Xmp);
        edit.cut(4..4, Kind::Iptc);
        edit.overwrite(5, b"fg");
        edit.insert(8, b"+");
        let stripped = edit.finish(9).unwrap();
        assert_eq!(stripped.data, b"04fg7+8");
        assert_eq!(stripped.removed.bytes(), 4);
        assert!(stripped.removed.has(Kind::Trailing));
        assert!(!stripped.removed.has(Kind::Iptc));
    }

    #[test]
    fn an_edit_without_cuts_allocates_nothing() {
        let edit = Edit::new(b"0123");
        assert_eq!(edit.out.capacity(), 0);
        assert_eq!(edit.finish(4), None);
    }
}

//! WEBP: the chunks that hold the image are kept (RFC 9649, section 2).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use std::ops::Range;

use super::{Edit, Kind, ORIENTATION_BLOCK_LEN, Stripped, kept_block};
use crate::bytes::FileBytes;
use crate::container::riff::{self, Chunk, Chunks, FILE_HEADER_LEN};
use crate::error::ImageError;
use crate::probe::webp::{ANMF_HEADER_LEN, FIRST_PAYLOAD, FLAG_EXIF, FLAG_XMP, header_len};

/// `FourCC` and length around the orientation block, which needs no padding.
const EXIF_CHUNK_LEN: usize = 8 + ORIENTATION_BLOCK_LEN;

/// Where the size of what follows it is in the file.
const RIFF_SIZE: Range<usize> = 4..8;

pub(crate) fn strip(
    file: FileBytes<'_>,
    data: &[u8],
    orientation: u8,
) -> Result<Option<Stripped>, ImageError> {
    let riff_end = riff::end(file)?;
    if riff_end > file.len() {
        return Err(file.truncated("the RIFF chunk", riff_end));
    }
    let mut edit = Edit::new(data);
    let mut chunks = Chunks::new(file, FILE_HEADER_LEN..riff_end);
    let mut exif_chunk = kept_block(orientation).map(exif_chunk);
    let keeps_exif = exif_chunk.is_some();
    let mut first = None;
    while let Some(chunk) = chunks.next_chunk()? {
        if first.is_none() && chunk.payload.len() < header_len(chunk.fourcc) {
            return Err(file.damaged("a chunk is too short for its header"));
        }
        let range = padded(&chunk, riff_end);
        let kind = kind(chunk.fourcc, first);
        first = first.or(Some(chunk.fourcc));
        if kind == Some(Kind::Exif)
            && exif_chunk.is_some_and(|kept| data.get(range.clone()) == Some(&kept))
        {
            exif_chunk = None;
        } else if let Some(kind) = kind {
            edit.cut(range, kind);
        } else if chunk.fourcc == *b"ANMF" {
            strip_frame(file, &chunk, range, &mut edit)?;
        }
    }
    if first.is_none() {
        return Err(file.damaged("there is no image data in it"));
    }
    if let Some(exif_chunk) = exif_chunk {
        // The last chunk may have come without its pad byte.
        edit.copy_until(riff_end);
        if !edit.out.len().is_multiple_of(2) {
            edit.insert(riff_end, &[0]);
        }
        edit.insert(riff_end, &exif_chunk);
    }
    let Some(mut stripped) = edit.finish(riff_end) else {
        return Ok(None);
    };
    let size = u32::try_from(stripped.data.len().saturating_sub(8))
        .map_err(|_| file.damaged("it is longer than a RIFF chunk can be"))?;
    if let Some(field) = stripped.data.get_mut(RIFF_SIZE) {
        field.copy_from_slice(&size.to_le_bytes());
    }
    if first == Some(*b"VP8X")
        && let Some(flags) = stripped.data.get_mut(FIRST_PAYLOAD)
    {
        *flags &= !(FLAG_EXIF | FLAG_XMP);
        if keeps_exif {
            *flags |= FLAG_EXIF;
        }
    }
    Ok(Some(stripped))
}

/// What a chunk is, unless it is kept, `first` being the one that the file
/// begins with. A file that does not begin with VP8X is that first chunk alone
/// (sections 2.5 and 2.6).
fn kind(fourcc: [u8; 4], first: Option<[u8; 4]>) -> Option<Kind> {
    match (&fourcc, first.as_ref()) {
        (_, None) | (b"ICCP" | b"ANIM" | b"ANMF" | b"ALPH" | b"VP8 " | b"VP8L", Some(b"VP8X")) => {
            None
        }
        (b"EXIF", _) => Some(Kind::Exif),
        (b"XMP ", _) => Some(Kind::Xmp),
        _ => Some(Kind::Other),
    }
}

/// Cuts the chunks of a frame that are neither its image nor its alpha
/// (section 2.7.1.1). `range` is that of the frame, padding included.
fn strip_frame(
    file: FileBytes<'_>,
    frame: &Chunk,
    range: Range<usize>,
    edit: &mut Edit<'_>,
) -> Result<(), ImageError> {
    let start = frame.payload.start.saturating_add(ANMF_HEADER_LEN);
    let end = frame.payload.end;
    let is_kept = |chunk: &Chunk| matches!(&chunk.fourcc, b"ALPH" | b"VP8 " | b"VP8L");
    // The new length is written ahead of the chunks.
    let mut chunks = Chunks::new(file, start..end);
    let mut kept_len = frame.payload.len();
    while let Some(chunk) = chunks.next_chunk()? {
        if !is_kept(&chunk) {
            kept_len = kept_len.saturating_sub(padded(&chunk, end).len());
        }
    }
    if kept_len == frame.payload.len() {
        return Ok(());
    }
    let length = u32::try_from(kept_len).unwrap_or_default();
    edit.overwrite(range.start.saturating_add(4), &length.to_le_bytes());
    let mut chunks = Chunks::new(file, start..end);
    while let Some(chunk) = chunks.next_chunk()? {
        if !is_kept(&chunk) {
            edit.cut(padded(&chunk, end), Kind::Other);
        }
    }
    // The last chunk may have had no pad byte of its own, only the frame's.
    if kept_len.is_multiple_of(2) {
        edit.cut(end..range.end, Kind::Other);
    }
    Ok(())
}

/// Where a chunk lies in the file: its header, its payload and, unless the
/// chunk around it ends first, its pad byte.
fn padded(chunk: &Chunk, end: usize) -> Range<usize> {
    let padding = chunk.payload.len() & 1;
    let padded_end = chunk.payload.end.saturating_add(padding).min(end);
    chunk.payload.start.saturating_sub(8)..padded_end
}

fn exif_chunk(block: [u8; ORIENTATION_BLOCK_LEN]) -> [u8; EXIF_CHUNK_LEN] {
    #[expect(clippy::cast_possible_truncation, reason = "26")]
    const LENGTH: u8 = ORIENTATION_BLOCK_LEN as u8;
    let mut chunk = [0; EXIF_CHUNK_LEN];
    let parts = b"EXIF"
        .iter()
        .copied()
        .chain([LENGTH, 0, 0, 0])
        .chain(block);
    for (byte, value) in chunk.iter_mut().zip(parts) {
        *byte = value;
    }
    chunk
}

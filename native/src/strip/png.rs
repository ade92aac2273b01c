//! PNG: of the ancillary chunks, those about appearance are kept (W3C PNG,
//! third edition, section 11.3).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use super::{Edit, Kind, ORIENTATION_BLOCK_LEN, Stripped, kept_block};
use crate::bytes::FileBytes;
use crate::container::png::{Chunks, SIGNATURE};
use crate::error::ImageError;

/// Length, type and CRC around the orientation block.
const EXIF_CHUNK_LEN: usize = 12 + ORIENTATION_BLOCK_LEN;

/// Set in the first letter of a chunk that decoders may ignore (section 5.4).
const ANCILLARY: u8 = 0x20;

pub(crate) fn strip(
    file: FileBytes<'_>,
    data: &[u8],
    orientation: u8,
) -> Result<Option<Stripped>, ImageError> {
    let mut edit = Edit::new(data);
    let mut chunks = Chunks::new(file);
    let mut start = SIGNATURE.len();
    // Gone once it is in the copy.
    let mut exif_chunk = kept_block(orientation).map(exif_chunk);
    let mut has_image_data = false;
    loop {
        let chunk = chunks.next_chunk()?;
        let end = chunk.data.end.saturating_add(4);
        match &chunk.name {
            b"IDAT" => {
                has_image_data = true;
                if let Some(exif_chunk) = exif_chunk.take() {
                    edit.insert(start, &exif_chunk);
                }
            }
            b"IEND" if has_image_data => return Ok(edit.finish(end)),
            b"IEND" => return Err(file.damaged("there is no IDAT chunk before IEND")),
            b"eXIf" if exif_chunk.is_some_and(|kept| data.get(start..end) == Some(&kept)) => {
                exif_chunk = None;
            }
            name => {
                if let Some(kind) = kind(*name, file.range(chunk.data, "a chunk")?) {
                    edit.cut(start..end, kind);
                }
            }
        }
        start = end;
    }
}

/// What a chunk is, unless it is kept.
fn kind(name: [u8; 4], data: &[u8]) -> Option<Kind> {
    let kind = match &name {
        [first, ..] if first & ANCILLARY == 0 => return None,
        // Colour, transparency, resolution and animation; mDCv and cLLi are the
        // names that drafts of the third edition had.
        b"tRNS" | b"cHRM" | b"gAMA" | b"iCCP" | b"sBIT" | b"sRGB" | b"cICP" | b"mDCV" | b"mDCv"
        | b"cLLI" | b"cLLi" | b"bKGD" | b"hIST" | b"pHYs" | b"sPLT" | b"acTL" | b"fcTL"
        | b"fdAT" => return None,
        b"eXIf" => Kind::Exif,
        b"tIME" => Kind::Time,
        b"tEXt" | b"zTXt" | b"iTXt" => text_kind(data),
        _ => Kind::Other,
    };
    Some(kind)
}

/// Tells texts apart by their keyword; `ImageMagick` and its kin put the profiles
/// of other formats into them.
fn text_kind(data: &[u8]) -> Kind {
    let keyword = data.split(|byte| *byte == 0).next().unwrap_or_default();
    match keyword {
        b"XML:com.adobe.xmp" | b"Raw profile type xmp" => Kind::Xmp,
        b"Raw profile type exif" | b"Raw profile type APP1" => Kind::Exif,
        b"Raw profile type iptc" | b"Raw profile type 8bim" => Kind::Iptc,
        _ => Kind::Comment,
    }
}

pub(super) fn exif_chunk(block: [u8; ORIENTATION_BLOCK_LEN]) -> [u8; EXIF_CHUNK_LEN] {
    #[expect(clippy::cast_possible_truncation, reason = "26")]
    const LENGTH: u8 = ORIENTATION_BLOCK_LEN as u8;
    let name = *b"eXIf";
    let crc = crc32(name.into_iter().chain(block));
    let mut chunk = [0; EXIF_CHUNK_LEN];
    let parts = [0, 0, 0, LENGTH]
        .into_iter()
        .chain(name)
        .chain(block)
        .chain(crc.to_be_bytes());
    for (byte, value) in chunk.iter_mut().zip(parts) {
        *byte = value;
    }
    chunk
}

/// The CRC of a chunk's type and data (section 5.5), bit by bit: it is for a
/// few bytes only.
fn crc32(bytes: impl Iterator<Item = u8>) -> u32 {
    !bytes.fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            let polynomial = if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
            crc >> 1 ^ polynomial
        })
    })
}

//! The lossy bitstream of WEBP (RFC 6386), decoded to its planes.
//!
//! A WEBP file holds one key frame of VP8, so that of the format only intra
//! prediction is handled. Decoding is exact: the planes are those of any other
//! correct decoder, byte by byte.
//!
//! From the outside in: [`decode`] goes through the rows of macroblocks. `header`
//! and `modes` read the first partition and `tokens` the others, all of them with
//! `bool_decoder`. `reconstruct` predicts macroblocks with `predict` and completes
//! them with `transform`; `deblock` follows one row behind with `loop_filter`.

mod bool_decoder;
mod deblock;
mod header;
mod loop_filter;
mod modes;
mod predict;
mod reconstruct;
mod tables;
mod token_probs;
mod tokens;
mod transform;

use std::fmt;

use crate::bytes::index;
use bool_decoder::BoolDecoder;
use deblock::{Filter, filter_row};
use header::{Header, Start};
use loop_filter::Limits;
use modes::{LumaMode, ModeReader};
use reconstruct::{Pixels, Reconstructor};
use tokens::{Coefficients, Edge};

/// A decoded picture: luma, and chroma of half its size, rounded up. The values
/// are those of BT.601, of limited range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planes {
    /// Width of the picture.
    pub width: u32,
    /// Height of the picture.
    pub height: u32,
    /// Luma.
    pub y: Plane,
    /// Blue-difference chroma.
    pub u: Plane,
    /// Red-difference chroma.
    pub v: Plane,
}

/// One plane, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Rows of `stride` bytes, of which `width` are of the picture; there may be
    /// more than `height` of them.
    pub data: Vec<u8>,
    /// Distance from one row to the next.
    pub stride: u32,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Why a frame was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vp8Error {
    /// It builds on another frame.
    NotAKeyFrame,
    /// The header has what it may not have, a noun phrase.
    BadHeader(&'static str),
    /// A part of it ends early.
    Truncated,
    /// It has more pixels than allowed.
    TooLarge,
}

impl fmt::Display for Vp8Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeyFrame => f.write_str("the VP8 frame is not a key frame"),
            Self::BadHeader(what) => write!(f, "the header of the VP8 frame has {what}"),
            Self::Truncated => f.write_str("the VP8 frame ends early"),
            Self::TooLarge => f.write_str("the VP8 frame has too many pixels"),
        }
    }
}

impl std::error::Error for Vp8Error {}

impl Plane {
    /// A plane of whole macroblocks, whose sides in this plane are `block`.
    fn new(width: u32, height: u32, block: u32) -> Self {
        let stride = width.next_multiple_of(block);
        let length = index(stride).saturating_mul(index(height.next_multiple_of(block)));
        Self {
            data: vec![0; length],
            stride,
            width,
            height,
        }
    }

    fn put<const N: usize>(&mut self, row: usize, column: usize, pixels: &[[u8; N]; N]) {
        let stride = index(self.stride);
        let start = N * row * stride + N * column;
        for (y, line) in pixels.iter().enumerate() {
            let place = self.data.get_mut(start + y * stride..);
            if let Some(place) = place.and_then(<[u8]>::first_chunk_mut) {
                *place = *line;
            }
        }
    }
}

/// Decodes the payload of a `VP8 ` chunk of at most `max_pixels` pixels.
///
/// # Errors
///
/// Where the header is unusable, the picture too large, or a partition shorter
/// than what it codes. The last is found while decoding, by the rules of libwebp:
/// no partition is taken to go on with zeros.
pub fn decode(payload: &[u8], max_pixels: u64) -> Result<Planes, Vp8Error> {
    let start = Start::read(payload)?;
    if u64::from(start.width) * u64::from(start.height) > max_pixels {
        return Err(Vp8Error::TooLarge);
    }
    let mut decoder = BoolDecoder::new(start.first_partition);
    let mut header = Header::read(&mut decoder, start.rest)?;

    let [width, height] = [start.width, start.height].map(u32::from);
    let [chroma_width, chroma_height] = [width, height].map(|side| side.div_ceil(2));
    let mut y = Plane::new(width, height, 16);
    let mut u = Plane::new(chroma_width, chroma_height, 8);
    let mut v = Plane::new(chroma_width, chroma_height, 8);

    let columns = index(width.div_ceil(16));
    let mut mode_reader = ModeReader::new(&header, columns);
    let mut reconstructor = Reconstructor::new(columns);
    let mut above = vec![Edge::default(); columns];
    let mut coefficients = Coefficients::new();
    let mut macroblocks = Vec::with_capacity(columns);
    let mut filters = Vec::with_capacity(columns);
    let partition_mask = header.partitions.len() - 1;
    for row in 0..index(height.div_ceil(16)) {
        mode_reader.read_row(&mut decoder, &mut macroblocks);
        let Some(tokens) = header.partitions.get_mut(row & partition_mask) else {
            return Err(Vp8Error::Truncated);
        };
        if decoder.is_exhausted() {
            return Err(Vp8Error::Truncated);
        }
        reconstructor.start_row(row == 0);
        let mut left = Edge::default();
        filters.clear();
        for ((column, macroblock), above) in macroblocks.iter().enumerate().zip(&mut above) {
            let segment = header
                .segments
                .get(usize::from(macroblock.segment))
                .copied()
                .unwrap_or_default();
            let has_luma_dc = matches!(macroblock.luma, LumaMode::Whole(_));
            if macroblock.is_skipped {
                above.clear(has_luma_dc);
                left.clear(has_luma_dc);
                coefficients.clear();
            } else {
                coefficients.read(
                    tokens,
                    &header.probabilities,
                    &segment,
                    has_luma_dc,
                    above,
                    &mut left,
                );
                if tokens.is_exhausted() {
                    return Err(Vp8Error::Truncated);
                }
            }
            let [whole_level, subblock_level] = segment.filter_levels;
            let level = if has_luma_dc {
                whole_level
            } else {
                subblock_level
            };
            filters.push(Limits::new(level, header.sharpness).map(|limits| Filter {
                limits,
                has_inner: !has_luma_dc || !coefficients.is_empty(),
            }));
            let Pixels { luma, chroma } = reconstructor.next(column, macroblock, &mut coefficients);
            let [in_u, in_v] = chroma;
            y.put(row, column, &luma);
            u.put(row, column, &in_u);
            v.put(row, column, &in_v);
        }
        filter_row(
            [&mut y, &mut u, &mut v],
            row,
            &filters,
            header.has_simple_filter,
        );
    }
    Ok(Planes {
        width,
        height,
        y,
        u,
        v,
    })
}

//! Macroblocks from their modes and coefficients (RFC 6386, sections 12 and 14).

#![expect(
    clippy::indexing_slicing,
    reason = "indices are constants and loop counters of the arrays' lengths"
)]

use super::modes::{LumaMode, Macroblock, SubblockMode};
use super::predict::{self, Edge, Surroundings};
use super::tokens::{BLOCKS, Coefficients, Extent};
use super::transform::{Layout, Pair, inverse_dct, inverse_dct_dc_only};

/// Pixels above the picture, and those to the left of it (section 12.2).
const ABOVE: u8 = 127;
const LEFT: u8 = 129;

/// One plane of a macroblock.
pub(super) type Square<const N: usize> = [[u8; N]; N];

/// A macroblock before the loop filter.
pub(super) struct Pixels {
    pub(super) luma: Square<16>,
    pub(super) chroma: [Square<8>; 2],
}

/// The pixels of one plane that predict the macroblocks to come. They are kept
/// apart from the picture, where the loop filter has changed them.
struct Border<const N: usize> {
    /// The lowest row of each macroblock above.
    above: Vec<[u8; N]>,
    left: [u8; N],
    corner: u8,
}

impl<const N: usize> Border<N> {
    fn new(columns: usize) -> Self {
        Self {
            above: vec![[ABOVE; N]; columns],
            left: [LEFT; N],
            corner: ABOVE,
        }
    }

    fn start_row(&mut self, is_first: bool) {
        self.left = [LEFT; N];
        self.corner = if is_first { ABOVE } else { LEFT };
    }

    fn above(&self, x: usize) -> [u8; N] {
        self.above.get(x).copied().unwrap_or([ABOVE; N])
    }

    fn surroundings(&self, x: usize, is_first_row: bool) -> Surroundings<N> {
        Surroundings {
            above: self.above(x),
            left: self.left,
            corner: self.corner,
            has_above: !is_first_row,
            has_left: x > 0,
        }
    }

    fn update(&mut self, x: usize, pixels: &Square<N>) {
        self.left = pixels.map(|row| row[N - 1]);
        if let Some(above) = self.above.get_mut(x) {
            self.corner = above[N - 1];
            *above = pixels[N - 1];
        }
    }
}

/// Predicts and completes the macroblocks of a frame in their order.
pub(super) struct Reconstructor {
    luma: Border<16>,
    chroma: [Border<8>; 2],
    is_first_row: bool,
}

impl Reconstructor {
    pub(super) fn new(columns: usize) -> Self {
        Self {
            luma: Border::new(columns),
            chroma: [Border::new(columns), Border::new(columns)],
            is_first_row: true,
        }
    }

    pub(super) fn start_row(&mut self, is_first: bool) {
        self.is_first_row = is_first;
        self.luma.start_row(is_first);
        for border in &mut self.chroma {
            border.start_row(is_first);
        }
    }

    /// The macroblock in column `x`. Transforms its coefficients.
    pub(super) fn next(
        &mut self,
        x: usize,
        macroblock: &Macroblock,
        coefficients: &mut Coefficients,
    ) -> Pixels {
        let layout = match macroblock.luma {
            LumaMode::Whole(_) => Layout::SideBySide,
            LumaMode::Subblocks(_) => Layout::BlockByBlock,
        };
        let (in_luma, in_chroma) = coefficients.pairs.split_at_mut(8);
        transform(in_luma, &coefficients.extents[..16], layout);
        transform(in_chroma, &coefficients.extents[16..], Layout::SideBySide);
        let Coefficients { pairs, extents } = &*coefficients;
        let luma = match &macroblock.luma {
            LumaMode::Whole(mode) => {
                let around = self.luma.surroundings(x, self.is_first_row);
                let mut luma = predict::whole(*mode, &around);
                for (index, pair) in pairs[..8].iter().enumerate() {
                    if has_any(extents, index) {
                        add_pair(&mut luma, 4 * (index / 2), 8 * (index % 2), pair);
                    }
                }
                luma
            }
            LumaMode::Subblocks(modes) => self.subblocks(x, modes, pairs, extents),
        };
        self.luma.update(x, &luma);
        let mut chroma = [[[0; 8]; 8]; 2];
        for (plane, pixels) in chroma.iter_mut().enumerate() {
            let border = &mut self.chroma[plane];
            let around = border.surroundings(x, self.is_first_row);
            *pixels = predict::whole(macroblock.chroma, &around);
            for y in 0..2 {
                let index = 8 + 2 * plane + y;
                if has_any(extents, index) {
                    add_pair(pixels, 4 * y, 0, &pairs[index]);
                }
            }
            border.update(x, pixels);
        }
        Pixels { luma, chroma }
    }

    fn subblocks(
        &self,
        column: usize,
        modes: &[[SubblockMode; 4]; 4],
        pairs: &[Pair],
        extents: &[Extent; BLOCKS],
    ) -> Square<16> {
        let mut luma = [[0; 16]; 16];
        // The row above the current row of subblocks, 4 pixels to a word, with 4
        // more on the right. For each of the rows those are of the macroblock above
        // on the right, as the next one is not decoded yet; the last macroblock
        // repeats the pixel before.
        let pixels = self.luma.above(column);
        let mut above = [0; 5];
        for (word, pixels) in above.iter_mut().zip(pixels.as_chunks().0) {
            *word = u32::from_le_bytes(*pixels);
        }
        let right = self.luma.above.get(column + 1);
        let right = right.map_or([pixels[15]; 4], |row| [row[0], row[1], row[2], row[3]]);
        above[4] = u32::from_le_bytes(right);
        let mut corner = self.luma.corner;
        for (y, modes) in modes.iter().enumerate() {
            let lefts = [3, 2, 1, 0].map(|i| self.luma.left[4 * y + i]);
            let next_corner = lefts[0];
            let mut left = u32::from_le_bytes(lefts);
            for (x, &mode) in modes.iter().enumerate() {
                let edge = Edge::new(left, corner, above[x], above[x + 1]);
                let mut rows = predict::subblock(mode, edge);
                if extents[4 * y + x] != Extent::Empty {
                    let blocks = pairs[2 * y + x / 2].as_chunks().0;
                    rows = predict::add_block(rows, &blocks[x % 2]);
                }
                let bytes = rows.map(u32::to_le_bytes);
                [.., corner] = above[x].to_le_bytes();
                left = u32::from_le_bytes([3, 2, 1, 0].map(|i| bytes[i][3]));
                above[x] = rows[3];
                for (line, row) in luma[4 * y..].iter_mut().zip(bytes) {
                    line[4 * x..4 * x + 4].copy_from_slice(&row);
                }
            }
            corner = next_corner;
        }
        luma
    }
}

/// Turns coefficients into what they add to the pixels.
fn transform(pairs: &mut [Pair], extents: &[Extent], layout: Layout) {
    for (pair, extents) in pairs.iter_mut().zip(extents.as_chunks::<2>().0) {
        if extents.contains(&Extent::Full) {
            inverse_dct(pair, layout);
        } else if extents.contains(&Extent::DcOnly) {
            inverse_dct_dc_only(pair, layout);
        }
    }
}

fn has_any(extents: &[Extent; BLOCKS], pair: usize) -> bool {
    extents[2 * pair..2 * pair + 2] != [Extent::Empty; 2]
}

/// Completes a pair of blocks of a predicted square.
#[inline]
fn add_pair<const N: usize>(pixels: &mut Square<N>, y: usize, x: usize, pair: &Pair) {
    for (line, residuals) in pixels[y..].iter_mut().zip(pair) {
        if let Some(pixels) = line[x..].first_chunk_mut() {
            predict::add(pixels, residuals);
        }
    }
}

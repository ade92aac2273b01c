//! Coefficients (RFC 6386, section 13), with dequantization (section 14.1).

#![expect(
    clippy::indexing_slicing,
    reason = "indices are constants, loop counters of the arrays' lengths, or masked"
)]
#![expect(
    clippy::inline_always,
    reason = "the state of the decoder has to stay in registers"
)]

use super::bool_decoder::BoolDecoder;
use super::header::{Segment, Steps};
use super::tables::{BANDS, EXTRA_BITS, ZIGZAG};
use super::token_probs::{DEFAULTS, UPDATES};
use super::transform::{Pair, inverse_wht};

/// Probabilities of the branches of the tree of tokens for one context; 11, and
/// padding that keeps the index cheap.
type Branches = [u8; 16];

/// Those of one type of block, by position and context. Position 16 follows the
/// last and is looked up, not used.
type Positions = [[Branches; 3]; 17];

/// Blocks of a macroblock: 16 of luma, 4 of U and 4 of V.
pub(super) const BLOCKS: usize = 24;

/// Probabilities of tokens, unfolded from bands to positions. By type of block
/// (section 13.3): luma without DC, the DC of luma, chroma, and luma with DC.
pub(super) struct Probabilities([Positions; 4]);

impl Probabilities {
    /// Section 13.4.
    pub(super) fn read(decoder: &mut BoolDecoder<'_>) -> Self {
        let mut bands = DEFAULTS;
        for (prob, &update) in bands
            .as_flattened_mut()
            .iter_mut()
            .zip(UPDATES.as_flattened())
        {
            if decoder.bit(update) {
                *prob = decoder.literal(8);
            }
        }
        let mut unfolded = [[[[0; 16]; 3]; 17]; 4];
        for (positions, bands) in unfolded.iter_mut().zip(bands.as_chunks::<8>().0) {
            for (contexts, band) in positions.iter_mut().zip(BANDS) {
                let stored = bands[usize::from(band)];
                for (branches, stored) in contexts.iter_mut().zip(stored.as_chunks::<11>().0) {
                    branches[..11].copy_from_slice(stored);
                }
            }
        }
        Self(unfolded)
    }
}

/// Whether the blocks along an edge of a macroblock have coefficients: the
/// context of the blocks beyond that edge.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Edge {
    /// Of luma, then of U, then of V.
    blocks: [bool; 8],
    luma_dc: bool,
}

impl Edge {
    /// The edge of a macroblock without coefficients. One predicted by subblocks
    /// has no block of DC coefficients and passes on the flag of the one before.
    pub(super) fn clear(&mut self, has_luma_dc: bool) {
        *self = Self {
            luma_dc: self.luma_dc && !has_luma_dc,
            ..Self::default()
        };
    }
}

/// How much of a block there is to transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Empty,
    DcOnly,
    Full,
}

/// The coefficients of a macroblock, dequantized.
pub(super) struct Coefficients {
    /// Each two blocks side by side.
    pub(super) pairs: [Pair; BLOCKS / 2],
    pub(super) extents: [Extent; BLOCKS],
}

impl Coefficients {
    pub(super) const fn new() -> Self {
        Self {
            pairs: [[[0; 8]; 4]; BLOCKS / 2],
            extents: [Extent::Empty; BLOCKS],
        }
    }

    pub(super) const fn clear(&mut self) {
        self.extents = [Extent::Empty; BLOCKS];
    }

    pub(super) fn is_empty(&self) -> bool {
        self.extents.iter().all(|&extent| extent == Extent::Empty)
    }

    /// Reads a macroblock. With `has_luma_dc` the DC coefficients of luma have a
    /// block of their own.
    pub(super) fn read(
        &mut self,
        decoder: &mut BoolDecoder<'_>,
        probabilities: &Probabilities,
        segment: &Segment,
        has_luma_dc: bool,
        above: &mut Edge,
        left: &mut Edge,
    ) {
        self.pairs = [[[0; 8]; 4]; BLOCKS / 2];
        let [in_luma, in_luma_dc, in_chroma, in_luma_with_dc] = &probabilities.0;
        let mut luma = Reader {
            probs: in_luma_with_dc,
            first: 0,
            steps: segment.luma,
        };
        if has_luma_dc {
            let reader = Reader {
                probs: in_luma_dc,
                first: 0,
                steps: segment.luma_dc,
            };
            let mut pair = [[0; 8]; 4];
            if reader.read(decoder, &mut pair, 0, &mut above.luma_dc, &mut left.luma_dc)
                != Extent::Empty
            {
                let dc = inverse_wht(&pair.map(|row| [row[0], row[1], row[2], row[3]]));
                let dc = dc.as_flattened().as_chunks::<2>().0;
                for (pair, dc) in self.pairs.iter_mut().zip(dc) {
                    [pair[0][0], pair[0][4]] = *dc;
                }
            }
            luma.probs = in_luma;
            luma.first = 1;
        }
        let chroma = Reader {
            probs: in_chroma,
            first: 0,
            steps: segment.chroma,
        };
        // A copy lives in registers.
        let mut local = *decoder;
        for (index, extent) in self.extents.iter_mut().enumerate() {
            let (x, y) = PLACES[index];
            let reader = if index < 16 { &luma } else { &chroma };
            let (above, left) = (&mut above.blocks[x & 7], &mut left.blocks[y & 7]);
            *extent = reader.read(
                &mut local,
                &mut self.pairs[index / 2],
                index % 2,
                above,
                left,
            );
        }
        *decoder = local;
    }
}

/// Where the flags of each block are in the edges above and to the left of it.
const PLACES: [(usize, usize); BLOCKS] = {
    let mut places = [(0, 0); BLOCKS];
    let mut i = 0;
    while i < BLOCKS {
        places[i] = if i < 16 {
            (i % 4, i / 4)
        } else {
            let plane = 4 + (i - 16) / 4 * 2;
            (plane + i % 2, plane + i / 2 % 2)
        };
        i += 1;
    }
    places
};

/// Reads blocks of one type.
struct Reader<'a> {
    probs: &'a Positions,
    /// Position of the first coefficient.
    first: usize,
    steps: Steps,
}

impl Reader<'_> {
    /// Reads block number `half` of a pair, which is zero, between two others.
    #[inline(always)]
    fn read(
        &self,
        decoder: &mut BoolDecoder<'_>,
        pair: &mut Pair,
        half: usize,
        above: &mut bool,
        left: &mut bool,
    ) -> Extent {
        let context = usize::from(*above) + usize::from(*left);
        let end = self.read_tokens(decoder, pair.as_flattened_mut(), 4 * half, context);
        *above = end > self.first;
        *left = *above;
        if end > 1 {
            Extent::Full
        } else if pair[0][4 * half] != 0 {
            Extent::DcOnly
        } else {
            Extent::Empty
        }
    }

    /// Returns the position after the last token.
    #[inline(always)]
    fn read_tokens(
        &self,
        decoder: &mut BoolDecoder<'_>,
        pair: &mut [i16],
        offset: usize,
        context: usize,
    ) -> usize {
        let mut position = self.first;
        let mut branches = &self.probs[position][context];
        let mut step = if position == 0 {
            self.steps.dc
        } else {
            self.steps.ac
        };
        while decoder.bit(branches[0]) {
            while !decoder.bit(branches[1]) {
                position += 1;
                step = self.steps.ac;
                if position >= 16 {
                    return 16;
                }
                branches = &self.probs[position][0];
            }
            let next = &self.probs[position + 1];
            let magnitude;
            if decoder.bit(branches[2]) {
                magnitude = read_large(decoder, branches);
                branches = &next[2];
            } else {
                magnitude = 1;
                branches = &next[1];
            }
            let value = decoder.signed(magnitude) * step;
            // Valid streams do not exceed 16 bits; the excess is dropped, as by others.
            #[expect(clippy::cast_possible_truncation, reason = "see above")]
            let value = value as i16;
            let place = usize::from(ZIGZAG[position]) + offset;
            pair[place & 31] = value;
            position += 1;
            step = self.steps.ac;
            if position >= 16 {
                return 16;
            }
        }
        position
    }
}

/// The magnitude of a coefficient of at least 2.
#[inline(always)]
fn read_large(decoder: &mut BoolDecoder<'_>, branches: &Branches) -> i32 {
    if !decoder.bit(branches[3]) {
        return if decoder.bit(branches[4]) {
            3 + i32::from(decoder.bit(branches[5]))
        } else {
            2
        };
    }
    if !decoder.bit(branches[6]) {
        return if decoder.bit(branches[7]) {
            7 + 2 * i32::from(decoder.bit(165)) + i32::from(decoder.bit(145))
        } else {
            5 + i32::from(decoder.bit(159))
        };
    }
    let high = usize::from(decoder.bit(branches[8]));
    let low = usize::from(decoder.bit(branches[9 + high]));
    let category = 2 * high + low;
    let mut extra = 0;
    for &prob in EXTRA_BITS[category] {
        extra = 2 * extra + i32::from(decoder.bit(prob));
    }
    3 + (8 << category) + extra
}

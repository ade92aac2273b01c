//! From coefficients to the sums that samples are made of (ITU-T T.81, A.3.3 and
//! A.3.4).
//!
//! A transform of reduced size has fewer terms than a block has coefficients, but all
//! coefficients may count: [`Weights`] says for each of them which sum it goes to, and
//! with what factor, that of quantisation included. They are added up while
//! they are read, and [`Scale::transform`] makes samples of the sums.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "indices are masked to the lengths of the tables and values clamped, in hot loops"
)]

/// Order of coefficients in the file (figure A.6): each index in the block.
#[rustfmt::skip]
const ZIGZAG: [u8; 64] = [
     0,  1,  8, 16,  9,  2,  3, 10,
    17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34,
    27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36,
    29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46,
    53, 60, 61, 54, 47, 55, 62, 63,
];

/// Blocks that are transformed at once, side by side.
pub(super) const LANES: usize = 8;

/// What a coefficient contributes to.
#[derive(Debug, Clone, Copy)]
struct Weight {
    /// Index in [`Sums`].
    sum: u32,
    factor: i32,
}

/// The weights of all coefficients, in the order of the file. They are followed
/// by weights of 0 for the places past the end of a block.
#[derive(Debug)]
pub(super) struct Weights([Weight; 128]);

/// The sums of [`LANES`] blocks: the first of each, then the second, and so on, so
/// that an operation on a vector serves as many blocks.
#[derive(Debug)]
pub(super) struct Sums([i32; SUMS * LANES]);

/// Twice as many as the sums that a block has at the most. The last is of what contributes
/// to nothing.
const SUMS: usize = 128;

/// Samples of [`LANES`] blocks, row by row.
pub(super) type Samples = [[u8; 8 * LANES]; 8];

/// A size of decoding.
pub(super) trait Scale {
    /// Samples across a block.
    const SIDE: usize;

    /// What the coefficient of frequency `k` of a row or column contributes to: the
    /// index of the sum and the factor; `None` where it is to nothing.
    fn fold(k: u32) -> Option<(u32, f64)>;

    /// Fraction bits of the sums.
    const FRACTION: u32;

    /// What is added to the sum of DC.
    const BIAS: i32;

    /// Whether anything but DC counts.
    const HAS_AC: bool = true;

    /// Puts the samples of the blocks at the start of the rows of `samples`.
    fn transform(sums: &Sums, samples: &mut Samples);
}

impl Weights {
    /// The weights of a block quantised with `steps`, in the order of the file.
    pub(super) fn new<S: Scale>(steps: &[u16; 64]) -> Self {
        let mut weights = [Weight {
            sum: ((SUMS - 1) * LANES) as u32,
            factor: 0,
        }; 128];
        for ((weight, step), place) in weights.iter_mut().zip(steps).zip(ZIGZAG) {
            let (down, across) = (u32::from(place / 8), u32::from(place % 8));
            if let (Some((row, vertical)), Some((column, horizontal))) =
                (S::fold(down), S::fold(across))
            {
                let factor = vertical * horizontal * f64::from(*step) * f64::from(1 << S::FRACTION);
                weight.sum = (row * S::SIDE as u32 + column) * LANES as u32;
                weight.factor = factor.round() as i32;
            }
        }
        Self(weights)
    }
}

impl Sums {
    pub(super) const fn new() -> Self {
        Self([0; SUMS * LANES])
    }

    pub(super) fn clear<S: Scale>(&mut self) {
        self.0[..S::SIDE * S::SIDE * LANES].fill(0);
    }

    /// Adds the DC coefficient of the block in `lane`.
    #[inline(always)]
    pub(super) fn add_dc<S: Scale>(&mut self, weights: &Weights, lane: usize, dc: i32) {
        let factor = weights.0[0].factor;
        self.0[lane % LANES] = dc.wrapping_mul(factor).wrapping_add(S::BIAS);
    }

    /// Adds the coefficient at `place`, less than 128, in the order of the file.
    #[inline(always)]
    pub(super) fn add(&mut self, weights: &Weights, lane: usize, place: u32, value: i32) {
        let Weight { sum, factor } = weights.0[place as usize & 127];
        let sum = &mut self.0[(sum as usize + lane) % (SUMS * LANES)];
        *sum = sum.wrapping_add(value.wrapping_mul(factor));
    }

    /// The sum with this index of all blocks.
    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> &[i32; LANES] {
        &self.0.as_chunks().0[index]
    }
}

/// `value`, or what is nearest to it. This is one instruction on vectors.
#[inline(always)]
pub(super) fn saturated(value: i32) -> i16 {
    value.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
}

//! From coefficients to samples (ITU-T T.81, A.3.3), at a fraction of the size.
//!
//! A sample of reduced size is the mean of those that it stands for, as in libjpeg.
//! Of a cosine the mean over 2 neighbouring samples is again a cosine on the coarser
//! grid, of the same frequency or, above half of the highest, of the one that this
//! is mirrored to; so that the 8 coefficients of a row come down to 4. In the
//! same manner those of odd frequency come down to 1 for means of 4, while the even
//! ones cancel out. The sums are formed while coefficients are read: [`Weights`]
//! says for each where it goes and with what factor, that of quantisation included.
//! What is left is a transform of 4 × 4 or 2 × 2.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::inline_always,
    reason = "indices are masked to the lengths of the tables and values clamped, in hot loops"
)]

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

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

/// Fraction bits of the sums.
const FRACTION: u32 = 16;

/// Level shift (A.3.1) and rounding, as part of the DC sum.
const BIAS: i32 = (128 << FRACTION) + (1 << (FRACTION - 1));

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
/// that one operation on a vector serves as many blocks.
#[derive(Debug)]
pub(super) struct Sums([i32; SUMS * LANES]);

/// How many sums a block has at the most, and as many again, of which the last is of what
/// contributes to nothing.
const SUMS: usize = 32;

/// Samples of [`LANES`] blocks, row by row.
pub(super) type Samples = [[u8; 4 * LANES]; 4];

/// A size of decoding.
pub(super) trait Scale {
    /// Samples across a block.
    const SIDE: usize;

    /// What the coefficient of frequency `k` of a row or column contributes to: the
    /// index of the sum and the factor; `None` where it is to nothing.
    fn fold(k: u32) -> Option<(u32, f64)>;

    /// Whether anything but DC counts.
    const HAS_AC: bool = true;

    /// Puts the samples of the blocks at the start of the rows of `samples`.
    fn transform(sums: &Sums, samples: &mut Samples);
}

/// 1/2 of the size.
pub(super) struct Half;
/// 1/4 of the size.
pub(super) struct Quarter;
/// 1/8 of the size.
pub(super) struct Eighth;

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
                let factor = vertical * horizontal * f64::from(*step) * f64::from(1 << FRACTION);
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

    pub(super) const fn clear<S: Scale>(&mut self) {
        self.0 = [0; SUMS * LANES];
    }

    /// Adds the DC coefficient of the block in `lane`.
    #[inline(always)]
    pub(super) fn add_dc(&mut self, weights: &Weights, lane: usize, dc: i32) {
        let factor = weights.0[0].factor;
        self.0[lane % LANES] = dc.wrapping_mul(factor).wrapping_add(BIAS);
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
    fn get(&self, index: usize) -> &[i32; LANES] {
        &self.0.as_chunks().0[index]
    }
}

#[inline(always)]
fn sample(sum: i32) -> u8 {
    ((sum >> FRACTION) as i16).clamp(0, 255) as u8
}

/// Factor of the frequency `k` in the transform of 8 (A.3.3).
fn norm(k: u32) -> f64 {
    if k == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 }
}

impl Scale for Half {
    const SIDE: usize = 4;

    fn fold(k: u32) -> Option<(u32, f64)> {
        // The mean of cos(a - b) and cos(a + b) is cos(a) cos(b).
        let mean = norm(k) * (f64::from(k) * PI / 16.0).cos();
        let (k, mean) = match k {
            0..=3 => (k, mean),
            // This is zero wherever it is sampled.
            4 => return None,
            _ => (8 - k, -mean),
        };
        // The scale that `four` wants.
        Some((k, mean * (f64::from(k) * PI / 8.0).cos()))
    }

    #[inline(always)]
    fn transform(sums: &Sums, samples: &mut Samples) {
        // Down all columns, and then across all rows.
        let mut rows = [[[0; LANES]; 4]; 4];
        for x in 0..4 {
            let column = four([0, 4, 8, 12].map(|y| sums.get(x + y)));
            for (row, values) in rows.iter_mut().zip(column) {
                row[x] = values;
            }
        }
        for ([a, b, c, d], samples) in rows.iter().zip(samples) {
            let [a, b, c, d] = four([a, b, c, d]);
            let samples = samples.as_chunks_mut::<4>().0;
            for x in 0..LANES {
                samples[x] = [sample(a[x]), sample(b[x]), sample(c[x]), sample(d[x])];
            }
        }
    }
}

/// The inverse transform of 4, of many signals side by side. The frequency `k` is
/// expected with the factor cos(kπ/8), by which only one multiplication is left:
/// with `p` = `c1` + `c3`, the odd parts are `p` and √2 (`c1` - `c3`) - `p`.
#[inline(always)]
fn four([c0, c1, c2, c3]: [&[i32; LANES]; 4]) -> [[i32; LANES]; 4] {
    let mut out = [[0; LANES]; 4];
    for x in 0..LANES {
        let (sum, difference) = (c0[x].wrapping_add(c2[x]), c0[x].wrapping_sub(c2[x]));
        let p = c1[x].wrapping_add(c3[x]);
        let q = times_sqrt_2(c1[x].wrapping_sub(c3[x])).wrapping_sub(p);
        out[0][x] = sum.wrapping_add(p);
        out[1][x] = difference.wrapping_add(q);
        out[2][x] = difference.wrapping_sub(q);
        out[3][x] = sum.wrapping_sub(p);
    }
    out
}

/// `value` times 1.41406, which is √2 to within 0.011 %. Vectors of the instruction set
/// that all machines have cannot multiply 32 bits.
#[inline(always)]
const fn times_sqrt_2(value: i32) -> i32 {
    const { assert!(SQRT_2 - 1.414_062_5 < 0.000_16) };
    value
        .wrapping_add(value >> 2)
        .wrapping_add(value >> 3)
        .wrapping_add(value >> 5)
        .wrapping_add(value >> 7)
}

impl Scale for Quarter {
    const SIDE: usize = 2;

    fn fold(k: u32) -> Option<(u32, f64)> {
        if k == 0 {
            return Some((0, norm(0)));
        }
        // The sum of cos((2x + 1) kπ/16) over the first 4 x is sin(kπ/2) / (2 sin(kπ/16));
        // over the others it is the opposite.
        let sign = match k % 4 {
            1 => 1.0,
            3 => -1.0,
            _ => return None,
        };
        Some((1, norm(k) * sign / (8.0 * (f64::from(k) * PI / 16.0).sin())))
    }

    #[inline(always)]
    fn transform(sums: &Sums, samples: &mut Samples) {
        let [mean, across, down, both] = [0, 1, 2, 3].map(|index| sums.get(index));
        let [upper, lower, ..] = samples;
        let (upper, lower) = (upper.as_chunks_mut::<2>().0, lower.as_chunks_mut::<2>().0);
        for x in 0..LANES {
            let (top, bottom) = (mean[x].wrapping_add(down[x]), mean[x].wrapping_sub(down[x]));
            let (a, b) = (across[x].wrapping_add(both[x]), across[x].wrapping_sub(both[x]));
            upper[x] = [sample(top.wrapping_add(a)), sample(top.wrapping_sub(a))];
            lower[x] = [sample(bottom.wrapping_add(b)), sample(bottom.wrapping_sub(b))];
        }
    }
}

impl Scale for Eighth {
    const SIDE: usize = 1;
    const HAS_AC: bool = false;

    fn fold(k: u32) -> Option<(u32, f64)> {
        (k == 0).then_some((0, norm(0)))
    }

    #[inline(always)]
    fn transform(sums: &Sums, [samples, ..]: &mut Samples) {
        for (sample_, sum) in samples.iter_mut().zip(sums.get(0)) {
            *sample_ = sample(*sum);
        }
    }
}

//! Samples of reduced size.
//!
//! A sample is the mean of those that it stands for, as in libjpeg. Of a cosine the mean
//! over 2 neighbouring samples is again a cosine on the coarser grid, of the same
//! frequency or, above half of the highest, of the one that this is mirrored to; so
//! that the 8 coefficients of a row come down to 4. In the same manner those of odd
//! frequency come down to 1 for means of 4, while the even ones cancel out.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_sign_loss,
    clippy::inline_always,
    reason = "loops that vectors are to be made of, over arrays of one length, and values clamped"
)]

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::transform::{LANES, Samples, Scale, Sums, saturated};

/// Fraction bits of the sums. Those of valid files stay far from the limits of `i32`, and
/// the rounding of a factor makes 1/16 of a sample even in a coefficient of 1024.
const FRACTION: u32 = 13;

/// Level shift (A.3.1) and rounding.
const BIAS: i32 = (128 << FRACTION) + (1 << (FRACTION - 1));

/// Factor of the frequency `k` in the transform of 8 (A.3.3).
fn norm(k: u32) -> f64 {
    if k == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 }
}

#[inline(always)]
fn sample(sum: i32) -> u8 {
    saturated(sum >> FRACTION).clamp(0, 255) as u8
}

/// 1/2 of the size.
pub(super) struct Half;

impl Scale for Half {
    const SIDE: usize = 4;
    const FRACTION: u32 = FRACTION;
    const BIAS: i32 = BIAS;

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
    value
        .wrapping_add(value >> 2)
        .wrapping_add(value >> 3)
        .wrapping_add(value >> 5)
        .wrapping_add(value >> 7)
}

/// 1/4 of the size.
pub(super) struct Quarter;

impl Scale for Quarter {
    const SIDE: usize = 2;
    const FRACTION: u32 = FRACTION;
    const BIAS: i32 = BIAS;

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
        let (upper, lower) = (upper.as_chunks_mut().0, lower.as_chunks_mut().0);
        for x in 0..LANES {
            let top = mean[x].wrapping_add(down[x]);
            let slope = across[x].wrapping_add(both[x]);
            upper[x] = [top.wrapping_add(slope), top.wrapping_sub(slope)].map(sample);
            let bottom = mean[x].wrapping_sub(down[x]);
            let slope = across[x].wrapping_sub(both[x]);
            lower[x] = [bottom.wrapping_add(slope), bottom.wrapping_sub(slope)].map(sample);
        }
    }
}

/// 1/8 of the size.
pub(super) struct Eighth;

impl Scale for Eighth {
    const SIDE: usize = 1;
    const FRACTION: u32 = FRACTION;
    const BIAS: i32 = BIAS;
    const HAS_AC: bool = false;

    fn fold(k: u32) -> Option<(u32, f64)> {
        (k == 0).then_some((0, norm(0)))
    }

    #[inline(always)]
    fn transform(sums: &Sums, [samples, ..]: &mut Samples) {
        for (place, sum) in samples.iter_mut().zip(sums.get(0)) {
            *place = sample(*sum);
        }
    }
}

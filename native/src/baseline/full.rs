//! Samples of the whole size, the same to the bit as those of libjpeg's accurate
//! integer transform (`jidctint`), from which T.81 lets decoders differ (A.3.3).

#![expect(
    clippy::indexing_slicing,
    clippy::cast_sign_loss,
    clippy::inline_always,
    reason = "loops that vectors are to be made of, over arrays of one length, and values clamped"
)]

use super::transform::{LANES, Samples, Scale, Sums, saturated};

/// Fraction bits of the factors.
const FRACTION: u32 = 13;

/// Fraction bits that remain between the passes.
const BETWEEN: u32 = 2;

/// The whole size.
pub(super) struct Full;

impl Scale for Full {
    const SIDE: usize = 8;
    const FRACTION: u32 = 0;
    const BIAS: i32 = 0;

    fn fold(k: u32) -> Option<(u32, f64)> {
        Some((k, 1.0))
    }

    #[inline(always)]
    fn transform(sums: &Sums, samples: &mut Samples) {
        let mut rows = [[[0; LANES]; 8]; 8];
        for x in 0..8 {
            let mut column = [[0; LANES]; 8];
            for (y, values) in column.iter_mut().enumerate() {
                for (value, sum) in values.iter_mut().zip(sums.get(8 * y + x)) {
                    *value = saturated(*sum);
                }
            }
            let column = eight(&column);
            for (row, values) in rows.iter_mut().zip(&column) {
                for (value, sum) in row[x].iter_mut().zip(values) {
                    *value = without(FRACTION - BETWEEN, *sum);
                }
            }
        }
        for (row, samples) in rows.iter().zip(samples) {
            let row = eight(row);
            let mut values = [[0_u32; LANES]; 8];
            for (values, sums) in values.iter_mut().zip(&row) {
                for (value, sum) in values.iter_mut().zip(sums) {
                    let level = without(FRACTION + BETWEEN + 3, *sum);
                    *value = level.saturating_add(128).clamp(0, 255) as u32;
                }
            }
            // Bytes are put together in the lanes, which spares a transposition of bytes.
            let ([left @ .., _, _, _, _], [_, _, _, _, right @ ..]) = (&values, &values);
            let (left, right) = (joined(left), joined(right));
            let samples = samples.as_chunks_mut::<8>().0;
            for ((samples, left), right) in samples.iter_mut().zip(left).zip(right) {
                *samples = (u64::from(left) | u64::from(right) << 32).to_le_bytes();
            }
        }
    }
}

/// The inverse transform of 8, of many signals side by side, with [`FRACTION`] more
/// bits than they have. Each output is a sum of products without any rounding, so the steps
/// do not matter, only the factors: these are what those of `jidctint` amount to. As
/// products of 16 bits they become instructions that multiply and add pairs.
#[inline(always)]
fn eight(signals: &[[i16; LANES]; 8]) -> [[i32; LANES]; 8] {
    let mut out = [[0; LANES]; 8];
    let [r0, r1, r2, r3, r4, r5, r6, r7] = signals;
    let [o0, o1, o2, o3, o4, o5, o6, o7] = &mut out;
    for x in 0..LANES {
        let (c0, c2) = (i32::from(r0[x]), i32::from(r2[x]));
        let (c4, c6) = (i32::from(r4[x]), i32::from(r6[x]));
        let (sum, difference) = ((c0 + c4) << FRACTION, (c0 - c4) << FRACTION);
        let outer = c2 * 10_703 + c6 * 4433;
        let inner = c2 * 4433 - c6 * 10_704;
        let even0 = sum.wrapping_add(outer);
        let even1 = difference.wrapping_add(inner);
        let even2 = difference.wrapping_sub(inner);
        let even3 = sum.wrapping_sub(outer);
        let (c1, c3) = (i32::from(r1[x]), i32::from(r3[x]));
        let (c5, c7) = (i32::from(r5[x]), i32::from(r7[x]));
        let odd0 = (c1 * 11_363 + c3 * 9633).wrapping_add(c5 * 6437 + c7 * 2260);
        let odd1 = (c1 * 9633 - c3 * 2259).wrapping_sub(c5 * 11_362 + c7 * 6436);
        let odd2 = (c1 * 6437 - c3 * 11_362).wrapping_add(c5 * 2261 + c7 * 9633);
        let odd3 = (c1 * 2260 - c3 * 6436).wrapping_add(c5 * 9633 - c7 * 11_363);
        o0[x] = even0.wrapping_add(odd0);
        o1[x] = even1.wrapping_add(odd1);
        o2[x] = even2.wrapping_add(odd2);
        o3[x] = even3.wrapping_add(odd3);
        o4[x] = even3.wrapping_sub(odd3);
        o5[x] = even2.wrapping_sub(odd2);
        o6[x] = even1.wrapping_sub(odd1);
        o7[x] = even0.wrapping_sub(odd0);
    }
    out
}

/// The low 8 bits of the values of each lane.
#[inline(always)]
fn joined([first, second, third, fourth]: &[[u32; LANES]; 4]) -> [u32; LANES] {
    let mut joined = [0; LANES];
    for x in 0..LANES {
        joined[x] = first[x] | second[x] << 8 | third[x] << 16 | fourth[x] << 24;
    }
    joined
}

/// Without the lowest `bits` of `value`, rounded.
#[inline(always)]
fn without(bits: u32, value: i32) -> i16 {
    saturated(value.wrapping_add(1 << (bits - 1)) >> bits)
}

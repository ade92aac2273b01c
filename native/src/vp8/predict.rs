//! Intra prediction (RFC 6386, section 12).

#![expect(
    clippy::indexing_slicing,
    reason = "indices are constants and loop counters of the arrays' lengths"
)]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "means of bytes are bytes, and other sums are clamped"
)]

use super::modes::{Mode, SubblockMode};

/// The pixels around a square of `N`×`N`, before the loop filter.
pub(super) struct Surroundings<const N: usize> {
    pub(super) above: [u8; N],
    pub(super) left: [u8; N],
    pub(super) corner: u8,
    /// `above` is within the picture.
    pub(super) has_above: bool,
    /// `left` is within the picture.
    pub(super) has_left: bool,
}

/// Predicts luma or one plane of chroma of a whole macroblock (sections 12.2
/// and 12.3).
pub(super) fn whole<const N: usize>(mode: Mode, around: &Surroundings<N>) -> [[u8; N]; N] {
    match mode {
        Mode::Dc => [[mean(around); N]; N],
        Mode::Vertical => [around.above; N],
        Mode::Horizontal => around.left.map(|left| [left; N]),
        Mode::TrueMotion => around
            .left
            .map(|left| true_motion(around.above, left, around.corner)),
    }
}

#[inline]
fn true_motion<const N: usize>(above: [u8; N], left: u8, corner: u8) -> [u8; N] {
    let slope = i16::from(left) - i16::from(corner);
    above.map(|above| (i16::from(above) + slope).clamp(0, 255) as u8)
}

/// The mean of the sides that are within the picture.
fn mean<const N: usize>(around: &Surroundings<N>) -> u8 {
    let sum = |side: &[u8; N]| side.iter().map(|&pixel| u32::from(pixel)).sum::<u32>();
    let length = N as u32;
    let mean = match (around.has_above, around.has_left) {
        (true, true) => (sum(&around.above) + sum(&around.left) + length) / (2 * length),
        (true, false) => (sum(&around.above) + length / 2) / length,
        (false, true) => (sum(&around.left) + length / 2) / length,
        (false, false) => 128,
    };
    mean as u8
}

/// The 13 pixels around a subblock, a byte each, from the lowest: the 4 to the
/// left from the bottom up, the corner, and the 8 above and to the right of that.
/// The last one is repeated.
///
/// In one number rather than an array, since the arithmetic on single bytes within
/// it saves the way through memory from each subblock to the next.
#[derive(Clone, Copy)]
pub(super) struct Edge(u128);

/// The lowest bit of each byte is cleared.
const UPPER_BITS: u128 = !(u128::MAX / 255);

impl Edge {
    /// `left` is from the bottom up; `above` and `right` from the left.
    #[inline]
    pub(super) fn new(left: u32, corner: u8, above: u32, right: u32) -> Self {
        let low = u64::from(left) | (u64::from(corner) << 32);
        let high = u64::from(above) | (u64::from(right) << 32);
        let last = u128::from(right >> 24);
        Self(u128::from(low) | (u128::from(high) << 40) | (last << 104))
    }

    /// Byte `i` on, as 4 pixels.
    #[inline]
    const fn four(self, i: u32) -> u32 {
        (self.0 >> (8 * i)) as u32
    }

    #[inline]
    const fn pixel(self, i: u32) -> u8 {
        (self.0 >> (8 * i)) as u8
    }

    /// Byte `i` is the mean of bytes `i` and `i + 1`, rounded up.
    #[inline]
    const fn means_of_2(self) -> Self {
        Self(mean_up(self.0, self.0 >> 8))
    }

    /// Byte `i` is the mean of bytes `i - 1`, `i`, which has twice the weight, and
    /// `i + 1`. The first byte is repeated before it.
    #[inline]
    const fn means_of_3(self) -> Self {
        let before = (self.0 << 8) | (self.0 & 0xFF);
        let after = self.0 >> 8;
        let outer = (before & after) + (((before ^ after) & UPPER_BITS) >> 1);
        Self(mean_up(self.0, outer))
    }
}

/// (a + b + 1) / 2 for each byte.
#[inline]
const fn mean_up(a: u128, b: u128) -> u128 {
    (a | b) - (((a ^ b) & UPPER_BITS) >> 1)
}

/// Predicts a subblock (section 12.3), to its rows, the leftmost pixel being the
/// lowest byte.
#[inline]
pub(super) fn subblock(mode: SubblockMode, edge: Edge) -> [u32; 4] {
    match mode {
        SubblockMode::Dc => {
            let bytes = edge.0.to_le_bytes();
            let sum: u32 = [0, 1, 2, 3, 5, 6, 7, 8]
                .map(|i| u32::from(bytes[i]))
                .iter()
                .sum();
            [((sum + 4) >> 3) * 0x0101_0101; 4]
        }
        SubblockMode::TrueMotion => {
            let above = edge.four(5).to_le_bytes();
            [3, 2, 1, 0]
                .map(|y| u32::from_le_bytes(true_motion(above, edge.pixel(y), edge.pixel(4))))
        }
        SubblockMode::Vertical => [edge.means_of_3().four(5); 4],
        SubblockMode::Horizontal => {
            let means = edge.means_of_3();
            [3, 2, 1, 0].map(|y| u32::from(means.pixel(y)) * 0x0101_0101)
        }
        SubblockMode::LeftDown => {
            let means = edge.means_of_3();
            [6, 7, 8, 9].map(|i| means.four(i))
        }
        SubblockMode::RightDown => {
            let means = edge.means_of_3();
            [4, 3, 2, 1].map(|i| means.four(i))
        }
        SubblockMode::VerticalRight => {
            let (two, three) = (edge.means_of_2(), edge.means_of_3());
            [
                two.four(4),
                three.four(4),
                (two.four(4) << 8) | u32::from(three.pixel(3)),
                (three.four(4) << 8) | u32::from(three.pixel(2)),
            ]
        }
        SubblockMode::VerticalLeft => {
            let (two, three) = (edge.means_of_2(), edge.means_of_3());
            [
                two.four(5),
                three.four(6),
                (two.four(6) & 0xFF_FFFF) | (u32::from(three.pixel(10)) << 24),
                (three.four(7) & 0xFF_FFFF) | (u32::from(three.pixel(11)) << 24),
            ]
        }
        SubblockMode::HorizontalDown => {
            let (two, three) = (edge.means_of_2(), edge.means_of_3());
            let [b, c] = [two.four(0), three.four(1)].map(u32::to_le_bytes);
            let low = u64::from_le_bytes([b[0], c[0], b[1], c[1], b[2], c[2], b[3], c[3]]);
            let [a, b, c, d] = staircase(low, three.four(5));
            [d, c, b, a]
        }
        SubblockMode::HorizontalUp => {
            let (two, three) = (edge.means_of_2(), edge.means_of_3());
            let [b, c] = [two.four(0), three.four(0)].map(u32::to_le_bytes);
            let last = edge.pixel(0);
            let low = u64::from_le_bytes([b[2], c[2], b[1], c[1], b[0], c[0], last, last]);
            staircase(low, u32::from(last) * 0x0101)
        }
    }
}

/// Four rows of the same pixels, each two further on.
#[inline]
const fn staircase(low: u64, high: u32) -> [u32; 4] {
    [
        low as u32,
        (low >> 16) as u32,
        (low >> 32) as u32,
        (low >> 48) as u32 | (high << 16),
    ]
}

/// Adds what the coefficients stand for (section 14.5) to 8 pixels.
#[inline]
pub(super) fn add(pixels: &mut [u8; 8], residuals: &[i16; 8]) {
    for (pixel, &residual) in pixels.iter_mut().zip(residuals) {
        *pixel = i16::from(*pixel).saturating_add(residual).clamp(0, 255) as u8;
    }
}

/// The same for a block.
#[inline]
pub(super) fn add_block([a, b, c, d]: [u32; 4], residuals: &[[i16; 8]; 2]) -> [u32; 4] {
    let [mut upper, mut lower] =
        [[a, b], [c, d]].map(|[a, b]| (u64::from(a) | (u64::from(b) << 32)).to_le_bytes());
    add_halves(&mut upper, &mut lower, residuals);
    let [upper, lower] = [upper, lower].map(u64::from_le_bytes);
    [
        upper as u32,
        (upper >> 32) as u32,
        lower as u32,
        (lower >> 32) as u32,
    ]
}

/// Not inlined, since the compiler would then take the numbers that the pixels come
/// from to pieces rather than vectorise.
#[inline(never)]
fn add_halves(upper: &mut [u8; 8], lower: &mut [u8; 8], residuals: &[[i16; 8]; 2]) {
    add(upper, &residuals[0]);
    add(lower, &residuals[1]);
}

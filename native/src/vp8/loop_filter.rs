//! Filters across one edge (RFC 6386, section 15).
//!
//! An edge lies in the middle of 8 lines of 16 pixels along it. All 16 are
//! filtered at once: the loops have neither branches nor sums wider than 16 bits,
//! so that the compiler can vectorise them.

#![expect(
    clippy::indexing_slicing,
    reason = "indices are constants and loop counters of the arrays' lengths"
)]
#![expect(
    clippy::needless_range_loop,
    reason = "the same place of several lines is needed at once"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "27 × 127 / 128 is within 8 bits"
)]

/// Pixels along an edge, in one line of the picture.
pub(super) type Line = [u8; 16];

/// Thresholds of the filters of one macroblock (section 15.2 to 15.4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Greatest step across the edges between macroblocks.
    pub(super) outer: u8,
    /// Greatest step across the edges inside of one.
    pub(super) inner: u8,
    /// Greatest step between other neighbours.
    pub(super) interior: u8,
    /// From this step on, next to the edge, the picture is steep anyway.
    pub(super) high_variance: u8,
}

impl Limits {
    /// `None` if there is nothing to filter.
    pub(super) fn new(level: u8, sharpness: u8) -> Option<Self> {
        if level == 0 {
            return None;
        }
        let mut interior = level;
        if sharpness > 0 {
            interior >>= if sharpness > 4 { 2 } else { 1 };
            interior = interior.min(9_u8.saturating_sub(sharpness));
        }
        let interior = interior.max(1);
        // `level` is up to 63: the sums are within 8 bits.
        let inner = level.saturating_mul(2).saturating_add(interior);
        Some(Self {
            outer: inner.saturating_add(4),
            inner,
            interior,
            // For key frames.
            high_variance: match level {
                40.. => 2,
                15.. => 1,
                _ => 0,
            },
        })
    }
}

/// Whether the step across the edge is small enough to come from coding.
#[inline]
fn is_within(p1: u8, p0: u8, q0: u8, q1: u8, limit: u8) -> bool {
    let step = p0.abs_diff(q0);
    step.saturating_add(step)
        .saturating_add(p1.abs_diff(q1) >> 1)
        <= limit
}

#[inline]
const fn signed(pixel: u8) -> i8 {
    (pixel ^ 0x80).cast_signed()
}

#[inline]
const fn unsigned(value: i8) -> u8 {
    value.cast_unsigned() ^ 0x80
}

/// Three times the step across the edge on top of `outer`.
#[inline]
const fn correction(outer: i8, p0: i8, q0: i8) -> i8 {
    let step = q0.saturating_sub(p0);
    (outer.saturating_add(step))
        .saturating_add(step)
        .saturating_add(step)
}

/// `common_adjust` of the RFC: the correction split between both sides.
#[inline]
const fn split(correction: i8) -> (i8, i8) {
    (
        correction.saturating_add(3) >> 3,
        correction.saturating_add(4) >> 3,
    )
}

/// The simple filter (section 15.2), over `p1`, `p0`, `q0`, `q1`.
pub(super) fn simple(lines: &mut [Line; 4], limit: u8) {
    for i in 0..16 {
        let [p1, p0, q0, q1] = [lines[0][i], lines[1][i], lines[2][i], lines[3][i]];
        let is_filtered = is_within(p1, p0, q0, q1, limit);
        let [p1, p0, q0, q1] = [signed(p1), signed(p0), signed(q0), signed(q1)];
        let a = correction(p1.saturating_sub(q1), p0, q0);
        let (down, up) = split(if is_filtered { a } else { 0 });
        lines[1][i] = unsigned(p0.saturating_add(down));
        lines[2][i] = unsigned(q0.saturating_sub(up));
    }
}

/// The greatest difference of neighbours next to the edge, and that of others on
/// either side.
#[inline]
fn variances(lines: &[Line; 8], i: usize) -> (u8, u8) {
    let difference = |a: usize| lines[a][i].abs_diff(lines[a + 1][i]);
    let near = difference(2).max(difference(4));
    let far = (difference(0).max(difference(1))).max(difference(5).max(difference(6)));
    (near, far)
}

/// The normal filter of edges inside of a macroblock (section 15.3).
pub(super) fn inner(lines: &mut [Line; 8], limits: Limits) {
    for i in 0..16 {
        let [p1, p0, q0, q1] = [lines[2][i], lines[3][i], lines[4][i], lines[5][i]];
        let (near, far) = variances(lines, i);
        let is_filtered =
            is_within(p1, p0, q0, q1, limits.inner) & (near.max(far) <= limits.interior);
        let is_steep = near > limits.high_variance;
        let [p1, p0, q0, q1] = [signed(p1), signed(p0), signed(q0), signed(q1)];
        let outer = if is_steep { p1.saturating_sub(q1) } else { 0 };
        let a = correction(outer, p0, q0);
        let (down, up) = split(if is_filtered { a } else { 0 });
        let rest = if is_steep { 0 } else { (up + 1) >> 1 };
        lines[2][i] = unsigned(p1.saturating_add(rest));
        lines[3][i] = unsigned(p0.saturating_add(down));
        lines[4][i] = unsigned(q0.saturating_sub(up));
        lines[5][i] = unsigned(q1.saturating_sub(rest));
    }
}

/// The normal filter of edges between macroblocks (section 15.4).
pub(super) fn outer(lines: &mut [Line; 8], limits: Limits) {
    for i in 0..16 {
        let [p1, p0, q0, q1] = [lines[2][i], lines[3][i], lines[4][i], lines[5][i]];
        let (near, far) = variances(lines, i);
        let is_filtered =
            is_within(p1, p0, q0, q1, limits.outer) & (near.max(far) <= limits.interior);
        let is_steep = near > limits.high_variance;
        let [p1, p0, q0, q1] = [signed(p1), signed(p0), signed(q0), signed(q1)];
        let w = correction(p1.saturating_sub(q1), p0, q0);
        let w = if is_filtered { w } else { 0 };
        let (down, up) = split(if is_steep { w } else { 0 });
        // 27/128, 18/128 and 9/128 of `w`.
        let ninth = if is_steep { 0 } else { i16::from(w) * 9 };
        let [near, middle, far] = [3 * ninth, 2 * ninth, ninth].map(|a| ((a + 63) >> 7) as i8);
        let [p2, q2] = [signed(lines[1][i]), signed(lines[6][i])];
        lines[1][i] = unsigned(p2.saturating_add(far));
        lines[2][i] = unsigned(p1.saturating_add(middle));
        lines[3][i] = unsigned(p0.saturating_add(down).saturating_add(near));
        lines[4][i] = unsigned(q0.saturating_sub(up).saturating_sub(near));
        lines[5][i] = unsigned(q1.saturating_sub(middle));
        lines[6][i] = unsigned(q2.saturating_sub(far));
    }
}

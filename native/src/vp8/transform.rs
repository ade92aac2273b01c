//! Inverse transforms (RFC 6386, sections 14.3 and 14.4).

#![expect(
    clippy::indexing_slicing,
    reason = "indices are constants and loop counters of the arrays' lengths"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "16 bits hold all sums of a valid stream; others may wrap"
)]

/// Coefficients of two blocks side by side, row by row. So paired, a row fills a
/// vector register.
pub(super) type Pair = [[i16; 8]; 4];

/// How the inverse DCT lays out what it adds to the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Rows of both blocks, like the coefficients.
    SideBySide,
    /// Rows of the left block, then those of the right one, two to an array.
    BlockByBlock,
}

/// The coefficients of the DC coefficients of luma, to the latter (the inverse
/// Walsh–Hadamard transform).
pub(super) fn inverse_wht(rows: &[[i16; 4]; 4]) -> [[i16; 4]; 4] {
    let rows = rows.map(|row| row.map(i32::from));
    let mut columns = [[0; 4]; 4];
    for i in 0..4 {
        let [a, b] = [rows[0][i] + rows[3][i], rows[1][i] + rows[2][i]];
        let [c, d] = [rows[1][i] - rows[2][i], rows[0][i] - rows[3][i]];
        columns[0][i] = a + b;
        columns[1][i] = c + d;
        columns[2][i] = a - b;
        columns[3][i] = d - c;
    }
    columns.map(|row| {
        let [a, b] = [row[0] + row[3], row[1] + row[2]];
        let [c, d] = [row[1] - row[2], row[0] - row[3]];
        [a + b, c + d, a - b, d - c].map(|sum| ((sum + 3) >> 3) as i16)
    })
}

/// Inverse DCT where there is at most a DC coefficient, in place.
pub(super) fn inverse_dct_dc_only(pair: &mut Pair, layout: Layout) {
    let [left, right] = [pair[0][0], pair[0][4]].map(|dc| dc.wrapping_add(4) >> 3);
    *pair = match layout {
        Layout::SideBySide => [[left, left, left, left, right, right, right, right]; 4],
        Layout::BlockByBlock => [[left; 8], [left; 8], [right; 8], [right; 8]],
    };
}

/// Inverse DCT, in place.
pub(super) fn inverse_dct(pair: &mut Pair, layout: Layout) {
    let mut columns = side_by_side(&transpose(&one_dimension(pair)));
    for value in &mut columns[0] {
        *value = value.wrapping_add(4);
    }
    let mut blocks = transpose(&one_dimension(&columns));
    for value in blocks.as_flattened_mut() {
        *value >>= 3;
    }
    *pair = match layout {
        Layout::SideBySide => side_by_side(&blocks),
        Layout::BlockByBlock => blocks,
    };
}

/// One pass of the inverse DCT, over corresponding lanes.
#[inline]
fn one_dimension(input: &Pair) -> Pair {
    let mut output = [[0; 8]; 4];
    for i in 0..8 {
        let a = input[0][i].wrapping_add(input[2][i]);
        let b = input[0][i].wrapping_sub(input[2][i]);
        let c = times_sin(input[1][i]).wrapping_sub(times_cos(input[3][i]));
        let d = times_cos(input[1][i]).wrapping_add(times_sin(input[3][i]));
        output[0][i] = a.wrapping_add(d);
        output[1][i] = b.wrapping_add(c);
        output[2][i] = b.wrapping_sub(c);
        output[3][i] = a.wrapping_sub(d);
    }
    output
}

/// Times √2 cos(π/8), which is 1 + 20091/65536.
#[inline]
fn times_cos(value: i16) -> i16 {
    (((i32::from(value) * 20_091) >> 16) as i16).wrapping_add(value)
}

/// Times √2 sin(π/8), which is 35468/65536. One is taken off the factor, and
/// added again, so that it is within 16 bits.
#[inline]
fn times_sin(value: i16) -> i16 {
    (((i32::from(value) * (35_468 - 65_536)) >> 16) as i16).wrapping_add(value)
}

/// Transposes either block, to [`Layout::BlockByBlock`].
#[inline]
fn transpose(rows: &Pair) -> Pair {
    let [a, b] = interleave(&rows[0], &rows[2]);
    let [c, d] = interleave(&rows[1], &rows[3]);
    let [left_01, left_23] = interleave(&a, &c);
    let [right_01, right_23] = interleave(&b, &d);
    [left_01, left_23, right_01, right_23]
}

#[inline]
#[expect(
    clippy::manual_memcpy,
    reason = "a loop becomes moves between registers, a copy goes through memory"
)]
fn side_by_side([left_01, left_23, right_01, right_23]: &Pair) -> Pair {
    let mut rows = [[0; 8]; 4];
    for i in 0..4 {
        rows[0][i] = left_01[i];
        rows[0][4 + i] = right_01[i];
        rows[1][i] = left_01[4 + i];
        rows[1][4 + i] = right_01[4 + i];
        rows[2][i] = left_23[i];
        rows[2][4 + i] = right_23[i];
        rows[3][i] = left_23[4 + i];
        rows[3][4 + i] = right_23[4 + i];
    }
    rows
}

#[inline]
fn interleave(a: &[i16; 8], b: &[i16; 8]) -> [[i16; 8]; 2] {
    let mut output = [[0; 8]; 2];
    for i in 0..4 {
        output[0][2 * i] = a[i];
        output[0][2 * i + 1] = b[i];
        output[1][2 * i] = a[4 + i];
        output[1][2 * i + 1] = b[4 + i];
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dc_coefficient_alone_needs_no_full_transform() {
        for dc in [-2_000, -5, -4, 0, 3, 4, 1_999] {
            for layout in [Layout::SideBySide, Layout::BlockByBlock] {
                let mut pair = [[0; 8]; 4];
                (pair[0][0], pair[0][4]) = (dc, -dc);
                let mut expected = pair;
                inverse_dct(&mut expected, layout);
                inverse_dct_dc_only(&mut pair, layout);
                assert_eq!(pair, expected);
            }
        }
    }

    #[test]
    fn a_block_is_laid_out_row_by_row() {
        // The lowest vertical frequency, in the right block.
        let mut side_by_side = [[0; 8]; 4];
        side_by_side[1][4] = 80;
        let mut block_by_block = side_by_side;
        inverse_dct(&mut side_by_side, Layout::SideBySide);
        inverse_dct(&mut block_by_block, Layout::BlockByBlock);
        let rows = [13, 5, -5, -13];
        assert_eq!(side_by_side, rows.map(|v| [0, 0, 0, 0, v, v, v, v]));
        let right = block_by_block[2..].as_flattened();
        assert_eq!(right, rows.map(|v| [v; 4]).as_flattened());
    }
}

//! The loop filter over rows of macroblocks (RFC 6386, section 15.1).
//!
//! Macroblocks are copied out, filtered, and copied back. Vertical edges are
//! filtered as horizontal ones, on the transposed pixels.

#![expect(
    clippy::indexing_slicing,
    reason = "indices are constants and loop counters of the arrays' lengths"
)]
#![expect(
    clippy::inline_always,
    reason = "what the compiler vectorises has to be one function, with known lengths"
)]

use super::Plane;
use super::loop_filter::{self, Limits, Line};
use crate::bytes::index;

/// How one macroblock is filtered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filter {
    pub(super) limits: Limits,
    /// Its inside is filtered too: it has coefficients or is predicted by
    /// subblocks.
    pub(super) has_inner: bool,
}

/// Which edges of a square to filter.
#[derive(Clone, Copy)]
struct Edges {
    is_simple: bool,
    /// The one between it and the macroblock before.
    has_outer: bool,
    filter: Filter,
}

/// Filters the `row`th row of macroblocks. The rows below may not have been
/// filtered yet.
pub(super) fn filter_row(
    [luma, u, v]: [&mut Plane; 3],
    row: usize,
    filters: &[Option<Filter>],
    is_simple: bool,
) {
    for (column, filter) in filters.iter().enumerate() {
        let Some(filter) = *filter else { continue };
        let [left, top] = [column > 0, row > 0].map(|has_outer| Edges {
            is_simple,
            has_outer,
            filter,
        });
        filter_luma(luma, 16 * row * index(luma.stride) + 16 * column, left, top);
        if !is_simple {
            let start = 8 * row * index(u.stride) + 8 * column;
            filter_chroma([u, v], start, left, top);
        }
    }
}

/// Filters the edges, 4 lines apart, of a square that starts at line 4.
#[inline]
fn filter_lines<const LINES: usize>(lines: &mut [Line; LINES], edges: Edges) {
    let limits = edges.filter.limits;
    if edges.is_simple {
        if edges.has_outer
            && let Some(lines) = lines[2..].first_chunk_mut()
        {
            loop_filter::simple(lines, limits.outer);
        }
        if edges.filter.has_inner {
            for edge in (8..LINES).step_by(4) {
                if let Some(lines) = lines[edge - 2..].first_chunk_mut() {
                    loop_filter::simple(lines, limits.inner);
                }
            }
        }
        return;
    }
    if edges.has_outer
        && let Some(lines) = lines.first_chunk_mut()
    {
        loop_filter::outer(lines, limits);
    }
    if edges.filter.has_inner {
        for edge in (8..LINES).step_by(4) {
            if let Some(lines) = lines[edge - 4..].first_chunk_mut() {
                loop_filter::inner(lines, limits);
            }
        }
    }
}

#[inline(never)]
fn filter_luma(plane: &mut Plane, start: usize, left: Edges, top: Edges) {
    let stride = index(plane.stride);
    let mut lines = [[0; 16]; 20];
    for (y, line) in lines[4..].iter_mut().enumerate() {
        *line = load(&plane.data, start + y * stride);
    }
    if left.has_outer || left.filter.has_inner {
        let mut columns = [[0; 16]; 20];
        let mut before = [[0; 16]; 4];
        if left.has_outer {
            for (y, pixels) in before
                .as_flattened_mut()
                .as_chunks_mut::<4>()
                .0
                .iter_mut()
                .enumerate()
            {
                *pixels = load(&plane.data, start + y * stride - 4);
            }
            if let Some(columns) = columns.first_chunk_mut() {
                to_columns::<4>(&before, columns);
            }
        }
        if let (Some(lines), Some(columns)) = (lines.last_chunk(), columns.last_chunk_mut()) {
            to_columns::<16>(lines, columns);
        }
        filter_lines(&mut columns, left);
        if let (Some(lines), Some(columns)) = (lines.last_chunk_mut(), columns.last_chunk()) {
            to_columns::<16>(columns, lines);
        }
        if left.has_outer
            && let Some(columns) = columns.first_chunk::<4>()
        {
            to_rows_of_4(columns, &mut before);
            for (y, pixels) in before.as_flattened().as_chunks::<4>().0.iter().enumerate() {
                store(&mut plane.data, start + y * stride - 4, pixels);
            }
        }
    }
    if top.has_outer {
        for (y, line) in lines[..4].iter_mut().enumerate() {
            *line = load(&plane.data, start + y * stride - 4 * stride);
        }
    }
    filter_lines(&mut lines, top);
    if top.has_outer {
        for (y, line) in lines[..4].iter().enumerate() {
            store(&mut plane.data, start + y * stride - 4 * stride, line);
        }
    }
    for (y, line) in lines[4..].iter().enumerate() {
        store(&mut plane.data, start + y * stride, line);
    }
}

/// Filters both planes at once, U being the first half of each line.
#[inline(never)]
fn filter_chroma([u, v]: [&mut Plane; 2], start: usize, left: Edges, top: Edges) {
    let stride = index(u.stride);
    let mut lines = [[0; 16]; 12];
    for (y, line) in lines[4..].iter_mut().enumerate() {
        *line = load_both([u, v], start + y * stride);
    }
    if left.has_outer || left.filter.has_inner {
        let mut columns = [[0; 16]; 12];
        let mut before = [[0; 16]; 4];
        if left.has_outer {
            let (in_u, in_v) = before.split_at_mut(2);
            for (plane, pixels) in [(&*u, in_u), (&*v, in_v)] {
                let pixels = pixels.as_flattened_mut().as_chunks_mut::<4>().0;
                for (y, pixels) in pixels.iter_mut().enumerate() {
                    *pixels = load(&plane.data, start + y * stride - 4);
                }
            }
            if let Some(columns) = columns.first_chunk_mut() {
                to_columns::<4>(&before, columns);
            }
        }
        // One line holds two rows of either plane.
        let mut square = [[0; 16]; 8];
        for (y, line) in lines[4..].iter().enumerate() {
            let at = 8 * (y % 2);
            square[y / 2][at..at + 8].copy_from_slice(&line[..8]);
            square[4 + y / 2][at..at + 8].copy_from_slice(&line[8..]);
        }
        if let Some(columns) = columns.last_chunk_mut() {
            to_columns::<8>(&square, columns);
        }
        filter_lines(&mut columns, left);
        if let Some(columns) = columns.last_chunk() {
            to_rows_of_8(columns, &mut square);
            for (y, line) in lines[4..].iter_mut().enumerate() {
                let at = 8 * (y % 2);
                line[..8].copy_from_slice(&square[y / 2][at..at + 8]);
                line[8..].copy_from_slice(&square[4 + y / 2][at..at + 8]);
            }
        }
        if left.has_outer
            && let Some(columns) = columns.first_chunk::<4>()
        {
            to_rows_of_4(columns, &mut before);
            let (in_u, in_v) = before.split_at(2);
            for (plane, pixels) in [(&mut *u, in_u), (&mut *v, in_v)] {
                let pixels = pixels.as_flattened().as_chunks::<4>().0;
                for (y, pixels) in pixels.iter().enumerate() {
                    store(&mut plane.data, start + y * stride - 4, pixels);
                }
            }
        }
    }
    if top.has_outer {
        for (y, line) in lines[..4].iter_mut().enumerate() {
            *line = load_both([u, v], start + y * stride - 4 * stride);
        }
    }
    filter_lines(&mut lines, top);
    let first = if top.has_outer { 0 } else { 4 };
    for (y, line) in lines.iter().enumerate().skip(first) {
        let at = start + y * stride - 4 * stride;
        let [in_u, in_v] = [load(line, 0), load(line, 8)];
        store::<8>(&mut u.data, at, &in_u);
        store::<8>(&mut v.data, at, &in_v);
    }
}

#[inline]
fn load_both([u, v]: [&Plane; 2], at: usize) -> Line {
    let mut line = [0; 16];
    line[..8].copy_from_slice(&load::<8>(&u.data, at));
    line[8..].copy_from_slice(&load::<8>(&v.data, at));
    line
}

/// One pass of a perfect shuffle of all the pixels, which rotates the binary digits
/// of their places by one: the highest becomes the lowest.
#[inline(always)]
fn shuffle<const LINES: usize>(lines: &[Line; LINES], shuffled: &mut [Line; LINES]) {
    for i in 0..LINES / 2 {
        let [a, b] = [&lines[i], &lines[LINES / 2 + i]];
        for x in 0..8 {
            shuffled[2 * i][2 * x] = a[x];
            shuffled[2 * i][2 * x + 1] = b[x];
        }
        for x in 0..8 {
            shuffled[2 * i + 1][2 * x] = a[8 + x];
            shuffled[2 * i + 1][2 * x + 1] = b[8 + x];
        }
    }
}

/// Four passes: from rows to columns of 16 pixels, however long the rows are.
#[inline(never)]
fn to_columns<const LINES: usize>(lines: &[Line; LINES], columns: &mut [Line; LINES]) {
    let [mut a, mut b] = [[[0; 16]; LINES]; 2];
    shuffle(lines, &mut a);
    shuffle(&a, &mut b);
    shuffle(&b, &mut a);
    shuffle(&a, columns);
}

/// From 8 columns back to rows of 8.
#[inline(never)]
fn to_rows_of_8(columns: &[Line; 8], lines: &mut [Line; 8]) {
    let [mut a, mut b] = [[[0; 16]; 8]; 2];
    shuffle(columns, &mut a);
    shuffle(&a, &mut b);
    shuffle(&b, lines);
}

/// From 4 columns back to rows of 4.
#[inline(never)]
fn to_rows_of_4(columns: &[Line; 4], lines: &mut [Line; 4]) {
    let mut a = [[0; 16]; 4];
    shuffle(columns, &mut a);
    shuffle(&a, lines);
}

/// `N` pixels from `at` on. All callers stay within the plane.
#[inline]
fn load<const N: usize>(data: &[u8], at: usize) -> [u8; N] {
    data.get(at..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; N])
}

#[inline]
fn store<const N: usize>(data: &mut [u8], at: usize, pixels: &[u8; N]) {
    if let Some(place) = data.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = *pixels;
    }
}

//! Turning stored pixels upright (EXIF orientation: CIPA DC-008, table 4).

use crate::raster::{Layout, Pixels, Plane, Planes, Raster};

/// Columns that are turned together: a cache line's worth of rows is written
/// at a time, and each row is read in runs of this many samples.
const TILE: usize = 16;

/// Whether `orientation` turns the image on its side, so that width and height
/// change places.
#[must_use]
pub const fn is_sideways(orientation: u8) -> bool {
    matches!(orientation, 5..=8)
}

/// Turns `raster`, stored with `orientation`, upright. Anything but 2 to 8
/// leaves it as it is.
#[must_use]
pub fn upright(raster: Raster, orientation: u8) -> Raster {
    if !(2..=8).contains(&orientation) {
        return raster;
    }
    match raster {
        Raster::Planes(planes) => Raster::Planes(upright_planes(planes, orientation)),
        Raster::Pixels(pixels) => Raster::Pixels(upright_pixels(&pixels, orientation)),
    }
}

fn upright_planes(planes: Planes, orientation: u8) -> Planes {
    let (width, height) = turned_size(planes.width, planes.height, orientation);
    let turn = |plane: Plane| {
        let (width, height) = turned_size(plane.width, plane.height, orientation);
        let rows = plane.data.chunks(plane.stride.max(1) as usize);
        let rows = rows
            .take(plane.height as usize)
            .map(|row| row.get(..plane.width as usize).unwrap_or(row));
        Plane::packed(
            turn_rows(rows, plane.width, plane.height, orientation),
            width,
            height,
        )
    };
    Planes {
        width,
        height,
        luma: turn(planes.luma),
        chroma: planes.chroma.map(|chroma| {
            let [blue, red] = *chroma;
            Box::new([turn(blue), turn(red)])
        }),
        chroma_scale: if is_sideways(orientation) {
            let [across, down] = planes.chroma_scale;
            [down, across]
        } else {
            planes.chroma_scale
        },
        range: planes.range,
    }
}

fn upright_pixels(pixels: &Pixels, orientation: u8) -> Pixels {
    let (width, height) = turned_size(pixels.width, pixels.height, orientation);
    let data = match pixels.layout {
        Layout::Rgb => turn_pixels::<3>(pixels, orientation),
        Layout::Rgba => turn_pixels::<4>(pixels, orientation),
    };
    Pixels {
        width,
        height,
        layout: pixels.layout,
        data,
    }
}

fn turn_pixels<const N: usize>(pixels: &Pixels, orientation: u8) -> Vec<u8> {
    let (whole, _) = pixels.data.as_chunks::<N>();
    let rows = whole.chunks(pixels.width.max(1) as usize);
    turn_rows(rows, pixels.width, pixels.height, orientation).into_flattened()
}

const fn turned_size(width: u32, height: u32, orientation: u8) -> (u32, u32) {
    if is_sideways(orientation) {
        (height, width)
    } else {
        (width, height)
    }
}

/// `rows` as `orientation` says they are shown.
fn turn_rows<'a, T: Copy + 'a>(
    rows: impl DoubleEndedIterator<Item = &'a [T]> + ExactSizeIterator,
    width: u32,
    height: u32,
    orientation: u8,
) -> Vec<T> {
    let (width, height) = (width as usize, height as usize);
    let mut out = Vec::with_capacity(width.saturating_mul(height));
    match orientation {
        2 => rows.for_each(|row| out.extend(row.iter().rev())),
        3 => rows.rev().for_each(|row| out.extend(row.iter().rev())),
        4 => rows.rev().for_each(|row| out.extend_from_slice(row)),
        _ => {
            let rows: Vec<&[T]> = rows.collect();
            if let Some(sample) = rows.first().and_then(|row| row.first()) {
                out.resize(width.saturating_mul(height), *sample);
                transpose(&rows, width, height, orientation, &mut out);
            }
        }
    }
    out
}

/// Writes the `width` columns of `rows` as rows of `height`.
fn transpose<T: Copy>(rows: &[&[T]], width: usize, height: usize, orientation: u8, out: &mut [T]) {
    // Of the stored image: which row the first column shown comes from, and
    // which column the first row shown.
    let (from_bottom, from_right) = match orientation {
        6 => (true, false),
        7 => (true, true),
        8 => (false, true),
        _ => (false, false),
    };
    for (tile, lines) in out.chunks_mut(TILE * height.max(1)).enumerate() {
        let count = lines.len() / height.max(1);
        let first = tile * TILE;
        let columns = if from_right {
            width.saturating_sub(first + count)..width.saturating_sub(first)
        } else {
            first..first + count
        };
        for (index, row) in rows.iter().enumerate() {
            let at = if from_bottom {
                height - 1 - index
            } else {
                index
            };
            let Some(samples) = row.get(columns.clone()) else {
                continue;
            };
            let targets = lines
                .chunks_exact_mut(height.max(1))
                .map(|line| line.get_mut(at));
            if from_right {
                copy(samples.iter().rev(), targets);
            } else {
                copy(samples.iter(), targets);
            }
        }
    }
}

fn copy<'a, 'b, T: Copy + 'a + 'b>(
    samples: impl Iterator<Item = &'a T>,
    targets: impl Iterator<Item = Option<&'b mut T>>,
) {
    for (sample, target) in samples.zip(targets) {
        if let Some(target) = target {
            *target = *sample;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Range;

    fn plain(
        width: usize,
        height: usize,
        orientation: u8,
        at: impl Fn(usize, usize) -> u8,
    ) -> Vec<u8> {
        let (out_width, out_height) = if is_sideways(orientation) {
            (height, width)
        } else {
            (width, height)
        };
        let mut out = Vec::new();
        for y in 0..out_height {
            for x in 0..out_width {
                let (sx, sy) = match orientation {
                    2 => (width - 1 - x, y),
                    3 => (width - 1 - x, height - 1 - y),
                    4 => (x, height - 1 - y),
                    5 => (y, x),
                    6 => (y, height - 1 - x),
                    7 => (width - 1 - y, height - 1 - x),
                    8 => (width - 1 - y, x),
                    _ => (x, y),
                };
                out.push(at(sx, sy));
            }
        }
        out
    }

    #[test]
    fn planes_and_pixels_agree_with_a_plain_mapping_at_every_size() {
        for (width, height) in [
            (1, 1),
            (1, 40),
            (40, 1),
            (3, 2),
            (16, 16),
            (17, 33),
            (50, 31),
        ] {
            let sample = |x: usize, y: usize| u8::try_from((x * 7 + y * 31) % 251).unwrap();
            let data: Vec<u8> = (0..height)
                .flat_map(|y| (0..width).map(move |x| sample(x, y)))
                .collect();
            // Rows of a plane may be followed by padding.
            let padded: Vec<u8> = data
                .chunks(width)
                .flat_map(|row| [row, &[0; 5]].concat())
                .collect();
            let (w, h) = (
                u32::try_from(width).unwrap(),
                u32::try_from(height).unwrap(),
            );
            for orientation in 1..=8 {
                let expected = plain(width, height, orientation, sample);
                let luma = Plane {
                    data: padded.clone(),
                    width: w,
                    height: h,
                    stride: w + 5,
                };
                let planes = Planes {
                    width: w,
                    height: h,
                    luma,
                    chroma: None,
                    chroma_scale: [1.0; 2],
                    range: Range::Full,
                };
                let Raster::Planes(turned) = upright(Raster::Planes(planes), orientation) else {
                    unreachable!()
                };
                if orientation > 1 {
                    assert_eq!(turned.luma.data, expected, "{width}x{height} {orientation}");
                    assert_eq!(turned.luma.width, turned.width);
                }
                let rgb = Pixels {
                    width: w,
                    height: h,
                    layout: Layout::Rgb,
                    data: data.iter().flat_map(|v| [*v, 1, 2]).collect(),
                };
                let Raster::Pixels(turned) = upright(Raster::Pixels(rgb), orientation) else {
                    unreachable!()
                };
                let red: Vec<u8> = turned.data.chunks(3).map(|pixel| pixel[0]).collect();
                assert_eq!(red, expected, "{width}x{height} {orientation}");
                let sides = if is_sideways(orientation) {
                    (h, w)
                } else {
                    (w, h)
                };
                assert_eq!((turned.width, turned.height), sides);
            }
        }
    }
}

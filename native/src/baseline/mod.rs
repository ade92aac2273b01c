//! Baseline JPEG (ITU-T T.81), decoded to its planes, whole or at a fraction of its size.
//!
//! This is for photographs that are to be shrunk, as most cameras and encoders
//! write them: one scan of Huffman codes with 1 or 3 components. Anything else is left to
//! the library, and so is any file with a fault, so that it words the error.
//!
//! From the outside in: [`decode`] goes through the MCUs. `header` reads the
//! segments before the scan and `huffman` the coefficients, from `bits`. They
//! are added up by `transform` in the way that `full` or `reduced` makes samples of.

mod bits;
mod full;
mod header;
mod huffman;
mod reduced;
mod transform;

use crate::bytes::index;
use crate::raster::{Plane, Planes, Range};
use bits::Segment;
use full::Full;
use header::{Component, Header, Tables, marker};
use reduced::{Eighth, Half, Quarter};
use transform::{LANES, Samples, Scale, Sums, Weights};

/// Decodes `data` at 1/`reduction` of its size, which is 1, 2, 4 or 8: to means of as
/// many samples across and down.
///
/// `None` where that is not handled: other kinds of JPEG, more than `max_pixels` at full
/// size, and files that are damaged or cut short in any way.
#[must_use]
pub fn decode(data: &[u8], reduction: u32, max_pixels: u64) -> Option<Planes> {
    let (header, scan) = Header::read(data)?;
    if u64::from(header.width) * u64::from(header.height) > max_pixels {
        return None;
    }
    let (columns, rows) = mcus(&header)?;
    let blocks: u32 = header.components.iter().map(|c| c.across * c.down).sum();
    // A block takes 2 bits at the least: one of DC and one of AC.
    if (scan.len() as u64) < u64::from(columns) * u64::from(rows) * u64::from(blocks) / 4 {
        return None;
    }
    let planes = match reduction {
        1 => decode_scan::<Full>(&header, scan, columns, rows)?,
        2 => decode_scan::<Half>(&header, scan, columns, rows)?,
        4 => decode_scan::<Quarter>(&header, scan, columns, rows)?,
        8 => decode_scan::<Eighth>(&header, scan, columns, rows)?,
        _ => return None,
    };
    assemble(&header, reduction, planes)
}

/// MCUs across and down (A.2).
fn mcus(header: &Header) -> Option<(u32, u32)> {
    let luma = header.components.first()?;
    Some((
        header.width.div_ceil(8 * luma.across),
        header.height.div_ceil(8 * luma.down),
    ))
}

/// A component being decoded.
struct Channel<'a> {
    tables: Tables<'a>,
    weights: Weights,
    component: Component,
    /// The last DC coefficient (F.1.1.5.1).
    dc: i16,
    /// Blocks that are not yet in `data`, for each row of blocks in an MCU.
    sums: [Sums; 2],
    /// How many there are in each row.
    filled: usize,
    data: Vec<u8>,
    stride: usize,
    /// Where in `data` the next of them go.
    place: usize,
}

impl<'a> Channel<'a> {
    fn new<S: Scale>(
        header: &'a Header,
        component: &Component,
        columns: u32,
        rows: u32,
    ) -> Option<Self> {
        let tables = header.tables(component)?;
        let stride = index(columns * component.across) * S::SIDE;
        let height = index(rows * component.down) * S::SIDE;
        Some(Self {
            tables,
            weights: Weights::new::<S>(tables.steps),
            component: *component,
            dc: 0,
            sums: [const { Sums::new() }; 2],
            filled: 0,
            data: vec![0; stride.checked_mul(height)?],
            stride,
            place: 0,
        })
    }

    /// Reads the blocks of an MCU.
    #[inline]
    fn read_mcu<S: Scale>(&mut self, segment: &mut Segment<'_>) -> Option<()> {
        let Tables { dc, ac, .. } = self.tables;
        let across = index(self.component.across);
        for sums in self.sums.iter_mut().take(index(self.component.down)) {
            for lane in self.filled..self.filled + across {
                segment.read(|bits| {
                    let difference = huffman::read_dc(bits, dc)?;
                    // No sample of 8 bits comes near the limits of this.
                    self.dc = self.dc.checked_add(i16::try_from(difference).ok()?)?;
                    sums.add_dc::<S>(&self.weights, lane, i32::from(self.dc));
                    huffman::read_ac::<S>(bits, ac, &self.weights, sums, lane)
                })?;
            }
        }
        self.filled += across;
        // MCUs are of 1 or 2 blocks across.
        if self.filled == LANES {
            self.flush::<S>();
        }
        Some(())
    }

    /// Transforms the blocks that have been read.
    fn flush<S: Scale>(&mut self) {
        let mut samples: Samples = [[0; _]; _];
        let width = self.filled * S::SIDE;
        let down = index(self.component.down);
        for (row, sums) in self.sums.iter_mut().take(down).enumerate() {
            S::transform(sums, &mut samples);
            sums.clear::<S>();
            let first = self.place + row * S::SIDE * self.stride;
            for (y, line) in samples.iter().take(S::SIDE).enumerate() {
                let start = first + y * self.stride;
                let place = self.data.get_mut(start..start + width);
                if let (Some(place), Some(line)) = (place, line.get(..width)) {
                    place.copy_from_slice(line);
                }
            }
        }
        self.place += width;
        self.filled = 0;
    }

    /// Ends a row of MCUs.
    fn end_row<S: Scale>(&mut self) {
        self.flush::<S>();
        // What has been filled is one row of samples of the many in it.
        self.place += (index(self.component.down) * S::SIDE - 1) * self.stride;
    }
}

fn decode_scan<S: Scale>(
    header: &Header,
    scan: &[u8],
    columns: u32,
    rows: u32,
) -> Option<Vec<(Vec<u8>, usize)>> {
    let mut channels = header
        .components
        .iter()
        .map(|component| Channel::new::<S>(header, component, columns, rows))
        .collect::<Option<Vec<_>>>()?;
    let mut segment = Segment::new(scan);
    let mut until_restart = header.restart_interval;
    let mut restart = 0xd0;
    for _ in 0..rows {
        for _ in 0..columns {
            if header.restart_interval > 0 {
                if until_restart == 0 {
                    let (found, rest) = marker(segment.finish()?)?;
                    if found != restart {
                        return None;
                    }
                    segment.restart(rest);
                    for channel in &mut channels {
                        channel.dc = 0;
                    }
                    restart = 0xd0 | (restart + 1) & 7;
                    until_restart = header.restart_interval;
                }
                until_restart -= 1;
            }
            segment.prepare();
            for channel in &mut channels {
                channel.read_mcu::<S>(&mut segment)?;
            }
            if segment.is_overrun() {
                return None;
            }
        }
        for channel in &mut channels {
            channel.end_row::<S>();
        }
    }
    // The end of the image.
    let (0xd9, _) = marker(segment.finish()?)? else {
        return None;
    };
    Some(channels.into_iter().map(|c| (c.data, c.stride)).collect())
}

fn assemble(header: &Header, reduction: u32, planes: Vec<(Vec<u8>, usize)>) -> Option<Planes> {
    let luma = header.components.first()?;
    let width = header.width.div_ceil(reduction);
    let height = header.height.div_ceil(reduction);
    let mut planes = planes.into_iter();
    let (data, stride) = planes.next()?;
    let plane = |(data, stride): (Vec<u8>, usize)| {
        Some(Plane {
            data,
            width: width.div_ceil(luma.across),
            height: height.div_ceil(luma.down),
            stride: u32::try_from(stride).ok()?,
        })
    };
    let mut chroma = planes.map_while(plane);
    let chroma = chroma.next().zip(chroma.next());
    let chroma_scale = if chroma.is_some() {
        [1.0 / f64::from(luma.across), 1.0 / f64::from(luma.down)]
    } else {
        [1.0; 2]
    };
    Some(Planes {
        width,
        height,
        luma: Plane {
            data,
            width,
            height,
            stride: u32::try_from(stride).ok()?,
        },
        chroma: chroma.map(|(blue, red)| Box::new([blue, red])),
        chroma_scale,
        range: Range::Full,
    })
}

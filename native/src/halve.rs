//! Images on their way to another size: halved, by the mean of every four
//! pixels, and continued past their edges.

use crate::raster::{Layout, Pixels, Plane};

/// Samples of one channel or several, with rows that may be padded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Samples<'a> {
    pub(crate) data: &'a [u8],
    /// In pixels.
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Distance between the starts of rows, in pixels.
    pub(crate) stride: u32,
    pub(crate) channels: u32,
    /// How much of it is wanted, across and down, in pixels; it may reach past
    /// the edges.
    pub(crate) extent: [f64; 2],
}

/// [`Samples`] that own their data.
#[derive(Debug)]
pub(crate) struct Padded {
    data: Vec<u8>,
    width: u32,
    height: u32,
    channels: u32,
    extent: [f64; 2],
}

impl Padded {
    pub(crate) fn samples(&self) -> Samples<'_> {
        Samples {
            data: &self.data,
            width: self.width,
            height: self.height,
            stride: self.width,
            channels: self.channels,
            extent: self.extent,
        }
    }
}

impl<'a> Samples<'a> {
    pub(crate) fn of_plane(plane: &'a Plane, extent: [f64; 2]) -> Self {
        Self {
            data: &plane.data,
            width: plane.width,
            height: plane.height,
            stride: plane.stride,
            channels: 1,
            extent,
        }
    }

    pub(crate) fn of_pixels(pixels: &'a Pixels, extent: [f64; 2]) -> Self {
        Self {
            data: &pixels.data,
            width: pixels.width,
            height: pixels.height,
            stride: pixels.width,
            channels: match pixels.layout {
                Layout::Rgb => 3,
                Layout::Rgba => 4,
            },
            extent,
        }
    }

    /// A copy that reaches as far as `extent`: the last column and row go on.
    pub(crate) fn padded(&self) -> Padded {
        let [across, down] = self.extent.map(reach);
        let (width, height) = (self.width.max(across), self.height.max(down));
        let channels = self.channels as usize;
        let length = self.width as usize * channels;
        let mut data = Vec::with_capacity(width as usize * height as usize * channels);
        let mut rows = self
            .data
            .chunks((self.stride as usize * channels).max(1))
            .take(self.height as usize)
            .filter_map(|row| row.get(..length));
        let mut last: &[u8] = &[];
        for _ in 0..height {
            last = rows.next().unwrap_or(last);
            data.extend_from_slice(last);
            let edge = last
                .get(length.saturating_sub(channels)..)
                .unwrap_or_default();
            for _ in self.width..width {
                data.extend_from_slice(edge);
            }
        }
        Padded {
            data,
            width,
            height,
            channels: self.channels,
            extent: self.extent,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sides of images, and little more"
)]
fn reach(extent: f64) -> u32 {
    extent.ceil() as u32
}

/// `samples` at half the sides, rounded up, and rows without padding: an odd
/// last row or column counts twice.
pub(crate) fn halved(samples: Samples<'_>) -> Vec<u8> {
    match samples.channels {
        1 => halved_by::<1>(samples),
        3 => halved_by::<3>(samples),
        _ => halved_by::<4>(samples),
    }
}

fn halved_by<const N: usize>(samples: Samples<'_>) -> Vec<u8> {
    let width = samples.width as usize;
    let stride = (samples.stride as usize).saturating_mul(N).max(1);
    let rows: Vec<&[u8]> = samples
        .data
        .chunks(stride)
        .take(samples.height as usize)
        .map(|row| row.get(..width * N).unwrap_or_default())
        .collect();
    let mut out = Vec::with_capacity(width.div_ceil(2) * rows.len().div_ceil(2) * N);
    let mut sums = vec![0; width.next_multiple_of(2) * N];
    for pair in rows.chunks(2) {
        let (Some(upper), Some(lower)) = (pair.first(), pair.last()) else {
            continue;
        };
        // Down first: the compiler makes vectors of it, and then of the rest.
        for ((sum, upper), lower) in sums.iter_mut().zip(*upper).zip(*lower) {
            *sum = u16::from(*upper) + u16::from(*lower);
        }
        if width % 2 == 1 {
            sums.copy_within((width - 1) * N..width * N, width * N);
        }
        let (pixels, _) = sums.as_chunks::<N>();
        let (pairs, _) = pixels.as_chunks::<2>();
        out.extend(pairs.iter().flat_map(mean));
    }
    out
}

/// The sums of two pixels, each of two samples a channel, to their mean.
fn mean<const N: usize>([left, right]: &[[u16; N]; 2]) -> [u8; N] {
    let mut mean = [0; N];
    for ((mean, left), right) in mean.iter_mut().zip(left).zip(right) {
        #[expect(clippy::cast_possible_truncation, reason = "a mean of bytes")]
        let rounded = ((left + right + 2) >> 2) as u8;
        *mean = rounded;
    }
    mean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(data: &[u8], width: usize, height: usize, channels: usize) -> Vec<u8> {
        let at = |x: usize, y: usize, c: usize| {
            u16::from(data[(y.min(height - 1) * width + x.min(width - 1)) * channels + c])
        };
        let mut out = Vec::new();
        for y in (0..height).step_by(2) {
            for x in (0..width).step_by(2) {
                for c in 0..channels {
                    let sum = at(x, y, c) + at(x + 1, y, c) + at(x, y + 1, c) + at(x + 1, y + 1, c);
                    out.push(u8::try_from((sum + 2) / 4).unwrap());
                }
            }
        }
        out
    }

    #[test]
    fn every_size_and_layout_agrees_with_the_plain_mean() {
        for channels in [1, 3, 4] {
            for (width, height) in [(1, 1), (2, 2), (1, 5), (5, 1), (16, 3), (33, 32)] {
                let data: Vec<u8> = (0..width * height * channels)
                    .map(|i| u8::try_from(i * 89 % 256).unwrap())
                    .collect();
                let padded: Vec<u8> = data
                    .chunks(width * channels)
                    .flat_map(|row| [row, &vec![7; 3 * channels]].concat())
                    .collect();
                let narrow = |side: usize| u32::try_from(side).unwrap();
                let samples = Samples {
                    data: &padded,
                    width: narrow(width),
                    height: narrow(height),
                    stride: narrow(width + 3),
                    channels: narrow(channels),
                    extent: [0.0; 2],
                };
                assert_eq!(halved(samples), plain(&data, width, height, channels));
            }
        }
    }
}

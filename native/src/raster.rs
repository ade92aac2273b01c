//! Pixels in memory: as the planes of a codec, or interleaved.

/// One sample per position, 8 bits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plane {
    /// Rows of `stride` samples, of which the first `width` count.
    pub data: Vec<u8>,
    /// Samples per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Distance between the starts of rows, in samples; at least `width`.
    pub stride: u32,
}

/// Luma, and chroma at whatever resolution the codec had it: BT.601.
#[derive(Debug, Clone, PartialEq)]
pub struct Planes {
    /// Width of the image in pixels.
    pub width: u32,
    /// Height of the image in pixels.
    pub height: u32,
    /// At the resolution of the image.
    pub luma: Plane,
    /// Cb and Cr; none in a grey image.
    pub chroma: Option<Box<[Plane; 2]>>,
    /// Samples of chroma per sample of luma, across and down: 0.5 in 4:2:0. Of
    /// an odd number the last sample of chroma is partly outside the image.
    pub chroma_scale: [f64; 2],
    /// What the samples span.
    pub range: Range,
}

/// What the samples of [`Planes`] span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// 0 to 255, as in JPEG.
    Full,
    /// Luma 16 to 235 and chroma 16 to 240, as in WEBP.
    Video,
}

/// Interleaved samples, 8 bits each, rows without padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What the samples of one pixel are.
    pub layout: Layout,
    /// `width` × `height` × `layout.channels()` samples.
    pub data: Vec<u8>,
}

/// [`Pixels`] that somebody else owns.
#[derive(Debug, Clone, Copy)]
pub struct PixelsRef<'a> {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// What the samples of one pixel are.
    pub layout: Layout,
    /// `width` × `height` × `layout.channels()` samples.
    pub data: &'a [u8],
}

impl PixelsRef<'_> {
    /// A copy.
    #[must_use]
    pub fn to_owned(self) -> Pixels {
        Pixels {
            width: self.width,
            height: self.height,
            layout: self.layout,
            data: self.data.to_vec(),
        }
    }
}

/// What the samples of one interleaved pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, and alpha that is not multiplied in.
    Rgba,
}

impl Layout {
    /// Samples per pixel.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }
}

/// An image in memory, in the form that its decoder gives at the least cost.
#[derive(Debug, Clone, PartialEq)]
pub enum Raster {
    /// Of JPEG, lossy WEBP and anything grey.
    Planes(Planes),
    /// Of everything else.
    Pixels(Pixels),
}

impl Raster {
    /// Width and height in pixels.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        match self {
            Self::Planes(planes) => (planes.width, planes.height),
            Self::Pixels(pixels) => (pixels.width, pixels.height),
        }
    }
}

impl Plane {
    /// A plane whose rows lie close together.
    #[must_use]
    pub const fn packed(data: Vec<u8>, width: u32, height: u32) -> Self {
        Self {
            data,
            width,
            height,
            stride: width,
        }
    }
}

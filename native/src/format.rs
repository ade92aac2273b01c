//! The facts a probe finds: format, colour model and the rest of [`ImageInfo`].

use std::fmt;

/// The image formats the gateway accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// ITU-T T.81.
    Jpeg,
    /// W3C PNG, third edition, APNG included.
    Png,
    /// Windows and OS/2 device-independent bitmap file.
    Bmp,
    /// RFC 9649.
    Webp,
}

impl Format {
    /// Lower-case name, as in a media type's subtype.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Bmp => "bmp",
            Self::Webp => "webp",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Bmp => "BMP",
            Self::Webp => "WEBP",
        })
    }
}

/// How stored samples describe a colour. Alpha is told apart by
/// [`ImageInfo::has_alpha`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorModel {
    /// One luminance sample.
    Grey,
    /// Red, green and blue.
    Rgb,
    /// An index into a palette.
    Palette,
    /// Luma and two chroma samples.
    YCbCr,
    /// Cyan, magenta, yellow and black.
    Cmyk,
    /// CMYK whose first three samples were turned into `YCbCr` (Adobe).
    Ycck,
    /// A number of components with no agreed meaning.
    Other,
}

impl ColorModel {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Grey => "grey",
            Self::Rgb => "rgb",
            Self::Palette => "palette",
            Self::YCbCr => "ycbcr",
            Self::Cmyk => "cmyk",
            Self::Ycck => "ycck",
            Self::Other => "other",
        }
    }
}

/// What the headers of an image say, with nothing decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageInfo {
    /// Format of the file.
    pub format: Format,
    /// Variant of the format: `baseline`, `progressive`, … for JPEG;
    /// `interlaced` or `non-interlaced` for PNG; the compression for BMP;
    /// `lossy`, `lossless` or `extended` for WEBP.
    pub encoding: &'static str,
    /// Stored width in pixels, before orientation.
    pub width: u32,
    /// Stored height in pixels, before orientation.
    pub height: u32,
    /// Bits per sample, 1 to 32. For a palette it is the width of an index, and
    /// for a 16-bit BMP that of its widest channel.
    pub bit_depth: u8,
    /// Meaning of the samples.
    pub color: ColorModel,
    /// EXIF orientation, 1 to 8; 1 where the file names none.
    pub orientation: u8,
    /// Whether the file declares transparency.
    pub has_alpha: bool,
    /// Whether the file declares an animation.
    pub is_animated: bool,
}

impl ImageInfo {
    /// Width and height in pixels once the orientation is applied: values 5 to
    /// 8 turn the image on its side.
    #[must_use]
    pub const fn display_size(&self) -> (u32, u32) {
        if self.orientation >= 5 {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }
}

//! What came of preparing an image.

use std::fmt;

use crate::format::{Format, ImageInfo};

/// The result of preparing an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// What the headers of the given image say.
    pub info: ImageInfo,
    /// The file to send; `None` if that is the given one.
    pub data: Option<Vec<u8>>,
    /// Format of the file to send.
    pub format: Format,
    /// Stored width of the file to send, in pixels.
    pub width: u32,
    /// Stored height of the file to send, in pixels.
    pub height: u32,
    /// Orientation of the file to send; 1 if it was turned upright.
    pub orientation: u8,
    /// What was done, in order.
    pub actions: Vec<Action>,
}

/// One thing that was done to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Scaled down.
    Fit {
        /// Stored width and height before, in pixels.
        from: (u32, u32),
        /// Stored width and height after, before orientation.
        to: (u32, u32),
    },
    /// Converted to sRGB with 8 bits a sample, or to another format.
    Convert {
        /// What it was, such as `CMYK`.
        what: String,
    },
    /// Turned upright.
    Rotate {
        /// The EXIF orientation before.
        orientation: u8,
    },
    /// Written anew so as to be short enough.
    Shrink {
        /// Length in bytes before.
        from: usize,
        /// Length in bytes after.
        to: usize,
        /// Quality of JPEG.
        quality: u8,
    },
    /// Metadata was removed, and nothing else touched.
    Strip {
        /// Kinds that were removed.
        removed: String,
        /// How many bytes.
        bytes: usize,
    },
}

impl Action {
    /// A stable name of the kind of action.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Fit { .. } => "fit",
            Self::Convert { .. } => "convert",
            Self::Rotate { .. } => "rotate",
            Self::Shrink { .. } => "shrink",
            Self::Strip { .. } => "strip_metadata",
        }
    }
}

/// The particulars, without the name.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fit { from, to } => {
                write!(f, "{}x{} px to {}x{} px", from.0, from.1, to.0, to.1)
            }
            Self::Convert { what } => f.write_str(what),
            Self::Rotate { orientation } => write!(f, "from EXIF orientation {orientation}"),
            Self::Shrink {
                from,
                to,
                quality: 0,
            } => write!(f, "{from} bytes to {to} bytes"),
            Self::Shrink { from, to, quality } => {
                write!(f, "{from} bytes to {to} bytes, JPEG quality {quality}")
            }
            Self::Strip { removed, bytes } => write!(f, "{bytes} bytes: {removed}"),
        }
    }
}

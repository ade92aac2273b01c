//! What an operation takes, and what may be done to an image to make it fit.

use crate::format::Format;
use crate::limits::Limits;

/// Most pixels that are decoded by default: 100 megapixels.
pub const DEFAULT_MAX_PIXELS: u64 = 100_000_000;

/// Quality of JPEG that is tried first, by default.
pub const DEFAULT_QUALITY: u8 = 90;

/// Quality below which an image is made smaller instead.
pub const LOWEST_QUALITY: u8 = 60;

/// What an operation takes, and what may be done to an image to make it fit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "switches, each on its own")]
pub struct Policy {
    /// Sides and length in base64 that are allowed.
    pub limits: Limits,
    /// Formats that are passed on.
    pub formats: Formats,
    /// Wide side that is wanted, in pixels; 0 if whatever the limits allow.
    pub target_side_px: u32,
    /// Most pixels that are decoded.
    pub max_pixels: u64,
    /// Scale down what is too large.
    pub fit: bool,
    /// Encode anew what is too long in base64.
    pub shrink: bool,
    /// Turn upright whatever is decoded anyway. Otherwise it keeps its orientation.
    pub rotate: bool,
    /// Which images are converted that could be passed on.
    pub convert: Convert,
    /// Remove metadata from what is passed on.
    pub strip: bool,
    /// Decode everything, and so find damage that headers do not show.
    pub full_decode: bool,
    /// What becomes of transparency in an image that is written anew.
    pub alpha: Alpha,
    /// What images that are written anew are written as.
    pub output: Output,
    /// Quality of JPEG that is tried first, 1 to 100; that of the source if it is lower.
    pub quality: u8,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            formats: Formats::all(),
            target_side_px: 0,
            max_pixels: DEFAULT_MAX_PIXELS,
            fit: true,
            shrink: true,
            rotate: true,
            convert: Convert::Needed,
            strip: true,
            full_decode: false,
            alpha: Alpha::White,
            output: Output::Auto,
            quality: DEFAULT_QUALITY,
        }
    }
}

impl Policy {
    /// The greatest side that a result may have, in pixels.
    #[must_use]
    pub fn max_side_px(&self) -> u32 {
        match self.target_side_px {
            0 => self.limits.max_side_px,
            side => side.min(self.limits.max_side_px),
        }
    }
}

/// Which images are converted to plain sRGB, 8 bits a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Convert {
    /// None: one that needs it is refused.
    Never,
    /// Those that many decoders do not take: CMYK, more than 8 bits, grey with
    /// alpha, animations, rare coding processes, formats that are not allowed.
    Needed,
    /// Also palettes, transparency and colour profiles.
    Always,
}

/// What becomes of transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alpha {
    /// It is composited on white.
    White,
    /// It is kept; the result is then a PNG file.
    Keep,
}

/// A format to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// JPEG, or PNG for an image that keeps its transparency.
    Auto,
    /// Baseline JPEG.
    Jpeg,
    /// PNG.
    Png,
}

/// A set of formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Formats(u8);

impl Formats {
    /// Every format there is.
    pub const EVERY: [Format; 4] = [Format::Jpeg, Format::Png, Format::Bmp, Format::Webp];

    /// No format.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// All four.
    #[must_use]
    pub fn all() -> Self {
        Self::EVERY.into_iter().fold(Self::none(), Self::with)
    }

    /// These, and `format`.
    #[must_use]
    pub const fn with(self, format: Format) -> Self {
        Self(self.0 | Self::bit(format))
    }

    /// Whether `format` is among them.
    #[must_use]
    pub const fn contains(self, format: Format) -> bool {
        self.0 & Self::bit(format) != 0
    }

    /// Their names, for messages.
    #[must_use]
    pub fn names(self) -> String {
        let names: Vec<String> = Self::EVERY
            .into_iter()
            .filter(|format| self.contains(*format))
            .map(|format| format.to_string())
            .collect();
        match names.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
            None => String::new(),
        }
    }

    const fn bit(format: Format) -> u8 {
        match format {
            Format::Jpeg => 1,
            Format::Png => 2,
            Format::Bmp => 4,
            Format::Webp => 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_they_were_given() {
        let set = Formats::none().with(Format::Png).with(Format::Jpeg);
        assert!(set.contains(Format::Jpeg) && !set.contains(Format::Webp));
        assert_eq!(set.names(), "JPEG or PNG");
        assert_eq!(Formats::all().names(), "JPEG, PNG, BMP or WEBP");
    }

    #[test]
    fn the_wanted_side_never_exceeds_the_limit() {
        let side = |target_side_px| {
            Policy {
                target_side_px,
                ..Policy::default()
            }
            .max_side_px()
        };
        assert_eq!((side(0), side(1024), side(9999)), (4096, 1024, 4096));
    }
}

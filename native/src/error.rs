//! The one error type: what is wrong with an image.

use std::borrow::Cow;
use std::fmt;

use crate::format::Format;

/// The formats a caller may send, as named in messages.
const ALLOWED_FORMATS: &str = "JPEG, PNG, BMP or WEBP";

/// Why an image was refused. Lengths are in bytes and sides in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageError {
    /// No bytes at all.
    Empty,
    /// No known file signature.
    Unrecognised {
        /// Up to the first 8 bytes, in lower-case hexadecimal.
        prefix_hex: String,
    },
    /// A known format that is not one of the allowed four, or a variant of one
    /// of them that is not handled.
    UnsupportedFormat {
        /// What was found, such as `GIF` or `BMP with CMYK samples`.
        name: Cow<'static, str>,
    },
    /// The file ends before something that has to be there.
    Truncated {
        /// Format of the file.
        format: Format,
        /// What was being read, as a noun phrase.
        reading: &'static str,
        /// The least length that would hold it.
        needed: u64,
        /// The length there is.
        have: u64,
    },
    /// The bytes are there but contradict the format.
    Damaged {
        /// Format of the file.
        format: Format,
        /// The contradiction, as a clause.
        what: Cow<'static, str>,
    },
    /// A side is outside the allowed range.
    DimensionsOutOfRange {
        /// Stored width.
        width: u32,
        /// Stored height.
        height: u32,
        /// Least allowed side.
        min: u32,
        /// Greatest allowed side.
        max: u32,
    },
    /// There are more pixels than are decoded.
    TooManyPixels {
        /// Stored width.
        width: u32,
        /// Stored height.
        height: u32,
        /// Most pixels that are decoded.
        max: u64,
    },
    /// Scaled down until the wide side is allowed, the narrow side is too short.
    CannotFit {
        /// Stored width.
        width: u32,
        /// Stored height.
        height: u32,
        /// Width and height once the wide side fits.
        fitted: (u32, u32),
        /// Least allowed side.
        min: u32,
        /// Greatest allowed side.
        max: u32,
    },
    /// It can only be sent on once it is converted, which is switched off.
    ConversionNeeded {
        /// What it is, such as `CMYK`.
        what: Cow<'static, str>,
        /// The formats that can be sent on.
        allowed: String,
    },
    /// The file is too long once it is encoded in base64.
    EncodedTooLarge {
        /// Length in base64, in characters.
        base64_chars: usize,
        /// Greatest allowed length in base64, in characters.
        max: usize,
        /// Length before encoding.
        bytes: usize,
    },
}

impl ImageError {
    /// A stable name of the variant, for callers that branch on it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unrecognised { .. } => "unrecognised",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::Truncated { .. } => "truncated",
            Self::Damaged { .. } => "damaged",
            Self::DimensionsOutOfRange { .. } => "dimensions_out_of_range",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::CannotFit { .. } => "cannot_fit",
            Self::ConversionNeeded { .. } => "conversion_needed",
            Self::EncodedTooLarge { .. } => "encoded_too_large",
        }
    }

    /// What was found.
    #[must_use]
    pub fn measured(&self) -> String {
        match self {
            Self::Empty => "0 bytes".to_owned(),
            Self::Unrecognised { prefix_hex } => prefix_hex.clone(),
            Self::UnsupportedFormat { name } => name.to_string(),
            Self::Damaged { what, .. } | Self::ConversionNeeded { what, .. } => what.to_string(),
            Self::Truncated { have, .. } => format!("{have} bytes"),
            Self::DimensionsOutOfRange { width, height, .. }
            | Self::TooManyPixels { width, height, .. }
            | Self::CannotFit { width, height, .. } => format!("{width}x{height} px"),
            Self::EncodedTooLarge { base64_chars, .. } => format!("{base64_chars} characters"),
        }
    }

    /// What would have been accepted; empty where no bound can be named.
    #[must_use]
    pub fn allowed(&self) -> String {
        match self {
            Self::Empty | Self::Unrecognised { .. } | Self::UnsupportedFormat { .. } => {
                ALLOWED_FORMATS.to_owned()
            }
            Self::Damaged { .. } => String::new(),
            Self::Truncated { needed, .. } => format!("at least {needed} bytes"),
            Self::DimensionsOutOfRange { min, max, .. } | Self::CannotFit { min, max, .. } => {
                format!("{min} to {max} px")
            }
            Self::TooManyPixels { max, .. } => format!("at most {max} pixels"),
            Self::ConversionNeeded { allowed, .. } => format!("{allowed}, RGB or grey of 8 bits"),
            Self::EncodedTooLarge { max, .. } => format!("{max} characters"),
        }
    }
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "image is empty; send a {ALLOWED_FORMATS} file"),
            Self::Unrecognised { prefix_hex } => write!(
                f,
                "data starting with bytes {prefix_hex} is not a known image format; \
                 send a {ALLOWED_FORMATS} file"
            ),
            Self::UnsupportedFormat { name } => {
                write!(f, "data is {name}; send an ordinary {ALLOWED_FORMATS} file")
            }
            Self::Truncated {
                format,
                reading,
                needed,
                have,
            } => write!(
                f,
                "{format} file is cut short: {reading} needs at least {needed} bytes, {have} are there"
            ),
            Self::Damaged { format, what } => write!(f, "{format} file is damaged: {what}"),
            Self::DimensionsOutOfRange {
                width,
                height,
                min,
                max,
            } => write!(
                f,
                "image is {width}x{height} px; each side must be {min} to {max} px"
            ),
            Self::TooManyPixels { width, height, max } => write!(
                f,
                "image is {width}x{height} px, {} pixels; at most {max} are decoded",
                u64::from(*width) * u64::from(*height)
            ),
            Self::CannotFit {
                width,
                height,
                fitted: (fitted_width, fitted_height),
                min,
                max,
            } => write!(
                f,
                "image is {width}x{height} px; scaled down to the greatest side of {max} px it is \
                 {fitted_width}x{fitted_height} px, and its narrow side is under {min} px"
            ),
            Self::ConversionNeeded { what, allowed } => write!(
                f,
                "image is {what} and has to be converted, which is switched off; \
                 send {allowed}, in RGB or grey of 8 bits"
            ),
            Self::EncodedTooLarge {
                base64_chars,
                max,
                bytes,
            } => write!(
                f,
                "image is {base64_chars} characters in base64 ({bytes} bytes); \
                 at most {max} characters are allowed"
            ),
        }
    }
}

impl std::error::Error for ImageError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_what_was_measured_and_what_is_allowed() {
        let error = ImageError::DimensionsOutOfRange {
            width: 5000,
            height: 3000,
            min: 15,
            max: 4096,
        };
        assert_eq!(
            error.to_string(),
            "image is 5000x3000 px; each side must be 15 to 4096 px"
        );
        assert_eq!(error.kind(), "dimensions_out_of_range");
        assert_eq!(error.measured(), "5000x3000 px");
        assert_eq!(error.allowed(), "15 to 4096 px");
    }

    #[test]
    fn truncation_states_both_lengths() {
        let error = ImageError::Truncated {
            format: Format::Png,
            reading: "chunk IHDR",
            needed: 33,
            have: 20,
        };
        assert_eq!(
            error.to_string(),
            "PNG file is cut short: chunk IHDR needs at least 33 bytes, 20 are there"
        );
    }

    #[test]
    fn damage_has_no_bound_to_name() {
        let error = ImageError::Damaged {
            format: Format::Bmp,
            what: "width is 0".into(),
        };
        assert_eq!(error.allowed(), "");
        assert_eq!(error.to_string(), "BMP file is damaged: width is 0");
    }
}

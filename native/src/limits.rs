//! What the recognition service accepts, and the check against it.

use crate::error::ImageError;
use crate::format::ImageInfo;
use crate::probe::probe;
use crate::{body, structure};

/// Least side of an image, in pixels.
pub const MIN_SIDE_PX: u32 = 15;
/// Greatest side of an image, in pixels.
pub const MAX_SIDE_PX: u32 = 4096;
/// Greatest length of an image in base64, in characters: 7 864 320 bytes.
pub const MAX_BASE64_CHARS: usize = 10_485_760;

/// Bounds an image has to keep. The default is what the service accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Least side, in pixels, inclusive.
    pub min_side_px: u32,
    /// Greatest side, in pixels, inclusive.
    pub max_side_px: u32,
    /// Greatest length in base64, in characters, inclusive.
    pub max_base64_chars: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            min_side_px: MIN_SIDE_PX,
            max_side_px: MAX_SIDE_PX,
            max_base64_chars: MAX_BASE64_CHARS,
        }
    }
}

impl Limits {
    /// Checks both stored sides.
    ///
    /// # Errors
    ///
    /// [`ImageError::DimensionsOutOfRange`].
    pub fn check_dimensions(&self, info: &ImageInfo) -> Result<(), ImageError> {
        let allowed = self.min_side_px..=self.max_side_px;
        if allowed.contains(&info.width) && allowed.contains(&info.height) {
            return Ok(());
        }
        Err(ImageError::DimensionsOutOfRange {
            width: info.width,
            height: info.height,
            min: self.min_side_px,
            max: self.max_side_px,
        })
    }

    /// Checks the length, in bytes, of a file that is to be sent in base64.
    ///
    /// # Errors
    ///
    /// [`ImageError::EncodedTooLarge`].
    pub fn check_encoded_len(&self, bytes: usize) -> Result<(), ImageError> {
        let base64_chars = body::base64_len(bytes);
        if base64_chars <= self.max_base64_chars {
            return Ok(());
        }
        Err(ImageError::EncodedTooLarge {
            base64_chars,
            max: self.max_base64_chars,
            bytes,
        })
    }
}

/// Checks all that can be checked of an image without decoding it.
///
/// # Errors
///
/// The fault that helps the caller most, in this order: no data, the wrong
/// format, the wrong dimensions, too large, cut short or damaged.
pub fn validate(data: &[u8], limits: &Limits) -> Result<ImageInfo, ImageError> {
    let info = probe(data)?;
    limits.check_dimensions(&info)?;
    limits.check_encoded_len(data.len())?;
    structure::check(data, info.format)?;
    Ok(info)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An uncompressed 8-bit BMP of black pixels.
    fn bmp(width: u32, height: u32) -> Vec<u8> {
        let mut data = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
        data.extend(width.to_le_bytes());
        data.extend(height.to_le_bytes());
        data.extend(b"\x01\0\x08\0");
        data.resize(54 + (width.next_multiple_of(4) * height) as usize, 0);
        data
    }

    fn kind(data: &[u8]) -> &'static str {
        validate(data, &Limits::default()).map_or_else(|error| error.kind(), |_| "ok")
    }

    #[test]
    fn sides_are_allowed_from_15_to_4096_px() {
        assert_eq!(kind(&bmp(14, 15)), "dimensions_out_of_range");
        assert_eq!(kind(&bmp(15, 14)), "dimensions_out_of_range");
        assert_eq!(kind(&bmp(15, 15)), "ok");
        assert_eq!(kind(&bmp(4096, 15)), "ok");
        assert_eq!(kind(&bmp(15, 4096)), "ok");
        assert_eq!(kind(&bmp(4097, 15)), "dimensions_out_of_range");
        assert_eq!(kind(&bmp(15, 4097)), "dimensions_out_of_range");
    }

    #[test]
    fn the_largest_file_has_7_864_320_bytes() {
        let mut data = bmp(15, 15);
        data.resize(7_864_320, 0);
        assert_eq!(kind(&data), "ok");
        data.push(0);
        let error = validate(&data, &Limits::default()).unwrap_err();
        assert_eq!(
            error,
            ImageError::EncodedTooLarge {
                base64_chars: 10_485_764,
                max: MAX_BASE64_CHARS,
                bytes: 7_864_321,
            }
        );
    }

    #[test]
    fn the_most_useful_fault_comes_first() {
        assert_eq!(kind(&[]), "empty");
        assert_eq!(kind(b"GIF89a"), "unsupported_format");
        // Both too wide and cut short.
        assert_eq!(kind(&bmp(5000, 15)[..60]), "dimensions_out_of_range");
        assert_eq!(kind(&bmp(20, 20)[..60]), "truncated");
    }
}

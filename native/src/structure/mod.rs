//! Whether a file is whole, found without decoding it.
//!
//! The checks follow lengths and markers to where each format says that a file
//! ends. They catch an upload that was cut short; damage inside compressed data
//! is for a decoder to find.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod bmp;
mod jpeg;
mod png;
mod webp;

use crate::bytes::FileBytes;
use crate::error::ImageError;
use crate::format::Format;

/// Checks that `data`, which [`probe`](crate::probe::probe) found to be of
/// `format`, reaches its end.
///
/// # Errors
///
/// [`ImageError::Truncated`] where something that has to be there is not, and
/// [`ImageError::Damaged`] where lengths contradict each other.
pub fn check(data: &[u8], format: Format) -> Result<(), ImageError> {
    let file = FileBytes::new(format, data);
    match format {
        Format::Jpeg => jpeg::check(file, data),
        Format::Png => png::check(file),
        Format::Bmp => bmp::check(file),
        Format::Webp => webp::check(file),
    }
}

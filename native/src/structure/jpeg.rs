//! A JPEG file is whole if a scan begins and EOI follows it (ITU-T T.81, B.2).

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

use crate::bytes::FileBytes;
use crate::container::jpeg::{Segments, marker};
use crate::error::ImageError;

/// Data after EOI is allowed: cameras put previews and video there.
pub(crate) fn check(file: FileBytes<'_>, data: &[u8]) -> Result<(), ImageError> {
    let mut segments = Segments::new(file);
    let scan = loop {
        let segment = segments.next_segment()?;
        match segment.marker {
            marker::SOS => break segment.end,
            marker::EOI => return Err(file.damaged("it ends before any scan")),
            _ => {}
        }
    };
    // The usual case, in constant time. Thumbnails, which have an EOI of their
    // own, lie in segments ahead of the scan and so cannot be mistaken for it.
    if without_zero_padding(data.get(scan..).unwrap_or_default()).ends_with(&[0xFF, marker::EOI]) {
        return Ok(());
    }
    while segments.next_segment()?.marker != marker::EOI {}
    Ok(())
}

/// Some writers pad a file to a block size.
fn without_zero_padding(data: &[u8]) -> &[u8] {
    let end = data.iter().rposition(|byte| *byte != 0);
    data.get(..=end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::error::ImageError;
    use crate::format::Format;
    use crate::structure::check;

    /// SOI, a comment with an EOI in it, and a scan with a stuffed 0xFF.
    const TO_SCAN: &[u8] = b"\xFF\xD8\xFF\xFE\x00\x04\xFF\xD9\xFF\xDA\x00\x02\x12\xFF\x00\x34";

    fn check_with(tail: &[u8]) -> Result<(), ImageError> {
        check(&[TO_SCAN, tail].concat(), Format::Jpeg)
    }

    #[test]
    fn ends_at_eoi() {
        assert_eq!(check_with(b"\xFF\xD9"), Ok(()));
    }

    #[test]
    fn zero_padding_and_trailing_data_are_allowed() {
        assert_eq!(check_with(b"\xFF\xD9\0\0\0\0"), Ok(()));
        assert_eq!(check_with(b"\xFF\xD9trailing"), Ok(()));
    }

    #[test]
    fn later_scans_and_restarts_are_passed() {
        let tail = b"\xFF\xD0\x55\xFF\xC4\x00\x03\xD9\xFF\xDA\x00\x02\x55\xFF\xFF\xD9trailing";
        assert_eq!(check_with(tail), Ok(()));
    }

    #[test]
    fn without_eoi_it_is_truncated() {
        for tail in [&b""[..], b"\xFF", b"\xFF\x00", b"\xFF\xDA\x00", b"\0\0"] {
            let error = check_with(tail).unwrap_err();
            assert_eq!(error.kind(), "truncated", "{tail:?}");
        }
    }

    #[test]
    fn eoi_before_a_scan_is_damage() {
        let error = check(b"\xFF\xD8\xFF\xD9", Format::Jpeg).unwrap_err();
        assert_eq!(error.kind(), "damaged");
    }
}

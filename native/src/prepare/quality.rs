//! How finely a JPEG is quantised, as the quality that libjpeg's users state.

use crate::bytes::FileBytes;
use crate::container::jpeg::{Segments, marker};
use crate::format::{Format, ImageInfo};

/// Sum of the example table for luma (ITU-T T.81, table K.1), which quality 50
/// stands for.
const SUM_AT_50: u32 = 3_688;

/// The quality, 1 to 100, at which the Independent JPEG Group's software would
/// quantise as finely as the JPEG `data` is: a picture gains nothing from being
/// written anew in a higher one. `None` for other formats, and where the file
/// does not say. Below about 25 it comes out too high, as entries end at 255.
pub(crate) fn of_source(data: &[u8], info: &ImageInfo) -> Option<u8> {
    if info.format != Format::Jpeg {
        return None;
    }
    let mut segments = Segments::new(FileBytes::new(Format::Jpeg, data));
    loop {
        let segment = segments.next_segment().ok()?;
        match segment.marker {
            marker::DQT => return from_sum(first_table(segment.parameters)?),
            marker::SOS | marker::EOI => return None,
            _ => {}
        }
    }
}

/// Sum of the first table of a DQT segment (T.81, B.2.4.1).
fn first_table(parameters: &[u8]) -> Option<u32> {
    let (kind, entries) = parameters.split_first()?;
    if kind >> 4 == 0 {
        return Some(
            entries
                .get(..64)?
                .iter()
                .map(|entry| u32::from(*entry))
                .sum(),
        );
    }
    let (entries, _) = entries.get(..128)?.as_chunks();
    Some(
        entries
            .iter()
            .map(|entry| u32::from(u16::from_be_bytes(*entry)))
            .sum(),
    )
}

/// The inverse of `jpeg_quality_scaling`: tables are scaled by (200 − 2q) % from
/// quality 50 on, and by 5000 ÷ q % below.
fn from_sum(sum: u32) -> Option<u8> {
    let percent = (sum * 100 + SUM_AT_50 / 2) / SUM_AT_50;
    let quality = if percent <= 100 {
        (200 - percent) / 2
    } else {
        5000 / percent
    };
    u8::try_from(quality.clamp(1, 100)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use crate::probe::probe;
    use crate::raster::{Layout, Pixels, Raster};

    #[test]
    fn the_quality_of_a_file_is_found_again() {
        let raster = Raster::Pixels(Pixels {
            width: 16,
            height: 16,
            layout: Layout::Rgb,
            data: vec![90; 16 * 16 * 3],
        });
        for quality in (25..=100).step_by(5) {
            let data = encode::jpeg(&raster, quality).unwrap();
            let found = of_source(&data, &probe(&data).unwrap()).unwrap();
            assert!(found.abs_diff(quality) <= 1, "{quality}: {found}");
        }
    }

    #[test]
    fn a_file_without_tables_says_nothing() {
        assert_eq!(first_table(&[0, 1, 2]), None);
        assert_eq!(first_table(&[]), None);
    }
}

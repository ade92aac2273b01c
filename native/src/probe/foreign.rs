//! Names of formats that are not accepted, so that an error can say what was
//! sent. A name is a guess from the first bytes; nothing is decided by it.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

/// Signatures by offset. Sources: the formats' own specifications and the
/// registry of the `file` program.
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"GIF87a", "GIF"),
    (0, b"GIF89a", "GIF"),
    (0, b"II*\0", "TIFF"),
    (0, b"MM\0*", "TIFF"),
    (0, b"II+\0", "BigTIFF"),
    (0, b"MM\0+", "BigTIFF"),
    (0, b"II\xBC\x01", "JPEG XR"),
    (0, b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000"),
    (0, b"\xFF\x4F\xFF\x51", "JPEG 2000"),
    (0, b"\0\0\0\x0CJXL \r\n\x87\n", "JPEG XL"),
    (0, b"\xFF\x0A", "JPEG XL"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"\0\0\x02\0", "CUR"),
    (0, b"8BPS", "PSD"),
    (0, b"qoif", "QOI"),
    (0, b"\x76\x2F\x31\x01", "OpenEXR"),
    (0, b"DDS ", "DDS"),
    (0, b"%PDF-", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"\x1F\x8B", "gzip"),
    (0, b"7z\xBC\xAF\x27\x1C", "7-Zip"),
    (0, b"Rar!\x1A\x07", "RAR"),
    (0, b"\x1A\x45\xDF\xA3", "Matroska or WebM"),
    (0, b"OggS", "Ogg"),
    (0, b"ID3", "MP3"),
    (8, b"AVI ", "AVI"),
    (8, b"WAVE", "WAV"),
    (0, b"data:", "a data URL"),
    // The first bytes of JPEG, PNG and WEBP files, in base64.
    (0, b"/9j/", "base64 text"),
    (0, b"iVBORw0KGgo", "base64 text"),
    (0, b"UklGR", "base64 text"),
];

/// Names the format of `data`, where its first bytes tell.
pub(super) fn identify(data: &[u8]) -> Option<&'static str> {
    SIGNATURES
        .iter()
        .find(|(offset, magic, _)| {
            data.get(*offset..)
                .is_some_and(|rest| rest.starts_with(magic))
        })
        .map(|(_, _, name)| *name)
        .or_else(|| identify_iso_media(data))
        .or_else(|| super::markup::identify(data))
}

/// Names an ISO base media file (ISO/IEC 14496-12) by the brands of its first
/// box, `ftyp`: length, `ftyp`, major brand, version, compatible brands.
fn identify_iso_media(data: &[u8]) -> Option<&'static str> {
    /// Brands that are looked at; files in the wild carry fewer than ten.
    const MAX_BRANDS: usize = 64;

    let (length, rest) = data.split_first_chunk()?;
    let brands = rest.strip_prefix(b"ftyp")?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let brands = brands.get(..length.saturating_sub(8)).unwrap_or(brands);
    let (major, rest) = brands.split_first_chunk::<4>()?;
    let compatible = rest.get(4..).unwrap_or_default();
    // `mif1` and `msf1` only say "some image in HEIF"; another brand says which.
    let named = std::iter::once(&major[..])
        .chain(compatible.chunks_exact(4))
        .take(MAX_BRANDS)
        .find_map(brand_name);
    Some(named.unwrap_or(match major {
        b"mif1" | b"msf1" => "HEIF",
        b"qt  " => "QuickTime",
        _ => "MP4",
    }))
}

fn brand_name(brand: &[u8]) -> Option<&'static str> {
    match brand {
        b"avif" | b"avis" => Some("AVIF"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some("HEIC")
        }
        b"jxl " => Some("JPEG XL"),
        b"crx " => Some("Canon CR3"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ftyp(major: [u8; 4], compatible: &[u8]) -> Vec<u8> {
        let length = u32::try_from(16 + compatible.len()).unwrap().to_be_bytes();
        [&length[..], b"ftyp", &major, b"\0\0\0\0", compatible].concat()
    }

    #[test]
    fn every_signature_is_named() {
        for (offset, magic, name) in SIGNATURES {
            let data = [&vec![b'R'; *offset][..], magic].concat();
            assert_eq!(identify(&data), Some(*name));
        }
    }

    #[test]
    fn iso_media_files_are_named_by_brand() {
        assert_eq!(identify(&ftyp(*b"avif", b"mif1")), Some("AVIF"));
        assert_eq!(identify(&ftyp(*b"mif1", b"miafavif")), Some("AVIF"));
        assert_eq!(identify(&ftyp(*b"heic", b"mif1heic")), Some("HEIC"));
        assert_eq!(identify(&ftyp(*b"mif1", b"miaf")), Some("HEIF"));
        assert_eq!(identify(&ftyp(*b"isom", b"iso2mp41")), Some("MP4"));
        assert_eq!(identify(&ftyp(*b"qt  ", b"")), Some("QuickTime"));
    }

    #[test]
    fn a_lying_box_length_stays_in_bounds() {
        assert_eq!(identify(b"\xFF\xFF\xFF\xFFftypavif"), Some("AVIF"));
        assert_eq!(identify(b"\0\0\0\0ftypavif"), None);
        assert_eq!(identify(b"\0\0\0\x10ftyp"), None);
    }

    #[test]
    fn plain_bytes_have_no_name() {
        assert_eq!(identify(b"hello, world"), None);
        assert_eq!(identify(&[0]), None);
    }
}

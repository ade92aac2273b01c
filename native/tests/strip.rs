//! Metadata is removed, and nothing else: what is left is the same picture.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use _native::limits::Limits;
use _native::probe::probe;
use _native::strip::{Kind, Removed, strip};
use _native::structure::check;
use _native::{Format, ImageError, decode};
use proptest::prelude::*;
use proptest::sample::Index;

/// Part of everything that is planted.
const SECRET: &[u8] = b"SECRET-GPS";

struct Seed {
    name: String,
    data: Vec<u8>,
}

static SEEDS: LazyLock<Vec<Seed>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let mut seeds: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| Seed {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            data: fs::read(path).unwrap(),
        })
        .collect();
    seeds.sort_by(|a, b| a.name.cmp(&b.name));
    seeds
});

fn seeds_of(format: Format) -> impl Iterator<Item = &'static Seed> {
    SEEDS
        .iter()
        .filter(move |seed| probe(&seed.data).unwrap().format == format)
}

fn seed_named(name: &str) -> &'static [u8] {
    let seed = SEEDS.iter().find(|seed| seed.name == name).unwrap();
    &seed.data
}

/// Strips a file that decodes and checks all that is promised of the result.
fn strip_checked(data: &[u8]) -> Result<(Vec<u8>, Removed), ImageError> {
    let (stripped, removed) = strip_any(data)?;
    assert_same_pixels(data, &stripped);
    Ok((stripped, removed))
}

/// Strips a file that may be damaged. What a JPEG decoder makes of damage can
/// depend on what is behind it, so that pixels are compared for PNG and WEBP.
fn strip_mutated(data: &[u8]) {
    if let Ok((stripped, _)) = strip_any(data)
        && probe(data).unwrap().format != Format::Jpeg
    {
        assert_same_pixels(data, &stripped);
    }
}

/// Checks what is promised of every file, apart from the pixels.
fn strip_any(data: &[u8]) -> Result<(Vec<u8>, Removed), ImageError> {
    let info = probe(data)?;
    let is_whole = check(data, info.format).is_ok();
    let stripped = match strip(data, &info) {
        Ok(None) => return Ok((data.to_vec(), Removed::default())),
        Ok(Some(stripped)) => stripped,
        Err(error) => {
            assert!(!is_whole, "a whole file cannot be stripped: {error}");
            return Err(error);
        }
    };
    let removed = stripped.removed;
    assert!(removed.bytes() > 0 && removed.kinds().next().is_some());
    let rest = data.len() - removed.bytes();
    assert!((rest..=rest + 38).contains(&stripped.data.len()));
    assert_eq!(probe(&stripped.data).as_ref(), Ok(&info));
    assert_eq!(strip(&stripped.data, &info), Ok(None), "a second run");
    if is_whole {
        assert_eq!(check(&stripped.data, info.format), Ok(()));
    }
    Ok((stripped.data, removed))
}

fn assert_same_pixels(data: &[u8], stripped: &[u8]) {
    let limits = Limits::default();
    if let Ok(image) = decode::decode_rgb8(data, &limits) {
        let after = decode::decode_rgb8(stripped, &limits);
        assert!(after == Ok(image), "the pixels differ: {:?}", after.err());
    }
}

fn holds(data: &[u8], part: &[u8]) -> bool {
    data.windows(part.len()).any(|window| window == part)
}

/// Strips a file with planted metadata; none of it may be left.
fn strip_planted(planted: &[u8], kinds: &[Kind], what: &str) -> Vec<u8> {
    assert!(holds(planted, SECRET), "{what}");
    let (data, removed) = strip_checked(planted).unwrap();
    assert!(!holds(&data, SECRET), "{what}");
    for kind in kinds {
        assert!(removed.has(*kind), "{what}: {kind:?}");
    }
    data
}

/// A TIFF block with the orientation, a description and a pointer to GPS.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x03\0".to_vec();
    block.extend(b"\x0E\x01\x02\0\x0A\0\0\0\x32\0\0\0");
    block.extend([0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]);
    block.extend(b"\x25\x88\x04\0\x01\0\0\0\x3C\0\0\0");
    block.extend([0; 4]);
    block.extend(SECRET);
    block.extend(SECRET);
    block
}

// JPEG.

fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let parameters = parts.concat();
    let length = u16::try_from(parameters.len() + 2).unwrap().to_be_bytes();
    [&[0xFF, marker][..], &length, &parameters].concat()
}

/// Every kind of segment that has to go.
fn jpeg_metadata() -> Vec<(Kind, Vec<u8>)> {
    let mut all = vec![
        (Kind::Exif, segment(0xE1, &[b"Exif\0\0", &exif(1)])),
        (
            Kind::Xmp,
            segment(
                0xE1,
                &[b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>", SECRET],
            ),
        ),
        (
            Kind::Xmp,
            segment(0xE1, &[b"http://ns.adobe.com/xmp/extension/\0", SECRET]),
        ),
        (Kind::Other, segment(0xE1, &[b"QVCI\0", SECRET])),
        (Kind::Thumbnail, segment(0xE0, &[b"JFXX\0\x10", SECRET])),
        (Kind::Other, segment(0xE0, &[b"AVI1", SECRET])),
        (Kind::Thumbnail, segment(0xE2, &[b"MPF\0II*\0", SECRET])),
        (Kind::Other, segment(0xE2, &[b"FPXR\0", SECRET])),
        (
            Kind::Iptc,
            segment(0xED, &[b"Photoshop 3.0\x008BIM\x04\x04", SECRET]),
        ),
        (Kind::Other, segment(0xEE, &[b"Ado", SECRET])),
        (Kind::Comment, segment(0xFE, &[SECRET])),
        (Kind::Other, segment(0xF3, &[SECRET])),
    ];
    all.extend((0xE3..=0xEF).map(|marker| (Kind::Other, segment(marker, &[b"maker", SECRET]))));
    all
}

/// Offsets of the marker segments behind SOI, EOI included.
fn jpeg_offsets(data: &[u8]) -> Vec<usize> {
    let mut offsets = Vec::new();
    let mut offset = 2;
    while offset + 1 < data.len() {
        match (data[offset], data[offset + 1]) {
            (0xFF, 0x00 | 0xD0..=0xD7) => offset += 2,
            (0xFF, 0xD9) => {
                offsets.push(offset);
                return offsets;
            }
            (0xFF, _) => {
                offsets.push(offset);
                let length = u16::from_be_bytes([data[offset + 2], data[offset + 3]]);
                offset += 2 + usize::from(length);
            }
            _ => offset += 1,
        }
    }
    panic!("a seed without EOI");
}

fn spliced(data: &[u8], offset: usize, inserted: &[u8]) -> Vec<u8> {
    [&data[..offset], inserted, &data[offset..]].concat()
}

#[test]
fn segments_go_from_every_place_in_a_jpeg() {
    for seed in seeds_of(Format::Jpeg) {
        let clean = strip_checked(&seed.data).unwrap().0;
        let mut everywhere = clean.clone();
        for offset in jpeg_offsets(&clean).into_iter().rev() {
            for (kind, metadata) in jpeg_metadata() {
                // A block ahead of the one with the orientation would hide it.
                let hides = kind == Kind::Exif && probe(&clean).unwrap().orientation != 1;
                if hides {
                    continue;
                }
                let planted = spliced(&clean, offset, &metadata);
                let what = format!("{} at {offset}", seed.name);
                assert_eq!(strip_planted(&planted, &[kind], &what), clean, "{what}");
                everywhere.splice(offset..offset, metadata);
            }
        }
        assert_eq!(strip_planted(&everywhere, &[], &seed.name), clean);
    }
}

#[test]
fn a_progressive_seed_has_segments_between_its_scans() {
    let data = seed_named("progressive.jpg");
    let scans = jpeg_offsets(data)
        .iter()
        .filter(|offset| data[**offset + 1] == 0xDA)
        .count();
    assert!(scans > 1);
}

#[test]
fn what_follows_the_image_goes() {
    let second = seed_named("baseline-exif.jpg");
    for tail in [
        [second, SECRET, second].concat(),
        [b"\0\0\0\x18ftypmp42", SECRET].concat(),
        [SECRET, b"\xFF\xD9\0\0"].concat(),
    ] {
        for seed in &*SEEDS {
            if probe(&seed.data).unwrap().format == Format::Bmp {
                continue;
            }
            let planted = [&seed.data, &tail[..]].concat();
            strip_planted(&planted, &[Kind::Trailing], &seed.name);
        }
    }
}

#[test]
fn a_jfif_header_stays_without_its_thumbnail() {
    let seed = seed_named("progressive.jpg");
    assert_eq!(&seed[2..4], b"\xFF\xE0");
    let first_len = 2 + usize::from(u16::from_be_bytes([seed[4], seed[5]]));
    let rest = &seed[2 + first_len..];
    let jfif = |tail: &[u8]| {
        let header = segment(0xE0, &[b"JFIF\0\x01\x02\x01\0\x48\0\x48", tail]);
        [&seed[..2], &header, rest].concat()
    };
    let clean = strip_checked(&jfif(&[0, 0])).unwrap().0;
    let pixels = [SECRET, &[0; 2]].concat();
    let stripped = strip_planted(
        &jfif(&[&[2, 2], &pixels[..]].concat()),
        &[Kind::Thumbnail],
        "thumbnail",
    );
    assert_eq!(stripped, clean);
    assert_eq!(
        &stripped[4..20],
        b"\0\x10JFIF\0\x01\x02\x01\0\x48\0\x48\0\0"
    );
    // A second header goes whole.
    let twice = spliced(
        &clean,
        20,
        &segment(0xE0, &[b"JFIF\0\x01\x02\0\0\x01\0\x01\0\0", SECRET]),
    );
    assert_eq!(strip_planted(&twice, &[Kind::Other], "second"), clean);
}

#[test]
fn colour_segments_stay() {
    let icc = segment(0xE2, &[b"ICC_PROFILE\0\x01\x01", b"a profile"]);
    for name in ["cmyk.jpg", "ycck.jpg", "baseline-exif.jpg"] {
        let seed = seed_named(name);
        let planted = spliced(seed, 2, &[icc.clone(), segment(0xFE, &[SECRET])].concat());
        let stripped = strip_planted(&planted, &[Kind::Comment], name);
        assert!(holds(&stripped, &icc));
        assert_eq!(holds(&stripped, b"Adobe"), holds(seed, b"Adobe"));
    }
    // What is behind the fields of an Adobe segment goes.
    let seed = seed_named("ycck.jpg");
    let clean = strip_checked(seed).unwrap().0;
    let at = clean.windows(5).position(|part| part == b"Adobe").unwrap();
    let mut longer = spliced(&clean, at + 12, SECRET);
    longer[at - 1] += u8::try_from(SECRET.len()).unwrap();
    assert_eq!(strip_planted(&longer, &[Kind::Other], "Adobe"), clean);
}

#[test]
fn fill_and_stray_bytes_between_headers_go() {
    let clean = strip_checked(seed_named("progressive.jpg")).unwrap().0;
    let second = jpeg_offsets(&clean)[1];
    let stray = [SECRET, b"\xFF\x00\xFF\xD3\xFF\xFF"].concat();
    let planted = spliced(&clean, second, &stray);
    assert_eq!(strip_planted(&planted, &[Kind::Other], "stray"), clean);
}

#[test]
fn a_comment_amid_coded_data_is_damage_that_stays() {
    // What a decoder makes of it must not change.
    let clean = strip_checked(seed_named("cmyk.jpg")).unwrap().0;
    let end = jpeg_offsets(&clean).pop().unwrap();
    let mut offset = end - 20;
    while clean[offset - 1] == 0xFF {
        offset -= 1;
    }
    let planted = spliced(&clean, offset, &segment(0xFE, &[b"x"]));
    assert_eq!(strip_checked(&planted).unwrap().0, planted);
}

#[test]
fn a_jpeg_with_an_end_of_image_is_stripped_whatever_is_ahead_of_it() {
    // A table that reaches past the end, which the structure check does not
    // look at: the file ends in EOI.
    let clean = strip_checked(seed_named("cmyk.jpg")).unwrap().0;
    let end = clean.len() - 2;
    for fault in [
        &b"\xFF\xC4\xFF\xFF"[..],
        b"\xFF\xC4\x00\x04",
        b"\xFF\xC4\x00\x05",
        b"\xFF\xC4\x00\x01",
        b"\xFF\x02",
        b"\xFF\xC4",
        b"\xFF",
    ] {
        let planted = spliced(&clean, end, &[fault, &segment(0xFE, &[SECRET])].concat());
        assert_eq!(check(&planted, Format::Jpeg), Ok(()));
        let (data, _) = strip_checked(&planted).unwrap();
        assert!(data.ends_with(b"\xFF\xD9"));
        assert_eq!(check(&data, Format::Jpeg), Ok(()));
    }
}

// PNG.

fn crc32(data: &[u8]) -> u32 {
    !data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ (0xEDB8_8320 * (crc & 1))
        })
    })
}

fn png_chunk(name: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let body = [&name, &parts.concat()[..]].concat();
    let length = u32::try_from(body.len() - 4).unwrap().to_be_bytes();
    [&length[..], &body, &crc32(&body).to_be_bytes()].concat()
}

fn png_metadata() -> Vec<(Kind, Vec<u8>)> {
    vec![
        (Kind::Exif, png_chunk(*b"eXIf", &[&exif(1)])),
        (Kind::Comment, png_chunk(*b"tEXt", &[b"Comment\0", SECRET])),
        (
            Kind::Xmp,
            png_chunk(*b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET]),
        ),
        (
            Kind::Exif,
            png_chunk(*b"zTXt", &[b"Raw profile type exif\0\0", SECRET]),
        ),
        (
            Kind::Iptc,
            png_chunk(*b"tEXt", &[b"Raw profile type iptc\0", SECRET]),
        ),
        (Kind::Time, png_chunk(*b"tIME", &[SECRET])),
        (Kind::Other, png_chunk(*b"caBX", &[SECRET])),
        (Kind::Other, png_chunk(*b"prVt", &[SECRET])),
    ]
}

/// Offsets of the chunks and their types.
fn png_offsets(data: &[u8]) -> Vec<(usize, [u8; 4])> {
    let mut offsets = Vec::new();
    let mut offset = 8;
    while let Some(header) = data.get(offset..offset + 8) {
        let length = u32::from_be_bytes(*header.first_chunk().unwrap());
        offsets.push((offset, *header.last_chunk().unwrap()));
        offset += 12 + length as usize;
    }
    offsets
}

#[test]
fn chunks_go_from_every_place_in_a_png() {
    for seed in seeds_of(Format::Png) {
        let clean = strip_checked(&seed.data).unwrap().0;
        let mut everywhere = clean.clone();
        let offsets = png_offsets(&clean);
        for (offset, _) in offsets.into_iter().skip(1).rev() {
            for (kind, metadata) in png_metadata() {
                // A block behind the one with the orientation would hide it.
                let hides = holds(&metadata, b"eXIf") && probe(&clean).unwrap().orientation != 1;
                if hides {
                    continue;
                }
                let planted = spliced(&clean, offset, &metadata);
                let what = format!("{} at {offset}", seed.name);
                assert_eq!(strip_planted(&planted, &[kind], &what), clean, "{what}");
                everywhere.splice(offset..offset, metadata);
            }
        }
        assert_eq!(strip_planted(&everywhere, &[], &seed.name), clean);
    }
}

#[test]
fn chunks_about_appearance_stay() {
    let clean = strip_checked(seed_named("rgb.png")).unwrap().0;
    let (idat, _) = *png_offsets(&clean)
        .iter()
        .find(|(_, name)| name == b"IDAT")
        .unwrap();
    let kept: Vec<u8> = [
        *b"cHRM", *b"gAMA", *b"iCCP", *b"sBIT", *b"sRGB", *b"cICP", *b"mDCV", *b"mDCv", *b"cLLI",
        *b"cLLi", *b"bKGD", *b"hIST", *b"pHYs", *b"sPLT", *b"tRNS", *b"PLTE", *b"fcTL", *b"fdAT",
    ]
    .iter()
    .flat_map(|name| png_chunk(*name, &[b"\0\0\0\0\0\x01"]))
    .collect();
    let data = spliced(&clean, idat, &kept);
    let info = probe(&data).unwrap();
    assert_eq!(strip(&data, &info), Ok(None));
}

#[test]
fn an_orientation_behind_the_image_data_moves_ahead_of_it() {
    let clean = strip_checked(seed_named("rgb.png")).unwrap().0;
    let offsets = png_offsets(&clean);
    let (iend, _) = *offsets.last().unwrap();
    let planted = spliced(&clean, iend, &png_chunk(*b"eXIf", &[&exif(6)]));
    let data = strip_planted(&planted, &[Kind::Exif], "eXIf");
    assert_eq!(probe(&data).unwrap().orientation, 6);
    let names: Vec<_> = png_offsets(&data)
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    let at = |wanted: [u8; 4]| names.iter().position(|name| *name == wanted).unwrap();
    assert_eq!(at(*b"eXIf") + 1, at(*b"IDAT"));
    let (offset, _) = png_offsets(&data)[at(*b"eXIf")];
    let body = &data[offset + 4..offset + 34];
    assert_eq!(data[offset + 34..offset + 38], crc32(body).to_be_bytes());
}

// WEBP.

fn webp_chunk(fourcc: [u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let payload = parts.concat();
    let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
    let mut chunk = [&fourcc[..], &length, &payload].concat();
    chunk.resize(chunk.len().next_multiple_of(2), 0);
    chunk
}

fn webp_file(chunks: &[u8]) -> Vec<u8> {
    let size = u32::try_from(chunks.len() + 4).unwrap().to_le_bytes();
    [b"RIFF", &size[..], b"WEBP", chunks].concat()
}

fn webp_metadata(orientation: u8) -> Vec<(Kind, Vec<u8>)> {
    vec![
        (Kind::Exif, webp_chunk(*b"EXIF", &[&exif(orientation)])),
        (Kind::Xmp, webp_chunk(*b"XMP ", &[b"<x:xmpmeta>", SECRET])),
        (Kind::Other, webp_chunk(*b"junk", &[b"1", SECRET])),
        (Kind::Other, webp_chunk(*b"C2PA", &[SECRET])),
    ]
}

/// The chunks of a file, each with its header and padding.
fn webp_chunks(data: &[u8]) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    let mut rest = &data[12..];
    while rest.len() >= 8 {
        let length = u32::from_le_bytes(*rest[4..].first_chunk().unwrap()) as usize;
        let end = (8 + length.next_multiple_of(2)).min(rest.len());
        chunks.push(&rest[..end]);
        rest = &rest[end..];
    }
    chunks
}

/// The same image behind a VP8X chunk with `flags`.
fn webp_extended(data: &[u8], flags: u8) -> Vec<u8> {
    let info = probe(data).unwrap();
    let chunks = webp_chunks(data);
    if chunks[0].starts_with(b"VP8X") {
        let mut data = data.to_vec();
        data[20] |= flags;
        return data;
    }
    let alpha = if info.has_alpha { 0x10 } else { 0 };
    let side = |side: u32| (side - 1).to_le_bytes();
    let vp8x = webp_chunk(
        *b"VP8X",
        &[
            &[flags | alpha, 0, 0, 0],
            &side(info.width)[..3],
            &side(info.height)[..3],
        ],
    );
    webp_file(&[&vp8x, &chunks.concat()[..]].concat())
}

#[test]
fn chunks_go_from_every_place_in_a_webp() {
    for seed in seeds_of(Format::Webp) {
        let clean = strip_checked(&webp_extended(&seed.data, 0)).unwrap().0;
        let flagged = webp_extended(&clean, 0x0C);
        let chunks = webp_chunks(&flagged);
        for at in 1..=chunks.len() {
            let (before, after) = (chunks[..at].concat(), chunks[at..].concat());
            for (kind, metadata) in webp_metadata(probe(&clean).unwrap().orientation) {
                let planted = webp_file(&[&before[..], &metadata, &after].concat());
                let what = format!("{} at chunk {at}", seed.name);
                assert_eq!(strip_planted(&planted, &[kind], &what), clean, "{what}");
            }
        }
        // With every kind at the end, and the pad byte of the last left out.
        let all: Vec<u8> = webp_metadata(probe(&clean).unwrap().orientation)
            .into_iter()
            .flat_map(|(_, data)| data)
            .collect();
        let odd = [b"junk\x0B\0\0\0x", SECRET].concat();
        let planted = webp_file(&[&chunks.concat()[..], &all, &odd].concat());
        assert_eq!(strip_planted(&planted, &[], &seed.name), clean);
    }
}

#[test]
fn a_simple_webp_loses_what_follows_its_image() {
    for name in ["lossy.webp", "lossless.webp"] {
        let seed = seed_named(name);
        assert_eq!(strip_checked(seed).unwrap().0, seed);
        for (kind, metadata) in webp_metadata(6) {
            let planted = webp_file(&[&seed[12..], &metadata].concat());
            assert_eq!(strip_planted(&planted, &[kind], name), seed);
        }
    }
}

#[test]
fn frames_of_an_animation_lose_unknown_chunks() {
    let clean = strip_checked(seed_named("animated.webp")).unwrap().0;
    let junk = webp_chunk(*b"junk", &[SECRET, b"2"]);
    for (first, unpadded) in [(false, 0), (true, 0), (false, 1)] {
        let chunks: Vec<u8> = webp_chunks(&clean)
            .into_iter()
            .flat_map(|chunk| {
                if !chunk.starts_with(b"ANMF") {
                    return chunk.to_vec();
                }
                let length = u32::from_le_bytes(*chunk[4..].first_chunk().unwrap());
                let (header, frame) = chunk[8..8 + length as usize].split_at(16);
                // An odd payload ends the frame without a pad byte of its own.
                let junk = &junk[..junk.len() - unpadded];
                let parts = if first {
                    [header, junk, frame]
                } else {
                    [header, frame, junk]
                };
                webp_chunk(*b"ANMF", &parts)
            })
            .collect();
        let planted = webp_file(&chunks);
        assert_eq!(strip_planted(&planted, &[Kind::Other], "ANMF"), clean);
    }
}

#[test]
fn an_orientation_is_put_behind_a_chunk_without_its_pad_byte() {
    let seed = seed_named("lossless.webp");
    let extended = webp_extended(seed, 0x08);
    let exif = webp_chunk(*b"EXIF", &[&exif(6)]);
    let chunks = webp_chunks(&extended);
    // The image comes last and has an odd length.
    let image = webp_chunk(*b"ALPH", &[b"\0\0\0"]);
    let mut body = [chunks[0], &exif, chunks[1], &image].concat();
    body.pop();
    let data = strip_planted(&webp_file(&body), &[Kind::Exif], "pad");
    assert_eq!(probe(&data).unwrap().orientation, 6);
    assert!(webp_chunks(&data).last().unwrap().starts_with(b"EXIF"));
}

// All formats.

#[test]
fn every_orientation_stays_and_nothing_else_of_its_block() {
    for orientation in 1..=8 {
        let jpeg = strip_checked(seed_named("progressive.jpg")).unwrap().0;
        let png = strip_checked(seed_named("rgb.png")).unwrap().0;
        let webp = webp_extended(seed_named("lossy.webp"), 0x0C);
        let block = exif(orientation);
        let planted = [
            spliced(&jpeg, 20, &segment(0xE1, &[b"Exif\0\0", &block])),
            spliced(&png, 33, &png_chunk(*b"eXIf", &[&block])),
            webp_file(&[&webp[12..], &webp_chunk(*b"EXIF", &[&block])].concat()),
        ];
        for data in planted {
            assert_eq!(probe(&data).unwrap().orientation, orientation);
            let stripped = strip_planted(&data, &[Kind::Exif], "orientation");
            assert_eq!(probe(&stripped).unwrap().orientation, orientation);
            assert_eq!(holds(&stripped, b"MM\0*"), orientation != 1);
        }
    }
}

#[test]
fn what_has_no_metadata_is_left_alone() {
    // Two seeds have an EXIF block of the orientation alone.
    for seed in &*SEEDS {
        let info = probe(&seed.data).unwrap();
        assert_eq!(strip(&seed.data, &info), Ok(None), "{}", seed.name);
    }
    let trailing = [seed_named("24-bit.bmp"), SECRET].concat();
    let info = probe(&trailing).unwrap();
    assert_eq!(strip(&trailing, &info), Ok(None));
}

#[test]
fn cut_files_keep_the_promises() {
    for seed in &*SEEDS {
        for length in 0..seed.data.len() {
            strip_mutated(&seed.data[..length]);
        }
    }
}

#[test]
fn work_is_bounded_however_many_segments_there_are() {
    let jpeg = strip_checked(seed_named("progressive.jpg")).unwrap().0;
    let eoi = jpeg.len() - 2;
    let comment = segment(0xFE, &[]);
    let table = b"\xFF\xDD\0\x04\0\0";
    let png = strip_checked(seed_named("rgb.png")).unwrap().0;
    let webp = webp_extended(seed_named("lossy.webp"), 0);
    let files = [
        spliced(&jpeg, 2, &comment.repeat(65_000)),
        spliced(&jpeg, eoi, &comment.repeat(100_000)),
        spliced(&jpeg, eoi, &[&comment, &table[..]].concat().repeat(50_000)),
        spliced(&jpeg, eoi, &vec![0xFF; 1_000_000]),
        [&jpeg[..], &vec![0; 1_000_000]].concat(),
        spliced(&png, 33, &png_chunk(*b"tEXt", &[]).repeat(60_000)),
        webp_file(&[&webp[12..], &webp_chunk(*b"junk", &[]).repeat(60_000)].concat()),
    ];
    for (number, data) in files.iter().enumerate() {
        let info = probe(data).unwrap();
        let start = Instant::now();
        strip(data, &info).unwrap();
        // Milliseconds with optimisation; the bound only tells linear work from squared.
        assert!(start.elapsed().as_secs() < 10, "file {number}");
    }
    let error = strip_checked(&spliced(&jpeg, 2, &comment.repeat(66_000))).unwrap_err();
    assert_eq!(error.kind(), "damaged");
}

fn seed() -> impl Strategy<Value = Vec<u8>> {
    any::<Index>().prop_map(|index| index.get(&SEEDS).data.clone())
}

/// A seed with metadata at arbitrary offsets, most of which damages it.
fn planted() -> impl Strategy<Value = Vec<u8>> {
    let metadata: Vec<Vec<u8>> = jpeg_metadata()
        .into_iter()
        .chain(png_metadata())
        .chain(webp_metadata(6))
        .map(|(_, data)| data)
        .collect();
    let plants = prop::collection::vec((any::<Index>(), prop::sample::select(metadata)), 0..6);
    (seed(), plants).prop_map(|(mut data, plants)| {
        for (index, metadata) in plants {
            let offset = index.index(data.len());
            data.splice(offset..offset, metadata);
        }
        data
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_behind_a_signature_keep_the_promises(
        data in seed(),
        keep in 2..64_usize,
        tail in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        strip_mutated(&[&data[..keep.min(data.len())], &tail].concat());
    }

    #[test]
    fn flipped_bits_keep_the_promises(
        mut data in planted(),
        flips in prop::collection::vec((any::<Index>(), 0..8_u8), 0..8),
    ) {
        for (index, bit) in flips {
            *index.get_mut(&mut data) ^= 1 << bit;
        }
        strip_mutated(&data);
    }

    #[test]
    fn removed_and_repeated_spans_keep_the_promises(
        data in planted(),
        a in any::<Index>(),
        b in any::<Index>(),
    ) {
        let (a, b) = (a.index(data.len()), b.index(data.len()));
        strip_mutated(&[&data[..a], &data[b..]].concat());
    }

    #[test]
    fn markers_amid_coded_data_keep_the_promises(
        jpeg in prop::sample::select(vec!["progressive.jpg", "grey-restart.jpg", "cmyk.jpg"]),
        plants in prop::collection::vec((any::<Index>(), 0xC0..=0xFF_u8, 0..12_u8), 1..12),
    ) {
        let mut data = seed_named(jpeg).to_vec();
        let scan = data.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap() + 14;
        for (index, marker, length) in plants {
            let offset = scan + index.index(data.len() - 2 - scan);
            data.splice(offset..offset, [0xFF, marker, 0, length]);
        }
        strip_mutated(&data);
    }
}

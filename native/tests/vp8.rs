//! Lossy WEBP is decoded to the planes that libwebp decodes it to, bit by bit, and
//! damaged frames do not panic.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use _native::vp8::{Plane, Planes, Vp8Error, decode};

/// Far above the pictures here, and too few for a mutated header to slow the tests.
const MAX_PIXELS: u64 = 1 << 16;

/// Files, their sides, and the FNV-1a hash of the rows of Y, then U, then V as
/// `WebPDecodeYUV` of libwebp 1.2.4 returns them. `dwebp -yuv FILE -o planes` writes
/// the same bytes to a file. Those under `vp8` were written by libwebp's encoder:
/// each sets what its name says in `WebPConfig`; one of them has all modes.
const FILES: [(&str, u32, u32, u64); 8] = [
    ("seeds/lossy.webp", 24, 20, 0x84e4_95a1_3d19_88bd),
    ("seeds/lossy-alpha.webp", 24, 20, 0x9379_7323_41d2_5b9d),
    ("vp8/eight-partitions.webp", 45, 150, 0x18cc_cdac_216b_907a),
    ("vp8/four-segments.webp", 95, 77, 0x4158_2aaa_2042_e94b),
    ("vp8/large-coefficients.webp", 49, 33, 0x44cb_87c1_78fa_525d),
    ("vp8/one-pixel.webp", 1, 1, 0xe42e_7c1b_4749_cae5),
    ("vp8/simple-filter.webp", 61, 45, 0x8b84_d284_749e_0ab8),
    ("vp8/strong-filter.webp", 64, 48, 0x284b_be4e_9fbd_9bdd),
];

/// The payload of the `VP8 ` chunk.
fn payload(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let file = fs::read(folder.join(name)).unwrap();
    let mut rest = &file[12..];
    loop {
        let (header, body) = rest.split_first_chunk::<8>().unwrap();
        let [fourcc @ .., a, b, c, d] = *header;
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap();
        if fourcc == *b"VP8 " {
            return body[..length].to_vec();
        }
        rest = &body[length + length % 2..];
    }
}

fn hash(planes: &Planes) -> u64 {
    let rows = |plane: &Plane| {
        let [stride, width, height] =
            [plane.stride, plane.width, plane.height].map(|side| usize::try_from(side).unwrap());
        let rows = plane.data.chunks_exact(stride).take(height);
        rows.flat_map(|row| row[..width].to_vec())
            .collect::<Vec<_>>()
    };
    [&planes.y, &planes.u, &planes.v]
        .into_iter()
        .flat_map(rows)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[test]
fn planes_are_those_of_libwebp() {
    for (name, width, height, expected) in FILES {
        let planes = decode(&payload(name), MAX_PIXELS).unwrap();
        assert_eq!((planes.width, planes.height), (width, height), "{name}");
        assert_eq!((planes.y.width, planes.y.height), (width, height), "{name}");
        let chroma = (width.div_ceil(2), height.div_ceil(2));
        assert_eq!((planes.u.width, planes.u.height), chroma, "{name}");
        assert_eq!((planes.v.width, planes.v.height), chroma, "{name}");
        assert_eq!(hash(&planes), expected, "{name}");
    }
}

#[test]
fn cut_frames_are_refused() {
    for (name, ..) in FILES {
        let payload = payload(name);
        // The encoder writes up to two bytes more than a decoder looks at.
        for length in 0..payload.len() - 2 {
            let error = decode(&payload[..length], MAX_PIXELS).unwrap_err();
            assert_eq!(error, Vp8Error::Truncated, "{name} {length}");
        }
    }
}

#[test]
fn headers_are_checked() {
    let payload = payload("seeds/lossy.webp");
    let refused = |at: usize, value: u8| {
        let mut payload = payload.clone();
        payload[at] = value;
        decode(&payload, MAX_PIXELS).unwrap_err()
    };
    assert_eq!(refused(0, payload[0] | 1), Vp8Error::NotAKeyFrame);
    assert!(matches!(refused(0, payload[0] | 8), Vp8Error::BadHeader(_)));
    assert!(matches!(
        refused(0, payload[0] & !16),
        Vp8Error::BadHeader(_)
    ));
    assert!(matches!(
        refused(4, 0),
        Vp8Error::BadHeader("no start code")
    ));
    assert!(matches!(
        refused(6, 0),
        Vp8Error::BadHeader("a side of zero")
    ));
    // A greater part of the frame than there is.
    assert_eq!(refused(2, 0xFF), Vp8Error::Truncated);
    assert!(decode(&payload, 24 * 20).is_ok());
    assert_eq!(decode(&payload, 24 * 20 - 1), Err(Vp8Error::TooLarge));
    assert_eq!(
        Vp8Error::BadHeader("a side of zero").to_string(),
        "the header of the VP8 frame has a side of zero"
    );
}

#[test]
fn mutated_frames_do_not_panic() {
    let payloads = FILES.map(|(name, ..)| payload(name));
    // `VP8_MUTATIONS=100000 cargo test --release` for a thorough run.
    let rounds = std::env::var("VP8_MUTATIONS").map_or(2_000, |rounds| rounds.parse().unwrap());
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut decoded = 0;
    for round in 0..rounds {
        let mut payload = payloads[round % payloads.len()].clone();
        for _ in 0..=random(4) {
            // Half of the changes are to headers.
            let end = if random(2) == 0 { 40 } else { payload.len() };
            let at = random(end.min(payload.len()));
            payload[at] = u8::try_from(random(256)).unwrap();
        }
        decoded += usize::from(decode(&payload, MAX_PIXELS).is_ok());
    }
    assert!(decoded > rounds / 20, "{decoded} of {rounds} decoded");
}

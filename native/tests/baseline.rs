//! Baseline JPEG is decoded to the planes of the library, and anything else, damaged
//! files above all, is left to it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use _native::baseline::decode;
use _native::raster::{Plane, Planes};
use libjpeg_turbo_rs::tj3::TjHandle;
use libjpeg_turbo_rs::{Decoder, Encoder, PixelFormat, Subsampling};

/// Far above the pictures here, and too few for a mutated header to slow the tests.
const MAX_PIXELS: u64 = 1 << 16;

const REDUCTIONS: [u32; 4] = [1, 2, 4, 8];

/// Numbers without a pattern (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[7]
    }
}

fn seed(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    fs::read(folder.join(name)).unwrap()
}

/// Slopes, an edge, and noise.
fn picture(width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    let mut pixels = Vec::new();
    for y in 0..height {
        for x in 0..width {
            for channel in 0..channels {
                let slope = (3 * x + 5 * y) * (channel + 1) % 200;
                let edge = if (x + 2 * y) % 37 < 9 { 55 } else { 0 };
                let value = slope + edge + noise.below(12);
                pixels.push(u8::try_from(value.min(255)).unwrap());
            }
        }
    }
    pixels
}

fn color(side: (usize, usize), quality: u8, subsampling: Subsampling) -> Vec<u8> {
    let pixels = picture(side.0, side.1, 3);
    Encoder::new(&pixels, side.0, side.1, PixelFormat::Rgb)
        .quality(quality)
        .subsampling(subsampling)
        .encode()
        .unwrap()
}

fn planes(planes: &Planes) -> Vec<&Plane> {
    let chroma = planes.chroma.iter().flat_map(|chroma| chroma.iter());
    [&planes.luma].into_iter().chain(chroma).collect()
}

/// The planes of the library, and the distance between their rows.
fn of_library(data: &[u8], reduction: u32) -> Vec<(Vec<u8>, usize)> {
    if reduction == 1 {
        let raw = Decoder::new(data).unwrap().decode_raw().unwrap();
        return raw.planes.into_iter().zip(raw.plane_widths).collect();
    }
    let mut handle = TjHandle::new();
    handle.set_scaling_factor(1, reduction).unwrap();
    let (planes, width, _, subsampling) = handle.decompress_to_yuv_planes(data).unwrap();
    let across = match subsampling {
        Subsampling::S422 | Subsampling::S420 => 2,
        _ => 1,
    };
    let columns = width.div_ceil(across);
    let strides = [columns * across, columns, columns];
    planes.into_iter().zip(strides).collect()
}

/// Compares with the library: the same at full size, and within 1 at others, for
/// which its transform rounds more often.
#[track_caller]
fn check(data: &[u8], name: &str) {
    let [width, height] = {
        let decoder = Decoder::new(data).unwrap();
        [decoder.header().width, decoder.header().height].map(u32::from)
    };
    for reduction in REDUCTIONS {
        let decoded = decode(data, reduction, MAX_PIXELS).unwrap();
        let size = [decoded.width, decoded.height];
        let expected = [width, height].map(|side| side.div_ceil(reduction));
        assert_eq!(size, expected, "{name}, 1/{reduction}");
        let tolerance = u8::from(reduction > 1);
        let (found, expected) = (planes(&decoded), of_library(data, reduction));
        assert_eq!(found.len(), expected.len(), "{name}");
        for (plane, (expected, expected_stride)) in found.into_iter().zip(&expected) {
            let [stride, width] =
                [plane.stride, plane.width].map(|side| usize::try_from(side).unwrap());
            let rows = plane.data.chunks_exact(stride);
            let rows = rows.zip(expected.chunks_exact(*expected_stride));
            for (found, expected) in rows.take(usize::try_from(plane.height).unwrap()) {
                let mut pairs = found[..width].iter().zip(&expected[..width]);
                assert!(
                    pairs.all(|(found, expected)| found.abs_diff(*expected) <= tolerance),
                    "{name}, 1/{reduction}"
                );
            }
        }
    }
}

#[test]
fn is_as_decoded_by_the_library() {
    let samplings = [
        Subsampling::S444,
        Subsampling::S422,
        Subsampling::S420,
        Subsampling::S440,
    ];
    for subsampling in samplings {
        for side in [(1, 1), (8, 8), (17, 9), (33, 40), (97, 50), (150, 71)] {
            for quality in [25, 75, 95, 100] {
                let data = color(side, quality, subsampling);
                check(&data, &format!("{subsampling:?} {side:?} q{quality}"));
            }
        }
    }
}

#[test]
fn restarts_and_other_codes_are_followed() {
    let (width, height) = (90, 60);
    let pixels = picture(width, height, 3);
    let encoder = || Encoder::new(&pixels, width, height, PixelFormat::Rgb);
    for blocks in [1, 2, 7] {
        let data = encoder().restart_blocks(blocks).encode().unwrap();
        check(&data, &format!("a restart each {blocks} MCUs"));
    }
    let data = encoder().optimize_huffman(true).encode().unwrap();
    check(&data, "optimised codes");
}

#[test]
fn grey_is_one_plane() {
    let pixels = picture(70, 45, 1);
    let encoder = Encoder::new(&pixels, 70, 45, PixelFormat::Grayscale);
    let data = encoder.quality(90).encode().unwrap();
    check(&data, "grey");
    check(&seed("grey-restart.jpg"), "grey-restart.jpg");
    assert_eq!(decode(&data, 2, MAX_PIXELS).unwrap().chroma, None);
}

#[test]
fn scans_of_all_lengths_are_read_to_their_end() {
    // The buffer of the reader is filled many times, and ends anywhere in an MCU.
    for width in 230..=256 {
        let data = color((width, 250), 100, Subsampling::S420);
        check(&data, &format!("{width} wide"));
    }
}

#[test]
fn chroma_scale_tells_the_sampling() {
    check(&seed("baseline-exif.jpg"), "baseline-exif.jpg");
    let scale_of = |subsampling| {
        let data = color((20, 20), 80, subsampling);
        decode(&data, 2, MAX_PIXELS)
            .unwrap()
            .chroma_scale
            .map(|scale| 1.0 / scale)
    };
    assert_eq!(
        scale_of(Subsampling::S444).map(f64::to_bits),
        [1.0, 1.0].map(f64::to_bits)
    );
    assert_eq!(
        scale_of(Subsampling::S422).map(f64::to_bits),
        [2.0, 1.0].map(f64::to_bits)
    );
    assert_eq!(
        scale_of(Subsampling::S440).map(f64::to_bits),
        [1.0, 2.0].map(f64::to_bits)
    );
    assert_eq!(
        scale_of(Subsampling::S420).map(f64::to_bits),
        [2.0, 2.0].map(f64::to_bits)
    );
}

#[test]
fn what_is_not_handled_is_left() {
    for name in ["progressive.jpg", "cmyk.jpg", "ycck.jpg", "rgb.png"] {
        assert_eq!(decode(&seed(name), 2, MAX_PIXELS), None, "{name}");
    }
    let data = color((20, 20), 80, Subsampling::S420);
    assert!(decode(&data, 2, 400).is_some());
    assert_eq!(decode(&data, 2, 399), None);
    assert_eq!(decode(&data, 3, MAX_PIXELS), None);
    let data = color((20, 20), 80, Subsampling::S411);
    assert_eq!(decode(&data, 2, MAX_PIXELS), None);
}

#[test]
fn a_size_without_data_is_not_allocated() {
    let mut data = color((20, 20), 80, Subsampling::S420);
    let frame = data
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    data[frame + 5..frame + 9].fill(0xff);
    assert_eq!(decode(&data, 1, u64::MAX), None);
}

#[test]
fn each_cut_is_noticed() {
    for data in [
        seed("baseline-exif.jpg"),
        seed("grey-restart.jpg"),
        color((40, 30), 85, Subsampling::S422),
    ] {
        for length in 0..data.len() {
            for reduction in REDUCTIONS {
                assert_eq!(decode(&data[..length], reduction, MAX_PIXELS), None);
            }
        }
    }
}

#[test]
fn restart_markers_must_count() {
    let data = seed("grey-restart.jpg");
    let first = data
        .windows(2)
        .position(|pair| pair == [0xff, 0xd0])
        .unwrap();
    assert!(decode(&data, 2, MAX_PIXELS).is_some());
    for marker in [0xd1, 0xd9, 0] {
        let mut data = data.clone();
        data[first + 1] = marker;
        assert_eq!(decode(&data, 2, MAX_PIXELS), None, "{marker:#x}");
    }
    let mut without = data;
    without.drain(first..first + 2);
    assert_eq!(decode(&without, 2, MAX_PIXELS), None);
}

#[test]
fn damage_does_not_panic() {
    let files = [
        seed("baseline-exif.jpg"),
        seed("grey-restart.jpg"),
        color((40, 30), 85, Subsampling::S422),
        color((30, 40), 100, Subsampling::S444),
    ];
    let mut noise = Noise(0x2545_f491_4f6c_dd1d);
    for _ in 0..20_000 {
        let mut data = files[noise.below(files.len())].clone();
        for _ in 0..=noise.below(4) {
            let place = noise.below(data.len());
            match noise.below(4) {
                0 => data[place] = noise.byte(),
                1 => data[place] ^= 1 << noise.below(8),
                2 => data.insert(place, noise.byte()),
                _ => drop(data.remove(place)),
            }
        }
        let reduction = REDUCTIONS[noise.below(4)];
        if let Some(decoded) = decode(&data, reduction, MAX_PIXELS) {
            for plane in planes(&decoded) {
                let length = u64::from(plane.stride) * u64::from(plane.height);
                assert!(plane.width <= plane.stride);
                assert!(length <= u64::try_from(plane.data.len()).unwrap());
            }
        }
    }
}

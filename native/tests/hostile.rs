//! Damaged files are refused with an error: nothing panics.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use _native::limits::{Limits, validate};
use _native::{ImageError, decode, probe};
use proptest::prelude::*;
use proptest::sample::Index;

/// One small file for each variant that takes its own path through a decoder.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/seeds");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
});

/// Runs everything that reads an image, and compares what they say of it.
fn read(data: &[u8]) -> Result<(), ImageError> {
    let limits = Limits::default();
    let info = probe::probe(data)?;
    let validated = validate(data, &limits);
    let decoded = decode::decode_rgb8(data, &limits);
    if let Ok(image) = &decoded {
        assert_eq!(image.dimensions(), info.display_size());
        assert_eq!(validated.as_ref(), Ok(&info));
    }
    decoded.map(|_| ())
}

fn seed() -> impl Strategy<Value = Vec<u8>> {
    any::<Index>().prop_map(|index| index.get(&SEEDS).clone())
}

#[test]
fn every_seed_is_decoded() {
    for data in SEEDS.iter() {
        assert_eq!(read(data), Ok(()));
    }
}

#[test]
fn every_cut_of_every_seed_is_refused() {
    for data in SEEDS.iter() {
        // The last byte of a WEBP file may be padding, and be left out.
        for length in 0..data.len() - 1 {
            let cut = &data[..length];
            assert!(validate(cut, &Limits::default()).is_err(), "{length}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn random_bytes_do_not_panic(data in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = read(&data);
    }

    #[test]
    fn random_bytes_behind_a_signature_do_not_panic(
        data in seed(),
        keep in 2..32_usize,
        tail in prop::collection::vec(any::<u8>(), 0..256),
    ) {
        let _ = read(&[&data[..keep], &tail].concat());
    }

    #[test]
    fn flipped_bits_do_not_panic(
        mut data in seed(),
        flips in prop::collection::vec((any::<Index>(), 0..8_u8), 1..8),
    ) {
        for (index, bit) in flips {
            *index.get_mut(&mut data) ^= 1 << bit;
        }
        let _ = read(&data);
    }

    #[test]
    fn removed_and_repeated_spans_do_not_panic(data in seed(), a in any::<Index>(), b in any::<Index>()) {
        let (a, b) = (a.index(data.len()), b.index(data.len()));
        // With a < b the bytes between them are left out, else they come twice.
        let _ = read(&[&data[..a], &data[b..]].concat());
    }
}

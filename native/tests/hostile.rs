//! Hostile files are refused with an error: nothing panics, and what is promised
//! of a result holds whatever came in.
//!
//! The checks are those of the fuzz targets, in `fuzz/src/checks.rs`. What these
//! have found is in `tests/regressions`, a folder for each target.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../fuzz/src/checks.rs"]
#[expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "also a module of the fuzz targets; a broken promise panics"
)]
mod checks;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use _native::limits::{Limits, validate};
use _native::prepare::Policy;
use _native::{ImageError, decode};
use proptest::prelude::*;
use proptest::sample::Index;

/// One small file for each variant that takes its own path through a decoder.
static SEEDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| files("tests/seeds"));

/// Behind which an image is prepared with the default policy.
const DEFAULT_POLICY: [u8; checks::POLICY_LEN] = [0; checks::POLICY_LEN];

/// The files of a folder, by name; none if there is no such folder.
fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Runs everything that reads an image, and compares what is said of it.
fn read(data: &[u8], policy: [u8; checks::POLICY_LEN]) -> Result<(), ImageError> {
    let limits = Limits::default();
    let info = checks::probing(data);
    let stripped = checks::stripping(data);
    let decoded = checks::decoding(data);
    let prepared = checks::preparing_by_choice(&[&policy, data].concat());
    // What these have in common is found by the probe.
    if let Err(error) = &info {
        assert_eq!(stripped.as_ref(), Err(error));
        assert_eq!(decoded.as_ref(), Err(error));
        assert_eq!(prepared.as_ref(), Err(error));
    }
    let pixels = decode::decode_rgb8(data, &limits)?;
    let info = info?;
    assert_eq!((pixels.width, pixels.height), info.display_size());
    assert_eq!(validate(data, &limits), Ok(info));
    decoded.and(prepared)
}

fn seed() -> impl Strategy<Value = Vec<u8>> {
    any::<Index>().prop_map(|index| index.get(&SEEDS).clone())
}

/// Every second policy is the default one.
fn policy() -> impl Strategy<Value = [u8; checks::POLICY_LEN]> {
    prop_oneof![Just(DEFAULT_POLICY), any::<[u8; checks::POLICY_LEN]>()]
}

#[test]
fn every_seed_is_read() {
    for data in SEEDS.iter() {
        assert_eq!(read(data, DEFAULT_POLICY), Ok(()));
    }
}

#[test]
fn every_cut_of_every_seed_is_refused() {
    for data in SEEDS.iter() {
        // The last byte of a WEBP file may be padding, and be left out.
        for length in 0..data.len() - 1 {
            let cut = &data[..length];
            assert!(validate(cut, &Limits::default()).is_err(), "{length}");
            assert!(
                checks::preparing(cut, &Policy::default()).is_err(),
                "{length}"
            );
        }
    }
}

/// Each byte of each seed in turn, set to the values that break arithmetic.
#[test]
fn no_byte_of_a_seed_breaks_probing_or_stripping() {
    for seed in SEEDS.iter() {
        let mut data = seed.clone();
        for (index, byte) in seed.iter().enumerate() {
            for value in [0, 1, 0x7F, 0x80, 0xFF, byte ^ 1] {
                data[index] = value;
                let _ = checks::probing(&data);
                let _ = checks::stripping(&data);
            }
            data[index] = *byte;
        }
    }
}

#[test]
fn what_fuzzing_found_stays_found() {
    for data in files("tests/regressions/probe") {
        let _ = checks::probing(&data);
    }
    for data in files("tests/regressions/strip") {
        let _ = checks::stripping(&data);
    }
    for data in files("tests/regressions/decode") {
        let _ = checks::decoding(&data);
    }
    for data in files("tests/regressions/prepare") {
        let _ = checks::preparing_by_choice(&data);
    }
    for data in files("tests/regressions/vp8") {
        let _ = checks::decoding_vp8(&data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(0x0153_AF1E),
        ..ProptestConfig::with_cases(1_000)
    })]

    #[test]
    fn random_bytes_do_not_panic(data in prop::collection::vec(any::<u8>(), 0..256)) {
        let _ = read(&data, DEFAULT_POLICY);
        let _ = checks::decoding_vp8(&data);
    }

    #[test]
    fn random_bytes_behind_a_signature_do_not_panic(
        data in seed(),
        keep in 2..32_usize,
        tail in prop::collection::vec(any::<u8>(), 0..256),
        policy in policy(),
    ) {
        let _ = read(&[&data[..keep], &tail].concat(), policy);
    }

    #[test]
    fn flipped_bits_do_not_panic(
        mut data in seed(),
        flips in prop::collection::vec((any::<Index>(), 0..8_u8), 1..8),
        policy in policy(),
    ) {
        for (index, bit) in flips {
            *index.get_mut(&mut data) ^= 1 << bit;
        }
        let _ = read(&data, policy);
    }

    #[test]
    fn removed_and_repeated_spans_do_not_panic(
        data in seed(),
        a in any::<Index>(),
        b in any::<Index>(),
        policy in policy(),
    ) {
        let (a, b) = (a.index(data.len()), b.index(data.len()));
        // With a < b the bytes between them are left out, else they come twice.
        let _ = read(&[&data[..a], &data[b..]].concat(), policy);
    }

    #[test]
    fn a_part_of_another_seed_does_not_panic(
        data in seed(),
        other in seed(),
        at in any::<Index>(),
        from in any::<Index>(),
        length in 1..64_usize,
        policy in policy(),
    ) {
        let at = at.index(data.len());
        let part = &other[from.index(other.len())..];
        let part = &part[..length.min(part.len())];
        let _ = read(&[&data[..at], part, &data[at..]].concat(), policy);
    }

    #[test]
    fn every_policy_is_kept_with_a_whole_file(data in seed(), policy in policy()) {
        let _ = read(&data, policy);
    }
}

//! Whatever the policy, what comes out is fit, is what is said of it, and needs
//! no more preparation; everything else is an error.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use _native::body::base64_len;
use _native::limits::{Limits, MAX_BASE64_CHARS, validate};
use _native::prepare::{
    Action, Alpha, Convert, Formats, Output, Policy, Prepared, plan, prepare, prepare_pixels,
};
use _native::probe::probe;
use _native::raster::{Layout, PixelsRef};
use _native::{Format, ImageError, decode, structure};
use proptest::prelude::*;
use proptest::sample::Index;

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

/// Sizes that are wanted: all that are allowed, a small side, a small length.
fn sizes() -> Vec<Policy> {
    let short = Limits {
        max_base64_chars: base64_len(900),
        ..Limits::default()
    };
    vec![
        Policy::default(),
        Policy {
            target_side_px: 24,
            ..Policy::default()
        },
        Policy {
            limits: short,
            ..Policy::default()
        },
    ]
}

/// Policies in which switches take all of their values, those about what is
/// written with each other.
fn policies() -> Vec<Policy> {
    let mut all = Vec::new();
    for size in sizes() {
        for convert in [Convert::Never, Convert::Needed, Convert::Always] {
            for alpha in [Alpha::White, Alpha::Keep] {
                for output in [Output::Auto, Output::Jpeg, Output::Png] {
                    for rotate in [true, false] {
                        all.push(Policy {
                            convert,
                            alpha,
                            output,
                            rotate,
                            ..size.clone()
                        });
                    }
                }
            }
        }
        for bits in 0..16_u8 {
            let [fit, shrink, strip, full_decode] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            all.push(Policy {
                fit,
                shrink,
                strip,
                full_decode,
                ..size.clone()
            });
        }
        for formats in [
            Formats::none().with(Format::Jpeg),
            Formats::none().with(Format::Png),
            Formats::none().with(Format::Jpeg).with(Format::Bmp),
        ] {
            all.push(Policy {
                formats,
                ..size.clone()
            });
        }
    }
    all
}

/// The file to send.
fn result<'a>(data: &'a [u8], prepared: &'a Prepared) -> &'a [u8] {
    prepared.data.as_deref().unwrap_or(data)
}

/// Checks all that is promised of a result.
fn check_prepared(data: &[u8], prepared: &Prepared, policy: &Policy, what: &str) {
    let file = result(data, prepared);
    let info = probe(file).unwrap();
    assert_eq!(probe(data), Ok(prepared.info), "{what}");
    assert_eq!(
        (info.format, info.width, info.height, info.orientation),
        (
            prepared.format,
            prepared.width,
            prepared.height,
            prepared.orientation
        ),
        "{what}"
    );
    assert_eq!(structure::check(file, info.format), Ok(()), "{what}");
    assert_eq!(validate(file, &policy.limits), Ok(info), "{what}");
    assert!(
        policy.formats.contains(info.format),
        "{what}: {}",
        info.format
    );
    if policy.fit {
        assert!(
            info.width.max(info.height) <= policy.max_side_px(),
            "{what}"
        );
    }
    if policy.rotate && prepared.data.is_some() && info.format != prepared.info.format {
        assert_eq!(info.orientation, 1, "{what}");
    }
    assert_eq!(
        prepared.data.is_none(),
        prepared.actions.is_empty(),
        "{what}"
    );
    for action in &prepared.actions {
        let allowed = match action {
            Action::Fit { .. } => policy.fit,
            Action::Convert { .. } => true,
            Action::Rotate { orientation } => policy.rotate && (2..=8).contains(orientation),
            Action::Shrink { .. } => policy.shrink,
            Action::Strip { .. } => policy.strip,
        };
        assert!(allowed, "{what}: {} {action}", action.name());
        assert!(!action.to_string().is_empty(), "{what}");
    }
}

/// A second run has nothing left to do.
fn check_again(data: &[u8], prepared: &Prepared, policy: &Policy, what: &str) {
    let file = result(data, prepared);
    let again = prepare(file, policy).unwrap();
    assert_eq!(again.actions, [], "{what}");
    assert_eq!(again.data, None, "{what}");
}

/// Prepares, and checks everything that can be checked.
fn prepare_checked(data: &[u8], policy: &Policy, what: &str) -> Result<Prepared, ImageError> {
    let planned = plan(data, policy);
    let prepared = prepare(data, policy);
    match (&planned, &prepared) {
        (Err(error), other) => assert_eq!(other.as_ref(), Err(error), "{what}"),
        (Ok(plan), Ok(prepared)) => {
            assert_eq!(plan.info, prepared.info, "{what}");
            assert!(!plan.changes_pixels() || prepared.data.is_some(), "{what}");
            check_prepared(data, prepared, policy, what);
        }
        (Ok(_), Err(_)) => {}
    }
    prepared
}

#[test]
fn seeds_keep_the_promises_under_every_policy() {
    for policy in &policies() {
        for seed in &*SEEDS {
            let what = format!("{} {policy:?}", seed.name);
            match prepare_checked(&seed.data, policy, &what) {
                Ok(prepared) => check_again(&seed.data, &prepared, policy, &what),
                Err(ImageError::ConversionNeeded { .. }) => {
                    assert_eq!(policy.convert, Convert::Never, "{what}");
                }
                Err(ImageError::EncodedTooLarge { .. }) => {
                    assert!(policy.limits.max_base64_chars < MAX_BASE64_CHARS, "{what}");
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

#[test]
fn every_seed_can_be_made_short() {
    for limit in [800, 850, 900, 1024, 1500] {
        let policy = Policy {
            limits: Limits {
                max_base64_chars: base64_len(limit),
                ..Limits::default()
            },
            ..Policy::default()
        };
        for seed in &*SEEDS {
            let prepared = prepare(&seed.data, &policy);
            let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error}", seed.name));
            assert!(base64_len(result(&seed.data, &prepared).len()) <= base64_len(limit));
        }
    }
}

#[test]
fn what_is_passed_on_decodes_to_the_same_pixels() {
    let limits = Limits::default();
    for seed in &*SEEDS {
        for convert in [Convert::Needed, Convert::Always] {
            let policy = Policy {
                convert,
                output: Output::Png,
                ..Policy::default()
            };
            let prepared = prepare(&seed.data, &policy).unwrap();
            let file = result(&seed.data, &prepared);
            // Both are upright and on white. CMYK is converted by the same
            // formula, but of a decode that tolerates damage.
            assert!(
                decode::decode_rgb8(file, &limits) == decode::decode_rgb8(&seed.data, &limits),
                "{}",
                seed.name
            );
        }
    }
}

#[test]
fn decoded_pixels_keep_the_promises_too() {
    for policy in &policies() {
        for (layout, (width, height)) in [
            (Layout::Rgb, (40, 30)),
            (Layout::Rgba, (31, 47)),
            (Layout::Rgb, (80, 61)),
            (Layout::Rgb, (14, 30)),
            (Layout::Rgba, (5000, 15)),
        ] {
            let len = width as usize * height as usize * layout.channels();
            // Longer as PNG than as JPEG.
            let data: Vec<u8> = (0_u32..)
                .map(|index| (index * 7 % 251).to_le_bytes()[0])
                .take(len)
                .collect();
            let pixels = PixelsRef {
                width,
                height,
                layout,
                data: &data,
            };
            let what = format!("{width}x{height} {layout:?} {policy:?}");
            match prepare_pixels(pixels, "GIF", len, policy) {
                Ok(prepared) => {
                    assert_eq!(prepared.actions.first().map(Action::name), Some("convert"));
                    let file = prepared.data.as_deref().unwrap();
                    let info = validate(file, &policy.limits).unwrap();
                    assert_eq!((info.width, info.height), (prepared.width, prepared.height));
                    assert!(policy.formats.contains(info.format), "{what}");
                    assert_eq!(info.format, prepared.format, "{what}");
                    assert!(!policy.fit || info.width.max(info.height) <= policy.max_side_px());
                }
                Err(ImageError::DimensionsOutOfRange { .. }) => {
                    assert!(height < 15 || width < 15 || !policy.fit, "{what}");
                }
                Err(ImageError::CannotFit { .. }) => assert!(policy.fit, "{what}"),
                Err(ImageError::EncodedTooLarge { .. }) => {
                    assert!(policy.limits.max_base64_chars < MAX_BASE64_CHARS, "{what}");
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

#[test]
fn every_cut_is_refused_whatever_is_asked_for() {
    let policies = [
        Policy::default(),
        Policy {
            convert: Convert::Always,
            full_decode: true,
            ..Policy::default()
        },
        Policy {
            fit: false,
            shrink: false,
            strip: false,
            ..Policy::default()
        },
    ];
    for seed in &*SEEDS {
        for length in (0..seed.data.len() - 1).step_by(7) {
            for policy in &policies {
                assert!(
                    prepare(&seed.data[..length], policy).is_err(),
                    "{} {length}",
                    seed.name
                );
            }
        }
    }
}

#[test]
fn the_pixel_budget_is_inclusive_and_comes_first() {
    for seed in &*SEEDS {
        let info = probe(&seed.data).unwrap();
        let pixels = u64::from(info.width) * u64::from(info.height);
        let policy = |max_pixels| Policy {
            max_pixels,
            full_decode: true,
            ..Policy::default()
        };
        assert!(
            prepare(&seed.data, &policy(pixels)).is_ok(),
            "{}",
            seed.name
        );
        let error = prepare(&seed.data, &policy(pixels - 1)).unwrap_err();
        assert_eq!(error.kind(), "too_many_pixels", "{}", seed.name);
    }
}

fn seed() -> impl Strategy<Value = Vec<u8>> {
    any::<Index>().prop_map(|index| index.get(&SEEDS).data.clone())
}

/// A bound on pixels keeps what a flipped bit of a header may ask for small.
fn policy() -> impl Strategy<Value = Policy> {
    (any::<Index>(), policies_strategy()).prop_map(|(index, policies)| Policy {
        max_pixels: 250_000,
        ..index.get(&policies).clone()
    })
}

fn policies_strategy() -> impl Strategy<Value = Vec<Policy>> {
    Just(policies())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn flipped_bits_keep_the_promises(
        mut data in seed(),
        flips in prop::collection::vec((any::<Index>(), 0..8_u8), 1..8),
        policy in policy(),
    ) {
        for (index, bit) in flips {
            *index.get_mut(&mut data) ^= 1 << bit;
        }
        let _ = prepare_checked(&data, &policy, "flipped");
    }

    #[test]
    fn removed_and_repeated_spans_keep_the_promises(
        data in seed(),
        a in any::<Index>(),
        b in any::<Index>(),
        policy in policy(),
    ) {
        let (a, b) = (a.index(data.len()), b.index(data.len()));
        let _ = prepare_checked(&[&data[..a], &data[b..]].concat(), &policy, "spans");
    }

    #[test]
    fn random_bytes_behind_a_signature_keep_the_promises(
        data in seed(),
        keep in 2..64_usize,
        tail in prop::collection::vec(any::<u8>(), 0..256),
        policy in policy(),
    ) {
        let data = [&data[..keep.min(data.len())], &tail].concat();
        let _ = prepare_checked(&data, &policy, "tail");
    }
}

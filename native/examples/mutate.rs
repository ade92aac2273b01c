//! Feeds mutated files to everything that reads an image, and counts panics.
//!
//! ```text
//! cargo run --release --example mutate -- <folder of seed files> <rounds> [random seed]
//! ```
//!
//! `decode_rgb8` catches the panics of decoders, so they are counted in a panic
//! hook. The slowest input is reported as well: work has to stay bounded.

#![expect(
    clippy::unwrap_used,
    reason = "a command-line tool may fail by panicking"
)]

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, panic};

use _native::limits::{Limits, validate};
use _native::{ImageError, decode, probe};

static PANICS: LazyLock<Mutex<BTreeMap<String, u64>>> = LazyLock::new(Mutex::default);

fn main() {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap();
    let rounds: u64 = arguments.next().unwrap().parse().unwrap();
    let mut random = XorShift(arguments.next().map_or(0x9E37_79B9, |n| n.parse().unwrap()));
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();

    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        *PANICS.lock().unwrap().entry(place).or_default() += 1;
    }));

    let mut outcomes = BTreeMap::<&str, u64>::new();
    let mut slowest = (Duration::ZERO, Vec::new());
    for _ in 0..rounds {
        let mut data = random.pick(&seeds).clone();
        for _ in 0..=random.below(6) {
            random.mutate(&mut data, &seeds);
        }
        let start = Instant::now();
        let outcome = panic::catch_unwind(|| read(&data));
        let elapsed = start.elapsed();
        let kind = match &outcome {
            Ok(Ok(())) => "decoded",
            Ok(Err(error)) => error.kind(),
            Err(_) => "panicked outside a decoder",
        };
        *outcomes.entry(kind).or_default() += 1;
        if elapsed > slowest.0 {
            slowest = (elapsed, data);
        }
    }

    println!("outcomes: {outcomes:#?}");
    println!("panics by place: {:#?}", PANICS.lock().unwrap());
    println!("slowest: {:?} for {} bytes", slowest.0, slowest.1.len());
}

fn read(data: &[u8]) -> Result<(), ImageError> {
    let limits = Limits::default();
    let probed = probe::probe(data);
    let validated = validate(data, &limits);
    let decoded = decode::decode_rgb8(data, &limits);
    if let Ok(image) = &decoded {
        assert_eq!(image.dimensions(), probed?.display_size());
        assert!(validated.is_ok());
    }
    decoded.map(|_| ())
}

/// Marsaglia's xorshift: repeatable, and random enough to break files.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        items.get(self.below(items.len())).unwrap()
    }

    /// Half of all places are among the first 64 bytes, where headers are.
    fn place(&mut self, len: usize) -> usize {
        let bound = if self.next() & 1 == 0 {
            len
        } else {
            len.min(64)
        };
        self.below(bound)
    }

    fn mutate(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        const EDGES: [u8; 8] = [0x00, 0x01, 0x0F, 0x10, 0x7F, 0x80, 0xFE, 0xFF];
        let place = self.place(data.len());
        match self.below(6) {
            0 => {
                let bit = 1 << self.below(8);
                if let Some(byte) = data.get_mut(place) {
                    *byte ^= bit;
                }
            }
            1 => {
                let edge = *self.pick(&EDGES);
                if let Some(byte) = data.get_mut(place) {
                    *byte = edge;
                }
            }
            2 => data.truncate(place),
            3 => {
                let end = place + self.below(data.len() - place);
                data.drain(place..end);
            }
            4 => {
                let span: Vec<u8> = data.iter().skip(place).take(16).copied().collect();
                let target = self.place(data.len());
                data.splice(target..target, span);
            }
            _ => {
                let other = self.pick(seeds);
                let start = self.place(other.len());
                let span = other.iter().skip(start).take(32).copied();
                data.splice(place..place, span);
            }
        }
    }
}

//! Runs the core over folders of files, and counts what comes of them.
//!
//! ```text
//! cargo run --release --manifest-path fuzz/Cargo.toml --example corpus -- <folder>…
//! cargo run --release --manifest-path fuzz/Cargo.toml --example corpus -- --dump <to> <folder>…
//! ```
//!
//! Says how many files had each outcome, where anything panicked, which
//! promises were broken, what took longest, and which images took more memory
//! than planned. `--dump` also writes what was decoded, as PPM files with a list
//! of their sources, to be compared with another decoder.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use _native::decode::{self, decode_rgb8};
use _native::limits::Limits;
use _native::prepare::policy::DEFAULT_MAX_PIXELS;
use _native::prepare::{Alpha, Convert, Formats, Output, Policy, plan, prepare};
use _native::{Format, ImageError, probe};
use image_gateway_fuzz::memory::{self, Filling};
use image_gateway_fuzz::{checks, panics};

#[global_allocator]
static MEMORY: Filling = Filling;

/// More than this is reported as a hang.
const SLOW: Duration = Duration::from_secs(2);

/// What takes no part in the plan: tables, contexts, small images.
const ALLOWANCE: usize = 4 << 20;

#[derive(Default)]
struct Report {
    outcomes: BTreeMap<&'static str, BTreeMap<String, u64>>,
    slowest: BTreeMap<&'static str, (Duration, PathBuf)>,
    slow: Vec<String>,
    broken: Vec<String>,
    memory: Vec<(f64, String)>,
    files: u64,
    bytes: usize,
}

fn main() -> io::Result<()> {
    panics::install(false);
    let mut arguments: Vec<String> = env::args().skip(1).collect();
    let dump = (arguments.first().map(String::as_str) == Some("--dump")).then(|| {
        arguments.remove(0);
        PathBuf::from(arguments.remove(0))
    });
    let mut files = Vec::new();
    for folder in &arguments {
        walk(Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut report = Report::default();
    let mut list = String::new();
    for (number, path) in files.iter().enumerate() {
        let data = fs::read(path)?;
        report.read(path, &data);
        if let Some(folder) = &dump {
            fs::create_dir_all(folder)?;
            if write_pixels(folder, number, &data)? {
                list += &format!("{number}\t{}\n", path.display());
            }
        }
    }
    if let Some(folder) = dump {
        fs::write(folder.join("list.tsv"), list)?;
    }
    report.print();
    Ok(())
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if path.is_symlink() {
        return Ok(());
    }
    if path.is_dir() {
        for entry in fs::read_dir(path)? {
            walk(&entry?.path(), files)?;
        }
    } else {
        files.push(path.to_owned());
    }
    Ok(())
}

fn any_size() -> Limits {
    Limits {
        min_side_px: 1,
        max_side_px: 1 << 20,
        max_base64_chars: usize::MAX,
    }
}

/// Small, upright, plain JPEG, and everything decoded.
fn strict() -> Policy {
    Policy {
        limits: Limits {
            min_side_px: 15,
            max_side_px: 1024,
            max_base64_chars: 100_000,
        },
        formats: Formats::none().with(Format::Jpeg),
        convert: Convert::Always,
        full_decode: true,
        ..Policy::default()
    }
}

fn as_png(alpha: Alpha) -> Policy {
    Policy {
        limits: any_size(),
        formats: Formats::none().with(Format::Png),
        convert: Convert::Always,
        full_decode: true,
        output: Output::Png,
        alpha,
        ..Policy::default()
    }
}

impl Report {
    fn read(&mut self, path: &Path, data: &[u8]) {
        self.files += 1;
        self.bytes += data.len();
        self.run("probe", path, || checks::probing(data).map(|_| ()));
        self.run("strip", path, || checks::stripping(data));
        let Ok(info) = probe::probe(data) else {
            return;
        };
        let pixels = u64::from(info.width) * u64::from(info.height);
        if pixels > DEFAULT_MAX_PIXELS {
            self.count("decode", "too_many_pixels");
        } else {
            let before = memory::start();
            self.run("decode", path, || {
                decode::decode(data, &info, 1, decode::Form::Any).map(|_| ())
            });
            self.compare("decode", path, before, decode::memory(&info, 1, data.len()));
            self.run("decode_rgb8", path, || {
                decode_rgb8(data, &any_size()).map(|_| ())
            });
            if pixels <= checks::MAX_PIXELS {
                self.run("decode at every size", path, || checks::decoding(data));
            }
        }
        let policies = [
            ("prepare", Policy::default()),
            ("prepare, strict", strict()),
            ("prepare, png", as_png(Alpha::Keep)),
        ];
        for (name, policy) in policies {
            let planned = plan::plan(data, &policy).map_or(0, |plan| plan.memory());
            let before = memory::start();
            self.run(name, path, || prepare(data, &policy).map(|_| ()));
            if planned > 0 {
                self.compare(name, path, before, planned);
            }
            self.run("promises of prepare", path, || {
                checks::preparing(data, &policy)
            });
        }
    }

    fn run(
        &mut self,
        name: &'static str,
        path: &Path,
        operation: impl FnOnce() -> Result<(), ImageError>,
    ) {
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(operation));
        let took = start.elapsed();
        match outcome {
            Ok(Ok(())) => self.count(name, "ok"),
            Ok(Err(ImageError::Damaged { what, .. })) if what.contains("decoder failed") => {
                self.count(name, "damaged: panic in the decoder");
                self.broken
                    .push(format!("{name}: contained panic: {}", path.display()));
            }
            Ok(Err(error)) => self.count(name, error.kind()),
            Err(cause) => {
                self.count(name, "PANIC");
                let text = cause
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| cause.downcast_ref::<&str>().map(ToString::to_string))
                    .unwrap_or_default();
                self.broken
                    .push(format!("{name}: {}: {text}", path.display()));
            }
        }
        if took > SLOW {
            self.slow
                .push(format!("{name}: {took:.1?} {}", path.display()));
        }
        let slowest = self.slowest.entry(name).or_default();
        if took > slowest.0 {
            *slowest = (took, path.to_owned());
        }
    }

    fn count(&mut self, name: &'static str, outcome: &str) {
        let outcomes = self.outcomes.entry(name).or_default();
        *outcomes.entry(outcome.to_owned()).or_default() += 1;
    }

    fn compare(&mut self, name: &str, path: &Path, before: usize, planned: u64) {
        let taken = memory::peak().saturating_sub(before);
        #[expect(clippy::cast_precision_loss, reason = "a ratio to show")]
        let ratio = taken as f64 / (planned as f64).max(1.0);
        if taken as u64 > planned + ALLOWANCE as u64 {
            let text = format!("{name}: {taken} of {planned} {}", path.display());
            self.memory.push((ratio, text));
        }
    }

    fn print(mut self) {
        println!("{} files, {} bytes", self.files, self.bytes);
        for (name, outcomes) in &self.outcomes {
            println!("{name}: {outcomes:?}");
        }
        println!("panics by place: {:#?}", panics::places());
        println!("broken promises and contained panics: {:#?}", self.broken);
        println!("slower than {SLOW:?}: {:#?}", self.slow);
        for (name, (took, path)) in &self.slowest {
            println!("slowest {name}: {took:.0?} {}", path.display());
        }
        self.memory.sort_by(|a, b| b.0.total_cmp(&a.0));
        println!("more memory than planned, and 4 MiB: {}", self.memory.len());
        for (ratio, text) in self.memory.iter().take(60) {
            println!("  {ratio:.2} {text}");
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find(|line| line.starts_with("VmHWM"));
        println!("{}", peak.unwrap_or_default());
    }
}

/// What both ways of decoding make of it.
fn write_pixels(folder: &Path, number: usize, data: &[u8]) -> io::Result<bool> {
    let mut any = false;
    if let Ok(pixels) = decode_rgb8(data, &any_size()) {
        let mut ppm = format!("P6\n{} {}\n255\n", pixels.width, pixels.height).into_bytes();
        ppm.extend(&pixels.data);
        fs::write(folder.join(format!("{number}.ppm")), ppm)?;
        any = true;
    }
    if let Ok(prepared) = prepare(data, &as_png(Alpha::White)) {
        let png = prepared.data.as_deref().unwrap_or(data);
        fs::write(folder.join(format!("{number}.png")), png)?;
        any = true;
    }
    Ok(any)
}

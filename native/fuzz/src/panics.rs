//! Panics that are caught are still worth knowing. Those of libraries are
//! contained by the core: each place is written down once, with the input, and
//! fuzzing goes on. One of the core itself ends the run.

use std::backtrace::Backtrace;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, Once};
use std::{env, fs, panic, process};

static PLACES: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

thread_local! {
    static INPUT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Notes what is about to be read, and installs the hook the first time.
pub fn watch(input: &[u8]) {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| install(true));
    INPUT.with_borrow_mut(|kept| {
        kept.clear();
        kept.extend_from_slice(input);
    });
}

/// Installs the hook.
pub fn install(aborts: bool) {
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let is_library = place.contains("/registry/src/") || place.contains("/rustc/");
        if aborts && !is_library {
            eprintln!("{info}\n{}", Backtrace::force_capture());
            process::abort();
        }
        let is_new = {
            let mut places = PLACES.lock().unwrap();
            let count = places.entry(place.clone()).or_default();
            *count += 1;
            *count == 1
        };
        if is_new {
            write_down(&place, &info.to_string());
        }
    }));
}

/// Where code panicked, and how many times.
pub fn places() -> BTreeMap<String, u64> {
    PLACES.lock().unwrap().clone()
}

/// Into the folder of the environment's `FUZZ_PANICS`, if it names one.
fn write_down(place: &str, message: &str) {
    eprintln!("contained: {message}");
    let Ok(folder) = env::var("FUZZ_PANICS") else {
        return;
    };
    let name: String = place
        .rsplit("/src/")
        .next()
        .unwrap_or(place)
        .replace(['/', ':'], "-");
    let text = format!("{message}\n{}", Backtrace::force_capture());
    let _ = fs::create_dir_all(&folder);
    let _ = fs::write(format!("{folder}/{name}.txt"), text);
    INPUT.with_borrow(|input| {
        let _ = fs::write(format!("{folder}/{name}.bin"), input);
    });
}

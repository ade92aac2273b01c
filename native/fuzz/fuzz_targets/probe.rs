#![no_main]
#![expect(missing_docs, reason = "see checks")]

use image_gateway_fuzz::{checks, panics};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    panics::watch(data);
    let _ = checks::probing(data);
});

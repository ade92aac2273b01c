#![no_main]
#![expect(missing_docs, reason = "see checks")]

use _native::raster::Raster;
use _native::{decode, probe};
use image_gateway_fuzz::memory::{Filling, fill_with};
use image_gateway_fuzz::{checks, panics};
use libfuzzer_sys::fuzz_target;

#[global_allocator]
static MEMORY: Filling = Filling;

fuzz_target!(|data: &[u8]| {
    panics::watch(data);
    fill_with(0xA5);
    if checks::decoding(data).is_ok() {
        // What another upload left in memory must not show in this one.
        for reduction in [1, 2] {
            let first = decoded(data, reduction);
            fill_with(0x5A);
            assert!(
                first == decoded(data, reduction),
                "memory is read before it is written"
            );
            fill_with(0xA5);
        }
    }
});

/// What is shown of an image: padding is left out.
fn decoded(data: &[u8], reduction: u32) -> Option<Vec<Vec<u8>>> {
    let info = probe::probe(data).ok()?;
    if u64::from(info.width) * u64::from(info.height) > checks::MAX_PIXELS {
        return None;
    }
    Some(
        match decode::decode(data, &info, reduction, decode::Form::Any)
            .ok()?
            .raster
        {
            Raster::Pixels(pixels) => vec![pixels.data],
            Raster::Planes(planes) => [&planes.luma]
                .into_iter()
                .chain(planes.chroma.iter().flat_map(|both| both.iter()))
                .map(|plane| {
                    plane
                        .data
                        .chunks(plane.stride as usize)
                        .take(plane.height as usize)
                        .flat_map(|row| &row[..plane.width as usize])
                        .copied()
                        .collect()
                })
                .collect(),
        },
    )
}

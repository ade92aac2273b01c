//! What the fuzz targets share.

pub mod checks;
pub mod memory;
pub mod panics;

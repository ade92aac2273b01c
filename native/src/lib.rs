//! Image core of the recognition gateway.
//!
//! From the outside in: [`limits`] decides whether a file may be sent on,
//! [`body`] writes the request that carries it, and [`decode`] and [`resize`]
//! turn it into pixels for the engines that run locally. Below them, [`probe`]
//! reads facts from headers, [`structure`] finds files that were cut short, and
//! `container` walks the segments and chunks of each format.
//!
//! Every byte of input is taken to be hostile: reads are bounds-checked,
//! arithmetic on lengths saturates, and each fault is an [`ImageError`].
//! Everything but `python` is plain Rust.

#![deny(unsafe_code)]

pub mod baseline;
pub mod body;
pub mod budget;
mod bytes;
pub mod color;
mod container;
pub mod decode;
pub mod encode;
mod error;
mod format;
mod halve;
pub mod limits;
pub mod orient;
pub mod prepare;
pub mod probe;
#[cfg(feature = "python")]
mod python;
pub mod raster;
pub mod resize;
pub mod strip;
pub mod structure;
pub mod vp8;

pub use error::ImageError;
pub use format::{ColorModel, Format, ImageInfo};

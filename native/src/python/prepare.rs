//! Preparation, for Python.

use std::panic::{AssertUnwindSafe, catch_unwind};

use numpy::PyArray3;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::ImageInfo;
use crate::budget;
use crate::encode::{self, EncodeError};
use crate::error::ImageError;
use crate::format::Format;
use crate::limits::{Limits, MAX_BASE64_CHARS, MAX_SIDE_PX, MIN_SIDE_PX};
use crate::prepare as core;
use crate::prepare::policy::{DEFAULT_MAX_PIXELS, DEFAULT_QUALITY};
use crate::prepare::{Alpha, Convert, Formats, Output};
use crate::raster::{Layout, PixelsRef};

/// What an operation takes, and what may be done to an image to make it fit.
#[pyclass(frozen, eq, module = "gateway._native")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy(core::Policy);

#[pymethods]
impl Policy {
    #[new]
    #[pyo3(signature = (
        *,
        formats = vec!["jpeg".into(), "png".into(), "bmp".into(), "webp".into()],
        min_side = MIN_SIDE_PX,
        max_side = MAX_SIDE_PX,
        max_base64 = MAX_BASE64_CHARS,
        target_side = 0,
        max_pixels = DEFAULT_MAX_PIXELS,
        fit = true,
        shrink = true,
        rotate = true,
        convert = "needed",
        strip = true,
        full_decode = false,
        alpha = "white",
        output = "auto",
        quality = DEFAULT_QUALITY,
    ))]
    #[expect(
        clippy::too_many_arguments,
        clippy::fn_params_excessive_bools,
        clippy::needless_pass_by_value,
        reason = "keyword arguments, each a decision of its own, as PyO3 extracts them"
    )]
    fn new(
        formats: Vec<String>,
        min_side: u32,
        max_side: u32,
        max_base64: usize,
        target_side: u32,
        max_pixels: u64,
        fit: bool,
        shrink: bool,
        rotate: bool,
        convert: &str,
        strip: bool,
        full_decode: bool,
        alpha: &str,
        output: &str,
        quality: u8,
    ) -> PyResult<Self> {
        if !(1..=100).contains(&quality) {
            return Err(PyValueError::new_err(format!(
                "quality is {quality}; it must be 1 to 100"
            )));
        }
        if min_side == 0 || min_side > max_side {
            return Err(PyValueError::new_err(format!(
                "min_side is {min_side} and max_side {max_side}; 1 <= min_side <= max_side must hold"
            )));
        }
        let formats = formats.iter().try_fold(Formats::none(), |set, name| {
            format(name).map(|it| set.with(it))
        })?;
        Ok(Self(core::Policy {
            limits: Limits {
                min_side_px: min_side,
                max_side_px: max_side,
                max_base64_chars: max_base64,
            },
            formats,
            target_side_px: target_side,
            max_pixels,
            fit,
            shrink,
            rotate,
            convert: match convert {
                "never" => Convert::Never,
                "needed" => Convert::Needed,
                "always" => Convert::Always,
                _ => return Err(unknown("convert", convert, "never, needed or always")),
            },
            strip,
            full_decode,
            alpha: match alpha {
                "white" => Alpha::White,
                "keep" => Alpha::Keep,
                _ => return Err(unknown("alpha", alpha, "white or keep")),
            },
            output: match output {
                "auto" => Output::Auto,
                "jpeg" => Output::Jpeg,
                "png" => Output::Png,
                _ => return Err(unknown("output", output, "auto, jpeg or png")),
            },
            quality,
        }))
    }
}

fn format(name: &str) -> PyResult<Format> {
    Formats::EVERY
        .into_iter()
        .find(|format| format.name() == name)
        .ok_or_else(|| unknown("format", name, "jpeg, png, bmp or webp"))
}

fn unknown(what: &str, measured: &str, allowed: &str) -> PyErr {
    PyValueError::new_err(format!("{what} is {measured:?}; it must be {allowed}"))
}

/// What has to be done to an image.
#[pyclass(frozen, module = "gateway._native")]
#[derive(Debug)]
pub(super) struct Plan(core::Plan);

#[pymethods]
impl Plan {
    #[getter]
    fn info(&self) -> ImageInfo {
        ImageInfo(self.0.info)
    }

    #[getter]
    fn width(&self) -> u32 {
        self.0.size.0
    }

    #[getter]
    fn height(&self) -> u32 {
        self.0.size.1
    }

    #[getter]
    fn conversions(&self) -> Vec<&'static str> {
        self.0.conversions()
    }

    #[getter]
    fn changes_pixels(&self) -> bool {
        self.0.changes_pixels()
    }

    #[getter]
    fn is_too_long(&self) -> bool {
        self.0.is_too_long
    }

    #[getter]
    fn memory(&self) -> u64 {
        self.0.memory()
    }
}

/// A file to send, and what was done to get there.
#[pyclass(frozen, module = "gateway._native")]
#[derive(Debug)]
pub(super) struct Prepared {
    #[pyo3(get)]
    info: Py<ImageInfo>,
    #[pyo3(get)]
    data: Option<Py<PyBytes>>,
    #[pyo3(get)]
    format: &'static str,
    #[pyo3(get)]
    width: u32,
    #[pyo3(get)]
    height: u32,
    #[pyo3(get)]
    orientation: u8,
    #[pyo3(get)]
    actions: Vec<(&'static str, String)>,
}

impl Prepared {
    fn new(py: Python<'_>, prepared: core::Prepared) -> PyResult<Self> {
        Ok(Self {
            info: Py::new(py, ImageInfo(prepared.info))?,
            data: prepared.data.map(|data| PyBytes::new(py, &data).unbind()),
            format: prepared.format.name(),
            width: prepared.width,
            height: prepared.height,
            orientation: prepared.orientation,
            actions: prepared
                .actions
                .iter()
                .map(|action| (action.name(), action.to_string()))
                .collect(),
        })
    }
}

/// Decides what has to be done to an image, without decoding it.
#[pyfunction]
#[pyo3(signature = (data, policy, /))]
pub(super) fn plan(py: Python<'_>, data: &Bound<'_, PyBytes>, policy: &Policy) -> PyResult<Plan> {
    let data = data.as_bytes();
    Ok(Plan(contained(py, || core::plan(data, &policy.0))?))
}

/// Makes an image fit, or says why it cannot.
#[pyfunction]
#[pyo3(signature = (data, policy, /))]
pub(super) fn prepare(
    py: Python<'_>,
    data: &Bound<'_, PyBytes>,
    policy: &Policy,
) -> PyResult<Prepared> {
    let data = data.as_bytes();
    let prepared = contained(py, || core::prepare(data, &policy.0))?;
    Prepared::new(py, prepared)
}

/// Makes an image fit, and gives the pixels that would be written.
#[pyfunction]
#[pyo3(signature = (data, policy, /))]
pub(super) fn prepare_array<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
    policy: &Policy,
) -> PyResult<(Bound<'py, PyArray3<u8>>, Prepared)> {
    let data = data.as_bytes();
    let (pixels, prepared) = contained(py, || core::prepare_array(data, &policy.0))?;
    Ok((super::array(py, pixels)?, Prepared::new(py, prepared)?))
}

/// Runs `work` without the GIL. `PyO3` makes a `BaseException` of a panic, which
/// the handlers of a server let through.
fn contained<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T, ImageError> + Send,
) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    Ok(outcome.map_err(|_| PyRuntimeError::new_err("the image core failed"))??)
}

/// Makes pixels that somebody else decoded fit.
#[pyfunction]
#[pyo3(signature = (pixels, width, height, policy, /, *, what, size))]
pub(super) fn prepare_pixels(
    py: Python<'_>,
    pixels: &Bound<'_, PyBytes>,
    width: u32,
    height: u32,
    policy: &Policy,
    what: &str,
    size: usize,
) -> PyResult<Prepared> {
    let data = pixels.as_bytes();
    let area = u64::from(width) * u64::from(height);
    let layout = [Layout::Rgb, Layout::Rgba]
        .into_iter()
        .find(|layout| area * layout.channels() as u64 == data.len() as u64)
        .filter(|_| area > 0)
        .ok_or_else(|| {
            PyValueError::new_err(format!(
                "{} bytes are not {width}x{height} pixels of 3 or 4",
                data.len()
            ))
        })?;
    let pixels = PixelsRef {
        width,
        height,
        layout,
        data,
    };
    let prepared = contained(py, || core::prepare_pixels(pixels, what, size, &policy.0))?;
    Prepared::new(py, prepared)
}

/// Writes RGB pixels as a file.
#[pyfunction(name = "encode")]
#[pyo3(signature = (pixels, width, height, /, *, format, quality = 95))]
pub(super) fn encode_pixels<'py>(
    py: Python<'py>,
    pixels: &Bound<'py, PyBytes>,
    width: u32,
    height: u32,
    format: &str,
    quality: u8,
) -> PyResult<Bound<'py, PyBytes>> {
    let data = pixels.as_bytes();
    let area = u64::from(width) * u64::from(height);
    if area == 0 || area * Layout::Rgb.channels() as u64 != data.len() as u64 {
        return Err(PyValueError::new_err(format!(
            "{} bytes are not {width}x{height} pixels of 3",
            data.len()
        )));
    }
    if !(1..=100).contains(&quality) {
        return Err(PyValueError::new_err(format!(
            "quality is {quality}; it must be 1 to 100"
        )));
    }
    let work = || match format {
        "jpeg" => encode::rgb_as_jpeg(data, width, height, quality),
        "png" => encode::rgb_as_png(data, width, height),
        _ => Err(EncodeError::new(&format_args!(
            "{format:?} is not a format that is written"
        ))),
    };
    let file = py
        .detach(|| catch_unwind(AssertUnwindSafe(work)))
        .map_err(|_| PyRuntimeError::new_err("the image core failed"))?
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(PyBytes::new(py, &file))
}

/// Bounds the memory of all decodes in flight.
#[pyfunction]
#[pyo3(signature = (limit, /))]
pub(super) fn set_memory_limit(limit: u64) {
    budget::DECODES.set_limit(limit);
}

/// The bound, and what is in use, in bytes.
#[pyfunction]
pub(super) fn memory() -> (u64, u64) {
    (budget::DECODES.limit(), budget::DECODES.used())
}

//! The Python module `gateway._native`.
//!
//! Functions take `bytes` only. They are immutable, so the GIL can be released
//! while Rust reads them; a `bytearray` could change underneath.

mod bytes;
mod prepare;

use numpy::{PyArray1, PyArray3, PyArrayMethods};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::limits::{self, Limits, MAX_BASE64_CHARS, MAX_SIDE_PX, MIN_SIDE_PX};
use crate::raster::Pixels;
use crate::{body, decode, error, format, probe};

create_exception!(
    gateway._native,
    ImageError,
    PyValueError,
    "An image was refused."
);

impl From<error::ImageError> for PyErr {
    fn from(error: error::ImageError) -> Self {
        let message = error.to_string();
        let raised = ImageError::new_err(message.clone());
        Python::attach(|py| {
            let value = raised.value(py);
            value.setattr("kind", error.kind())?;
            value.setattr("message", message)?;
            value.setattr("measured", error.measured())?;
            value.setattr("allowed", error.allowed())
        })
        // An attribute that cannot be set is out of memory: raise that instead.
        .map_or_else(|failure| failure, |()| raised)
    }
}

/// What the headers of an image say.
#[pyclass(frozen, eq, hash, module = "gateway._native")]
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ImageInfo(format::ImageInfo);

#[pymethods]
impl ImageInfo {
    #[getter]
    fn format(&self) -> &'static str {
        self.0.format.name()
    }

    #[getter]
    fn encoding(&self) -> &'static str {
        self.0.encoding
    }

    #[getter]
    fn width(&self) -> u32 {
        self.0.width
    }

    #[getter]
    fn height(&self) -> u32 {
        self.0.height
    }

    #[getter]
    fn display_width(&self) -> u32 {
        self.0.display_size().0
    }

    #[getter]
    fn display_height(&self) -> u32 {
        self.0.display_size().1
    }

    #[getter]
    fn bit_depth(&self) -> u8 {
        self.0.bit_depth
    }

    #[getter]
    fn color(&self) -> &'static str {
        self.0.color.name()
    }

    #[getter]
    fn orientation(&self) -> u8 {
        self.0.orientation
    }

    #[getter]
    fn has_alpha(&self) -> bool {
        self.0.has_alpha
    }

    #[getter]
    fn is_animated(&self) -> bool {
        self.0.is_animated
    }

    fn __repr__(&self) -> String {
        let python_bool = |value| if value { "True" } else { "False" };
        format!(
            "ImageInfo(format='{}', encoding='{}', width={}, height={}, bit_depth={}, \
             color='{}', orientation={}, has_alpha={}, is_animated={})",
            self.format(),
            self.0.encoding,
            self.0.width,
            self.0.height,
            self.0.bit_depth,
            self.color(),
            self.0.orientation,
            python_bool(self.0.has_alpha),
            python_bool(self.0.is_animated),
        )
    }
}

/// Reads what the headers of an image say.
#[pyfunction]
#[pyo3(name = "probe", signature = (data, /))]
fn py_probe(py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<ImageInfo> {
    let data = data.as_bytes();
    Ok(ImageInfo(py.detach(|| probe::probe(data))?))
}

/// Checks all that can be checked of an image without decoding it.
#[pyfunction]
#[pyo3(signature = (data, /, *, min_side = MIN_SIDE_PX, max_side = MAX_SIDE_PX, max_base64 = MAX_BASE64_CHARS))]
fn validate(
    py: Python<'_>,
    data: &Bound<'_, PyBytes>,
    min_side: u32,
    max_side: u32,
    max_base64: usize,
) -> PyResult<ImageInfo> {
    let data = data.as_bytes();
    let limits = Limits {
        min_side_px: min_side,
        max_side_px: max_side,
        max_base64_chars: max_base64,
    };
    Ok(ImageInfo(py.detach(|| limits::validate(data, &limits))?))
}

/// Writes the JSON body of a request, straight into the object returned.
#[pyfunction]
#[pyo3(signature = (image, fields, /))]
fn request_body<'py>(
    py: Python<'py>,
    image: &Bound<'py, PyBytes>,
    fields: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let value_error = |error: body::BodyError| PyValueError::new_err(error.to_string());
    let body = body::Body::new(image.as_bytes(), fields).map_err(value_error)?;
    bytes::new_filled(py, body.len(), |room| {
        py.detach(|| body.write(room)).map_err(value_error)
    })
}

/// Length of `n` bytes in base64, in characters.
#[pyfunction]
#[pyo3(signature = (n, /))]
fn base64_length(n: usize) -> usize {
    body::base64_len(n)
}

/// Decodes an image into an array of its rows, columns and RGB.
#[pyfunction]
#[pyo3(signature = (data, /))]
fn decode_rgb<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyBytes>,
) -> PyResult<Bound<'py, PyArray3<u8>>> {
    let data = data.as_bytes();
    let pixels = py.detach(|| decode::decode_rgb8(data, &decoding_limits()))?;
    array(py, pixels)
}

/// The pixels as an array that owns them: nothing is copied.
fn array(py: Python<'_>, pixels: Pixels) -> PyResult<Bound<'_, PyArray3<u8>>> {
    let shape = [
        pixels.height as usize,
        pixels.width as usize,
        pixels.layout.channels(),
    ];
    PyArray1::from_vec(py, pixels.data).reshape(shape)
}

/// Decoding is bounded by memory: what is too small for the service is not too
/// small to look at.
fn decoding_limits() -> Limits {
    Limits {
        min_side_px: 1,
        ..Limits::default()
    }
}

#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("MIN_SIDE", MIN_SIDE_PX)?;
    module.add("MAX_SIDE", MAX_SIDE_PX)?;
    module.add("MAX_BASE64", MAX_BASE64_CHARS)?;
    module.add("ImageError", module.py().get_type::<ImageError>())?;
    module.add_class::<ImageInfo>()?;
    module.add_function(wrap_pyfunction!(py_probe, module)?)?;
    module.add_function(wrap_pyfunction!(validate, module)?)?;
    module.add_function(wrap_pyfunction!(request_body, module)?)?;
    module.add_function(wrap_pyfunction!(base64_length, module)?)?;
    module.add_function(wrap_pyfunction!(decode_rgb, module)?)?;
    module.add_class::<prepare::Policy>()?;
    module.add_class::<prepare::Plan>()?;
    module.add_class::<prepare::Prepared>()?;
    module.add_function(wrap_pyfunction!(prepare::plan, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::prepare, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::prepare_array, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::prepare_pixels, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::encode_pixels, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::set_memory_limit, module)?)?;
    module.add_function(wrap_pyfunction!(prepare::memory, module)?)?;
    Ok(())
}

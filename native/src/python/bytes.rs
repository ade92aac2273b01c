//! Python `bytes` that are filled while they are made.
//!
//! The one place with `unsafe`: `PyO3` fills new objects with zeros as a whole
//! before it lends them, which for large ones takes as long as encoding does.

use std::mem::MaybeUninit;
use std::slice;

use pyo3::exceptions::PySystemError;
use pyo3::prelude::*;
use pyo3::{ffi, types::PyBytes};

use crate::body::Room;

/// Memory that is initialised as it is handed out.
pub(super) struct Fresh<'a>(&'a mut [MaybeUninit<u8>]);

impl Room for Fresh<'_> {
    fn next(&mut self, len: usize) -> Option<&mut [u8]> {
        let part = self.0.split_off_mut(..len)?;
        part.fill(MaybeUninit::new(0));
        #[expect(unsafe_code, reason = "see the module")]
        // SAFETY: every element of `part` was written just now.
        let part = unsafe { part.assume_init_mut() };
        Some(part)
    }
}

/// A new object of `len` bytes, all of which `fill` has to take.
pub(super) fn new_filled(
    py: Python<'_>,
    len: usize,
    fill: impl FnOnce(&mut Fresh<'_>) -> PyResult<()>,
) -> PyResult<Bound<'_, PyBytes>> {
    let size = ffi::Py_ssize_t::try_from(len)?;
    #[expect(unsafe_code, reason = "see the module")]
    // SAFETY: with a null pointer this returns a new reference to an object of
    // `size` uninitialised bytes, or null and an exception; no other code has
    // seen the object when its memory is lent, and it stays alive meanwhile.
    let (object, mut room) = unsafe {
        let pointer = ffi::PyBytes_FromStringAndSize(std::ptr::null(), size);
        let object = Bound::from_owned_ptr_or_err(py, pointer)?.cast_into_unchecked::<PyBytes>();
        let memory = ffi::PyBytes_AsString(pointer).cast::<MaybeUninit<u8>>();
        (object, Fresh(slice::from_raw_parts_mut(memory, len)))
    };
    fill(&mut room)?;
    if room.0.is_empty() {
        Ok(object)
    } else {
        Err(PySystemError::new_err("a new object was not filled"))
    }
}

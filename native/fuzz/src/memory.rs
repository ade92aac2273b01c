//! An allocator that fills what it hands out, so that memory which is read
//! before it is written shows: two runs with two fillings then differ. It also
//! knows how much is in use.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed};

/// See the module.
#[derive(Debug)]
pub struct Filling;

static FILL: AtomicU8 = AtomicU8::new(0);
static USED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Chooses the byte that new memory is filled with; 0 leaves it as it is.
pub fn fill_with(byte: u8) {
    FILL.store(byte, Relaxed);
}

/// Starts measuring anew, and says how many bytes are in use.
pub fn start() -> usize {
    let used = USED.load(Relaxed);
    PEAK.store(used, Relaxed);
    used
}

/// The most bytes in use at a time since [`start`].
pub fn peak() -> usize {
    PEAK.load(Relaxed)
}

fn add(bytes: usize) {
    let used = USED.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(used, Relaxed);
}

// SAFETY: everything is left to `System`; what it handed out is filled within
// the bounds that were asked for.
unsafe impl GlobalAlloc for Filling {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let memory = unsafe { System.alloc(layout) };
        let fill = FILL.load(Relaxed);
        if !memory.is_null() {
            add(layout.size());
            if fill != 0 {
                unsafe { memory.write_bytes(fill, layout.size()) };
            }
        }
        memory
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let memory = unsafe { System.alloc_zeroed(layout) };
        if !memory.is_null() {
            add(layout.size());
        }
        memory
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let grown = unsafe { System.realloc(memory, layout, size) };
        if grown.is_null() {
            return grown;
        }
        USED.fetch_sub(layout.size(), Relaxed);
        add(size);
        let fill = FILL.load(Relaxed);
        if fill != 0 && size > layout.size() {
            unsafe {
                grown
                    .add(layout.size())
                    .write_bytes(fill, size - layout.size());
            }
        }
        grown
    }
}

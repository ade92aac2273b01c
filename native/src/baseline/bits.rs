//! The bits of entropy-coded segments (ITU-T T.81, B.1.1.5 and F.2.2.5).
//!
//! Segments are unstuffed ahead of the reading, a stretch at a time into a buffer
//! that stays in the first-level cache. The reader then needs to know neither of
//! stuffing nor of markers nor, within an MCU, of the end: bytes are at hand for the
//! longest MCU there is, and [`Bits::is_overrun`] tells afterwards whether bits
//! past the end were among those taken. What lies there is left over from before;
//! it has no influence on what is decoded of a segment that is whole.

#![expect(
    clippy::inline_always,
    reason = "the state has to stay in registers from one symbol to the next"
)]

/// Length of the buffer.
const SIZE: usize = 1 << 14;

/// Most bytes that the blocks of one MCU take: 10 blocks (B.2.3) of a coefficient of
/// DC with up to 27 bits, and 63 of AC with up to 26.
const LONGEST_MCU: usize = 10 * (27 + 63 * 26) / 8 + 1;

/// How much of the buffer is filled: behind it, there is an MCU's worth of something that
/// can be read in error.
const FILL: usize = SIZE - LONGEST_MCU - 2 * STEP;

/// Bytes of which the window is filled at once.
const STEP: usize = 8;

/// Bits that are in the window at the least after [`Bits::refill`].
pub(super) const FILLED: u32 = 56;

/// A segment being read.
#[derive(Debug)]
pub(super) struct Segment<'a> {
    /// What has not been unstuffed; at `is_complete` it starts with the marker.
    rest: &'a [u8],
    buffer: Box<[u8; SIZE]>,
    /// How many bytes of the buffer are of the segment.
    end: usize,
    /// Whether the last byte of the segment is in the buffer.
    is_complete: bool,
    bits: Position,
}

/// Where in the buffer the reading is.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    /// The bits to be decoded next, from the top down. Below the `count`th lie
    /// zeros, or the bits that follow.
    window: u64,
    /// How many bits of `window` count, less than 64.
    count: u32,
    /// Index of the byte that follows on those bits.
    next: usize,
}

/// The reader of a block, copied out of the segment and back so that its fields
/// live in registers.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    position: Position,
    buffer: &'a [u8; SIZE],
}

impl Bits<'_> {
    /// The next bits, from the top down.
    #[inline(always)]
    pub(super) const fn window(&self) -> u64 {
        self.position.window
    }

    /// Fills the window to at least [`FILLED`] bits, without a branch that would
    /// depend on how many there are.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        let Position {
            window,
            count,
            next,
        } = &mut self.position;
        let bytes = self.buffer.get(*next..*next + STEP);
        if let Some(bytes) = bytes.and_then(<[u8]>::first_chunk) {
            *window |= u64::from_be_bytes(*bytes) >> *count;
            *next += ((63 - *count) >> 3) as usize;
            *count |= FILLED;
        }
    }

    /// Goes on by the low 6 bits of `length`, of which there must be as many.
    #[inline(always)]
    pub(super) const fn skip(&mut self, length: u32) {
        self.position.window <<= length & 63;
        self.position.count = self.position.count.wrapping_sub(length & 63) & 63;
    }
}

impl<'a> Segment<'a> {
    /// The segment at the start of `data`.
    pub(super) fn new(data: &'a [u8]) -> Self {
        let mut segment = Self {
            rest: data,
            buffer: Box::new([0; SIZE]),
            end: 0,
            is_complete: false,
            bits: Position::default(),
        };
        segment.fill();
        segment
    }

    /// Has `read` take a block.
    #[inline(always)]
    pub(super) fn read<T>(&mut self, read: impl FnOnce(&mut Bits<'_>) -> T) -> T {
        let mut bits = Bits {
            position: self.bits,
            buffer: &self.buffer,
        };
        let result = read(&mut bits);
        self.bits = bits.position;
        result
    }

    /// To be called before each MCU.
    #[inline(always)]
    pub(super) fn prepare(&mut self) {
        if !self.is_complete && self.end < self.bits.next + LONGEST_MCU + STEP {
            self.fill();
        }
    }

    /// Whether more bits were taken than the segment has.
    #[inline(always)]
    pub(super) const fn is_overrun(&self) -> bool {
        self.taken() > self.end * 8
    }

    /// Leaves the segment, of which nothing but padding may be left: what follows,
    /// from the marker on.
    pub(super) fn finish(&mut self) -> Option<&'a [u8]> {
        if !self.is_complete {
            // The marker may be the next that there is.
            self.fill();
        }
        let is_at_end = self.is_complete && self.end * 8 < self.taken() + 8;
        (is_at_end && !self.is_overrun()).then_some(self.rest)
    }

    /// Goes on with the segment at the start of `data`.
    pub(super) fn restart(&mut self, data: &'a [u8]) {
        self.rest = data;
        self.end = 0;
        self.is_complete = false;
        self.bits = Position::default();
        self.fill();
    }

    /// Bits of the buffer that have been decoded.
    const fn taken(&self) -> usize {
        (self.bits.next * 8).saturating_sub(self.bits.count as usize)
    }

    /// Drops from the buffer what has been read and fills it up.
    #[cold]
    fn fill(&mut self) {
        // What the window was filled with is kept, so that an overrun shows.
        let start = self.bits.next.saturating_sub(STEP).min(self.end);
        self.buffer.copy_within(start..self.end, 0);
        self.end -= start;
        self.bits.next -= start;
        let (space, _) = self.buffer.split_at_mut(FILL);
        let mut input = self.rest;
        while let (Some(bytes), Some(place)) = (
            input.first_chunk::<STEP>(),
            space.get_mut(self.end..self.end + STEP),
        ) {
            place.copy_from_slice(bytes);
            let plain = plain_bytes(u64::from_le_bytes(*bytes));
            self.end += plain;
            input = input.get(plain..).unwrap_or_default();
            if plain < STEP {
                let [0xff, 0, rest @ ..] = input else {
                    break;
                };
                // The byte itself has been copied.
                self.end += 1;
                input = rest;
            }
        }
        // Up to the marker, or the last bytes of the file.
        while let Some(place) = space.get_mut(self.end) {
            (*place, input) = match input {
                [0xff, 0, rest @ ..] => (0xff, rest),
                [] | [0xff, ..] => {
                    self.is_complete = true;
                    break;
                }
                [byte, rest @ ..] => (*byte, rest),
            };
            self.end += 1;
        }
        self.rest = input;
    }
}

/// How many bytes come before the first 0xff, from the lowest on; at most 8.
#[inline(always)]
const fn plain_bytes(bytes: u64) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // The lowest bit that is set is that of the first; above it there may be errors.
    let inverse = !bytes;
    let found = inverse.wrapping_sub(ONES) & !inverse & (ONES << 7);
    (found.trailing_zeros() / 8) as usize
}

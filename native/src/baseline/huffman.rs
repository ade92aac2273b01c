//! Huffman codes (ITU-T T.81, annex C and F.2.2) and the coefficients they code.

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "indices are shifted or masked to the lengths of the tables, and fields to theirs"
)]
#![expect(
    clippy::inline_always,
    reason = "the state has to stay in registers from one symbol to the next"
)]

use super::bits::Bits;
use super::transform::{Scale, Sums, Weights};

/// Bits that the table is indexed by.
const LOOKUP_BITS: u32 = 12;

/// Longest code.
const LONGEST: usize = 16;

/// Step to the next coefficient that ends the block, whichever the last was.
const STEP_TO_END: u16 = 63;

/// What a code stands for:
///
/// - bits 0 to 5: the length of it and the value after it together, at most 27,
/// - bits 6 to 9: the size of the value in bits,
/// - bits 10 to 15: the distance from the last coefficient.
type Entry = u16;

const END_OF_BLOCK: Entry = STEP_TO_END << 10;

/// Ends the block as well, but is of no length.
const INVALID: Entry = END_OF_BLOCK;

/// In place of the entry of a code that is longer than the index.
const LONGER: Entry = 0;

/// For each size the bits of a value.
const MASKS: [u32; 16] = {
    let mut masks = [0; 16];
    let mut size = 0;
    while size < masks.len() {
        masks[size] = (1 << size) - 1;
        size += 1;
    }
    masks
};

/// What a table codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Sizes of differences (F.1.2.1).
    Dc,
    /// Runs and sizes (F.1.2.2).
    Ac,
}

impl Class {
    /// The entry of `symbol` with a code of `length`.
    const fn entry(self, symbol: u8, length: u32) -> Entry {
        let (run, size) = ((symbol >> 4) as u16, (symbol & 15) as u16);
        let length = length as u16;
        match (self, run, size) {
            (Self::Ac, 0, 0) => END_OF_BLOCK | length,
            (Self::Dc, 0, 0..=11) | (Self::Ac, _, 1..=10) | (Self::Ac, 15, 0) => {
                (run + 1) << 10 | size << 6 | (length + size)
            }
            _ => INVALID,
        }
    }
}

/// A code.
#[derive(Debug, Clone)]
pub(super) struct Table {
    lookup: [Entry; 1 << LOOKUP_BITS],
    /// For each length the first code that is longer, as the top of 16 bits.
    limits: [u32; LONGEST + 1],
    /// For each length what is added to its codes to give an index of `entries`.
    offsets: [i32; LONGEST + 1],
    /// What the codes stand for, in their order.
    entries: [Entry; 256],
}

impl Table {
    /// The code with `counts` codes of each length (C.2). `None` where there are too
    /// many.
    pub(super) fn new(class: Class, counts: [u8; LONGEST], symbols: &[u8]) -> Option<Box<Self>> {
        let mut table = Box::new(Self {
            lookup: [LONGER; 1 << LOOKUP_BITS],
            limits: [0; LONGEST + 1],
            offsets: [0; LONGEST + 1],
            entries: [INVALID; 256],
        });
        let mut entries = table.entries.iter_mut().zip(symbols);
        // The next code, as the top of 16 bits, and its index.
        let (mut code, mut next) = (0_u32, 0_i32);
        for (length, count) in (1_u32..).zip(counts) {
            let unit = 1 << (LONGEST as u32 - length);
            table.offsets[length as usize] = next - (code / unit) as i32;
            for (place, symbol) in entries.by_ref().take(usize::from(count)) {
                *place = class.entry(*symbol, length);
                if length <= LOOKUP_BITS {
                    let start = (code >> (LONGEST as u32 - LOOKUP_BITS)) as usize;
                    let end = start + (1 << (LOOKUP_BITS - length));
                    table.lookup.get_mut(start..end)?.fill(*place);
                }
                code += unit;
                next += 1;
            }
            if code > 1 << LONGEST {
                return None;
            }
            table.limits[length as usize] = code;
        }
        Some(table)
    }

    /// What `window` starts with.
    #[inline(always)]
    fn get(&self, window: u64) -> u32 {
        let entry = self.lookup[(window >> (64 - LOOKUP_BITS)) as usize];
        u32::from(if entry == LONGER {
            self.search(window)
        } else {
            entry
        })
    }

    /// What `window` starts with, of which the code is longer than the index.
    #[cold]
    #[inline(never)]
    fn search(&self, window: u64) -> Entry {
        let bits = (window >> 48) as u32;
        for length in LOOKUP_BITS + 1..=LONGEST as u32 {
            if bits < self.limits[length as usize] {
                let code = (bits >> (LONGEST as u32 - length)) as i32;
                return self.entries[(code + self.offsets[length as usize]) as usize & 255];
            }
        }
        INVALID
    }
}

/// The value after the code of `entry`, which `window` starts with.
#[inline(always)]
const fn value(entry: u32, window: u64) -> i32 {
    let mask = MASKS[(entry >> 6 & 15) as usize];
    // Shifted by 64 less the length, which is never 0 if there is a value.
    let bits = (window >> (entry.wrapping_neg() & 63)) as u32 & mask;
    // EXTEND (F.2.2.1): those whose first bit is 0 are the negative ones.
    let excess = if bits <= mask >> 1 { mask } else { 0 };
    bits.wrapping_sub(excess) as i32
}

/// Reads the difference of a DC coefficient (F.2.2.1).
#[inline(always)]
pub(super) fn read_dc(bits: &mut Bits<'_>, table: &Table) -> Option<i32> {
    bits.refill();
    let entry = table.get(bits.window());
    let value = value(entry, bits.window());
    bits.skip(entry);
    (entry != u32::from(INVALID)).then_some(value)
}

/// Reads the AC coefficients of a block (F.2.2.2) and adds them to `lane` of
/// `sums`. `None` where they are not valid.
#[inline(always)]
pub(super) fn read_ac<S: Scale>(
    bits: &mut Bits<'_>,
    table: &Table,
    weights: &Weights,
    sums: &mut Sums,
    lane: usize,
) -> Option<()> {
    let mut place = 0;
    let mut entry;
    loop {
        bits.refill();
        // Two take 52 bits at the most, which is what a refill gives.
        entry = read_one::<S>(bits, table, weights, sums, lane, &mut place);
        if place >= 63 {
            break;
        }
        entry = read_one::<S>(bits, table, weights, sums, lane, &mut place);
        if place >= 63 {
            break;
        }
    }
    let is_end = place == 63 || entry >> 10 == u32::from(STEP_TO_END);
    (is_end && entry != u32::from(INVALID)).then_some(())
}

/// Reads a coefficient, and returns the entry of its code.
#[inline(always)]
fn read_one<S: Scale>(
    bits: &mut Bits<'_>,
    table: &Table,
    weights: &Weights,
    sums: &mut Sums,
    lane: usize,
    place: &mut u32,
) -> u32 {
    let window = bits.window();
    let entry = table.get(window);
    bits.skip(entry);
    *place += entry >> 10;
    if S::HAS_AC {
        sums.add(weights, lane, *place, value(entry, window));
    }
    entry
}

//! The boolean entropy decoder (RFC 6386, section 7).

#![expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the tables cover all indices of 8 bits, and no shift exceeds 7"
)]
#![expect(
    clippy::inline_always,
    reason = "the state has to stay in registers from one symbol to the next"
)]

/// Length of a step of [`BoolDecoder::refill`] in bytes: with fewer than 8 bits
/// left in the window, 7 bytes always fit.
const STEP: usize = 7;

/// Reads symbols from one partition.
///
/// Copied into a local and back by what reads many symbols, so that its fields
/// live in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct BoolDecoder<'a> {
    rest: &'a [u8],
    /// The bits to be decoded next, from the top down. Below the `count`th lie
    /// zeros, or the bits that follow in the partition.
    window: u64,
    /// How many bits of `window` have been read from the partition.
    count: u32,
    /// The interval (`range` in the RFC) less one, 127 to 254 between symbols.
    range: u32,
    is_exhausted: bool,
}

impl<'a> BoolDecoder<'a> {
    pub(super) const fn new(partition: &'a [u8]) -> Self {
        Self {
            rest: partition,
            window: 0,
            count: 0,
            range: 254,
            is_exhausted: false,
        }
    }

    /// Whether a symbol needed bits past the end of the partition. Those were
    /// taken to be zero. An encoder writes out all the 8 bits that a decoder
    /// compares, so this does not happen in a whole file.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }

    /// A symbol that is `false` with a probability of `probability / 256`.
    #[inline(always)]
    pub(super) fn bit(&mut self, probability: u8) -> bool {
        if self.count < 8 {
            self.refill();
        }
        let split = (self.range * u32::from(probability)) >> 8;
        let above = u64::from(split + 1) << 56;
        if (self.window >> 56) > u64::from(split) {
            self.window -= above;
            self.normalise(self.range - split - 1);
            true
        } else {
            self.normalise(split);
            false
        }
    }

    /// `magnitude`, negated if the next symbol, of even odds, says so.
    ///
    /// Without a branch, which could not be predicted. At even odds either part
    /// of the interval is shifted by one bit, since the interval is shorter than
    /// 255 after the first symbol of a partition, and that is not a sign.
    #[inline(always)]
    pub(super) fn signed(&mut self, magnitude: i32) -> i32 {
        if self.count < 8 {
            self.refill();
        }
        let above = u64::from((self.range >> 1) + 1) << 56;
        let is_negative = self.window >= above;
        self.window -= if is_negative { above } else { 0 };
        self.window <<= 1;
        self.count -= 1;
        self.range = (self.range - u32::from(is_negative)) | 1;
        let mask = -i32::from(is_negative);
        (magnitude ^ mask) - mask
    }

    /// An unsigned number of `bits` bits, the first being the highest.
    pub(super) fn literal(&mut self, bits: u32) -> u8 {
        (0..bits).fold(0, |value, _| (value << 1) | u8::from(self.bit(128)))
    }

    /// A flag, and if it is set a number of `bits` bits and its sign.
    pub(super) fn optional_signed(&mut self, bits: u32) -> Option<i32> {
        self.bit(128).then(|| {
            let magnitude = i32::from(self.literal(bits));
            if self.bit(128) { -magnitude } else { magnitude }
        })
    }

    /// Goes on with the interval `range + 1`, widened to at least 128.
    #[inline(always)]
    fn normalise(&mut self, range: u32) {
        // At most 254: the mask but tells the compiler that it is in bounds.
        let index = (range & 255) as usize;
        let shift = SHIFTS[index];
        self.range = u32::from(WIDENED[index]);
        self.window <<= shift;
        self.count -= u32::from(shift);
    }

    /// Called with fewer than 8 bits left.
    #[inline(always)]
    fn refill(&mut self) {
        if let (Some(bytes), Some(rest)) = (self.rest.first_chunk(), self.rest.get(STEP..)) {
            self.window |= u64::from_be_bytes(*bytes) >> self.count;
            self.count += 56;
            self.rest = rest;
        } else {
            let (window, bits) = last_bytes(self.rest);
            self.window |= window >> self.count;
            self.is_exhausted |= bits == 0;
            // Zeros follow the end, for as long as it takes to notice it.
            self.count += if bits == 0 { 56 } else { bits };
            self.rest = self.rest.get(STEP..).unwrap_or_default();
        }
    }
}

/// Up to [`STEP`] bytes, from the top down, and how many bits they are.
#[cold]
fn last_bytes(rest: &[u8]) -> (u64, u32) {
    (rest.iter().take(STEP)).fold((0, 0), |(window, bits), &byte| {
        (window | (u64::from(byte) << (56 - bits)), bits + 8)
    })
}

/// By how many bits to shift an interval, given less one, up to at least 128. Looked
/// up since counting leading zeros is slow without the instructions of later CPUs.
static SHIFTS: [u8; 256] = {
    let mut shifts = [0; 256];
    let mut range = 0_u8;
    while range < 127 {
        shifts[range as usize] = (range + 1).leading_zeros() as u8;
        range += 1;
    }
    shifts
};

/// That interval, less one, after the shift.
static WIDENED: [u8; 256] = {
    let mut widened = [255; 256];
    let mut range = 0_u8;
    while range < 255 {
        let shift = SHIFTS[range as usize];
        widened[range as usize] = ((range + 1) << shift) - 1;
        range += 1;
    }
    widened
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The boolean encoder of RFC 6386, section 7.3, with an unbounded bottom.
    fn encode(symbols: &[(bool, u8)]) -> Vec<u8> {
        let mut bottom: Vec<u8> = vec![];
        let (mut low, mut range, mut count) = (0_u32, 255_u32, 24_i32);
        let carry = |bytes: &mut Vec<u8>| {
            for byte in bytes.iter_mut().rev() {
                *byte = byte.wrapping_add(1);
                if *byte != 0 {
                    break;
                }
            }
        };
        let mut shift_one = |low: &mut u32, bottom: &mut Vec<u8>| {
            if *low & (1 << 31) != 0 {
                carry(bottom);
            }
            *low <<= 1;
            count -= 1;
            if count == 0 {
                bottom.push((*low >> 24) as u8);
                *low &= (1 << 24) - 1;
                count = 8;
            }
        };
        for &(symbol, probability) in symbols {
            let split = 1 + (((range - 1) * u32::from(probability)) >> 8);
            if symbol {
                low = low.wrapping_add(split);
                range -= split;
            } else {
                range = split;
            }
            while range < 128 {
                range <<= 1;
                shift_one(&mut low, &mut bottom);
            }
        }
        for _ in 0..32 {
            shift_one(&mut low, &mut bottom);
        }
        bottom
    }

    #[test]
    fn decodes_what_the_encoder_of_the_rfc_writes() {
        let mut state = 1_u32;
        let symbols: Vec<_> = (0..5_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let probability = (state >> 8) as u8;
                ((state >> 16) as u8 >= probability, probability)
            })
            .collect();
        let coded = encode(&symbols);
        let mut decoder = BoolDecoder::new(&coded);
        for (index, &(symbol, probability)) in symbols.iter().enumerate() {
            assert_eq!(decoder.bit(probability), symbol, "{index}");
        }
        assert!(!decoder.is_exhausted());
    }

    #[test]
    fn a_sign_is_a_symbol_of_even_odds() {
        let coded = b"any bytes will do for this, if there are enough of them";
        let [mut signs, mut bits] = [BoolDecoder::new(coded); 2];
        // The first symbol of a partition is not a sign.
        assert_eq!(signs.bit(99), bits.bit(99));
        for probability in 0..=255 {
            assert_eq!(signs.signed(7) < 0, bits.bit(128), "{probability}");
            assert_eq!(signs.bit(probability), bits.bit(probability));
        }
    }

    #[test]
    fn reading_past_the_end_is_noticed() {
        let mut decoder = BoolDecoder::new(&[0; 2]);
        for _ in 0..10 {
            assert!(!decoder.bit(128));
            assert!(!decoder.is_exhausted());
        }
        // All but the first took a bit. A symbol needs 8, and 7 are left.
        assert!(!decoder.bit(128));
        assert!(decoder.is_exhausted());
        assert!(BoolDecoder::new(&[]).literal(8) == 0);
    }
}

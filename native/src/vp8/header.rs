//! Frame header (RFC 6386, sections 9 and 19.2).

use super::Vp8Error;
use super::bool_decoder::BoolDecoder;
use super::tables::{AC_STEPS, DC_STEPS};
use super::tokens::Probabilities;

/// Length of the frame tag, the start code and the sides.
const START_LEN: usize = 10;

/// The part of a key frame before the first partition (section 9.1).
pub(super) struct Start<'a> {
    pub(super) width: u16,
    pub(super) height: u16,
    /// Header and modes, coded.
    pub(super) first_partition: &'a [u8],
    /// The partitions of tokens, with their sizes in front.
    pub(super) rest: &'a [u8],
}

impl<'a> Start<'a> {
    pub(super) fn read(data: &'a [u8]) -> Result<Self, Vp8Error> {
        let (start, body) = data
            .split_first_chunk::<START_LEN>()
            .ok_or(Vp8Error::Truncated)?;
        let [a, b, c, start_code @ .., w0, w1, h0, h1] = *start;
        let tag = u32::from_le_bytes([a, b, c, 0]);
        if tag & 1 != 0 {
            return Err(Vp8Error::NotAKeyFrame);
        }
        if (tag >> 1) & 7 > 3 {
            return Err(Vp8Error::BadHeader("an unknown version"));
        }
        if tag & 0x10 == 0 {
            return Err(Vp8Error::BadHeader("a frame that is not to be shown"));
        }
        if start_code != [0x9D, 0x01, 0x2A] {
            return Err(Vp8Error::BadHeader("no start code"));
        }
        // The two bits above each side ask the player to scale; WEBP ignores them.
        let [width, height] = [[w0, w1], [h0, h1]].map(|side| u16::from_le_bytes(side) & 0x3FFF);
        if width == 0 || height == 0 {
            return Err(Vp8Error::BadHeader("a side of zero"));
        }
        let length = usize::try_from(tag >> 5).unwrap_or(usize::MAX);
        let (first_partition, rest) = body.split_at_checked(length).ok_or(Vp8Error::Truncated)?;
        Ok(Self {
            width,
            height,
            first_partition,
            rest,
        })
    }
}

/// Steps of the quantizer for one kind of block: of DC and of AC coefficients.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Steps {
    pub(super) dc: i32,
    pub(super) ac: i32,
}

/// What a segment sets for its macroblocks (section 9.3).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Segment {
    pub(super) luma: Steps,
    /// For the block of the DC coefficients of luma.
    pub(super) luma_dc: Steps,
    pub(super) chroma: Steps,
    /// Level of the loop filter, 0 to 63, for macroblocks predicted as a whole
    /// and for those predicted by subblocks.
    pub(super) filter_levels: [u8; 2],
}

/// What is read before the first macroblock.
pub(super) struct Header<'a> {
    pub(super) segments: [Segment; 4],
    /// Probabilities of the tree of segments, if each macroblock has its own.
    pub(super) segment_probs: Option<[u8; 3]>,
    pub(super) has_simple_filter: bool,
    /// 0 to 7.
    pub(super) sharpness: u8,
    /// Probability that a macroblock has coefficients, if any has none.
    pub(super) skip_prob: Option<u8>,
    pub(super) probabilities: Probabilities,
    /// Row `n` of macroblocks is in partition `n` modulo their number, a power
    /// of two.
    pub(super) partitions: Vec<BoolDecoder<'a>>,
}

/// Segment adjustments as stored (section 9.3).
struct Adjustments {
    /// Values replace those of the frame rather than being added to them.
    are_absolute: bool,
    quantizers: [i32; 4],
    filter_levels: [i32; 4],
}

impl<'a> Header<'a> {
    /// `decoder` is at the start of the first partition.
    pub(super) fn read(
        decoder: &mut BoolDecoder<'a>,
        partitions: &'a [u8],
    ) -> Result<Self, Vp8Error> {
        // Colour space, of which there is but one, and whether sums need to be
        // clamped. They are in any case, as in libwebp.
        let _ = decoder.literal(2);
        let mut segment_probs = None;
        let adjustments = decoder
            .bit(128)
            .then(|| Adjustments::read(decoder, &mut segment_probs));
        let has_simple_filter = decoder.bit(128);
        let filter_level = i32::from(decoder.literal(6));
        let sharpness = decoder.literal(3);
        let filter_deltas = read_filter_deltas(decoder);
        let log2_partitions = decoder.literal(2);
        let quantizers = Quantizers::read(decoder);
        // Whether probabilities last for one frame: there is no other.
        let _ = decoder.literal(1);
        let probabilities = Probabilities::read(decoder);
        let skip_prob = decoder.bit(128).then(|| decoder.literal(8));
        if decoder.is_exhausted() {
            return Err(Vp8Error::Truncated);
        }

        let mut segments = [Segment::default(); 4];
        for (index, segment) in segments.iter_mut().enumerate() {
            let mut quantizer = quantizers.base;
            let mut level = filter_level;
            if let Some(adjustments) = &adjustments {
                let [a, b] = [&adjustments.quantizers, &adjustments.filter_levels]
                    .map(|values| values.get(index).copied().unwrap_or_default());
                if adjustments.are_absolute {
                    (quantizer, level) = (a, b);
                } else {
                    quantizer += a;
                    level += b;
                }
            }
            quantizers.apply(quantizer, segment);
            // The RFC's decoder clamps the level before it adds the deltas too;
            // libwebp does not.
            segment.filter_levels = filter_deltas.map(|delta| clamp_level(level + delta));
            if filter_level == 0 {
                // The frame has no filter, whatever its segments say.
                segment.filter_levels = [0; 2];
            }
        }
        Ok(Self {
            segments,
            segment_probs,
            has_simple_filter,
            sharpness,
            skip_prob,
            probabilities,
            partitions: split_partitions(partitions, 1 << log2_partitions)?,
        })
    }
}

impl Adjustments {
    fn read(decoder: &mut BoolDecoder<'_>, probs: &mut Option<[u8; 3]>) -> Self {
        let has_map = decoder.bit(128);
        let mut adjustments = Self {
            // What libwebp starts from.
            are_absolute: true,
            quantizers: [0; 4],
            filter_levels: [0; 4],
        };
        if decoder.bit(128) {
            adjustments.are_absolute = decoder.bit(128);
            for value in &mut adjustments.quantizers {
                *value = decoder.optional_signed(7).unwrap_or_default();
            }
            for value in &mut adjustments.filter_levels {
                *value = decoder.optional_signed(6).unwrap_or_default();
            }
        }
        if has_map {
            *probs = Some([(); 3].map(|()| {
                if decoder.bit(128) {
                    decoder.literal(8)
                } else {
                    255
                }
            }));
        }
        adjustments
    }
}

/// What is added to the level of the filter (section 9.6) for macroblocks
/// predicted as a whole and for those predicted by subblocks.
fn read_filter_deltas(decoder: &mut BoolDecoder<'_>) -> [i32; 2] {
    let mut deltas = [0; 8];
    let is_enabled = decoder.bit(128);
    if is_enabled && decoder.bit(128) {
        for delta in &mut deltas {
            *delta = decoder.optional_signed(6).unwrap_or_default();
        }
    }
    // Four for reference frames, of which the first is for intra prediction, and
    // four for modes, of which the first is for prediction by subblocks.
    let [reference, _, _, _, by_subblocks, ..] = deltas;
    [reference, reference + by_subblocks]
}

fn clamp_level(level: i32) -> u8 {
    u8::try_from(level.clamp(0, 63)).unwrap_or_default()
}

/// Indices of the quantizers (section 9.6).
struct Quantizers {
    base: i32,
    /// Added to it for luma DC, then DC and AC of the block of luma DC
    /// coefficients, then chroma DC and AC.
    deltas: [i32; 5],
}

impl Quantizers {
    fn read(decoder: &mut BoolDecoder<'_>) -> Self {
        Self {
            base: i32::from(decoder.literal(7)),
            deltas: [(); 5].map(|()| decoder.optional_signed(4).unwrap_or_default()),
        }
    }

    /// Section 14.1.
    fn apply(&self, index: i32, segment: &mut Segment) {
        let [luma, dc_of_dc, ac_of_dc, dc_of_chroma, ac_of_chroma] = self.deltas;
        segment.luma = Steps {
            dc: step(&DC_STEPS, index + luma),
            ac: step(&AC_STEPS, index),
        };
        segment.luma_dc = Steps {
            dc: step(&DC_STEPS, index + dc_of_dc) * 2,
            ac: (step(&AC_STEPS, index + ac_of_dc) * 155 / 100).max(8),
        };
        segment.chroma = Steps {
            dc: step(&DC_STEPS, index + dc_of_chroma).min(132),
            ac: step(&AC_STEPS, index + ac_of_chroma),
        };
    }
}

fn step(steps: &[u16; 128], index: i32) -> i32 {
    let index = usize::try_from(index.clamp(0, 127)).unwrap_or_default();
    steps.get(index).copied().map_or(0, i32::from)
}

/// Cuts the partitions of tokens apart (section 9.5). The sizes of all but the
/// last stand in front.
fn split_partitions(data: &[u8], number: usize) -> Result<Vec<BoolDecoder<'_>>, Vp8Error> {
    let (sizes, mut rest) = data
        .split_at_checked(3 * (number - 1))
        .ok_or(Vp8Error::Truncated)?;
    let mut partitions = Vec::with_capacity(number);
    for &[a, b, c] in sizes.as_chunks().0 {
        let size = usize::try_from(u32::from_le_bytes([a, b, c, 0])).unwrap_or(usize::MAX);
        let (partition, tail) = rest.split_at_checked(size).ok_or(Vp8Error::Truncated)?;
        partitions.push(BoolDecoder::new(partition));
        rest = tail;
    }
    if rest.is_empty() {
        return Err(Vp8Error::Truncated);
    }
    partitions.push(BoolDecoder::new(rest));
    Ok(partitions)
}

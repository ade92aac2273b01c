//! Modes of the macroblocks of one row (RFC 6386, sections 10, 11 and 19.3).

use super::bool_decoder::BoolDecoder;
use super::header::Header;
use super::tables::SUBBLOCK_MODE_PROBS;

/// How a whole macroblock, or its chroma, is predicted (section 11.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Dc,
    Vertical,
    Horizontal,
    TrueMotion,
}

/// How a subblock is predicted, in the order of the tables (section 11.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubblockMode {
    Dc,
    TrueMotion,
    Vertical,
    Horizontal,
    LeftDown,
    RightDown,
    VerticalRight,
    VerticalLeft,
    HorizontalDown,
    HorizontalUp,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum LumaMode {
    Whole(Mode),
    Subblocks([[SubblockMode; 4]; 4]),
}

/// What the first partition says of a macroblock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Macroblock {
    pub(super) segment: u8,
    /// It has no coefficients.
    pub(super) is_skipped: bool,
    pub(super) luma: LumaMode,
    pub(super) chroma: Mode,
}

/// Reads the macroblocks of a frame in their order.
pub(super) struct ModeReader {
    segment_probs: Option<[u8; 3]>,
    skip_prob: Option<u8>,
    /// Modes of the lowest subblocks of the row above.
    above: Vec<[SubblockMode; 4]>,
}

impl ModeReader {
    pub(super) fn new(header: &Header<'_>, columns: usize) -> Self {
        Self {
            segment_probs: header.segment_probs,
            skip_prob: header.skip_prob,
            above: vec![[SubblockMode::Dc; 4]; columns],
        }
    }

    /// Replaces `row` by the next one.
    #[inline(never)]
    pub(super) fn read_row(&mut self, decoder: &mut BoolDecoder<'_>, row: &mut Vec<Macroblock>) {
        let mut local = *decoder;
        let mut left = [SubblockMode::Dc; 4];
        row.clear();
        for above in &mut self.above {
            row.push(Macroblock {
                segment: self
                    .segment_probs
                    .map_or(0, |probs| segment(&mut local, probs)),
                is_skipped: self.skip_prob.is_some_and(|prob| local.bit(prob)),
                luma: luma_mode(&mut local, above, &mut left),
                chroma: chroma_mode(&mut local),
            });
        }
        *decoder = local;
    }
}

fn segment(decoder: &mut BoolDecoder<'_>, [root, low, high]: [u8; 3]) -> u8 {
    if decoder.bit(root) {
        2 + u8::from(decoder.bit(high))
    } else {
        u8::from(decoder.bit(low))
    }
}

fn luma_mode(
    decoder: &mut BoolDecoder<'_>,
    above: &mut [SubblockMode; 4],
    left: &mut [SubblockMode; 4],
) -> LumaMode {
    if !decoder.bit(145) {
        let modes = left.each_mut().map(|left| {
            above.each_mut().map(|above| {
                *left = subblock_mode(decoder, *above, *left);
                *above = *left;
                *left
            })
        });
        return LumaMode::Subblocks(modes);
    }
    let mode = if decoder.bit(156) {
        if decoder.bit(128) {
            Mode::TrueMotion
        } else {
            Mode::Horizontal
        }
    } else if decoder.bit(163) {
        Mode::Vertical
    } else {
        Mode::Dc
    };
    let implied = match mode {
        Mode::Dc => SubblockMode::Dc,
        Mode::Vertical => SubblockMode::Vertical,
        Mode::Horizontal => SubblockMode::Horizontal,
        Mode::TrueMotion => SubblockMode::TrueMotion,
    };
    *above = [implied; 4];
    *left = [implied; 4];
    LumaMode::Whole(mode)
}

/// The tree `bmode_tree` of section 11.2.
fn subblock_mode(
    decoder: &mut BoolDecoder<'_>,
    above: SubblockMode,
    left: SubblockMode,
) -> SubblockMode {
    let [dc, tm, ve, up, he, rd, ld, vl, hd] = SUBBLOCK_MODE_PROBS
        .get(above as usize)
        .and_then(|probs| probs.get(left as usize))
        .copied()
        .unwrap_or_default();
    if !decoder.bit(dc) {
        SubblockMode::Dc
    } else if !decoder.bit(tm) {
        SubblockMode::TrueMotion
    } else if !decoder.bit(ve) {
        SubblockMode::Vertical
    } else if !decoder.bit(up) {
        if !decoder.bit(he) {
            SubblockMode::Horizontal
        } else if !decoder.bit(rd) {
            SubblockMode::RightDown
        } else {
            SubblockMode::VerticalRight
        }
    } else if !decoder.bit(ld) {
        SubblockMode::LeftDown
    } else if !decoder.bit(vl) {
        SubblockMode::VerticalLeft
    } else if !decoder.bit(hd) {
        SubblockMode::HorizontalDown
    } else {
        SubblockMode::HorizontalUp
    }
}

fn chroma_mode(decoder: &mut BoolDecoder<'_>) -> Mode {
    if !decoder.bit(142) {
        Mode::Dc
    } else if !decoder.bit(114) {
        Mode::Vertical
    } else if !decoder.bit(183) {
        Mode::Horizontal
    } else {
        Mode::TrueMotion
    }
}

//! Markers and their segments (ITU-T T.81, annex B).

use std::mem;

use super::huffman::{Class, Table};

/// Most Huffman tables that are read. A scan has 8 at the most, and each takes far longer
/// to set up than to be read.
const MAX_TABLES: u32 = 32;

/// What there is to know for the decoding of the scan.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Width in pixels.
    pub(super) width: u32,
    /// Height in pixels.
    pub(super) height: u32,
    /// In the order of the frame header, which is that of the scan.
    pub(super) components: Vec<Component>,
    /// MCUs from one restart marker to the next; 0 for none.
    pub(super) restart_interval: u32,
    /// Steps of quantisation, in the order of the file.
    quantisation: [Option<[u16; 64]>; 4],
    dc: [Option<Box<Table>>; 4],
    ac: [Option<Box<Table>>; 4],
    /// How many of them have been read.
    tables: u32,
}

/// A component of the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    id: u8,
    /// Blocks of it across an MCU.
    pub(super) across: u32,
    /// Blocks of it down an MCU.
    pub(super) down: u32,
    quantisation: u8,
    dc: u8,
    ac: u8,
}

/// The tables of a component.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tables<'a> {
    pub(super) steps: &'a [u16; 64],
    pub(super) dc: &'a Table,
    pub(super) ac: &'a Table,
}

impl Header {
    /// Reads up to the start of the scan, and returns what follows on it.
    pub(super) fn read(data: &[u8]) -> Option<(Self, &[u8])> {
        let mut header = Self::default();
        let mut rest = data.strip_prefix(&[0xff, 0xd8])?;
        loop {
            let (marker, after) = marker(rest)?;
            let (length, _) = after.split_first_chunk()?;
            let (segment, after) =
                after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            let segment = segment.get(2..)?;
            rest = after;
            match marker {
                // Baseline, and extended sequential with Huffman codes.
                0xc0 | 0xc1 => header.read_frame(segment)?,
                0xc4 => header.read_codes(segment)?,
                0xda => {
                    header.read_scan(segment)?;
                    return Some((header, rest));
                }
                0xdb => header.read_quantisation(segment)?,
                0xdd => {
                    header.restart_interval = u32::from(u16::from_be_bytes(*exactly(segment)?));
                }
                // Of applications, and comments.
                0xe0..=0xef | 0xfe => {}
                _ => return None,
            }
        }
    }

    /// The tables of `component`; `None` where there are not all.
    pub(super) fn tables(&self, component: &Component) -> Option<Tables<'_>> {
        let quantisation = self.quantisation.get(usize::from(component.quantisation))?;
        Some(Tables {
            steps: quantisation.as_ref()?,
            dc: self.dc.get(usize::from(component.dc))?.as_ref()?,
            ac: self.ac.get(usize::from(component.ac))?.as_ref()?,
        })
    }

    /// The frame header (B.2.2).
    fn read_frame(&mut self, segment: &[u8]) -> Option<()> {
        let (&[precision, y1, y0, x1, x0, count], components) = segment.split_first_chunk()?;
        let (components, []) = components.as_chunks::<3>() else {
            return None;
        };
        let is_second = !self.components.is_empty();
        if is_second || precision != 8 || components.len() != usize::from(count) {
            return None;
        }
        self.width = u32::from(u16::from_be_bytes([x1, x0]));
        self.height = u32::from(u16::from_be_bytes([y1, y0]));
        self.components = components
            .iter()
            .map(|&[id, sampling, quantisation]| Component {
                id,
                across: u32::from(sampling >> 4),
                down: u32::from(sampling & 15),
                quantisation,
                dc: 0,
                ac: 0,
            })
            .collect();
        let is_handled = match self.components.as_mut_slice() {
            [only] => {
                let is_valid = (1..=4).contains(&only.across) && (1..=4).contains(&only.down);
                // The MCU of a scan of one component is a block (A.2.2).
                (only.across, only.down) = (1, 1);
                is_valid
            }
            [luma, blue, red] => {
                let is_whole = |chroma: &Component| (chroma.across, chroma.down) == (1, 1);
                (1..=2).contains(&luma.across)
                    && (1..=2).contains(&luma.down)
                    && is_whole(blue)
                    && is_whole(red)
            }
            _ => false,
        };
        (is_handled && self.width > 0 && self.height > 0).then_some(())
    }

    /// The scan header (B.2.3), of all components in one scan.
    fn read_scan(&mut self, segment: &[u8]) -> Option<()> {
        let (count, rest) = segment.split_first()?;
        let (components, spectrum) = rest.as_chunks::<2>();
        let [components @ .., [0, 63]] = components else {
            return None;
        };
        let is_of_all = components.len() == self.components.len();
        if spectrum != [0] || components.len() != usize::from(*count) || !is_of_all {
            return None;
        }
        for (component, [id, tables]) in self.components.iter_mut().zip(components) {
            if component.id != *id {
                return None;
            }
            (component.dc, component.ac) = (tables >> 4, tables & 15);
        }
        Some(())
    }

    /// Quantisation tables (B.2.4.1).
    fn read_quantisation(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((start, rest)) = segment.split_first() {
            let mut steps = [0; 64];
            match start >> 4 {
                0 => {
                    let (bytes, rest) = rest.split_first_chunk::<64>()?;
                    steps = bytes.map(u16::from);
                    segment = rest;
                }
                1 => {
                    let (bytes, rest) = rest.split_first_chunk::<128>()?;
                    for (step, bytes) in steps.iter_mut().zip(bytes.as_chunks().0) {
                        *step = u16::from_be_bytes(*bytes);
                    }
                    segment = rest;
                }
                _ => return None,
            }
            if steps.contains(&0) {
                return None;
            }
            *self.quantisation.get_mut(usize::from(start & 15))? = Some(steps);
        }
        Some(())
    }

    /// Huffman tables (B.2.4.2).
    fn read_codes(&mut self, mut segment: &[u8]) -> Option<()> {
        while let Some((start, rest)) = segment.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().copied().map(usize::from).sum();
            let (symbols, rest) = rest.split_at_checked(total)?;
            segment = rest;
            self.tables += 1;
            if self.tables > MAX_TABLES {
                return None;
            }
            let (class, tables) = match start >> 4 {
                0 => (Class::Dc, &mut self.dc),
                1 => (Class::Ac, &mut self.ac),
                _ => return None,
            };
            let place = tables.get_mut(usize::from(start & 15))?;
            *place = Some(Table::new(class, *counts, symbols)?);
        }
        Some(())
    }
}

/// The marker that `data` starts with, fill bytes before it skipped (B.1.1.2), and
/// what follows on it.
pub(super) fn marker(data: &[u8]) -> Option<(u8, &[u8])> {
    let mut rest = data.strip_prefix(&[0xff])?;
    loop {
        let (byte, after) = mem::take(&mut rest).split_first()?;
        if *byte != 0xff {
            return Some((*byte, after));
        }
        rest = after;
    }
}

fn exactly<const N: usize>(segment: &[u8]) -> Option<&[u8; N]> {
    segment.try_into().ok()
}

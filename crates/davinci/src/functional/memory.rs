//! A buffer: bytes, what is written, and who touched what last.

use super::clock::{Agent, Clock};
use super::fault::FaultKind;
use crate::isa::{Pipe, Space};

/// Bytes that are watched together for races.
pub(super) const GRANULE: u64 = 32;

/// Readers remembered a granule. A fourth reader pipe of one granule replaces the oldest.
const READERS: usize = 3;

/// An access: by whom, when, and by which instruction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touch {
    pub(super) agent: Agent,
    pub(super) time: u32,
    pub(super) instruction: u32,
    /// Bytes of the granule, one bit each.
    pub(super) bytes: u32,
    /// Whether it is an atomic addition, which another one may interleave with.
    pub(super) atomic: bool,
}

/// The last accesses of a granule; a time of zero means none.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    writer: Touch,
    readers: [Touch; READERS],
}

/// Who accesses, and what it knows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Accessor<'c> {
    pub(super) touch: Touch,
    pub(super) clock: &'c Clock,
}

/// A conflict found: the other access, and whether it wrote.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conflict {
    pub(super) address: u64,
    pub(super) other: Touch,
    pub(super) wrote: bool,
}

/// A buffer, or all of GM.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    pub(super) space: Space,
    pub(super) bytes: Vec<u8>,
    /// One flag a byte.
    pub(super) written: Vec<bool>,
    cells: Vec<Cell>,
}

impl Memory {
    pub(super) fn new(space: Space, capacity: u64) -> Self {
        let granules = capacity.div_ceil(GRANULE) as usize;
        Self {
            space,
            bytes: vec![0; capacity as usize],
            written: vec![false; capacity as usize],
            cells: vec![Cell::default(); granules],
        }
    }

    pub(super) fn check(&self, address: u64, length: u64) -> Result<(), FaultKind> {
        let capacity = self.bytes.len() as u64;
        match address.checked_add(length) {
            Some(end) if end <= capacity => Ok(()),
            _ => Err(FaultKind::OutOfBounds { space: self.space, address, length, capacity }),
        }
    }

    pub(super) fn align(&self, address: u64) -> Result<(), FaultKind> {
        let alignment = self.space.alignment();
        if address.is_multiple_of(alignment) {
            Ok(())
        } else {
            Err(FaultKind::Misaligned { space: self.space, address, alignment })
        }
    }

    /// The first byte of a range that nothing wrote.
    pub(super) fn unwritten(&self, address: u64, length: u64) -> Option<u64> {
        let range = &self.written[address as usize..(address + length) as usize];
        range.iter().position(|written| !written).map(|index| address + index as u64)
    }

    /// Notes a read.
    pub(super) fn note_read(&mut self, address: u64, length: u64, who: Accessor<'_>) -> Result<(), Conflict> {
        for granule in granules(address, length) {
            let touch = Touch { bytes: covered(granule, address, length), ..who.touch };
            let cell = &mut self.cells[granule];
            if conflicts(cell.writer, touch, who.clock) {
                return Err(Conflict { address: granule as u64 * GRANULE, other: cell.writer, wrote: true });
            }
            cell.remember(touch);
        }
        Ok(())
    }

    /// Notes a write.
    pub(super) fn note_write(
        &mut self,
        address: u64,
        length: u64,
        who: Accessor<'_>,
    ) -> Result<(), Conflict> {
        for granule in granules(address, length) {
            let touch = Touch { bytes: covered(granule, address, length), ..who.touch };
            let cell = &mut self.cells[granule];
            let at = granule as u64 * GRANULE;
            if conflicts(cell.writer, touch, who.clock) {
                return Err(Conflict { address: at, other: cell.writer, wrote: true });
            }
            if let Some(other) = cell.readers.into_iter().find(|reader| conflicts(*reader, touch, who.clock))
            {
                return Err(Conflict { address: at, other, wrote: false });
            }
            cell.overwrite(touch);
        }
        Ok(())
    }

    pub(super) fn store(&mut self, address: u64, bytes: &[u8]) {
        let range = address as usize..address as usize + bytes.len();
        self.bytes[range.clone()].copy_from_slice(bytes);
        self.written[range].fill(true);
    }
}

impl Cell {
    /// Readers of other bytes stay. A writer of other bytes is forgotten: a granule remembers one writer.
    fn overwrite(&mut self, touch: Touch) {
        let bytes =
            if self.writer.agent == touch.agent { self.writer.bytes | touch.bytes } else { touch.bytes };
        self.writer = Touch { bytes, ..touch };
        for reader in &mut self.readers {
            if reader.bytes & !touch.bytes == 0 {
                *reader = Touch::default();
            }
        }
    }

    fn remember(&mut self, touch: Touch) {
        let own = self.readers.iter().position(|reader| reader.time == 0 || reader.agent == touch.agent);
        let slot = own.unwrap_or_else(|| {
            self.readers.rotate_left(1);
            READERS - 1
        });
        let before = if self.readers[slot].agent == touch.agent { self.readers[slot].bytes } else { 0 };
        self.readers[slot] = Touch { bytes: before | touch.bytes, ..touch };
    }
}

fn granules(address: u64, length: u64) -> std::ops::Range<usize> {
    if length == 0 {
        return 0..0;
    }
    (address / GRANULE) as usize..((address + length - 1) / GRANULE + 1) as usize
}

/// Bytes of a granule that an access covers.
fn covered(granule: usize, address: u64, length: u64) -> u32 {
    let start = granule as u64 * GRANULE;
    let first = address.saturating_sub(start);
    let last = (address + length - start).min(GRANULE);
    (u32::MAX >> (GRANULE - (last - first))) << first
}

fn conflicts(earlier: Touch, now: Touch, clock: &Clock) -> bool {
    let both = earlier.time > 0 && earlier.agent != now.agent && earlier.bytes & now.bytes != 0;
    both && !(earlier.atomic && now.atomic) && !clock.knows(earlier.agent, earlier.time)
}

/// Pipe and core of an agent.
pub(super) fn agent_pipe(agent: Agent) -> (usize, Pipe) {
    (usize::from(agent) / Pipe::COUNT, Pipe::ALL[usize::from(agent) % Pipe::COUNT])
}

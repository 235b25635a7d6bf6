//! An instruction's accesses to memory: bounds, races, and what was ever written.

use super::core::Core;
use super::fault::FaultKind;
use super::global::GlobalMemory;
use super::memory::{Accessor, Conflict, Memory, Touch, agent_pipe};
use crate::isa::{Address, Pipe, Space};

/// An instruction at work: its core's buffers, GM, and who it is.
pub(super) struct Access<'a, 'k> {
    pub(super) core: &'a mut Core<'k>,
    pub(super) gm: &'a mut GlobalMemory,
    pub(super) touch: Touch,
    pub(super) pipe: Pipe,
}

impl Access<'_, '_> {
    /// Bytes that an instruction consumes: they must have been written.
    pub(super) fn read(&mut self, address: Address, length: u32) -> Result<&[u8], FaultKind> {
        let (start, length) = self.note(address, length, false)?;
        let memory = self.memory(address.space);
        match memory.unwritten(start, length) {
            Some(address) => Err(FaultKind::Unwritten { space: memory.space, address }),
            None => Ok(&memory.bytes[start as usize..(start + length) as usize]),
        }
    }

    /// Bytes and whether each was written, for a move that only passes them on.
    pub(super) fn peek(&mut self, address: Address, length: u32) -> Result<(&[u8], &[bool]), FaultKind> {
        let (start, length) = self.note(address, length, false)?;
        let memory = self.memory(address.space);
        let range = start as usize..(start + length) as usize;
        Ok((&memory.bytes[range.clone()], &memory.written[range]))
    }

    pub(super) fn write(&mut self, address: Address, bytes: &[u8]) -> Result<(), FaultKind> {
        let (start, _) = self.note(address, bytes.len() as u32, true)?;
        self.memory(address.space).store(start, bytes);
        Ok(())
    }

    /// Writes bytes of which some were never written at their source.
    pub(super) fn pass_on(
        &mut self,
        address: Address,
        bytes: &[u8],
        written: &[bool],
    ) -> Result<(), FaultKind> {
        let (start, _) = self.note(address, bytes.len() as u32, true)?;
        let memory = self.memory(address.space);
        memory.store(start, bytes);
        memory.written[start as usize..start as usize + written.len()].copy_from_slice(written);
        Ok(())
    }

    /// Checks that an address is a multiple of what its buffer asks for.
    pub(super) fn align(&mut self, address: Address) -> Result<(), FaultKind> {
        self.memory(address.space).align(address.offset as u64)
    }

    fn memory(&mut self, space: Space) -> &mut Memory {
        if space == Space::Gm { &mut self.gm.memory } else { &mut self.core.buffers[space as usize] }
    }

    /// Bounds and races of an access.
    fn note(&mut self, address: Address, length: u32, write: bool) -> Result<(u64, u64), FaultKind> {
        let (start, length) = (address.offset as u64, u64::from(length));
        let covered = address.space != Space::Gm || length == 0 || self.gm.covers(start, length);
        let who = Accessor { touch: self.touch, clock: &self.core.clocks[self.pipe as usize] };
        let memory = match address.space {
            Space::Gm => &mut self.gm.memory,
            space => &mut self.core.buffers[space as usize],
        };
        memory.check(start, length)?;
        if !covered {
            let capacity = memory.bytes.len() as u64;
            return Err(FaultKind::OutOfBounds { space: Space::Gm, address: start, length, capacity });
        }
        let noted =
            if write { memory.note_write(start, length, who) } else { memory.note_read(start, length, who) };
        noted.map_err(|conflict| self.race(address.space, conflict))?;
        Ok((start, length))
    }

    fn race(&self, space: Space, conflict: Conflict) -> FaultKind {
        let (other_core, other) = agent_pipe(conflict.other.agent);
        let program = &self.core.kernel.programs[self.core.kernel.cores[other_core].program];
        FaultKind::Race {
            space,
            address: conflict.address,
            pipe: self.pipe,
            other,
            other_core,
            other_place: program.place(conflict.other.instruction as usize),
            other_wrote: conflict.wrote,
        }
    }
}

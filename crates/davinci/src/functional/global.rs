//! Global memory as a user of the simulator fills and reads it.

use super::memory::Memory;
use super::number;
use crate::isa::{Space, Type};
use crate::kernel::{Kernel, Tensor};

/// GM of a kernel's tensors.
#[derive(Clone, Debug)]
pub struct GlobalMemory {
    pub(super) memory: Memory,
    tensors: Vec<Tensor>,
}

impl GlobalMemory {
    /// Memory that covers the tensors of a kernel, nothing of it written.
    pub fn new(kernel: &Kernel) -> Self {
        let end = kernel.tensors.iter().map(|tensor| tensor.address + tensor.bytes).max().unwrap_or(0);
        Self { memory: Memory::new(Space::Gm, end), tensors: kernel.tensors.clone() }
    }

    /// Fills a tensor from its start. Values are rounded to `ty`. Does nothing if there is no such tensor; stops at
    /// its end.
    pub fn fill(&mut self, tensor: &str, ty: Type, values: &[f64]) {
        if let Some(found) = self.tensors.iter().find(|found| found.name == tensor).cloned() {
            let bytes = number::encode(ty, values);
            let fits = bytes.len().min(found.bytes as usize);
            self.memory.store(found.address, &bytes[..fits]);
        }
    }

    /// The elements of a tensor; empty if there is no such tensor.
    pub fn read(&self, tensor: &str, ty: Type) -> Vec<f64> {
        let found = self.tensors.iter().find(|found| found.name == tensor);
        found.map_or_else(Vec::new, |found| {
            let range = found.address as usize..(found.address + found.bytes) as usize;
            number::decode(ty, &self.memory.bytes[range])
        })
    }

    /// Whether every byte of a tensor has been written.
    pub fn is_written(&self, tensor: &str) -> bool {
        let found = self.tensors.iter().find(|found| found.name == tensor);
        found.is_some_and(|found| self.memory.unwritten(found.address, found.bytes).is_none())
    }

    /// Whether an access stays within one tensor.
    pub(super) fn covers(&self, address: u64, length: u64) -> bool {
        let after = self.tensors.partition_point(|tensor| tensor.address <= address);
        after > 0 && address + length <= self.tensors[after - 1].address + self.tensors[after - 1].bytes
    }
}

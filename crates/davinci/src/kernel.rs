//! A kernel: programs for cores, and the tensors they work on.

use crate::program::Program;

/// What a core is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CoreKind {
    /// AIC: cube, L1, L0.
    Cube,
    /// AIV: vector unit, UB.
    Vector,
    /// Both in one core (310P, 910A).
    Coupled,
}

/// A core that takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreSlot {
    /// What it is.
    pub kind: CoreKind,
    /// Index of its program in [`Kernel::programs`].
    pub program: usize,
    /// Cores of one group share cross-core flags of mode 2: a cube core and its vector cores.
    pub group: u32,
}

/// A block of global memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Name in text and messages.
    pub name: String,
    /// First byte.
    pub address: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// Whether the kernel only writes it, or writes it before it reads it.
    pub role: Role,
}

/// What a tensor is to the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Holds data before the kernel starts.
    Input,
    /// Written by the kernel.
    Output,
    /// Exchanged between cores.
    Workspace,
}

/// Programs, the cores that run them, and memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Kernel {
    /// What it computes.
    pub name: String,
    /// Global memory, by ascending address.
    pub tensors: Vec<Tensor>,
    /// Programs; several cores may share one.
    pub programs: Vec<Program>,
    /// Cores, numbered by position.
    pub cores: Vec<CoreSlot>,
    /// Useful operations (a multiply-add counts as two), for rates.
    pub flops: f64,
}

impl CoreKind {
    /// The vendor's short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cube => "AIC",
            Self::Vector => "AIV",
            Self::Coupled => "AI core",
        }
    }
}

impl Kernel {
    /// Places a tensor behind the others on a 512-byte line and returns its address. Distance zero between tensors would hide
    /// overruns, so a line is left free.
    pub fn place(&mut self, name: &str, bytes: u64, role: Role) -> u64 {
        let end = self.tensors.last().map_or(0, |last| last.address + last.bytes);
        let address = end.next_multiple_of(LINE) + if self.tensors.is_empty() { 0 } else { LINE };
        self.tensors.push(Tensor { name: name.to_owned(), address, bytes, role });
        address
    }

    /// Adds a core that runs its own program.
    pub fn add_core(&mut self, kind: CoreKind, group: u32, program: Program) {
        self.cores.push(CoreSlot { kind, program: self.programs.len(), group });
        self.programs.push(program);
    }

    /// The tensor of a name.
    pub fn tensor(&self, name: &str) -> Option<&Tensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// Bytes of all tensors.
    pub fn footprint(&self) -> u64 {
        self.tensors.iter().map(|tensor| tensor.bytes).sum()
    }
}

/// Tensors start on a multiple of this, as the runtime's allocator guarantees.
pub const LINE: u64 = 512;

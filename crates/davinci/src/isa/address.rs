//! Where operands live.

/// A memory that an instruction addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Space {
    /// Global memory, cached in L2, shared by all cores.
    Gm,
    /// Staging buffer of the cube core, in fractal (NZ) layout.
    L1,
    /// Left operand of the cube.
    L0a,
    /// Right operand of the cube.
    L0b,
    /// Accumulator of the cube.
    L0c,
    /// Unified buffer of the vector core.
    Ub,
    /// Bias table.
    Bt,
    /// Fix-pipe parameters.
    Fb,
}

impl Space {
    /// How many there are.
    pub const COUNT: usize = 8;
    /// All, in declaration order: `ALL[s as usize] == s`.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Gm, Self::L1, Self::L0a, Self::L0b, Self::L0c, Self::Ub, Self::Bt, Self::Fb];

    /// The name in text: `"l0a"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gm => "gm",
            Self::L1 => "l1",
            Self::L0a => "l0a",
            Self::L0b => "l0b",
            Self::L0c => "l0c",
            Self::Ub => "ub",
            Self::Bt => "bt",
            Self::Fb => "fb",
        }
    }

    /// Bytes that an address must be a multiple of (hiascend.com: UB, L1, L0 32 B; BT 64 B; FB 128 B; fractals 512 B).
    pub const fn alignment(self) -> u64 {
        match self {
            Self::Gm => 1,
            Self::L1 | Self::Ub => 32,
            Self::L0a | Self::L0b => 512,
            Self::L0c | Self::Bt => 64,
            Self::Fb => 128,
        }
    }
}

/// A scalar register, `x0` to `x30`, or [`Reg::ZERO`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reg(pub u8);

impl Reg {
    /// Reads as zero.
    pub const ZERO: Self = Self(31);
    /// Registers, the zero register included.
    pub const COUNT: usize = 32;
}

/// A byte address: register plus offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Which memory.
    pub space: Space,
    /// Register part.
    pub reg: Reg,
    /// Immediate part, bytes.
    pub offset: i64,
}

impl Address {
    /// A fixed address.
    pub const fn at(space: Space, offset: u64) -> Self {
        Self { space, reg: Reg::ZERO, offset: offset as i64 }
    }

    /// A register plus an offset.
    pub const fn indexed(space: Space, reg: Reg, offset: i64) -> Self {
        Self { space, reg, offset }
    }

    /// The same address `bytes` further on.
    #[must_use]
    pub const fn plus(self, bytes: u64) -> Self {
        Self { offset: self.offset + bytes as i64, ..self }
    }
}

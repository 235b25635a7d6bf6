//! The vector unit.

use super::{Address, Type};

macro_rules! vector_ops {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $sources:literal;)+) => {
        /// What a vector instruction does to each 256-byte repeat.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum VectorOp { $($(#[$doc])* $name),+ }

        impl VectorOp {
            /// All operations, in declaration order: `ALL[o as usize] == o`.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The vendor's name: `"vadd"`.
            pub const fn name(self) -> &'static str { match self { $(Self::$name => $text),+ } }
            /// Vector operands read.
            pub const fn sources(self) -> usize { match self { $(Self::$name => $sources),+ } }
        }
    };
}

vector_ops! {
    /// a + b.
    Add = "vadd", 2;
    /// a − b.
    Sub = "vsub", 2;
    /// a · b.
    Mul = "vmul", 2;
    /// a / b.
    Div = "vdiv", 2;
    /// Larger of a and b.
    Max = "vmax", 2;
    /// Smaller of a and b.
    Min = "vmin", 2;
    /// Bits of a and b.
    And = "vand", 2;
    /// Bits of a or b.
    Or = "vor", 2;
    /// a + scalar.
    Adds = "vadds", 1;
    /// a · scalar.
    Muls = "vmuls", 1;
    /// Larger of a and a scalar.
    Maxs = "vmaxs", 1;
    /// Smaller of a and a scalar.
    Mins = "vmins", 1;
    /// dst + a · scalar, rounded once after each of the two operations.
    Axpy = "vaxpy", 1;
    /// Negative to zero.
    Relu = "vrelu", 1;
    /// Negative times a scalar.
    Lrelu = "vlrelu", 1;
    /// |a|.
    Abs = "vabs", 1;
    /// Bits inverted.
    Not = "vnot", 1;
    /// e^a.
    Exp = "vexp", 1;
    /// ln a.
    Ln = "vln", 1;
    /// √a.
    Sqrt = "vsqrt", 1;
    /// 1/√a.
    Rsqrt = "vrsqrt", 1;
    /// 1/a.
    Rec = "vrec", 1;
    /// Every lane takes the scalar.
    Dup = "vector_dup", 0;
    /// Conversion; `ty` is read, `to` is written. Round to nearest even, saturating for integers.
    Conv = "vconv", 1;
    /// Sum of a repeat, one element written.
    Cadd = "vcadd", 1;
    /// Largest of a repeat, one element written.
    Cmax = "vcmax", 1;
    /// Smallest of a repeat, one element written.
    Cmin = "vcmin", 1;
    /// Sum of each 32-byte block, eight elements written a repeat.
    Cgadd = "vcgadd", 1;
    /// Largest of each 32-byte block.
    Cgmax = "vcgmax", 1;
    /// Smallest of each 32-byte block.
    Cgmin = "vcgmin", 1;
    /// Sums of neighbouring pairs, half a repeat written.
    Cpadd = "vcpadd", 1;
    /// Bit mask of a comparison with b, one bit a lane.
    Cmp = "vcmp", 2;
    /// Lanes of a where the bit mask at src1 is set, the scalar elsewhere.
    Sel = "vsel", 2;
    /// Elements at byte offsets: dst\[i\] = UB\[src0 + u32 src1\[i\]\].
    Gather = "vgather", 2;
    /// Eight elements of the source, each broadcast to a 32-byte block.
    Brcb = "vbrcb", 1;
    /// Elements whose pattern bit is set, packed: 1 even, 2 odd of pairs; 3 to 6 the first to fourth of four.
    Reduce = "vreducev2", 1;
    /// Merges four sorted runs of (score fp32, index u32) pairs, descending, each `repeat` pairs long.
    MergeSort = "vmrgsort4", 1;
}

/// Comparison of [`VectorOp::Cmp`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// a < b.
    Lt,
    /// a ≤ b.
    Le,
    /// a > b.
    Gt,
    /// a ≥ b.
    Ge,
    /// a = b.
    Eq,
    /// a ≠ b.
    Ne,
}

/// Which lanes of a repeat are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mask {
    /// All of them.
    All,
    /// The first so many of each repeat.
    First(u32),
    /// One bit a lane.
    Bits(u128),
    /// Counter mode: so many elements in all; repeats follow.
    Count(u32),
}

/// Distances in 32-byte blocks: between the eight blocks of a repeat, and between repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strides {
    /// Block to block, destination.
    pub dst_block: u16,
    /// Block to block, first source.
    pub src0_block: u16,
    /// Block to block, second source.
    pub src1_block: u16,
    /// Repeat to repeat, destination.
    pub dst_repeat: u16,
    /// Repeat to repeat, first source.
    pub src0_repeat: u16,
    /// Repeat to repeat, second source.
    pub src1_repeat: u16,
}

/// A vector instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Vector {
    /// What it does.
    pub op: VectorOp,
    /// Type read.
    pub ty: Type,
    /// Type written; differs from `ty` only in conversions.
    pub to: Type,
    /// Comparison, for `vcmp`.
    pub condition: Condition,
    /// Written.
    pub dst: Address,
    /// First source.
    pub src0: Address,
    /// Second source.
    pub src1: Address,
    /// Scalar operand.
    pub scalar: f32,
    /// Repeats of 256 B.
    pub repeat: u32,
    /// Lanes.
    pub mask: Mask,
    /// Distances.
    pub strides: Strides,
}

impl Strides {
    /// Everything contiguous.
    pub const UNIT: Self =
        Self { dst_block: 1, src0_block: 1, src1_block: 1, dst_repeat: 8, src0_repeat: 8, src1_repeat: 8 };
}

impl Condition {
    /// All comparisons.
    pub const ALL: [Self; 6] = [Self::Lt, Self::Le, Self::Gt, Self::Ge, Self::Eq, Self::Ne];

    /// Suffix: `"lt"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lt => "lt",
            Self::Le => "le",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Eq => "eq",
            Self::Ne => "ne",
        }
    }
}

impl Vector {
    /// The wider of the types read and written: it sets how many elements a repeat holds.
    pub fn wide(&self) -> Type {
        if self.to.bits() > self.ty.bits() { self.to } else { self.ty }
    }

    /// Elements of one repeat.
    pub fn lanes(&self) -> u32 {
        self.wide().lanes()
    }

    /// Repeats that run: given, or in counter mode as many as the elements fill.
    pub fn repeats(&self) -> u32 {
        match self.mask {
            Mask::Count(elements) => elements.div_ceil(self.lanes()),
            _ => self.repeat,
        }
    }

    /// Whether lane `lane` of repeat `repeat` is written.
    pub fn writes(&self, repeat: u32, lane: u32) -> bool {
        match self.mask {
            Mask::All => true,
            Mask::First(count) => lane < count,
            Mask::Bits(bits) => bits >> lane & 1 == 1,
            Mask::Count(elements) => repeat * self.lanes() + lane < elements,
        }
    }
}

//! Data movement.

use super::{Address, Pipe, Space, Type};

/// Which two memories a [`Burst`] copy joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Move {
    /// `copy_gm_to_cbuf`.
    GmToL1,
    /// `copy_gm_to_ubuf`.
    GmToUb,
    /// `copy_ubuf_to_gm`.
    UbToGm,
    /// `copy_ubuf_to_ubuf`.
    UbToUb,
    /// `copy_cbuf_to_bt`.
    L1ToBt,
    /// `copy_cbuf_to_fbuf`.
    L1ToFb,
    /// `copy_cbuf_to_ubuf`, on coupled cores.
    L1ToUb,
    /// `copy_ubuf_to_cbuf`, on coupled cores.
    UbToL1,
}

/// `count` bursts of `bytes` each, at a pitch on both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// Which memories.
    pub route: Move,
    /// Written.
    pub dst: Address,
    /// Read.
    pub src: Address,
    /// Bursts.
    pub count: u32,
    /// Bytes of one burst.
    pub bytes: u32,
    /// Bytes from one burst to the next at the source.
    pub src_pitch: u32,
    /// The same at the destination.
    pub dst_pitch: u32,
    /// UB→GM only: adds fp32 to what is there instead of replacing it.
    pub atomic: bool,
}

/// `copy_gm_to_cbuf_multi_nd2nz`: a row-major block of GM becomes NZ fractals in L1.
///
/// Element (r, c) goes to `dst + ((c / c0) · dst_rows · c0 + r · c0 + c % c0) · size`, c0 = 32 B / size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nd2Nz {
    /// Written, in L1.
    pub dst: Address,
    /// Read, in GM.
    pub src: Address,
    /// Rows of the block.
    pub rows: u32,
    /// Elements a row.
    pub cols: u32,
    /// Bytes from one row to the next in GM.
    pub src_pitch: u32,
    /// Rows of the NZ block in L1 (at least `rows`, a multiple of 16).
    pub dst_rows: u32,
    /// Element type.
    pub ty: Type,
}

/// Which operand buffer a [`FractalLoad`] fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// `load_cbuf_to_ca`: L0A in zZ order, element (m, k) at `(m/16)·K·16 + (k/c0)·16·c0 + (m%16)·c0 + k%c0`.
    A,
    /// `load_cbuf_to_cb`: L0B in nZ order, element (n, k) at `(k/c0)·N·c0 + n·c0 + k%c0`.
    B,
    /// `load_cbuf_to_cb_sparse`: as B at half depth, with the 2-bit indices of the kept elements.
    SparseB,
}

/// A `rows` × `cols` block of an NZ matrix in L1 becomes an operand of the cube; `cols` runs along K.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FractalLoad {
    /// Which operand.
    pub side: Side,
    /// Written, in L0A or L0B.
    pub dst: Address,
    /// Read, in L1.
    pub src: Address,
    /// Indices in L1, four elements a byte (sparse only).
    pub index: Address,
    /// Rows (M or N), a multiple of 16.
    pub rows: u32,
    /// Elements along K, a multiple of the fractal depth.
    pub cols: u32,
    /// Rows of the NZ block in L1 that the operand is cut from.
    pub src_rows: u32,
    /// Whether L1 holds the K × rows matrix, to be transposed on the way.
    pub transpose: bool,
    /// Element type.
    pub ty: Type,
}

/// Order of elements that FixPipe writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Row-major, `dst_pitch` bytes a row.
    Nd,
    /// NZ fractals, `dst_pitch` rows a column of fractals.
    Nz,
}

/// What FixPipe does to an accumulator before conversion.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quant {
    /// Conversion only.
    None,
    /// Multiplied by one scale.
    Scalar(f32),
    /// Multiplied by an fp32 scale per column, from FB.
    Vector(Address),
}

/// `copy_matrix_cc_to_gm` and `copy_matrix_cc_to_cbuf`: an accumulator tile leaves L0C.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fixpipe {
    /// Written, in GM or L1.
    pub dst: Address,
    /// Read, in L0C.
    pub src: Address,
    /// Rows written.
    pub m: u32,
    /// Columns written.
    pub n: u32,
    /// Rows of the tile in L0C, a multiple of 16.
    pub src_rows: u32,
    /// Bytes a row (ND) or rows a column of fractals (NZ).
    pub dst_pitch: u32,
    /// Type written.
    pub ty: Type,
    /// Type of the accumulator.
    pub from: Type,
    /// Order written.
    pub layout: Layout,
    /// Scale.
    pub quant: Quant,
    /// Negative values become zero.
    pub relu: bool,
    /// Adds fp32 to what is in GM instead of replacing it.
    pub atomic: bool,
}

impl Move {
    /// All routes.
    pub const ALL: [Self; 8] = [
        Self::GmToL1,
        Self::GmToUb,
        Self::UbToGm,
        Self::UbToUb,
        Self::L1ToBt,
        Self::L1ToFb,
        Self::L1ToUb,
        Self::UbToL1,
    ];

    /// The vendor's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GmToL1 => "copy_gm_to_cbuf",
            Self::GmToUb => "copy_gm_to_ubuf",
            Self::UbToGm => "copy_ubuf_to_gm",
            Self::UbToUb => "copy_ubuf_to_ubuf",
            Self::L1ToBt => "copy_cbuf_to_bt",
            Self::L1ToFb => "copy_cbuf_to_fbuf",
            Self::L1ToUb => "copy_cbuf_to_ubuf",
            Self::UbToL1 => "copy_ubuf_to_cbuf",
        }
    }

    /// Destination and source.
    pub const fn ends(self) -> (Space, Space) {
        match self {
            Self::GmToL1 => (Space::L1, Space::Gm),
            Self::GmToUb => (Space::Ub, Space::Gm),
            Self::UbToGm => (Space::Gm, Space::Ub),
            Self::UbToUb => (Space::Ub, Space::Ub),
            Self::L1ToBt => (Space::Bt, Space::L1),
            Self::L1ToFb => (Space::Fb, Space::L1),
            Self::L1ToUb => (Space::Ub, Space::L1),
            Self::UbToL1 => (Space::L1, Space::Ub),
        }
    }

    /// The queue that runs the copy.
    pub const fn pipe(self) -> Pipe {
        match self {
            Self::GmToL1 | Self::GmToUb => Pipe::Mte2,
            Self::UbToGm | Self::UbToL1 => Pipe::Mte3,
            Self::UbToUb => Pipe::V,
            Self::L1ToBt | Self::L1ToFb | Self::L1ToUb => Pipe::Mte1,
        }
    }
}

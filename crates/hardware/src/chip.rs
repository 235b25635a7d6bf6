//! An accelerator as the engines see it: base-unit figures, no text to parse.

mod contradictions;
mod derived;
mod keys;
mod load;
mod peaks;
mod relations;

pub(crate) use keys::KEYS;
pub use load::{ParsedChip, parse_chip};
pub use peaks::Peak;

use vitruvian_quantity::{
    Area, Bytes, BytesPerSecond, Dtype, Hertz, JoulesPerByte, JoulesPerFlop, Money, Seconds, Watts,
};

use crate::provenance::Figure;

/// One package as the runtime schedules it (910C: two dies).
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// The name used on the command line: `"ascend-910b2"`.
    pub name: String,
    /// Names of the chips that its file extends, nearest first.
    pub lineage: Vec<String>,
    /// The name a person reads: `"Huawei Ascend 910B2"`.
    pub title: String,
    /// Who makes it.
    pub vendor: Vendor,
    /// Which instruction set and core design.
    pub architecture: Architecture,
    /// Whether it can be had.
    pub status: Status,
    /// Cores, clocks and matrix rates.
    pub compute: Compute,
    /// Vector units.
    pub vector: Vector,
    /// On-core buffers.
    pub buffers: Buffers,
    /// On-core and core-to-L2 paths.
    pub paths: Paths,
    /// Last-level cache shared by the cores of a die.
    pub l2: CacheLevel,
    /// Device memory.
    pub hbm: Hbm,
    /// Technology of the device memory: `"HBM3"`.
    pub memory: String,
    /// Bandwidth of device memory on the package besides, such as LPDDR.
    pub further_memory: BytesPerSecond,
    /// Links to the other chips of the node.
    pub scale_up: ScaleUp,
    /// Link to the host.
    pub host: Host,
    /// Network ports on the package itself, per direction.
    pub nic: BytesPerSecond,
    /// Sum over all inputs and outputs but those to memory, both directions.
    pub io: Option<BytesPerSecond>,
    /// Power and energy.
    pub power: Power,
    /// Silicon.
    pub die: Die,
    /// Whether it is designed or marketed for data centres, where known.
    pub data_centre: Option<bool>,
    /// Price, where a source gives one.
    pub price: Option<Price>,
    /// Every figure of the file and of those it extends, in the order of the key table.
    pub figures: Vec<Figure>,
}

/// Who makes a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// NVIDIA.
    Nvidia,
    /// Huawei (`HiSilicon`).
    Huawei,
    /// AMD.
    Amd,
    /// Anyone else.
    Other,
}

/// Instruction set and core design: what decides which kernels a library can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// NVIDIA Ampere (A100, A800): `mma.sync`.
    Ampere,
    /// NVIDIA Ada (L20, L40S): `mma.sync` with FP8.
    Ada,
    /// NVIDIA Hopper (H20, H100, H200, H800): `wgmma`, 64-row tiles.
    Hopper,
    /// NVIDIA Blackwell (B200): `tcgen05`.
    Blackwell,
    /// AMD CDNA 3 (MI300X).
    Cdna3,
    /// Da Vinci with cube and vector in one core (310P, 910A).
    DaVinciCoupled,
    /// Da Vinci with one cube core and two vector cores that exchange through L2 (910B, 910C).
    DaVinciSplit,
    /// Da Vinci of the 950 family: split cores with L0C→UB paths and FP8.
    DaVinci950,
}

/// Whether a chip can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Shipping, or shipped.
    Shipping,
    /// Announced; figures are the maker's plans.
    Roadmap,
}

/// FLOP per cycle and unit by number format; zero where the unit cannot multiply it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates([f64; Dtype::ALL.len()]);

/// Cores, clocks and the matrix (tensor, cube) unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Compute {
    /// Compute dies in the package.
    pub dies: u32,
    /// SMs or AI cores of the package, as the runtime schedules them.
    pub cores: u32,
    /// Clock of the stated peaks.
    pub clock: Hertz,
    /// Clock that a long matrix load holds.
    pub sustained_clock: Hertz,
    /// Dense matrix FLOP per cycle and core.
    pub matrix: Rates,
    /// Structured sparsity of the matrix unit, if any.
    pub sparsity: Option<SparseMatmul>,
    /// Time from the host's launch to the first instruction inside a captured graph.
    pub launch: Seconds,
    /// The same when each kernel is launched by the host.
    pub eager_launch: Seconds,
}

/// Structured sparsity that the matrix unit executes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparseMatmul {
    /// Which pattern.
    pub pattern: StructuredSparsity,
    /// Peak rate against dense.
    pub speedup: f64,
    /// Formats it works on, as a [`Rates`] with the dense rate where supported.
    pub dtypes: Rates,
    /// Whether a released LLM stack executes it on this chip.
    pub deployed: bool,
}

/// Patterns of structured weight sparsity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StructuredSparsity {
    /// Two of four kept, NVIDIA.
    TwoOfFour,
    /// Two of four kept with index matrix, Da Vinci `mmad_sparse` (the vendor's 4:2).
    FourToTwo,
}

/// Vector units: CUDA cores of an SM, or AI vector cores.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Vector {
    /// Vector units of the package.
    pub units: u32,
    /// Clock of the stated vector peaks.
    pub clock: Hertz,
    /// FLOP per cycle and unit.
    pub rates: Rates,
    /// Whether they are cores of their own that exchange with the matrix unit through L2 (910B).
    pub separate: bool,
    /// Special functions (exp) per cycle and unit.
    pub special_per_cycle: f64,
}

/// On-core buffers; zero where the chip has no such buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Buffers {
    /// Shared memory of an SM that a kernel can use, or L1 of an AI core.
    pub l1: Bytes,
    /// Register file of an SM.
    pub registers: Bytes,
    /// Left operand buffer of the cube.
    pub l0a: Bytes,
    /// Right operand buffer of the cube.
    pub l0b: Bytes,
    /// Accumulator buffer of the cube.
    pub l0c: Bytes,
    /// Unified buffer of a vector core.
    pub ub: Bytes,
    /// Bias table.
    pub bt: Bytes,
    /// Fix-pipe buffers.
    pub fb: Bytes,
}

/// Bytes per cycle and core on each path; zero where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Paths {
    /// L2 to a core, read.
    pub l2_core_read: f64,
    /// Core to L2, write.
    pub l2_core_write: f64,
    /// GM to L1 (MTE2) when one core runs alone.
    pub gm_l1: f64,
    /// The same with ND→NZ conversion on load.
    pub gm_l1_nd2nz: f64,
    /// GM to UB.
    pub gm_ub: f64,
    /// UB to GM.
    pub ub_gm: f64,
    /// L1 to L0A.
    pub l1_l0a: f64,
    /// L1 to L0B.
    pub l1_l0b: f64,
    /// L0C to GM (fix-pipe).
    pub l0c_gm: f64,
    /// L0C to L1 (fix-pipe).
    pub l0c_l1: f64,
    /// UB to UB.
    pub ub_ub: f64,
}

/// Last-level cache.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CacheLevel {
    /// Capacity over all dies.
    pub capacity: Bytes,
    /// Read bandwidth over all dies.
    pub read_bandwidth: BytesPerSecond,
    /// Write bandwidth over all dies.
    pub write_bandwidth: BytesPerSecond,
    /// Load-to-use latency of a hit; zero where no source gives one.
    pub latency: Seconds,
}

/// Device memory: HBM, or the LPDDR/GDDR of chips without.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hbm {
    /// Capacity that software sees.
    pub capacity: Bytes,
    /// Stated bandwidth.
    pub bandwidth: BytesPerSecond,
    /// Load-to-use latency.
    pub latency: Seconds,
    /// Stacks on the package; zero where unknown or none.
    pub stacks: u32,
}

/// Links to the other chips of a node. Rates are per direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScaleUp {
    /// Sum over all links, per direction.
    pub bandwidth: BytesPerSecond,
    /// One link, per direction: what a pair gets on a full mesh.
    pub link_bandwidth: BytesPerSecond,
    /// Number of links.
    pub links: u32,
}

/// Link to the host, per direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Host {
    /// `PCIe` (or equivalent) bandwidth per direction.
    pub bandwidth: BytesPerSecond,
}

/// Power and energy of a package.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Power {
    /// No context.
    pub idle: Watts,
    /// Context and clocks up, nothing running.
    pub active_idle: Watts,
    /// Power cap.
    pub cap: Watts,
    /// Incremental energy of a 16-bit matrix FLOP.
    pub matrix_16: JoulesPerFlop,
    /// Incremental energy of an 8-bit matrix FLOP.
    pub matrix_8: JoulesPerFlop,
    /// Incremental energy of a vector FLOP.
    pub vector: JoulesPerFlop,
    /// Board-level energy of a byte from device memory.
    pub hbm: JoulesPerByte,
    /// Energy of a byte from L2.
    pub l2: JoulesPerByte,
    /// Energy of a byte over a scale-up link.
    pub link: JoulesPerByte,
}

/// Silicon.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Die {
    /// Area of one compute die, where known.
    pub area: Option<Area>,
    /// Width over height of one compute die, where known.
    pub aspect: Option<f64>,
    /// Process name: `"TSMC 4N"`; empty where unknown.
    pub process: String,
    /// What its transistors are, where known.
    pub transistor: Option<Transistor>,
    /// Cores physically on one die, enabled or not, where known.
    pub cores_on_die: Option<u32>,
    /// Share of a compute die that its cores take, where known.
    pub core_share: Option<f64>,
    /// Transistors of the package, where known.
    pub transistors: Option<f64>,
    /// Logic dies besides the compute dies.
    pub io: OtherDie,
    /// Logic die below each memory stack.
    pub base: OtherDie,
}

/// A logic die that is no compute die.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OtherDie {
    /// How many in the package; zero where there is none, or one a memory stack.
    pub count: u32,
    /// Area of one; zero where unknown.
    pub area: Area,
    /// Process name; empty where unknown.
    pub process: String,
    /// What its transistors are, where known.
    pub transistor: Option<Transistor>,
}

/// What the transistors of a die are: export rules count the area of those that are not planar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transistor {
    /// Planar, on bulk silicon or on an insulator.
    Planar,
    /// Fins.
    FinFet,
    /// Gate all around.
    Gaa,
}

/// A price, in US dollars, as a range.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Price {
    /// Low end of the sources.
    pub low: Money,
    /// What the comparison uses.
    pub typical: Money,
    /// High end of the sources.
    pub high: Money,
}

impl Rates {
    /// Sets the rate of a format.
    #[must_use]
    pub fn with(mut self, dtype: Dtype, flop_per_cycle: f64) -> Self {
        self.0[dtype as usize] = flop_per_cycle;
        self
    }

    /// FLOP per cycle and unit; zero if the unit cannot.
    pub fn get(&self, dtype: Dtype) -> f64 {
        self.0[dtype as usize]
    }

    /// Whether the unit can multiply the format.
    pub fn supports(&self, dtype: Dtype) -> bool {
        self.get(dtype) > 0.0
    }

    /// The formats with a rate, in declaration order.
    pub fn supported(&self) -> impl Iterator<Item = (Dtype, f64)> + '_ {
        Dtype::ALL.into_iter().map(|dtype| (dtype, self.get(dtype))).filter(|(_, rate)| *rate > 0.0)
    }
}

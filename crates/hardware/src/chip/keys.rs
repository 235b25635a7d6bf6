//! The keys of a chip file, each declared once.
//!
//! Order matters in one way: a key that refines another (`sparsity.speedup`) stands below it.

use vitruvian_quantity::Dtype;

use crate::chip::{
    Architecture, Chip, Price, Rates, SparseMatmul, Status, StructuredSparsity, Transistor, Vendor,
};
use crate::file::Kind::{
    Area, Bandwidth, Count, Dtypes, EnergyPerByte, EnergyPerFlop, Flag, Frequency, Money, Number, Power,
    Rate, Size, Text, Time, Word,
};
use crate::file::{Key, Value, optional, required};

type K = Key<Chip>;

const VENDORS: [(&str, Vendor); 4] =
    [("nvidia", Vendor::Nvidia), ("huawei", Vendor::Huawei), ("amd", Vendor::Amd), ("other", Vendor::Other)];

const ARCHITECTURES: [(&str, Architecture); 8] = [
    ("ampere", Architecture::Ampere),
    ("ada", Architecture::Ada),
    ("hopper", Architecture::Hopper),
    ("blackwell", Architecture::Blackwell),
    ("cdna3", Architecture::Cdna3),
    ("davinci-coupled", Architecture::DaVinciCoupled),
    ("davinci-split", Architecture::DaVinciSplit),
    ("davinci-950", Architecture::DaVinci950),
];

const STATUSES: [(&str, Status); 2] = [("shipping", Status::Shipping), ("roadmap", Status::Roadmap)];

const TRANSISTORS: [(&str, Transistor); 3] =
    [("planar", Transistor::Planar), ("finfet", Transistor::FinFet), ("gaa", Transistor::Gaa)];

const PATTERNS: [(&str, Option<StructuredSparsity>); 3] = [
    ("none", None),
    ("2:4", Some(StructuredSparsity::TwoOfFour)),
    ("4:2", Some(StructuredSparsity::FourToTwo)),
];

/// The keys, in the order in which figures are shown.
pub(crate) static KEYS: &[Key<Chip>] = &[
    optional!("title", Text, title, "The name a person reads."),
    K::new("vendor", Word(&words(&VENDORS)), "Who makes it.", |c, v| {
        c.vendor = meant(v, &VENDORS, c.vendor);
    }),
    K::new("architecture", Word(&words(&ARCHITECTURES)), "Instruction set and core design.", |c, v| {
        c.architecture = meant(v, &ARCHITECTURES, c.architecture);
    }),
    K::new("status", Word(&words(&STATUSES)), "Whether it can be had.", |c, v| {
        c.status = meant(v, &STATUSES, c.status);
    }),
    // Cores and clocks.
    required!("dies", Count, compute.dies, "Compute dies in the package."),
    required!("cores", Count, compute.cores, "SMs, CUs or AI cores of the package that are scheduled."),
    required!("clock", Frequency, compute.clock, "Clock of the stated matrix peaks."),
    optional!("sustained_clock", Frequency, compute.sustained_clock, "Clock that a long matrix load holds."),
    required!("launch", Time, compute.launch, "From launch to first instruction inside a captured graph."),
    optional!("eager_launch", Time, compute.eager_launch, "The same when the host launches each kernel."),
    // The matrix unit.
    K::per_dtype("matrix.*", Number, "Dense matrix FLOP per cycle and core; zero: cannot.", |c, d, v| {
        c.compute.matrix = c.compute.matrix.with(d, v.into());
    }),
    K::per_dtype("stated.*", Rate, "Dense matrix peak as stated, to be checked.", |_, _, _| {}),
    K::per_dtype(
        "rated.*",
        Rate,
        "Dense peak of all processing units as the maker states it; export rules count this one.",
        |_, _, _| {},
    ),
    K::new("sparsity.pattern", Word(&words(&PATTERNS)), "Structured sparsity of the matrix unit.", |c, v| {
        c.compute.sparsity = meant(v, &PATTERNS, None).map(sparse);
    })
    .optional(),
    K::new("sparsity.speedup", Number, "Peak rate of the sparse matrix unit against dense.", |c, v| {
        refine(c, |s, _| s.speedup = v.into());
    })
    .optional(),
    K::new("sparsity.dtypes", Dtypes, "Number formats that it multiplies sparsely.", |c, v| {
        refine(c, |s, dense| s.dtypes = chosen(dense, v.dtypes()));
    })
    .optional(),
    K::new("sparsity.deployed", Flag, "Whether a released LLM stack executes it on this chip.", |c, v| {
        refine(c, |s, _| s.deployed = v.into());
    })
    .optional(),
    // Vector units.
    optional!("vector.units", Count, vector.units, "Vector units of the package."),
    optional!("vector.clock", Frequency, vector.clock, "Clock of the stated vector peaks."),
    K::per_dtype("vector.*", Number, "Vector FLOP per cycle and unit; zero: cannot.", |c, d, v| {
        c.vector.rates = c.vector.rates.with(d, v.into());
    }),
    K::per_dtype("stated_vector.*", Rate, "Vector peak as stated, to be checked.", |_, _, _| {}),
    required!(
        "vector.separate",
        Flag,
        vector.separate,
        "Whether it exchanges with the matrix unit through L2."
    ),
    required!(
        "vector.special_per_cycle",
        Number,
        vector.special_per_cycle,
        "Exponentials per cycle and unit."
    ),
    // On-core buffers.
    required!("buffers.l1", Size, buffers.l1, "Shared memory an SM's kernel can use, or L1 of an AI core."),
    optional!("buffers.registers", Size, buffers.registers, "Register file of an SM."),
    optional!("buffers.l0a", Size, buffers.l0a, "Left operand buffer of the cube."),
    optional!("buffers.l0b", Size, buffers.l0b, "Right operand buffer of the cube."),
    optional!("buffers.l0c", Size, buffers.l0c, "Accumulator buffer of the cube."),
    optional!("buffers.ub", Size, buffers.ub, "Unified buffer of a vector core."),
    optional!("buffers.bt", Size, buffers.bt, "Bias table."),
    optional!("buffers.fb", Size, buffers.fb, "Fix-pipe buffers."),
    // Paths, in bytes per cycle and core.
    required!("paths.l2_core_read", Number, paths.l2_core_read, "L2 to a core, B/cycle."),
    required!("paths.l2_core_write", Number, paths.l2_core_write, "Core to L2, B/cycle."),
    optional!("paths.gm_l1", Number, paths.gm_l1, "GM to L1 (MTE2) when one core runs alone, B/cycle."),
    optional!("paths.gm_l1_nd2nz", Number, paths.gm_l1_nd2nz, "The same with ND to NZ on load, B/cycle."),
    optional!("paths.gm_ub", Number, paths.gm_ub, "GM to UB, B/cycle."),
    optional!("paths.ub_gm", Number, paths.ub_gm, "UB to GM, B/cycle."),
    optional!("paths.l1_l0a", Number, paths.l1_l0a, "L1 to L0A, B/cycle."),
    optional!("paths.l1_l0b", Number, paths.l1_l0b, "L1 to L0B, B/cycle."),
    optional!("paths.l0c_gm", Number, paths.l0c_gm, "L0C to GM (FixPipe), B/cycle."),
    optional!("paths.l0c_l1", Number, paths.l0c_l1, "L0C to L1 (FixPipe), B/cycle."),
    optional!("paths.ub_ub", Number, paths.ub_ub, "UB to UB, B/cycle."),
    // Last-level cache.
    K::new("l2.capacity", Size, "Capacity over all dies; `l2 = \"...\"` is short for it.", |c, v| {
        c.l2.capacity = v.into();
    }),
    K::shown(
        "l2.per_cycle",
        Number,
        "What the L2 slices deliver together, B/cycle; the cores' ports are the other limit.",
    ),
    optional!("l2.read_bandwidth", Bandwidth, l2.read_bandwidth, "Read bandwidth over all dies."),
    optional!("l2.write_bandwidth", Bandwidth, l2.write_bandwidth, "Write bandwidth over all dies."),
    optional!("l2.latency", Time, l2.latency, "Load-to-use latency of a hit."),
    // Device memory.
    required!("hbm.kind", Text, memory, "Technology of the device memory."),
    K::new("hbm.capacity", Size, "Capacity that software sees; `hbm = \"...\"` is short for it.", |c, v| {
        c.hbm.capacity = v.into();
    }),
    required!("hbm.bandwidth", Bandwidth, hbm.bandwidth, "Stated bandwidth."),
    optional!("hbm.stacks", Count, hbm.stacks, "Memory stacks on the package."),
    K::shown("hbm.stack_bandwidth", Bandwidth, "Bandwidth of one stack."),
    required!("hbm.latency", Time, hbm.latency, "Load-to-use latency."),
    optional!(
        "dram.further_bandwidth",
        Bandwidth,
        further_memory,
        "Device memory on the package besides, such as LPDDR; export rules count all of it."
    )
    .or_zero(),
    // Links.
    K::shown("scale_up.kind", Text, "What the links to the other chips are called."),
    required!("scale_up.links", Count, scale_up.links, "Links to the other chips of a node.").or_zero(),
    optional!("scale_up.link_bandwidth", Bandwidth, scale_up.link_bandwidth, "One link, per direction.")
        .or_zero(),
    optional!("scale_up.bandwidth", Bandwidth, scale_up.bandwidth, "All links, per direction.").or_zero(),
    required!("host.bandwidth", Bandwidth, host.bandwidth, "Link to the host, per direction."),
    optional!("nic.bandwidth", Bandwidth, nic, "Network ports on the package itself, per direction.")
        .or_zero(),
    K::new(
        "io.bandwidth",
        Bandwidth,
        "All inputs and outputs but those to memory, both directions.",
        |c, v| {
            c.io = Some(v.into());
        },
    )
    .optional(),
    // Power and energy.
    required!("power.idle", Power, power.idle, "No context."),
    required!("power.active_idle", Power, power.active_idle, "Context and clocks up, nothing running."),
    required!("power.cap", Power, power.cap, "Power cap."),
    required!(
        "power.matrix_16",
        EnergyPerFlop,
        power.matrix_16,
        "Incremental energy of a 16-bit matrix FLOP."
    ),
    required!("power.matrix_8", EnergyPerFlop, power.matrix_8, "Incremental energy of an 8-bit matrix FLOP."),
    required!("power.vector", EnergyPerFlop, power.vector, "Incremental energy of a vector FLOP."),
    required!("power.hbm", EnergyPerByte, power.hbm, "Board-level energy of a byte from device memory."),
    required!("power.l2", EnergyPerByte, power.l2, "Energy of a byte from L2."),
    required!("power.link", EnergyPerByte, power.link, "Energy of a byte over a link to another chip."),
    // Silicon and price.
    K::new("die.area", Area, "Area of one compute die.", |c, v| c.die.area = Some(v.into())).optional(),
    K::new("die.aspect", Number, "Width of a compute die over its height.", |c, v| {
        c.die.aspect = Some(v.into());
    })
    .optional(),
    optional!("die.process", Text, die.process, "Process name."),
    K::new("die.transistor", Word(&words(&TRANSISTORS)), "Transistors of the compute dies.", |c, v| {
        c.die.transistor = transistor(v);
    })
    .optional(),
    K::new("die.cores_on_die", Count, "Cores physically on one die, enabled or not.", |c, v| {
        c.die.cores_on_die = Some(v.into());
    })
    .optional(),
    K::new("die.core_share", Number, "Share of a compute die that its cores take.", |c, v| {
        c.die.core_share = Some(v.into());
    })
    .optional(),
    K::new("die.transistors", Number, "Transistors of the package.", |c, v| {
        c.die.transistors = Some(v.into());
    })
    .optional(),
    optional!("io_die.count", Count, die.io.count, "Logic dies besides the compute dies."),
    optional!("io_die.area", Area, die.io.area, "Area of one of them."),
    optional!("io_die.process", Text, die.io.process, "Their process."),
    K::new("io_die.transistor", Word(&words(&TRANSISTORS)), "Their transistors.", |c, v| {
        c.die.io.transistor = transistor(v);
    })
    .optional(),
    optional!("base_die.area", Area, die.base.area, "Area of the logic die below one memory stack."),
    K::new("base_die.transistor", Word(&words(&TRANSISTORS)), "Its transistors.", |c, v| {
        c.die.base.transistor = transistor(v);
    })
    .optional(),
    K::new("market.data_centre", Flag, "Whether it is designed or marketed for data centres.", |c, v| {
        c.data_centre = Some(v.into());
    })
    .optional(),
    K::new("price.typical", Money, "Price of one chip or card that comparisons use.", |c, v| {
        c.price = Some(Price { typical: v.into(), ..c.price.unwrap_or_default() });
    })
    .optional(),
    K::new("price.low", Money, "Low end of the sources.", |c, v| {
        c.price = c.price.map(|price| Price { low: v.into(), ..price });
    })
    .optional(),
    K::new("price.high", Money, "High end of the sources.", |c, v| {
        c.price = c.price.map(|price| Price { high: v.into(), ..price });
    })
    .optional(),
    K::shown("price.date", Text, "When the prices held."),
    K::shown("price.materials", Money, "Bill of materials, as analysts estimate it."),
];

/// The words of a table of words.
const fn words<T: Copy, const N: usize>(table: &[(&'static str, T); N]) -> [&'static str; N] {
    let mut words = [""; N];
    let mut index = 0;
    while index < N {
        words[index] = table[index].0;
        index += 1;
    }
    words
}

/// What a word of the table means; `otherwise` for a word that the reader has already refused.
fn meant<T: Copy>(value: &Value, table: &[(&str, T)], otherwise: T) -> T {
    table.iter().find(|(word, _)| *word == value.text()).map_or(otherwise, |(_, meaning)| *meaning)
}

/// What the transistors are; none for a word that the reader has already refused.
fn transistor(value: &Value) -> Option<Transistor> {
    TRANSISTORS.iter().find(|(word, _)| *word == value.text()).map(|(_, meaning)| *meaning)
}

fn sparse(pattern: StructuredSparsity) -> SparseMatmul {
    // Speed-up of a pattern that keeps half of the weights, until `sparsity.speedup` says otherwise.
    SparseMatmul { pattern, speedup: 2.0, dtypes: Rates::default(), deployed: false }
}

fn refine(chip: &mut Chip, change: impl FnOnce(&mut SparseMatmul, &Rates)) {
    let dense = chip.compute.matrix;
    if let Some(sparsity) = &mut chip.compute.sparsity {
        change(sparsity, &dense);
    }
}

fn chosen(dense: &Rates, dtypes: &[Dtype]) -> Rates {
    dtypes.iter().fold(Rates::default(), |rates, dtype| rates.with(*dtype, dense.get(*dtype)))
}

impl Architecture {
    /// The word used in files and output: `"davinci-split"`.
    pub fn name(self) -> &'static str {
        name_of(&self, &ARCHITECTURES)
    }
}

impl Transistor {
    /// The word used in files and output: `"finfet"`.
    pub fn name(self) -> &'static str {
        name_of(&self, &TRANSISTORS)
    }
}

impl Vendor {
    /// The word used in files and output: `"huawei"`.
    pub fn name(self) -> &'static str {
        name_of(&self, &VENDORS)
    }
}

impl Status {
    /// The word used in files and output: `"shipping"`.
    pub fn name(self) -> &'static str {
        name_of(&self, &STATUSES)
    }
}

fn name_of<T: PartialEq>(meaning: &T, table: &[(&'static str, T)]) -> &'static str {
    table.iter().find(|(_, other)| other == meaning).map_or("", |(word, _)| word)
}

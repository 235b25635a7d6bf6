//! The keys of a chip file, each declared once.
//!
//! Order matters in one way: a key that refines another (`sparsity.speedup`) stands below it.

use vitruvian_quantity::Dtype;

use crate::chip::{Architecture, Chip, Price, Rates, SparseMatmul, Status, StructuredSparsity, Vendor};
use crate::file::{Key, Kind, Value};

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

const PATTERNS: [(&str, Option<StructuredSparsity>); 3] = [
    ("none", None),
    ("2:4", Some(StructuredSparsity::TwoOfFour)),
    ("4:2", Some(StructuredSparsity::FourToTwo)),
];

/// The keys, in the order in which figures are shown.
pub(crate) static KEYS: &[Key<Chip>] = &[
    K::new("title", Kind::Text, "The name a person reads.", |c, v| c.title = v.into()).optional(),
    K::new("vendor", Kind::Word(&words(&VENDORS)), "Who makes it.", |c, v| c.vendor = meant(v, &VENDORS, c.vendor)),
    K::new("architecture", Kind::Word(&words(&ARCHITECTURES)), "Instruction set and core design.", |c, v| {
        c.architecture = meant(v, &ARCHITECTURES, c.architecture);
    }),
    K::new("status", Kind::Word(&words(&STATUSES)), "Whether it can be had.", |c, v| {
        c.status = meant(v, &STATUSES, c.status);
    }),
    // Cores and clocks.
    K::new("dies", Kind::Count, "Compute dies in the package.", |c, v| c.compute.dies = v.into()),
    K::new("cores", Kind::Count, "SMs, CUs or AI cores of the package, as the runtime schedules them.", |c, v| {
        c.compute.cores = v.into();
    }),
    K::new("clock", Kind::Frequency, "Clock of the stated matrix peaks.", |c, v| c.compute.clock = v.into()),
    K::new("sustained_clock", Kind::Frequency, "Clock that a long matrix load holds.", |c, v| {
        c.compute.sustained_clock = v.into();
    })
    .optional(),
    K::new("launch", Kind::Time, "From launch to first instruction inside a captured graph.", |c, v| {
        c.compute.launch = v.into();
    }),
    K::new("eager_launch", Kind::Time, "The same when the host launches each kernel.", |c, v| {
        c.compute.eager_launch = v.into();
    })
    .optional(),
    // The matrix unit.
    K::per_dtype("matrix.*", Kind::Number, "Dense matrix FLOP per cycle and core; zero: cannot.", |c, d, v| {
        c.compute.matrix = c.compute.matrix.with(d, v.into());
    }),
    K::per_dtype("stated.*", Kind::Rate, "Dense matrix peak as stated, to check cores × rate × clock.", |_, _, _| {}),
    K::new("sparsity.pattern", Kind::Word(&words(&PATTERNS)), "Structured sparsity of the matrix unit.", |c, v| {
        c.compute.sparsity = meant(v, &PATTERNS, None).map(sparse);
    })
    .optional(),
    K::new("sparsity.speedup", Kind::Number, "Peak rate of the sparse matrix unit against dense.", |c, v| {
        refine(c, |s, _| s.speedup = v.into());
    })
    .optional(),
    K::new("sparsity.dtypes", Kind::Dtypes, "Number formats that it multiplies sparsely.", |c, v| {
        refine(c, |s, dense| s.dtypes = chosen(dense, v.dtypes()));
    })
    .optional(),
    K::new("sparsity.deployed", Kind::Flag, "Whether a released LLM stack executes it on this chip.", |c, v| {
        refine(c, |s, _| s.deployed = v.into());
    })
    .optional(),
    // Vector units.
    K::new("vector.units", Kind::Count, "Vector units of the package.", |c, v| c.vector.units = v.into()).optional(),
    K::new("vector.clock", Kind::Frequency, "Clock of the stated vector peaks.", |c, v| c.vector.clock = v.into())
        .optional(),
    K::per_dtype("vector.*", Kind::Number, "Vector FLOP per cycle and unit; zero: cannot.", |c, d, v| {
        c.vector.rates = c.vector.rates.with(d, v.into());
    }),
    K::per_dtype("stated_vector.*", Kind::Rate, "Vector peak as stated, to check units × rate × clock.", |_, _, _| {}),
    K::new("vector.separate", Kind::Flag, "Whether vector and matrix cores exchange through L2.", |c, v| {
        c.vector.separate = v.into();
    }),
    K::new("vector.special_per_cycle", Kind::Number, "Special functions (exp) per cycle and unit.", |c, v| {
        c.vector.special_per_cycle = v.into();
    }),
    // On-core buffers.
    K::new("buffers.l1", Kind::Size, "Shared memory an SM's kernel can use, or L1 of an AI core.", |c, v| {
        c.buffers.l1 = v.into();
    }),
    K::new("buffers.registers", Kind::Size, "Register file of an SM.", |c, v| c.buffers.registers = v.into())
        .optional(),
    K::new("buffers.l0a", Kind::Size, "Left operand buffer of the cube.", |c, v| c.buffers.l0a = v.into()).optional(),
    K::new("buffers.l0b", Kind::Size, "Right operand buffer of the cube.", |c, v| c.buffers.l0b = v.into()).optional(),
    K::new("buffers.l0c", Kind::Size, "Accumulator buffer of the cube.", |c, v| c.buffers.l0c = v.into()).optional(),
    K::new("buffers.ub", Kind::Size, "Unified buffer of a vector core.", |c, v| c.buffers.ub = v.into()).optional(),
    K::new("buffers.bt", Kind::Size, "Bias table.", |c, v| c.buffers.bt = v.into()).optional(),
    K::new("buffers.fb", Kind::Size, "Fix-pipe buffers.", |c, v| c.buffers.fb = v.into()).optional(),
    // Paths, in bytes per cycle and core.
    K::new("paths.l2_core_read", Kind::Number, "L2 to a core, B/cycle.", |c, v| c.paths.l2_core_read = v.into()),
    K::new("paths.l2_core_write", Kind::Number, "Core to L2, B/cycle.", |c, v| c.paths.l2_core_write = v.into()),
    K::new("paths.gm_l1", Kind::Number, "GM to L1 (MTE2) when one core runs alone, B/cycle.", |c, v| {
        c.paths.gm_l1 = v.into();
    })
    .optional(),
    K::new("paths.gm_l1_nd2nz", Kind::Number, "The same with ND to NZ conversion on load, B/cycle.", |c, v| {
        c.paths.gm_l1_nd2nz = v.into();
    })
    .optional(),
    K::new("paths.gm_ub", Kind::Number, "GM to UB, B/cycle.", |c, v| c.paths.gm_ub = v.into()).optional(),
    K::new("paths.ub_gm", Kind::Number, "UB to GM, B/cycle.", |c, v| c.paths.ub_gm = v.into()).optional(),
    K::new("paths.l1_l0a", Kind::Number, "L1 to L0A, B/cycle.", |c, v| c.paths.l1_l0a = v.into()).optional(),
    K::new("paths.l1_l0b", Kind::Number, "L1 to L0B, B/cycle.", |c, v| c.paths.l1_l0b = v.into()).optional(),
    K::new("paths.l0c_gm", Kind::Number, "L0C to GM (FixPipe), B/cycle.", |c, v| c.paths.l0c_gm = v.into()).optional(),
    K::new("paths.l0c_l1", Kind::Number, "L0C to L1 (FixPipe), B/cycle.", |c, v| c.paths.l0c_l1 = v.into()).optional(),
    K::new("paths.ub_ub", Kind::Number, "UB to UB, B/cycle.", |c, v| c.paths.ub_ub = v.into()).optional(),
    // Last-level cache.
    K::new("l2.capacity", Kind::Size, "Capacity over all dies; `l2 = \"...\"` is short for it.", |c, v| {
        c.l2.capacity = v.into();
    }),
    K::shown("l2.per_cycle", Kind::Number, "What the L2 slices deliver together, B/cycle; the cores' ports are the other limit."),
    K::new("l2.read_bandwidth", Kind::Bandwidth, "Read bandwidth over all dies.", |c, v| {
        c.l2.read_bandwidth = v.into();
    })
    .optional(),
    K::new("l2.write_bandwidth", Kind::Bandwidth, "Write bandwidth over all dies.", |c, v| {
        c.l2.write_bandwidth = v.into();
    })
    .optional(),
    K::new("l2.latency", Kind::Time, "Load-to-use latency of a hit.", |c, v| c.l2.latency = v.into()).optional(),
    // Device memory.
    K::new("hbm.kind", Kind::Text, "Technology of the device memory.", |c, v| c.memory = v.into()),
    K::new("hbm.capacity", Kind::Size, "Capacity that software sees; `hbm = \"...\"` is short for it.", |c, v| {
        c.hbm.capacity = v.into();
    }),
    K::new("hbm.bandwidth", Kind::Bandwidth, "Stated bandwidth.", |c, v| c.hbm.bandwidth = v.into()),
    K::shown("hbm.stacks", Kind::Count, "Memory stacks on the package."),
    K::shown("hbm.stack_bandwidth", Kind::Bandwidth, "Bandwidth of one stack."),
    K::new("hbm.latency", Kind::Time, "Load-to-use latency.", |c, v| c.hbm.latency = v.into()),
    // Links.
    K::shown("scale_up.kind", Kind::Text, "What the links to the other chips are called."),
    K::new("scale_up.links", Kind::Count, "Links to the other chips of a node.", |c, v| c.scale_up.links = v.into())
        .or_zero(),
    K::new("scale_up.link_bandwidth", Kind::Bandwidth, "One link, per direction.", |c, v| {
        c.scale_up.link_bandwidth = v.into();
    })
    .optional()
    .or_zero(),
    K::new("scale_up.bandwidth", Kind::Bandwidth, "All links, per direction.", |c, v| {
        c.scale_up.bandwidth = v.into();
    })
    .optional()
    .or_zero(),
    K::new("host.bandwidth", Kind::Bandwidth, "Link to the host, per direction.", |c, v| c.host.bandwidth = v.into()),
    // Power and energy.
    K::new("power.idle", Kind::Power, "No context.", |c, v| c.power.idle = v.into()),
    K::new("power.active_idle", Kind::Power, "Context and clocks up, nothing running.", |c, v| {
        c.power.active_idle = v.into();
    }),
    K::new("power.cap", Kind::Power, "Power cap.", |c, v| c.power.cap = v.into()),
    K::new("power.matrix_16", Kind::EnergyPerFlop, "Incremental energy of a 16-bit matrix FLOP.", |c, v| {
        c.power.matrix_16 = v.into();
    }),
    K::new("power.matrix_8", Kind::EnergyPerFlop, "Incremental energy of an 8-bit matrix FLOP.", |c, v| {
        c.power.matrix_8 = v.into();
    }),
    K::new("power.vector", Kind::EnergyPerFlop, "Incremental energy of a vector FLOP.", |c, v| {
        c.power.vector = v.into();
    }),
    K::new("power.hbm", Kind::EnergyPerByte, "Board-level energy of a byte from device memory.", |c, v| {
        c.power.hbm = v.into();
    }),
    K::new("power.l2", Kind::EnergyPerByte, "Energy of a byte from L2.", |c, v| c.power.l2 = v.into()),
    K::new("power.link", Kind::EnergyPerByte, "Energy of a byte over a link to another chip.", |c, v| {
        c.power.link = v.into();
    }),
    // Silicon and price.
    K::new("die.area", Kind::Area, "Area of one compute die.", |c, v| c.die.area = Some(v.into())).optional(),
    K::new("die.process", Kind::Text, "Process name.", |c, v| c.die.process = v.into()).optional(),
    K::new("die.cores_on_die", Kind::Count, "Cores physically on one die, enabled or not.", |c, v| {
        c.die.cores_on_die = Some(v.into());
    })
    .optional(),
    K::shown("die.transistors", Kind::Number, "Transistors of the package."),
    K::new("price.typical", Kind::Money, "Price of one chip or card that comparisons use.", |c, v| {
        c.price = Some(Price { typical: v.into(), ..c.price.unwrap_or_default() });
    })
    .optional(),
    K::new("price.low", Kind::Money, "Low end of the sources.", |c, v| {
        c.price = c.price.map(|price| Price { low: v.into(), ..price });
    })
    .optional(),
    K::new("price.high", Kind::Money, "High end of the sources.", |c, v| {
        c.price = c.price.map(|price| Price { high: v.into(), ..price });
    })
    .optional(),
    K::shown("price.materials", Kind::Money, "Bill of materials, as analysts estimate it."),
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
        name_of(self, &ARCHITECTURES)
    }
}

impl Vendor {
    /// The word used in files and output: `"huawei"`.
    pub fn name(self) -> &'static str {
        name_of(self, &VENDORS)
    }
}

impl Status {
    /// The word used in files and output: `"shipping"`.
    pub fn name(self) -> &'static str {
        name_of(self, &STATUSES)
    }
}

fn name_of<T: PartialEq>(meaning: T, table: &[(&'static str, T)]) -> &'static str {
    table.iter().find(|(_, other)| *other == meaning).map_or("", |(word, _)| word)
}

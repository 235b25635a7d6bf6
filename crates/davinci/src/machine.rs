//! The machine: a chip's capacities and widths, and its core's instruction timing.
//!
//! Everything is data. "Max, Lite, Tiny", coupled or split, a larger L0C: other values, the same code.

mod core_timing;
mod figures;

use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::{Buffers, Chip, Paths};
use vitruvian_quantity::{Bytes, BytesPerSecond, Dtype, Hertz, Seconds};

pub use core_timing::{CoreTiming, Design, MmadTiming, PathTiming, Sigmas, VectorTiming};

use crate::isa::{Space, Type};

/// A die of a chip as kernels see it.
#[derive(Clone, Debug, PartialEq)]
pub struct Machine {
    /// Name of the chip.
    pub chip: String,
    /// Core clock.
    pub clock: Hertz,
    /// Cube cores (or coupled cores) of the die.
    pub cube_cores: u32,
    /// Vector cores of the die.
    pub vector_cores: u32,
    /// Multiply-add operations per cycle of the cube, times two, by type.
    cube_rates: [f64; Type::ALL.len()],
    /// How much faster `mmad_sparse` runs than `mmad`; zero without.
    pub sparse_speedup: f64,
    /// Capacities in bytes, by [`Space`]; GM is the die's device memory.
    pub capacity: [u64; Space::COUNT],
    /// Path widths, bytes per cycle and core.
    pub paths: Paths,
    /// What all cores share.
    pub shared: Shared,
    /// Instruction timing.
    pub core: CoreTiming,
    /// From the host's launch to the first instruction.
    pub launch: Seconds,
}

/// L2 and device memory of the die, bytes per core cycle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shared {
    /// L2 reads of all cores, efficiency applied.
    pub l2_read: f64,
    /// L2 writes of all cores.
    pub l2_write: f64,
    /// Device memory, both ways, efficiency applied.
    pub hbm: f64,
    /// L2 capacity, bytes.
    pub l2_capacity: u64,
}

impl Machine {
    /// The machine that a chip and a core description make.
    ///
    /// # Errors
    /// If the chip has no Da Vinci cube (no L0 buffers or no matrix rate).
    pub fn new(chip: &Chip, core: CoreTiming) -> Result<Self, Diagnostics> {
        figures::check_chip(chip)?;
        let dies = chip.compute.dies.max(1);
        let vector_cores = core.vector_cores(chip, dies);
        Ok(Self {
            chip: chip.name.clone(),
            clock: chip.compute.clock,
            cube_cores: chip.compute.cores / dies,
            vector_cores,
            cube_rates: Type::ALL.map(|ty| chip.compute.matrix.get(dtype(ty))),
            sparse_speedup: chip.compute.sparsity.map_or(0.0, |sparsity| sparsity.speedup),
            capacity: capacities(&chip.buffers, chip.hbm.capacity / f64::from(dies)),
            paths: completed(chip.paths, &core),
            shared: shared(chip, &core, f64::from(dies)),
            launch: chip.compute.launch,
            core,
        })
    }

    /// Capacity of a buffer in bytes.
    pub fn bytes(&self, space: Space) -> u64 {
        self.capacity[space as usize]
    }

    /// FLOP per cycle of one cube; zero if the type is not supported.
    pub fn cube_rate(&self, ty: Type) -> f64 {
        self.cube_rates[ty as usize]
    }

    /// Dense peak of all cubes, FLOP per cycle.
    pub fn cube_peak(&self, ty: Type) -> f64 {
        self.cube_rate(ty) * f64::from(self.cube_cores)
    }

    /// The time of so many cycles.
    pub fn time(&self, cycles: u64) -> Seconds {
        Seconds::of_cycles(cycles as f64, self.clock)
    }
}

/// Paths without a figure of their own move as much as the core's share of L2; within UB, as the vector unit does.
fn completed(paths: Paths, core: &CoreTiming) -> Paths {
    let or = |width: f64, fallback: f64| if width > 0.0 { width } else { fallback };
    let (read, write) = (paths.l2_core_read, paths.l2_core_write);
    Paths {
        gm_l1: or(paths.gm_l1, read),
        gm_l1_nd2nz: or(paths.gm_l1_nd2nz, read),
        gm_ub: or(paths.gm_ub, read),
        ub_gm: or(paths.ub_gm, write),
        l0c_gm: or(paths.l0c_gm, write),
        l0c_l1: or(paths.l0c_l1, write),
        ub_ub: or(paths.ub_ub, core.vector.width),
        ..paths
    }
}

fn capacities(buffers: &Buffers, gm: Bytes) -> [u64; Space::COUNT] {
    let whole = |bytes: Bytes| bytes.get() as u64;
    [gm, buffers.l1, buffers.l0a, buffers.l0b, buffers.l0c, buffers.ub, buffers.bt, buffers.fb].map(whole)
}

fn shared(chip: &Chip, core: &CoreTiming, dies: f64) -> Shared {
    let per_cycle = |rate: BytesPerSecond| rate.get() / chip.compute.clock.get() / dies;
    Shared {
        l2_read: per_cycle(chip.l2.read_bandwidth) * core.l2_efficiency,
        l2_write: per_cycle(chip.l2.write_bandwidth),
        hbm: per_cycle(chip.hbm.bandwidth) * core.hbm_efficiency,
        l2_capacity: (chip.l2.capacity.get() / dies) as u64,
    }
}

/// The chip's name for a type that the cube multiplies.
fn dtype(ty: Type) -> Dtype {
    match ty {
        Type::F16 | Type::S16 => Dtype::Fp16,
        Type::Bf16 => Dtype::Bf16,
        Type::F32 | Type::S32 | Type::U32 => Dtype::Fp32,
        Type::Hf32 => Dtype::Tf32,
        Type::S8 => Dtype::Int8,
        Type::S4 => Dtype::Int4,
    }
}

//! Instruction timing of a core design, from `catalog/cores`.

use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_hardware::{Architecture, Chip, Figure};

use super::figures::Figures;
use crate::isa::{Move, VectorOp};

/// How cube and vector cores are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// Cube and vector unit in one core.
    Coupled,
    /// A cube core and its vector cores, which exchange through L2.
    Split,
}

/// Cycles of one transfer: max(minimum, startup + bytes / (burst · width), bytes / width).
///
/// A short transfer runs at up to `burst` times the width that a long one holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PathTiming {
    /// Cycles before the first byte.
    pub startup: u32,
    /// Rate after the start-up, against the width.
    pub burst: f64,
    /// Cycles of the shortest transfer.
    pub minimum: u32,
}

/// Cycles of one `mmad`: max(minimum, head + fractal steps); its result is visible `latency` later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MmadTiming {
    /// Issue overhead of back-to-back instructions.
    pub head: u32,
    /// Cycles of the smallest instruction.
    pub minimum: u32,
    /// From leaving the pipe to a visible result.
    pub latency: u32,
}

/// Cycles of a vector instruction: slope · repeats + fixed.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorTiming {
    /// Bytes of a repeat that one cycle of a one-source operation processes.
    pub width: f64,
    /// Added in counter mode.
    pub count_mode: u32,
    /// Added a repeat when both sources fall into one bank group.
    pub bank_conflict: u32,
    /// Slope and fixed part by [`VectorOp`].
    pub ops: Vec<(f64, f64)>,
}

/// Deviation of the logarithm of simulated against measured times, by kernel; nothing where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sigmas {
    /// Products of 16-bit numbers.
    pub gemm: Option<f64>,
    /// Products of 8-bit numbers.
    pub int8: Option<f64>,
    /// Products of many experts.
    pub grouped: Option<f64>,
    /// Attention of whole sequences.
    pub prefill: Option<f64>,
    /// Attention of new tokens.
    pub decode: Option<f64>,
}

impl Sigmas {
    fn from_figures(f: &mut Figures) -> Self {
        let mut of =
            |kernel: &str| Some(f.number(&format!("sigma.{kernel}"), "")).filter(|sigma| *sigma > 0.0);
        Self {
            gemm: of("gemm"),
            int8: of("int8"),
            grouped: of("grouped"),
            prefill: of("prefill"),
            decode: of("decode"),
        }
    }
}

/// Instruction timing of a core design.
#[derive(Clone, Debug, PartialEq)]
pub struct CoreTiming {
    /// What a person reads.
    pub title: String,
    /// Coupled or split.
    pub design: Design,
    /// Vector cores of one cube core; zero when coupled.
    pub vector_per_cube: u32,
    /// Instructions a pipe's queue holds.
    pub queue_depth: usize,
    /// Cycles the scalar unit takes to issue an instruction.
    pub issue: u32,
    /// Event ids of a pair of pipes.
    pub event_ids: u8,
    /// Cycles a cross-core flag travels.
    pub cross_core_latency: u32,
    /// The cube.
    pub mmad: MmadTiming,
    /// GM to L1.
    pub gm_l1: PathTiming,
    /// GM to L1 with conversion to fractals.
    pub gm_l1_nd2nz: PathTiming,
    /// GM to UB.
    pub gm_ub: PathTiming,
    /// UB to GM.
    pub ub_gm: PathTiming,
    /// L0C to GM.
    pub l0c_gm: PathTiming,
    /// L0C to L1.
    pub l0c_l1: PathTiming,
    /// L1 to L0A.
    pub l1_l0a: PathTiming,
    /// L1 to L0B.
    pub l1_l0b: PathTiming,
    /// L1 to L0A as patches.
    pub img2col_l0a: PathTiming,
    /// L1 to L0B as patches.
    pub img2col_l0b: PathTiming,
    /// UB to UB, and between L1 and the small buffers.
    pub local: PathTiming,
    /// Bytes per cycle from L1 to the bias table.
    pub l1_bt_width: f64,
    /// Bytes per cycle from L1 to the fix-pipe buffers.
    pub l1_fb_width: f64,
    /// Bytes GM is read in.
    pub line: u32,
    /// Time of rows that do not start on a line, against rows that do.
    pub misaligned: f64,
    /// Cycles after the last byte until an L2 hit is visible.
    pub hit_latency: u32,
    /// The same added for a miss.
    pub miss_latency: u32,
    /// Device-memory bandwidth that a stream reaches, against the stated one.
    pub hbm_efficiency: f64,
    /// L2 read bandwidth that all cores together reach, against the stated one.
    pub l2_efficiency: f64,
    /// Slices of L2, up to 255.
    pub l2_slices: u32,
    /// Bytes in one slice before the next one's turn.
    pub l2_interleave: u32,
    /// Ways of an L2 set.
    pub l2_ways: u32,
    /// The vector unit.
    pub vector: VectorTiming,
    /// How far simulated times are from measured ones.
    pub sigma: Sigmas,
    /// Every figure, with its source.
    pub figures: Vec<Figure>,
}

impl CoreTiming {
    /// Reads a core description.
    ///
    /// # Errors
    /// Every missing, unknown or malformed key, each with its place.
    pub fn read(source: &SourceText) -> Result<Self, Diagnostics> {
        let mut figures = Figures::read(source)?;
        let core = Self::from_figures(&mut figures);
        figures.finish(core)
    }

    /// The description that belongs to a chip's architecture, from the embedded catalog.
    ///
    /// # Errors
    /// If the architecture is not Da Vinci, or the catalog is broken.
    pub fn of(architecture: Architecture) -> Result<Self, Diagnostics> {
        Self::read(&super::figures::embedded(architecture)?)
    }

    fn from_figures(f: &mut Figures) -> Self {
        Self {
            title: f.text("title"),
            design: if f.text("design") == "coupled" { Design::Coupled } else { Design::Split },
            vector_per_cube: f.count("vector_cores_per_cube"),
            queue_depth: f.count("queue_depth") as usize,
            issue: f.cycles("issue"),
            event_ids: f.count("event_ids") as u8,
            cross_core_latency: f.cycles("cross_core_latency"),
            mmad: MmadTiming {
                head: f.cycles("mmad.head"),
                minimum: f.cycles("mmad.minimum"),
                latency: f.cycles("mmad.latency"),
            },
            gm_l1: f.path("gm_l1"),
            gm_l1_nd2nz: f.path("gm_l1_nd2nz"),
            gm_ub: f.path("gm_ub"),
            ub_gm: f.path("ub_gm"),
            l0c_gm: f.path("l0c_gm"),
            l0c_l1: f.path("l0c_l1"),
            l1_l0a: f.path("l1_l0a"),
            l1_l0b: f.path("l1_l0b"),
            img2col_l0a: f.path("img2col_l0a"),
            img2col_l0b: f.path("img2col_l0b"),
            local: f.path("ub_ub"),
            l1_bt_width: f.number("widths.l1_bt", "B/cycle"),
            l1_fb_width: f.number("widths.l1_fb", "B/cycle"),
            line: f.number("memory.line", "B") as u32,
            misaligned: f.number("memory.misaligned", ""),
            hit_latency: f.cycles("memory.hit_latency"),
            miss_latency: f.cycles("memory.miss_latency"),
            hbm_efficiency: f.number("memory.hbm_efficiency", ""),
            l2_efficiency: f.number("memory.l2_efficiency", ""),
            l2_slices: f.count("memory.l2_slices").clamp(1, u32::from(u8::MAX)),
            l2_interleave: (f.number("memory.l2_interleave", "B") as u32).max(1),
            l2_ways: f.count("memory.l2_ways"),
            vector: VectorTiming {
                width: f.number("vector.width", "B/cycle"),
                count_mode: f.cycles("vector.count_mode"),
                bank_conflict: f.cycles("vector.bank_conflict"),
                ops: VectorOp::ALL.iter().map(|op| f.slope(op.name())).collect(),
            },
            sigma: Sigmas::from_figures(f),
            figures: f.take(),
        }
    }

    /// Vector cores of one die of a chip.
    pub(super) fn vector_cores(&self, chip: &Chip, dies: u32) -> u32 {
        match self.design {
            Design::Split => chip.compute.cores / dies * self.vector_per_cube,
            Design::Coupled => chip.vector.units / dies,
        }
    }

    /// Timing of a burst copy, apart from its width.
    pub(crate) fn burst(&self, route: Move) -> PathTiming {
        match route {
            Move::GmToL1 => self.gm_l1,
            Move::GmToUb => self.gm_ub,
            Move::UbToGm => self.ub_gm,
            _ => self.local,
        }
    }
}

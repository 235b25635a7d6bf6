//! Dense matrix products: the tiling that the vendor's library would choose, on cores that share a memory.
//!
//! `docs/cost/gemm.md` derives the equations and says what each parameter means on each architecture.

pub(crate) mod cache;
pub(crate) mod cube;
mod cutlass;
pub(crate) mod kernel;
pub(crate) mod library;
pub(crate) mod product;
pub(crate) mod sm;
mod triton;
mod waves;

use vitruvian_hardware::{Architecture, Chip};
use vitruvian_model::operator::Gemm;
use vitruvian_quantity::Seconds;

use crate::estimate::Work;
use crate::execution::{self, Execution};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::timing::{Machine, Timing};
use crate::work;

use kernel::{Figures, Kernel};
use library::{Dispatch, Library};
use product::Product;

parameters! {
    /// What a fit may change.
    GemmParameters {
        launch: "us" in 0.5..=100.0, "Time of a kernel with nothing to do, inside a captured graph.";
        compute_efficiency: "1" in 0.4..=1.1, "Share of the stated matrix peak that a core reaches within a tile; above one where its clock is.";
        memory_efficiency: "1" in 0.4..=1.0, "Share of the stated memory bandwidth that a long stream reaches.";
        overlap: "1" in 1.0..=16.0, "Exponent that combines compute and memory time: one adds, a large one takes the longer.";
        operand_path: "B/cycle" in 24.0..=256.0, "Operand bytes that reach a core from L2 in a cycle, multicast included.";
        core_stream: "B/cycle" in 12.0..=256.0, "Bytes in flight of one core over the latency of memory: what it streams alone.";
        step_latency: "ns" in 1.0..=400.0, "Latency of one step of 128 bytes of depth that a lone warpgroup leaves exposed.";
        tile_overhead: "us" in 0.01..=8.0, "Prologue and epilogue of a tile of 128 by 128 that do not overlap with other tiles.";
        row_overhead: "ns" in 0.01..=20.0, "Time of each row beyond its bytes: scales of rows quantised one by one.";
        tail_overlap: "1" in 0.0..=1.0, "Share of a partly filled last wave that others or a higher clock make up for.";
        exchange: "us" in 0.01..=40.0, "Time to exchange partial results through L2: parts of a split depth, or 128 rows of INT8 sums that vector cores scale.";
        reread: "1" in 0.0..=1.0, "Share of the weights that a second row of tiles fetches from memory again.";
        cache_share: "1" in 0.02..=1.2, "Share of L2 that holds the operands of a benchmark that rotates over a few sets.";
        stride_conflict: "1" in 0.0..=0.5, "Slowing of a Da Vinci core's reads for each doubling of a row beyond 8 KiB where rows lie a power of two apart.";
        dispatch: "1" in 0.0..=1.0, "Whose rule DeepGEMM takes its tiles by: below one half that of its version 1, above that of 2.";
    }
}

/// Time of one kernel.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(op: &Gemm, on: &Machine, parameters: &GemmParameters) -> Result<Timing, Refusal> {
    Ok(Prepared::of(op, on.chip)?.timing(on, parameters))
}

/// A dense product with all that no parameter changes worked out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    ready: Ready,
    /// By either rule; a parameter says which one the release has.
    libraries: [Library; 2],
}

impl Prepared {
    /// # Errors
    /// [`Refusal`] where the chip does not execute the format.
    pub(crate) fn of(op: &Gemm, chip: &Chip) -> Result<Self, Refusal> {
        let execution = execution::of(op.scheme, op.sparsity, chip)?;
        let product = Product::dense(op, &execution);
        let libraries = [Dispatch::Older, Dispatch::Newer]
            .map(|dispatch| library::of(&execution, op, chip, dispatch).settled(&product, chip));
        Ok(Self { ready: Ready { product, work: work::of_gemm(op, &execution), execution }, libraries })
    }

    fn library(&self, parameters: &GemmParameters) -> Library {
        let [older, newer] = self.libraries;
        if parameters.dispatch < 0.5 { older } else { newer }
    }

    pub(crate) fn timing(&self, on: &Machine, parameters: &GemmParameters) -> Timing {
        self.ready.timing(on, &parameters.into(), self.library(parameters))
    }

    pub(crate) fn seconds(&self, on: &Machine, parameters: &GemmParameters) -> Seconds {
        self.ready.seconds(on, &parameters.into(), self.library(parameters))
    }
}

/// A product, dense or grouped, that waits for figures and a library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) execution: Execution,
    pub(crate) product: Product,
    pub(crate) work: Work,
}

impl Ready {
    /// The fastest plan of the library on this architecture, as a timing.
    pub(crate) fn timing(&self, on: &Machine, figures: &Figures, library: Library) -> Timing {
        let kernel = Kernel { on, execution: &self.execution, figures, library };
        let fastest = if on_cubes(on.chip) { cube::fastest } else { sm::fastest };
        fastest(&kernel, &self.product).timing(&kernel, &self.product, self.work)
    }

    /// The time of the fastest plan.
    pub(crate) fn seconds(&self, on: &Machine, figures: &Figures, library: Library) -> Seconds {
        let kernel = Kernel { on, execution: &self.execution, figures, library };
        Seconds::new(if on_cubes(on.chip) {
            cube::fastest(&kernel, &self.product).time(figures)
        } else {
            figures.launch + sm::least(&kernel, &self.product)
        })
    }
}

const fn on_cubes(chip: &Chip) -> bool {
    matches!(
        chip.architecture,
        Architecture::DaVinciCoupled | Architecture::DaVinciSplit | Architecture::DaVinci950
    )
}

impl From<&GemmParameters> for Figures {
    fn from(p: &GemmParameters) -> Self {
        Self {
            launch: p.launch * 1e-6,
            compute: p.compute_efficiency,
            memory: p.memory_efficiency,
            overlap: p.overlap,
            path: p.operand_path,
            stream: p.core_stream,
            step: p.step_latency * 1e-9,
            tile: p.tile_overhead * 1e-6,
            row: p.row_overhead * 1e-9,
            group: 0.0,
            tail: p.tail_overlap,
            exchange: p.exchange * 1e-6,
            reread: p.reread,
            cache: p.cache_share,
            conflict: p.stride_conflict,
        }
    }
}

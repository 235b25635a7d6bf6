//! What a tile search knows of a kernel, and what it answers.

use vitruvian_quantity::{Bytes, Seconds};

use super::library::Library;
use super::product::Product;
use crate::estimate::{Bound, Choice, Work};
use crate::execution::Execution;
use crate::timing::{Machine, Timing, overlap};

/// A profile's figures in SI units.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) launch: f64,
    pub(crate) compute: f64,
    pub(crate) memory: f64,
    pub(crate) overlap: f64,
    pub(crate) path: f64,
    pub(crate) stream: f64,
    pub(crate) step: f64,
    pub(crate) tile: f64,
    pub(crate) row: f64,
    pub(crate) group: f64,
    pub(crate) tail: f64,
    pub(crate) exchange: f64,
    pub(crate) reread: f64,
    pub(crate) cache: f64,
    pub(crate) conflict: f64,
}

/// A kernel on a machine, its tile not yet chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernel<'a> {
    pub(crate) on: &'a Machine<'a>,
    pub(crate) execution: &'a Execution,
    pub(crate) figures: &'a Figures,
    pub(crate) library: Library,
}

/// Rates of one core, in FLOP or bytes a second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Core {
    pub(crate) matrix: f64,
    pub(crate) path: f64,
    pub(crate) stream: f64,
    /// Weights converted to the format that is multiplied.
    pub(crate) conversions: f64,
}

/// Vector operations that convert one weight: scale and offset.
const CONVERSION_FLOPS: f64 = 2.0;

impl Kernel<'_> {
    /// Cores of the chip.
    pub(crate) fn cores(&self) -> f64 {
        f64::from(self.on.chip.compute.cores)
    }

    /// The rates of one core.
    pub(crate) fn core(&self) -> Core {
        let compute = &self.on.chip.compute;
        let clock = compute.clock.get();
        let flops = compute.matrix.get(self.execution.multiply);
        let conversions =
            self.execution.dequantise.map_or(f64::INFINITY, |to| self.vector(to) / self.cores());
        Core {
            matrix: flops * clock * self.execution.speedup * self.figures.compute,
            path: self.figures.path * clock,
            stream: self.figures.stream * clock,
            conversions,
        }
    }

    /// Conversions a second of all vector units, in the format asked or in fp32 where they lack it.
    pub(crate) fn vector(&self, to: vitruvian_quantity::Dtype) -> f64 {
        let dtype = crate::roofline::calculated(to, self.on);
        self.on.chip.vector_peak(dtype).get() / CONVERSION_FLOPS
    }

    /// Usable memory bandwidth.
    pub(crate) fn memory(&self) -> f64 {
        self.on.chip.hbm.bandwidth.get() * self.figures.memory
    }

    /// Waves of `tiles` over the cores, the last one shortened by what the tail overlaps.
    pub(crate) fn waves(&self, tiles: f64) -> f64 {
        let share = tiles / self.cores();
        let tail = self.figures.tail;
        ((1.0 - tail) * ceiling(share) + tail * share).max(1.0)
    }
}

/// ⌈x⌉ of a count: `f64::ceil` is a library call where the processor is not known to have SSE 4.1.
pub(crate) fn ceiling(x: f64) -> f64 {
    let whole = x as u64 as f64;
    if whole < x { whole + 1.0 } else { whole }
}

/// How a kernel runs, and where its time goes. Compute and memory overlap; the rest adds up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) height: u32,
    pub(crate) columns: u32,
    pub(crate) split: u32,
    pub(crate) waves: f64,
    /// Busy time of the matrix unit, of the operand path, and latency and overhead that neither covers.
    pub(crate) matrix: f64,
    pub(crate) path: f64,
    pub(crate) exposed: f64,
    /// Time of the cores, and of the memory behind them.
    pub(crate) compute: f64,
    pub(crate) memory: f64,
    /// Whether memory waits for bytes in flight rather than for bandwidth.
    pub(crate) starved: bool,
    /// What nothing overlaps: reduction, rows, groups.
    pub(crate) serial: f64,
    /// Bytes from device memory and from L2.
    pub(crate) hbm: f64,
    pub(crate) l2: f64,
}

impl Plan {
    /// launch + (compute^q + memory^q)^(1/q) + serial.
    pub(crate) fn time(&self, figures: &Figures) -> f64 {
        figures.launch + overlap(self.compute, self.memory, figures.overlap) + self.serial
    }

    /// The plan as a timing.
    pub(crate) fn timing(&self, kernel: &Kernel, product: &Product, work: Work) -> Timing {
        let work = Work { hbm: Bytes::new(self.hbm), l2: Bytes::new(self.l2), ..work };
        Timing {
            time: Seconds::new(self.time(kernel.figures)),
            work,
            multiply: kernel.execution.multiply,
            bound: self.bound(kernel.figures),
            choice: Choice::Tile {
                rows: self.height,
                columns: self.columns,
                split: self.split,
                waves: self.waves.ceil() as u32,
                swapped: kernel.library.warpgroup > f64::from(self.height) && product.rows < 64.0,
            },
        }
    }

    /// The largest part of the time.
    fn bound(&self, figures: &Figures) -> Bound {
        let compute = [(self.matrix, Bound::Matrix), (self.path, Bound::L2), (self.exposed, Bound::Latency)];
        let longest = |parts: &[(f64, Bound)]| {
            parts.iter().copied().fold((0.0, Bound::Launch), |a, b| if b.0 > a.0 { b } else { a })
        };
        let memory = (self.memory, if self.starved { Bound::Latency } else { Bound::Hbm });
        let busy = if self.compute > self.memory { longest(&compute) } else { memory };
        longest(&[busy, (figures.launch + self.serial, Bound::Launch)]).1
    }
}

//! Products on streaming multiprocessors: the fastest tile of the library's menu.

use super::cache;
use super::cutlass::Cutlass;
use super::kernel::{Kernel, Plan, ceiling};
use super::library::Tile;
use super::product::{HEIGHTS, Product};
use crate::timing::overlap;

/// Bytes of a sum.
const SUM_BYTES: f64 = 4.0;
/// Most parts that the depth is split into, and fewest steps of a part.
const MOST_PARTS: f64 = 32.0;
const LEAST_STEPS: f64 = 4.0;
/// The tile that `tile_overhead` is stated for.
const TILE: f64 = 128.0 * 128.0;

/// The fastest plan: what an autotuned library would run.
pub(crate) fn fastest(kernel: &Kernel, product: &Product) -> Plan {
    let search = Search::new(kernel, product);
    search.best().map_or_else(Plan::default, |(cut, _)| search.plan(&cut))
}

/// The time of the fastest plan, in seconds, its launch apart.
pub(crate) fn least(kernel: &Kernel, product: &Product) -> f64 {
    Search::new(kernel, product).best().map_or(0.0, |(_, time)| time)
}

/// A product cut into tiles, the depth in some parts.
#[derive(Clone, Copy)]
struct Cut {
    tile: Tile,
    tiles: f64,
    parts: f64,
}

/// How long a cut keeps the cores and the memory busy, and what nothing overlaps.
struct Spans {
    compute: f64,
    memory: f64,
    serial: f64,
}

impl Spans {
    fn time(&self, q: f64) -> f64 {
        overlap(self.compute, self.memory, q) + self.serial
    }

    /// A time that no exponent undercuts.
    fn least(&self) -> f64 {
        self.compute.max(self.memory) + self.serial
    }
}

/// What all cuts of a search share. Times are of one step, by element, edge or column of a tile.
struct Search<'a> {
    kernel: &'a Kernel<'a>,
    product: &'a Product,
    /// Steps of the whole depth.
    steps: f64,
    matrix: f64,
    path: f64,
    conversion: f64,
    /// Time to bring all weights through one core, through the whole memory, and all else through the memory.
    alone: f64,
    weights: f64,
    others: f64,
    /// Rows and groups one by one.
    fixed: f64,
    /// Reduction of one part of a split depth.
    partial: f64,
    missed: f64,
    /// Share of one matrix that has left L2 by the time its next group of row tiles asks for it.
    spilled: f64,
    /// One over the cores.
    per_core: f64,
}

impl<'a> Search<'a> {
    fn new(kernel: &'a Kernel<'a>, product: &'a Product) -> Self {
        let (bytes, figures, core) = (&product.bytes, kernel.figures, kernel.core());
        let others = bytes.activations + bytes.outputs;
        let missed = 1.0 - cache::hits(bytes.weights, others, figures.cache, kernel.on);
        let stage = kernel.library.stage;
        let elements = stage / product.element;
        let bandwidth = kernel.memory();
        let detour = kernel.library.detour;
        let kept = figures.cache * kernel.on.chip.l2.capacity.get() * product.matrices / bytes.weights;
        let scan = bytes.scanned * cache::second_pass_misses(bytes.scanned, kernel.on) / bandwidth;
        Self {
            kernel,
            product,
            steps: (f64::from(product.depth) * product.element / stage).ceil(),
            matrix: 2.0 * elements / core.matrix,
            path: detour * stage / core.path,
            conversion: elements / core.conversions,
            alone: detour * missed * bytes.weights / core.stream,
            weights: missed * bytes.weights / bandwidth,
            others: missed * others / bandwidth,
            fixed: figures.row * product.all_rows() + figures.group * product.matrices + scan,
            partial: 2.0 * bytes.outputs / kernel.on.chip.l2.read_bandwidth.get(),
            missed,
            spilled: (1.0 - kept).max(0.0),
            per_core: kernel.cores().recip(),
        }
    }

    /// The fastest cut and its time.
    fn best(&self) -> Option<(Cut, f64)> {
        let mut best = None;
        let mut least = f64::INFINITY;
        for tile in self.kernel.library.tiles {
            let base = self.tiles(*tile);
            if self.matrix_time(*tile, base) >= least {
                continue;
            }
            let mut parts = 1.0;
            while parts == 1.0 || self.may_split(base, parts) {
                let cut = Cut { tile: *tile, tiles: base * parts, parts };
                let spans = self.spans(&cut);
                if spans.least() < least {
                    let time = spans.time(self.kernel.figures.overlap);
                    if time < least {
                        (best, least) = (Some((cut, time)), time);
                    }
                }
                parts = self.kernel.library.splits.map_or(f64::INFINITY, |splits| splits.next(parts));
            }
        }
        best
    }

    /// Tiles of the output.
    fn tiles(&self, (height, columns): Tile) -> f64 {
        self.clustered(height) * f64::from(self.product.columns.div_ceil(columns))
    }

    /// Row tiles of a height, in whole clusters where the library launches clusters.
    fn clustered(&self, height: usize) -> f64 {
        let row_tiles = self.product.row_tiles[height];
        self.kernel.library.cutlass.map_or(row_tiles, |cutlass| cutlass.clustered(row_tiles))
    }

    /// A time that no way to cut into this tile undercuts: its matrix work, padded rows and columns included, evenly on all cores.
    fn matrix_time(&self, tile: Tile, base: f64) -> f64 {
        let (height, columns) = edges(tile);
        self.steps * self.matrix * height * columns * base * self.per_core
    }

    /// Whether the library would split the depth into so many parts: not too many waves, no part too short.
    fn may_split(&self, base: f64, parts: f64) -> bool {
        self.kernel.library.splits.is_some_and(|splits| {
            parts <= MOST_PARTS
                && base * parts <= splits.waves * self.kernel.cores()
                && self.steps >= LEAST_STEPS * parts
        })
    }

    fn spans(&self, cut: &Cut) -> Spans {
        let [_, _, step] = self.step(cut);
        let waves = self.kernel.waves(cut.tiles);
        let compute = self.busy(waves, self.steps_of(cut) * step, self.overhead(cut.tile)) + self.beyond(cut);
        let [whole, streamed] = self.memory(cut);
        Spans { compute, memory: whole.max(streamed), serial: self.serial(cut.parts) }
    }

    /// Time of the cores for so many waves. Where tiles alternate, a wave takes the longer of the main loop and half of all that
    /// a tile takes; the last epilogue comes after.
    fn busy(&self, waves: f64, main: f64, overhead: f64) -> f64 {
        let whole = main + overhead;
        let turn = if self.kernel.library.alternate { main.max(0.5 * whole) } else { whole };
        waves * turn + (whole - turn)
    }

    /// Time of the rows that clusters load beyond the matrix.
    fn beyond(&self, cut: &Cut) -> f64 {
        let Some(cutlass) = self.kernel.library.cutlass else { return 0.0 };
        let (height, _) = edges(cut.tile);
        let rows = self.clustered(cut.tile.0) * height - self.product.all_rows();
        let columns = f64::from(self.product.columns.div_ceil(cut.tile.1));
        cutlass.beyond(rows * columns, self.steps * self.path, self.kernel.cores())
    }

    /// Matrix unit, operand path, and the whole of one step: the longest of the two, of converting weights, and of a lone
    /// warpgroup's share with its latency.
    fn step(&self, cut: &Cut) -> [f64; 3] {
        let (height, columns) = edges(cut.tile);
        let matrix = self.matrix * height * columns * self.throttled(cut);
        let path = self.path * (height + columns);
        let busy = matrix.max(path).max(self.conversion * columns);
        let (warpgroup, latency) = (self.kernel.library.warpgroup, self.kernel.figures.step);
        if warpgroup == 0.0 {
            return [matrix, path, busy + latency];
        }
        let alone = matrix * (warpgroup / height.max(columns)).min(1.0);
        [matrix, path, busy.max(alone + latency) + self.spilled_sums(cut.tile)]
    }

    /// How much of the time of a full chip a core needs while others idle.
    fn throttled(&self, cut: &Cut) -> f64 {
        let busy = cut.tiles * self.per_core;
        self.kernel.library.cutlass.map_or(1.0, |_| Cutlass::throttled(self.kernel.figures.compute, busy))
    }

    /// Time to write the sums of a tile that registers do not hold and read them back, through the core's port to L2: shared
    /// memory leaves next to nothing of the first-level cache. That sums are spilled is a hypothesis (`docs/cost/gemm.md`).
    fn spilled_sums(&self, tile: Tile) -> f64 {
        let (height, columns) = edges(tile);
        let chip = self.kernel.on.chip;
        let path = chip.paths.l2_core_read * chip.compute.clock.get();
        if tile.1 > self.kernel.library.registers { 2.0 * SUM_BYTES * height * columns / path } else { 0.0 }
    }

    fn steps_of(&self, cut: &Cut) -> f64 {
        if cut.parts == 1.0 { self.steps } else { ceiling(self.steps / cut.parts) }
    }

    /// Prologue and epilogue of a tile.
    fn overhead(&self, tile: Tile) -> f64 {
        let (height, columns) = edges(tile);
        self.kernel.figures.tile * height * columns / TILE
    }

    /// All bytes at the memory's bandwidth, and the weights at what cores keep in flight (Little's law): only cores that
    /// stream weights of their own count. A second row of tiles fetches some weights again.
    fn memory(&self, cut: &Cut) -> [f64; 2] {
        let stripes =
            f64::from(self.product.columns.div_ceil(cut.tile.1)) * self.product.matrices * cut.parts;
        [self.weights * self.reads(cut.tile) + self.others, self.alone / stripes.min(self.kernel.cores())]
    }

    /// How often the weights come from memory.
    fn reads(&self, tile: Tile) -> f64 {
        let rows = self.product.row_tiles[tile.0];
        if rows <= self.product.matrices {
            return 1.0;
        }
        let tiles = rows / self.product.matrices;
        let later = (tiles / self.kernel.library.group - 1.0).max(0.0);
        1.0 + self.kernel.figures.reread * (tiles - 1.0).min(1.0) + self.spilled * later
    }

    /// Rows and groups one by one, and the reduction of a split depth: each part written and read in fp32 through L2.
    fn serial(&self, parts: f64) -> f64 {
        let reduction = self.kernel.figures.exchange + self.partial * (parts + 1.0);
        if parts == 1.0 { self.fixed } else { self.fixed + reduction }
    }

    /// The cut with all that a report wants to know.
    fn plan(&self, cut: &Cut) -> Plan {
        let (height, columns) = edges(cut.tile);
        let waves = self.kernel.waves(cut.tiles);
        let busy = waves * self.steps_of(cut);
        let [matrix, path, _] = self.step(cut);
        let [whole, streamed] = self.memory(cut);
        let Spans { compute, memory, serial } = self.spans(cut);
        let bytes = &self.product.bytes;
        Plan {
            height: HEIGHTS[cut.tile.0],
            columns: cut.tile.1,
            split: cut.parts as u32,
            waves,
            matrix: busy * matrix,
            path: busy * path,
            exposed: compute - busy * matrix.max(path),
            compute,
            memory,
            starved: streamed > whole,
            serial,
            hbm: self.missed * (bytes.weights * self.reads(cut.tile) + bytes.activations + bytes.outputs),
            l2: cut.tiles * self.steps_of(cut) * self.kernel.library.stage * (height + columns)
                + bytes.outputs,
        }
    }
}

/// Rows and columns of a tile.
fn edges((height, columns): Tile) -> (f64, f64) {
    (f64::from(HEIGHTS[height]), f64::from(columns))
}

//! Products on streaming multiprocessors: the fastest tile of the library's menu.

use super::cache;
use super::kernel::{Core, Kernel, Plan};
use super::library::Tile;
use super::product::{HEIGHTS, Product};

/// Bytes of depth that a pipeline stage holds: one swizzled row of shared memory.
const STEP_BYTES: f64 = 128.0;
/// Most parts that the depth is split into, and fewest steps of a part.
const MOST_PARTS: f64 = 32.0;
const LEAST_STEPS: f64 = 4.0;
/// The tile that `tile_overhead` is stated for.
const TILE: f64 = 128.0 * 128.0;

/// The fastest plan: what an autotuned library would run.
pub(crate) fn fastest(kernel: &Kernel, product: &Product) -> Plan {
    let search = Search::new(kernel, product);
    let mut best = Plan::default();
    let mut least = f64::INFINITY;
    for tile in kernel.library.tiles {
        let base = search.tiles(*tile);
        let mut parts = 1.0;
        while parts == 1.0 || search.may_split(base, parts) {
            let plan = search.plan(*tile, base, parts);
            if plan.least(kernel.figures) < least {
                let time = plan.time(kernel.figures);
                if time < least {
                    (best, least) = (plan, time);
                }
            }
            parts *= 2.0;
        }
    }
    best
}

/// What all tiles of a search share.
struct Search<'a> {
    kernel: &'a Kernel<'a>,
    product: &'a Product,
    core: Core,
    /// Steps of the whole depth.
    steps: f64,
    /// FLOPs of a step for each element of a tile.
    flops: f64,
    /// Bytes of weights, and of all else, that come from device memory.
    weights: f64,
    others: f64,
    bandwidth: f64,
}

impl<'a> Search<'a> {
    fn new(kernel: &'a Kernel<'a>, product: &'a Product) -> Self {
        let bytes = &product.bytes;
        let others = bytes.activations + bytes.outputs;
        let missed = 1.0 - cache::hits(bytes.weights, others, kernel.figures.cache, kernel.on);
        Self {
            kernel,
            product,
            core: kernel.core(),
            steps: (f64::from(product.depth) * product.element / STEP_BYTES).ceil(),
            flops: 2.0 * STEP_BYTES / product.element,
            weights: missed * bytes.weights,
            others: missed * others,
            bandwidth: kernel.memory(),
        }
    }

    /// Tiles of the output.
    fn tiles(&self, (height, columns): Tile) -> f64 {
        self.product.row_tiles[height] * f64::from(self.product.columns.div_ceil(columns))
    }

    /// Whether the library would split the depth into so many parts: no more than two waves, no part too short.
    fn may_split(&self, base: f64, parts: f64) -> bool {
        self.kernel.library.splits
            && parts <= MOST_PARTS
            && base * parts <= 2.0 * self.kernel.cores()
            && self.steps / parts >= LEAST_STEPS
    }

    /// One tile, the depth in so many parts.
    fn plan(&self, tile: Tile, base: f64, parts: f64) -> Plan {
        let figures = self.kernel.figures;
        let (height, columns) = (f64::from(HEIGHTS[tile.0]), f64::from(tile.1));
        let tiles = base * parts;
        let waves = self.kernel.waves(tiles);
        let steps = (self.steps / parts).ceil();
        let busy = waves * steps;
        let [matrix, path, step] = self.step(height, columns);
        let overhead = waves * figures.tile * height * columns / TILE;
        let compute = busy * step + overhead;
        let hbm = self.missed(tile);
        let (streamed, whole) = (self.weights / self.flight(tile, parts), hbm / self.bandwidth);
        Plan {
            height: HEIGHTS[tile.0],
            columns: tile.1,
            split: parts as u32,
            waves,
            matrix: busy * matrix,
            path: busy * path,
            exposed: busy * (step - matrix.max(path)) + overhead,
            compute,
            memory: whole.max(streamed),
            starved: streamed > whole,
            serial: self.serial(parts),
            hbm,
            l2: tiles * steps * STEP_BYTES * (height + columns) + self.product.bytes.outputs,
        }
    }

    /// Matrix unit, operand path, and the whole of one step: the longest of the two, of converting weights, and of a lone
    /// warpgroup's share with its latency.
    fn step(&self, height: f64, columns: f64) -> [f64; 3] {
        let elements = STEP_BYTES / self.product.element;
        let matrix = self.flops * height * columns / self.core.matrix;
        let path = (height + columns) * STEP_BYTES / self.core.path;
        let conversion = columns * elements / self.core.conversions;
        let busy = matrix.max(path).max(conversion);
        let warpgroup = self.kernel.library.warpgroup;
        let latency = self.kernel.figures.step;
        if warpgroup == 0.0 {
            return [matrix, path, busy + latency];
        }
        let alone = matrix * (warpgroup / height.max(columns)).min(1.0);
        [matrix, path, busy.max(alone + latency)]
    }

    /// Bytes from device memory: a second row of tiles fetches some weights again.
    fn missed(&self, tile: Tile) -> f64 {
        let again = (self.product.row_tiles[tile.0] / self.product.matrices - 1.0).clamp(0.0, 1.0);
        self.weights * (1.0 + self.kernel.figures.reread * again) + self.others
    }

    /// Little's law: cores that stream weights of their own times what each keeps in flight.
    fn flight(&self, tile: Tile, parts: f64) -> f64 {
        let stripes = f64::from(self.product.columns.div_ceil(tile.1)) * self.product.matrices * parts;
        stripes.min(self.kernel.cores()) * self.core.stream
    }

    /// Rows and groups one by one, and the reduction of a split depth: each part written and read in fp32 through L2.
    fn serial(&self, parts: f64) -> f64 {
        let figures = self.kernel.figures;
        let fixed = figures.row * self.product.all_rows() + figures.group * self.product.matrices;
        if parts == 1.0 {
            return fixed;
        }
        let partial = 2.0 * self.product.bytes.outputs * (parts + 1.0);
        fixed + figures.exchange + partial / self.kernel.on.chip.l2.read_bandwidth.get()
    }
}

//! Products on Da Vinci cube cores: base tiles that fit L0A, L0B and L0C, fed over one path from L2.

use vitruvian_quantity::Dtype;

use super::cache;
use super::kernel::{Core, Kernel, Plan};
use super::product::{HEIGHTS, Product};

/// Rows, columns and 16-bit depth of a fractal, the unit of the cube.
const FRACTAL: u32 = 16;
/// Depth of a base block that the libraries keep in each half of L0A.
const BASE_DEPTH: f64 = 128.0;
/// Bytes of an accumulator.
const ACCUMULATOR: f64 = 4.0;
/// The tile that `tile_overhead` is stated for.
const TILE: f64 = 128.0 * 128.0;
/// The rows that `exchange` is stated for.
const EXCHANGED_ROWS: f64 = 128.0;
/// Least columns that a core takes when there are fewer rows than a fractal has.
const THIN_COLUMNS: u32 = 128;
/// Parts of the depth below which thin products are not split.
const LEAST_PARTS: u32 = 4;
/// Length of a row from which power-of-two rows meet in the same banks of L2 and channels of memory, in bytes.
const CONFLICT_FREE: u32 = 8192;
/// Parts of the depth where a strip of rows does not fit L1 whole.
const PARTS_BEYOND_L1: u32 = 2;
/// Columns of base tiles, as far as the buffers hold them.
const COLUMNS: [u32; 6] = [16, 32, 64, 128, 256, 512];

/// The fastest plan: what an autotuned library would run.
pub(crate) fn fastest(kernel: &Kernel, product: &Product) -> Plan {
    let search = Search::new(kernel, product);
    let thin = product.rows < f64::from(FRACTAL) && product.matrices <= 1.0;
    let plans: &mut dyn Iterator<Item = Plan> =
        if thin { &mut search.thin_plans() } else { &mut search.base_plans() };
    let mut best = Plan::default();
    let mut least = f64::INFINITY;
    for plan in plans {
        let time = plan.time(kernel.figures);
        if time < least {
            (best, least) = (plan, time);
        }
    }
    best
}

/// What all plans of a search share.
struct Search<'a> {
    kernel: &'a Kernel<'a>,
    product: &'a Product,
    core: Core,
    /// Share of accesses that miss L2.
    missed: f64,
    /// How much longer reads take because rows lie a power of two apart.
    conflict: f64,
    bandwidth: f64,
    /// Tallest base tile that both halves of L0A hold.
    tallest: u32,
    /// Conversion of all weights on the vector cores, through L2.
    conversion: f64,
    serial: f64,
}

impl<'a> Search<'a> {
    fn new(kernel: &'a Kernel<'a>, product: &'a Product) -> Self {
        let (bytes, figures) = (&product.bytes, kernel.figures);
        let others = bytes.activations + bytes.outputs;
        let half = kernel.on.chip.buffers.l0a.get() / 2.0;
        Self {
            kernel,
            product,
            core: kernel.core(),
            missed: 1.0 - cache::hits(bytes.weights, others, figures.cache, kernel.on),
            conflict: 1.0 + figures.conflict * doublings(product),
            bandwidth: kernel.memory(),
            tallest: ((half / (BASE_DEPTH * product.element)) as u32).max(FRACTAL),
            conversion: conversion(kernel, product),
            serial: figures.row * product.all_rows()
                + figures.group * product.matrices
                + scaling(kernel, product),
        }
    }

    /// Base tiles that the buffers hold, at least as tall as the rows need.
    fn base_plans(&self) -> impl Iterator<Item = Plan> {
        let last = HEIGHTS.iter().rposition(|height| *height <= self.tallest).unwrap_or(0);
        let rows = self.product.rows.max(f64::from(FRACTAL));
        let first = HEIGHTS.iter().position(|height| f64::from(*height) >= rows).unwrap_or(last).min(last);
        let accumulators = self.kernel.on.chip.buffers.l0c.get() / ACCUMULATOR;
        let sizes = (first..=last).flat_map(|index| COLUMNS.map(|columns| (index, columns)));
        let fits = move |(index, columns): &(usize, u32)| {
            *columns == FRACTAL || f64::from(HEIGHTS[*index] * columns) <= accumulators
        };
        sizes.filter(fits).map(|(index, columns)| self.base(index, columns))
    }

    /// A base tile: the cube overlaps with its operand path, which carries both what misses L2, at the memory's rate, and
    /// what hits, at the path's.
    fn base(&self, index: usize, columns: u32) -> Plan {
        let (product, figures) = (self.product, self.kernel.figures);
        let (height, rows) = (HEIGHTS[index], product.row_tiles[index]);
        let tiles = rows * f64::from(product.columns.div_ceil(columns));
        let waves = self.kernel.waves(tiles);
        let (m, n) = (f64::from(height), f64::from(columns));
        let depth = f64::from(product.depth.next_multiple_of(FRACTAL));
        let matrix = waves * 2.0 * m * n * depth / self.core.matrix;
        let overhead = waves * figures.tile * m * n / TILE;
        let again = figures.reread * (rows / product.matrices - 1.0).clamp(0.0, 1.0);
        let bytes = &product.bytes;
        let once = self.missed * (bytes.weights + bytes.activations);
        let hbm = once + self.missed * bytes.weights * again;
        let l2 = tiles * (m + n) * depth * product.element;
        let hit = self.conflict * waves * (m + n) * depth * product.element / self.core.path
            * (1.0 - self.missed * bytes.weights / l2).max(0.0);
        let miss = self.conflict * hbm / self.bandwidth;
        let outputs = self.missed * bytes.outputs;
        Plan {
            height,
            columns,
            split: 1,
            waves,
            matrix,
            path: hit,
            exposed: overhead,
            compute: matrix + overhead,
            memory: (miss + hit).max((hbm + outputs) / self.bandwidth) + self.conversion,
            starved: false,
            serial: self.serial,
            hbm: hbm + outputs,
            l2: l2 + bytes.outputs,
        }
    }

    /// Fewer rows than a fractal: each core streams its own columns, a fractal's width at least, and the depth is split
    /// only where four cores would share a column.
    fn thin_plans(&self) -> impl Iterator<Item = Plan> {
        let cores = self.kernel.on.chip.compute.cores;
        (1..=4).map(move |rounds| {
            let share = self.product.columns.div_ceil(cores * rounds).next_multiple_of(FRACTAL);
            self.thin(share.max(THIN_COLUMNS))
        })
    }

    /// Parts of the depth of a thin product where `free` cores share a column. The library gives each core its columns of
    /// all rows and keeps those rows in L1; it splits less where they do not fit.
    fn parts(&self, free: u32) -> u32 {
        let strip = f64::from(FRACTAL * self.product.depth) * self.product.element;
        let fits = strip < self.kernel.on.chip.buffers.l1.get();
        match free {
            _ if free < LEAST_PARTS => 1,
            _ if fits => free,
            _ => PARTS_BEYOND_L1,
        }
    }

    fn thin(&self, columns: u32) -> Plan {
        let (product, cores) = (self.product, self.kernel.on.chip.compute.cores);
        let base = product.columns.div_ceil(columns);
        let split = self.parts(cores / base);
        let waves = self.kernel.waves(f64::from(base * split));
        let depth = f64::from(product.depth.div_ceil(split).next_multiple_of(FRACTAL));
        let l2 = f64::from(base * split) * f64::from(columns) * depth * product.element;
        let hbm = self.missed * (product.bytes.weights + product.bytes.activations);
        Plan {
            height: FRACTAL,
            columns,
            split,
            waves,
            matrix: waves * 2.0 * f64::from(FRACTAL * columns) * depth / self.core.matrix,
            path: waves * f64::from(columns) * depth * product.element / self.core.stream,
            exposed: 0.0,
            compute: waves * f64::from(columns) * depth * product.element / self.core.stream,
            memory: hbm / self.bandwidth + self.conversion,
            starved: false,
            serial: self.serial,
            hbm: hbm + self.missed * product.bytes.outputs,
            l2,
        }
    }
}

/// Doublings of a row's length beyond what is free of conflicts; zero where rows do not lie a power of two apart.
fn doublings(product: &Product) -> f64 {
    let row = (f64::from(product.depth) * product.element) as u32;
    let aligned = 1 << row.trailing_zeros().min(31);
    if row == aligned { f64::from((row / CONFLICT_FREE).max(1)).log2() } else { 0.0 }
}

/// INT8 sums leave through L2 to the vector cores, which scale them by row and column: the last base tile's rows wait.
fn scaling(kernel: &Kernel, product: &Product) -> f64 {
    let integer = kernel.execution.multiply == Dtype::Int8 && kernel.on.chip.vector.separate;
    if integer { kernel.figures.exchange * product.rows.min(EXCHANGED_ROWS) / EXCHANGED_ROWS } else { 0.0 }
}

/// Weights converted on vector cores pass through L2 twice more in the format that is multiplied.
fn conversion(kernel: &Kernel, product: &Product) -> f64 {
    let Some(to) = kernel.execution.dequantise else { return 0.0 };
    let weights = product.matrices * f64::from(product.columns) * f64::from(product.depth);
    let passes = 2.0 * weights * product.element / kernel.on.chip.l2.read_bandwidth.get();
    weights / kernel.vector(to) + passes
}

//! Attention of a few query tokens per sequence over a KV cache: streams of keys and values, one task a sequence and
//! key-value head, split where tasks are fewer than cores.
//!
//! T = launch + constant of a part + (memory^q + (compute + constants of later parts)^q)^(1/q) + merge
//! (`docs/cost/attention.md`).

mod kernel;
pub(crate) mod split;

use vitruvian_hardware::Chip;
use vitruvian_hardware::chip::Architecture;
use vitruvian_model::operator::DecodeAttention;
use vitruvian_quantity::{Dtype, Seconds};

use crate::estimate::{Choice, Work};
use crate::parameters::parameters;
use crate::refusal::Refusal;
use crate::roofline::multiplied;
use crate::timing::{Machine, Residency, Timing};
use crate::work;
use kernel::Kernel;
use split::{Load, Placed, Split, Stream};

parameters! {
    /// What a fit may change.
    DecodeAttentionParameters {
        launch: "us" in 0.0..=100.0, "Fixed time of one kernel inside a captured graph.";
        host_floor: "us" in 0.0..=100.0, "Least time of a call in the benchmark's own loop, where the host launches each kernel; not part of a deployment.";
        memory_efficiency: "1" in 0.05..=1.0, "Share of the stated memory bandwidth that contiguous keys and values reach.";
        strided_penalty: "1" in 0.0..=0.6, "Share of the bandwidth lost where several key-value heads interleave and are shared by groups of queries.";
        retained: "1" in 0.0..=0.5, "Share of the L2 that keeps its part of a cache longer than it, in a benchmark that repeats the kernel; not part of a deployment.";
        core_bandwidth: "GB/s" in 5.0..=500.0, "Bandwidth that one core alone reaches: its bytes in flight over the latency.";
        compute_efficiency: "1" in 0.05..=1.1, "Share of the matrix peak on rows padded to the least tile.";
        overlap: "1" in 1.0..=8.0, "Exponent that combines the times: one adds, a large one takes the longest.";
        task_overhead: "us" in 0.0..=20.0, "Constant of one part of a sequence and key-value head on a core.";
        tile_overhead: "ns" in 0.0..=500.0, "Time a part takes besides for each 1024 values of its output tile: cleared, scaled, stored.";
        window_overhead: "us" in 0.0..=10.0, "Time a part takes besides where a window cuts its keys, for 128 rows.";
        regroup: "1" in 0.0..=4.0, "Kernels besides, each a launch: they reorder the queries and outputs of grouped heads, or pad values narrower than keys.";
        merge_row: "ns" in 0.0..=20.0, "Time to merge the parts of one output row where the cache is split.";
        merge_part: "ns" in 0.0..=500.0, "Time of one part in the merge, which reads them one after the other.";
        slots: "1" in 0.5..=4.0, "Parts for each core that the planner aims at.";
        captured_merge: "1" in 0.0..=1.0, "Share of kernels captured with a fixed number of parts: they split short caches too, and merge whether they split or not.";
        flashinfer: "1" in 0.0..=1.0, "Whether the kernel is FlashInfer's: one; zero for FlashAttention's.";
        flash_attention_3: "1" in 0.0..=1.0, "Whether FlashAttention's kernels of Ampere are the third generation's: one; zero for the second's.";
    }
}

/// Rows of the largest tile of queries: more make another task (`FlashInfer` and FlashAttention-3, one warpgroup pair).
const MOST_ROWS: u32 = 128;
/// FlashAttention-3 plans parts for no more sequences than this (`hopper/flash_api.cpp`).
const MOST_PLANNED: u32 = 992;
/// Sequences whose lengths a warp of FlashAttention-3's scheduler reads at a time (`hopper/tile_scheduler.hpp`).
const SCANNED: f64 = 31.0;

/// Time of one kernel.
///
/// # Errors
/// [`Refusal`] where the chip does not execute the format.
pub fn estimate(
    op: &DecodeAttention,
    on: &Machine,
    parameters: &DecodeAttentionParameters,
) -> Result<Timing, Refusal> {
    let multiply = multiplied(op.compute, on)?;
    let work = work::of_decode_attention(op);
    let kernel = Kernel::of(on.chip, parameters);
    let stream = stream(op, kernel, work, multiply, on, parameters);
    let split = Planned { op, kernel, stream: &stream, chip: on.chip, parameters }.split();
    Ok(Timing {
        time: Seconds::new(floored(split.time, on, parameters)),
        work,
        multiply,
        bound: split.bound,
        choice: Choice::SplitKv { splits: split.splits },
    })
}

/// A benchmark's loop takes at least the time in which the host launches a kernel.
fn floored(time: f64, on: &Machine, parameters: &DecodeAttentionParameters) -> f64 {
    match on.residency {
        Residency::Cold => time,
        Residency::Rotating { .. } => time.max(parameters.host_floor * 1e-6),
    }
}

/// One kernel's stream and the planner of the library that it belongs to.
struct Planned<'a> {
    op: &'a DecodeAttention,
    kernel: Kernel,
    stream: &'a Stream,
    chip: &'a Chip,
    parameters: &'a DecodeAttentionParameters,
}

impl Planned<'_> {
    fn split(&self) -> Split {
        let own = self.parameters.captured_merge;
        match self.kernel {
            Kernel::FlashInfer => self.chosen(self.stream.time(self.stream.within(self.slots()), false)),
            Kernel::FlashAttention2 => self.chosen(self.flash_attention_2()),
            Kernel::FlashAttention3 { hopper: false } => self.on_ampere(),
            Kernel::FlashAttention3 { hopper: true } => {
                between(&self.on_hopper(false), &self.on_hopper(true), own)
            }
            Kernel::Vendor => {
                let split = |captured| self.chosen(self.stream.time(self.filling(), captured));
                between(&split(false), &split(true), own)
            }
        }
    }

    fn slots(&self) -> f64 {
        self.parameters.slots * self.stream.cores
    }

    fn filling(&self) -> Placed {
        self.stream.filling(self.slots())
    }

    /// A split plan, or the whole one where that is faster and the kernel's rule is not known.
    fn chosen(&self, split: Split) -> Split {
        let whole = self.stream.time(self.stream.in_parts(1.0), false);
        if !ruled(self.chip) && whole.time < split.time { whole } else { split }
    }

    /// FlashAttention-2 splits only where it swaps a token's group of query heads for rows (`flash_api.cpp`, `varlen_fwd`).
    fn flash_attention_2(&self) -> Split {
        let grouped = self.op.kv_heads < self.op.heads;
        let placed = if grouped { self.filling() } else { self.stream.in_parts(1.0) };
        self.stream.time(placed, false)
    }

    /// FlashAttention-3's kernels of Ampere. Two blocks of the whole one share a core and hide half of each other's constants:
    /// 128 threads and 64 KiB each, against 256 threads and 89 KiB of the split one, of which one fits.
    fn on_ampere(&self) -> Split {
        if self.kernel.whole(self.op) {
            let overhead = self.stream.overhead / 2.0;
            return Stream { overhead, ..*self.stream }.time(self.stream.in_parts(1.0), false);
        }
        self.searching().time(self.filling(), false)
    }

    /// FlashAttention-3's kernel of Hopper, captured with a fixed number of parts or not.
    fn on_hopper(&self, captured: bool) -> Split {
        let planned = self.op.batch <= MOST_PLANNED;
        let whole = if captured { !planned } else { self.kernel.whole(self.op) };
        let placed = if whole { self.stream.in_parts(1.0) } else { self.filling() };
        self.searching().time(placed, captured && planned)
    }

    /// With what the scheduler on the chip takes to find a core's next tile.
    fn searching(&self) -> Stream {
        let search = scheduler_search(self.op.batch, f64::from(self.op.kv_heads), self.chip);
        Stream { overhead: self.stream.overhead + search, ..*self.stream }
    }
}

/// A time between two, with the plan of the nearer.
fn between(a: &Split, b: &Split, share: f64) -> Split {
    let nearer = if share > 0.5 { b } else { a };
    Split { time: a.time + share * (b.time - a.time), ..*nearer }
}

/// Whether tables of the architecture bear the rule out, for better or worse.
fn ruled(chip: &Chip) -> bool {
    matches!(chip.architecture, Architecture::Ampere | Architecture::Hopper | Architecture::DaVinciSplit)
}

fn stream(
    op: &DecodeAttention,
    kernel: Kernel,
    work: Work,
    multiply: Dtype,
    on: &Machine,
    parameters: &DecodeAttentionParameters,
) -> Stream {
    let (chip, block) = (on.chip, kernel.block(op));
    let rows = op.queries * (op.heads / op.kv_heads.max(1)).max(1);
    let tiles = rows.div_ceil(MOST_ROWS);
    let output_rows = f64::from(op.batch) * f64::from(op.queries) * f64::from(op.heads);
    Stream {
        cores: f64::from(chip.compute.cores),
        tasks: f64::from(op.batch) * f64::from(op.kv_heads) * f64::from(tiles),
        blocks: f64::from(op.context.div_ceil(block)),
        load: Load {
            memory: split::memory_time(work.hbm, on, efficiency(op, parameters), retained(op, parameters)),
            compute: padded_flops(op, rows.next_multiple_of(kernel.least_rows(chip)), block)
                / (chip.matrix_peak(multiply).get() * parameters.compute_efficiency),
        },
        draw: a_task(op, block) / (parameters.core_bandwidth * 1e9),
        overhead: of_a_part(op, kernel, parameters),
        overlap: parameters.overlap,
        launch: parameters.launch * 1e-6 + regrouping(op, kernel, chip, parameters),
        merge: chip.compute.launch.get() + output_rows * parameters.merge_row * 1e-9,
        merge_part: parameters.merge_part * 1e-9,
    }
}

/// Bytes of the keys and values of one sequence and head, in whole blocks.
fn a_task(op: &DecodeAttention, block: u32) -> f64 {
    f64::from(op.context.next_multiple_of(block)) * f64::from(op.qk_dim + op.v_dim) * op.kv.bytes()
}

/// Constant of one part: its own, that of its output tile and of a window's masks.
fn of_a_part(op: &DecodeAttention, kernel: Kernel, parameters: &DecodeAttentionParameters) -> f64 {
    let rows = f64::from(kernel.rows(op));
    let tile = parameters.tile_overhead * 1e-9 * rows * f64::from(op.v_dim) / 1024.0;
    let masks =
        if op.window > 0 { parameters.window_overhead * 1e-6 * rows / f64::from(MOST_ROWS) } else { 0.0 };
    parameters.task_overhead * 1e-6 + tile + masks
}

/// FlashAttention-3's scheduler walks the sequences that lie between two tiles of a core, 31 lengths from memory at a time.
fn scheduler_search(sequences: u32, tiles_of_one: f64, chip: &Chip) -> f64 {
    let between = f64::from(chip.compute.cores) / tiles_of_one.max(1.0);
    chip.hbm.latency.get() * between.min(f64::from(sequences)) / SCANNED
}

/// Whether several key-value heads, each shared by a group of query heads, interleave in a token's row.
const fn interleaved(op: &DecodeAttention) -> bool {
    op.kv_heads > 1 && op.kv_heads < op.heads
}

/// Kernels that bring the rows of each group together and back, which one sequence alone does not need, or that pad values
/// which are narrower than keys. Each is a launch; one that regroups reads and writes all queries or outputs besides.
fn regrouping(
    op: &DecodeAttention,
    kernel: Kernel,
    chip: &Chip,
    parameters: &DecodeAttentionParameters,
) -> f64 {
    if interleaved(op) && op.batch > 1 && kernel.regroups() {
        parameters.regroup * regrouped(op.batch, op.queries * op.heads, op.v_dim, op.compute, chip)
    } else if op.v_dim < op.qk_dim {
        parameters.regroup * chip.compute.launch.get()
    } else {
        0.0
    }
}

/// A kernel that copies the rows of all queries, or of their outputs, into another order.
pub(crate) fn regrouped(batch: u32, rows: u32, width: u32, dtype: Dtype, chip: &Chip) -> f64 {
    let bytes = f64::from(batch) * f64::from(rows) * f64::from(width) * dtype.bytes();
    chip.compute.launch.get() + 2.0 * bytes / chip.hbm.bandwidth.get()
}

/// Several key-value heads interleave in a token's row of the cache; a group's kernel reads one head of it at a time.
fn efficiency(op: &DecodeAttention, parameters: &DecodeAttentionParameters) -> f64 {
    parameters.memory_efficiency * if interleaved(op) { 1.0 - parameters.strided_penalty } else { 1.0 }
}

/// What L2 keeps of a long stream in a benchmark; of interleaved heads, nothing that was measured.
fn retained(op: &DecodeAttention, parameters: &DecodeAttentionParameters) -> f64 {
    if interleaved(op) { 0.0 } else { parameters.retained }
}

/// FLOPs of rows padded to a tile and keys to a block: 2·rows·(`d_qk` + `d_v`) a key.
fn padded_flops(op: &DecodeAttention, rows: u32, block: u32) -> f64 {
    let keys = f64::from(op.batch) * f64::from(op.kv_heads) * f64::from(op.context.next_multiple_of(block));
    2.0 * f64::from(rows) * f64::from(op.qk_dim + op.v_dim) * keys
}

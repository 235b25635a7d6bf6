//! A stream over a cache by tasks that may be split: shared by attention over keys and values and over latents.

use vitruvian_hardware::Chip;
use vitruvian_quantity::Bytes;

use crate::estimate::Bound;
use crate::timing::{Machine, Residency, overlap};

/// Times of the whole kernel if its work were spread evenly over all cores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Load {
    /// Bytes over bandwidth.
    pub memory: f64,
    /// Padded FLOPs over the matrix peak.
    pub compute: f64,
}

/// A kernel that streams a cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stream {
    /// Cores of the chip.
    pub cores: f64,
    /// Tasks before the cache is split.
    pub tasks: f64,
    /// Blocks of keys in a task, which bound the parts.
    pub blocks: f64,
    /// Work of the kernel.
    pub load: Load,
    /// Time in which one core alone draws the keys and values of one task.
    pub draw: f64,
    /// Constant of one part of a task on a core.
    pub overhead: f64,
    /// Exponent of the combination.
    pub overlap: f64,
    /// Fixed time.
    pub launch: f64,
    /// Time of the merge before its parts.
    pub merge: f64,
    /// Time of one part in the merge, which reads them one after the other.
    pub merge_part: f64,
}

/// Where a planner puts the parts of the tasks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    /// Parts of the task that is split most.
    pub splits: f64,
    /// Parts that the busiest core executes.
    pub parts: f64,
    /// Share of one whole task that the busiest core executes; above one for several.
    pub busiest: f64,
}

/// Time of a kernel under a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    /// Time in seconds.
    pub time: f64,
    /// What it is spent on.
    pub bound: Bound,
    /// Parts of a task.
    pub splits: u32,
}

/// Cores that take this many times as long as the memory would leave it idle for most of the time: their own bytes in
/// flight bound the stream then, not its bandwidth.
const IDLE: f64 = 2.0;

/// FlashAttention-3 leaves a cache of so few blocks whole (`hopper/heuristics.h`).
pub(crate) const FEW_BLOCKS: f64 = 4.0;
/// Blocks of a core over an even share, in FlashAttention-3's plan (`hopper/flash_prepare_scheduler.cu`).
const SPARE: f64 = 1.1;

impl Stream {
    /// As many parts as so many slots take without one too many: `FlashInfer`'s rule, where all sequences are of one length.
    pub(crate) fn within(&self, slots: f64) -> Placed {
        self.in_parts((slots / self.tasks).floor().clamp(1.0, self.blocks.max(1.0)))
    }

    /// Parts of as many blocks as give each of so many slots one: what FlashAttention's rules come to where all sequences are
    /// of one length. The last parts may be one too many.
    pub(crate) fn filling(&self, slots: f64) -> Placed {
        let chunk = (self.tasks * self.blocks / slots).ceil().clamp(1.0, self.blocks.max(1.0));
        self.in_parts(((self.blocks / chunk).ceil()).max(1.0))
    }

    /// FlashAttention-3's rule: parts that fill the cores once with a tenth to spare, none of a cache of few blocks.
    pub(crate) fn even(&self) -> Placed {
        if self.blocks <= FEW_BLOCKS { self.in_parts(1.0) } else { self.filling(self.cores / SPARE) }
    }

    /// Every task in so many parts of equal blocks, dealt to the cores in rounds.
    pub(crate) fn in_parts(&self, splits: f64) -> Placed {
        let blocks = self.blocks.max(1.0);
        let part = (blocks / splits).ceil();
        let splits = (blocks / part).ceil();
        let parts = (self.tasks * splits / self.cores).ceil();
        Placed { splits, parts, busiest: parts * part / blocks }
    }

    /// The time under a plan, merged where it is split, or in any case where the merge was captured with the kernel.
    pub(crate) fn time(&self, placed: Placed, captured: bool) -> Split {
        let Placed { splits, parts, busiest } = placed;
        // A core draws no more than its own bytes in flight allow.
        let drawing = busiest * self.draw;
        let memory = self.load.memory.max(drawing);
        let compute = self.load.compute * busiest * self.cores / self.tasks;
        let parted = if splits > 1.0 { self.merge_part * splits } else { 0.0 };
        let merge = if captured || splits > 1.0 { self.merge + parted } else { 0.0 };
        // The first part waits for its queries; the others' constants hide behind the stream.
        let fixed = self.launch + self.overhead + merge;
        let later = self.overhead * (parts - 1.0);
        let time = fixed + overlap(memory, compute + later, self.overlap);
        let bounds = [
            (fixed, Bound::Launch),
            (memory, if drawing > IDLE * self.load.memory { Bound::Latency } else { Bound::Hbm }),
            (compute, Bound::Matrix),
            (later, Bound::Latency),
        ];
        let longest = bounds.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        Split { time, bound: longest.map_or(Bound::Launch, |(_, bound)| bound), splits: splits as u32 }
    }
}

/// Parts whose results a merge reads at a time.
const MERGED: f64 = 2.0;

/// Latency of one part in a merge: its result comes from L2, two at a time.
pub(crate) fn merge_latency(chip: &Chip) -> f64 {
    chip.l2.latency.get() / MERGED
}

/// Bytes over the bandwidth of the level they come from: L2 for what a repeated benchmark finds there, and for what a share
/// `retained` of it keeps of a longer stream.
pub(crate) fn memory_time(bytes: Bytes, on: &Machine, efficiency: f64, retained: f64) -> f64 {
    let (hbm, l2) = (on.chip.hbm.bandwidth.get(), on.chip.l2.read_bandwidth.get());
    let held = match on.residency {
        Residency::Cold => 0.0,
        Residency::Rotating { copies } => {
            let (read, capacity) = (bytes * f64::from(copies), on.chip.l2.capacity.get());
            let kept = (retained * capacity / read.get()).min(1.0);
            crate::prefill_attention::held(read, capacity).max(kept)
        }
    };
    bytes.get() / efficiency * ((1.0 - held) / hbm + held / l2.max(hbm))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream {
        cores: 78.0,
        tasks: 2.0,
        blocks: 1000.0,
        load: Load { memory: 1e-3, compute: 2e-3 },
        draw: 0.0,
        overhead: 0.0,
        overlap: 64.0,
        launch: 0.0,
        merge_part: 0.0,
        merge: 0.0,
    };

    #[test]
    fn few_tasks_are_split_until_they_fill_the_cores() {
        // 2 tasks of 1000 blocks on 78 cores: parts of ⌈2000/78⌉ = 26 blocks, ⌈1000/26⌉ = 39 of each, 78 in all, one a core.
        // Each takes 26/1000 of a task, whose share of the 2 ms is 78 ms.
        let placed = STREAM.filling(78.0);
        assert_eq!(placed, Placed { splits: 39.0, parts: 1.0, busiest: 0.026 });
        let split = STREAM.time(placed, false);
        assert!((split.time - 0.026 * 78e-3).abs() < 1e-9, "{}", split.time);
        assert_eq!(split.bound, Bound::Matrix);
    }

    #[test]
    fn whole_tasks_fall_on_cores_in_rounds() {
        // 128 tasks on 78 cores take two rounds: 2·78/128 of the even time.
        let stream = Stream { tasks: 128.0, ..STREAM };
        let split = stream.time(stream.filling(78.0), false);
        assert_eq!(split.splits, 1);
        assert!((split.time - 2e-3 * 156.0 / 128.0).abs() < 1e-9);
    }

    #[test]
    fn one_core_draws_what_its_latency_allows() {
        // A whole task takes a core 4 ms; memory alone would take 1 ms.
        let stream = Stream { blocks: 1.0, draw: 4e-3, load: Load { compute: 0.0, ..STREAM.load }, ..STREAM };
        let split = stream.time(stream.filling(78.0), false);
        assert!((split.time - 4e-3).abs() < 1e-9);
        assert_eq!(split.bound, Bound::Latency);
    }

    #[test]
    fn a_captured_merge_runs_though_nothing_is_split() {
        let stream = Stream { tasks: 78.0, merge: 3e-6, merge_part: 1e-6, ..STREAM };
        let whole = stream.filling(78.0);
        let between = stream.time(whole, true).time - stream.time(whole, false).time;
        assert!((between - 3e-6).abs() < 1e-12);
    }

    #[test]
    fn a_short_context_has_no_more_parts_than_blocks() {
        assert_eq!(Stream { blocks: 3.0, ..STREAM }.filling(78.0).splits, 3.0);
    }
}

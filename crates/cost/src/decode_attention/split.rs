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
    /// Constants of the tasks.
    pub overhead: f64,
}

/// A kernel that streams a cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stream {
    /// Cores of the chip.
    pub cores: f64,
    /// Tasks that all cores hold at a time.
    pub slots: f64,
    /// Tasks before the cache is split.
    pub tasks: f64,
    /// Blocks of keys in a task, which bound the parts.
    pub blocks: f64,
    /// Work of the kernel.
    pub load: Load,
    /// Time in which one core alone draws the keys and values of one task.
    pub draw: f64,
    /// Exponent of the combination.
    pub overlap: f64,
    /// Fixed time.
    pub launch: f64,
    /// Time of the merge before its parts.
    pub merge: f64,
    /// Latency of one part in the merge, which reads them one after the other.
    pub merge_part: f64,
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

/// FlashAttention-3's heuristic leaves a cache whole once tasks fill this share of the slots.
const FULL: f64 = 0.8;

impl Stream {
    /// The fastest of four plans: whole tasks, parts that fill the slots or half of them, and as many as the merge is worth.
    pub(crate) fn best(&self) -> Split {
        let filled = self.filling();
        // t(s) = lone/s + s·part is least at √(lone/part).
        let worth = (self.lone() / self.merge_part).sqrt().floor().clamp(1.0, filled);
        let plans = [1.0, filled, (filled / 2.0).floor().max(1.0), worth].map(|splits| self.split(splits));
        plans.into_iter().min_by(|a, b| a.time.total_cmp(&b.time)).unwrap_or_else(|| self.whole())
    }

    /// Every task in one part.
    pub(crate) fn whole(&self) -> Split {
        self.split(1.0)
    }

    /// Parts of a task that fill the slots; one where tasks alone nearly do.
    fn filling(&self) -> f64 {
        let full = self.tasks >= FULL * self.slots;
        if full { 1.0 } else { (self.slots / self.tasks).floor().clamp(1.0, self.blocks.max(1.0)) }
    }

    /// Time of one whole task on one core.
    fn lone(&self) -> f64 {
        self.draw.max(self.load.compute * self.cores / self.tasks)
    }

    /// launch + (memory^q + (compute + overhead)^q)^(1/q) + merge, with every task in so many parts.
    fn split(&self, splits: f64) -> Split {
        let rounds = (self.tasks * splits / self.cores).ceil();
        // A core draws no more than its own bytes in flight allow.
        let drawing = rounds * self.draw / splits;
        let memory = self.load.memory.max(drawing);
        let compute = self.load.compute * rounds * self.cores / (self.tasks * splits);
        let merge = if splits > 1.0 { self.merge + self.merge_part * splits } else { 0.0 };
        let fixed = self.launch + merge;
        let time = fixed + overlap(memory, compute + self.load.overhead, self.overlap);
        let parts = [
            (fixed, Bound::Launch),
            (memory, if drawing > IDLE * self.load.memory { Bound::Latency } else { Bound::Hbm }),
            (compute, Bound::Matrix),
            (self.load.overhead, Bound::Latency),
        ];
        let longest = parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
        Split { time, bound: longest.map_or(Bound::Launch, |(_, bound)| bound), splits: splits as u32 }
    }
}

/// Parts whose results a merge reads at a time.
const MERGED: f64 = 2.0;

/// Latency of one part in a merge: its result comes from L2, two at a time.
pub(crate) fn merge_latency(chip: &Chip) -> f64 {
    chip.l2.latency.get() / MERGED
}

/// Bytes over the bandwidth of the level they come from: L2 for what a repeated benchmark finds there.
pub(crate) fn memory_time(bytes: Bytes, on: &Machine, efficiency: f64) -> f64 {
    let (hbm, l2) = (on.chip.hbm.bandwidth.get(), on.chip.l2.read_bandwidth.get());
    let held = match on.residency {
        Residency::Cold => 0.0,
        Residency::Rotating { copies } => {
            crate::prefill_attention::held(bytes * f64::from(copies), on.chip.l2.capacity.get())
        }
    };
    bytes.get() / efficiency * ((1.0 - held) / hbm + held / l2.max(hbm))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream {
        cores: 78.0,
        slots: 78.0,
        tasks: 2.0,
        blocks: 1000.0,
        load: Load { memory: 1e-3, compute: 2e-3, overhead: 0.0 },
        draw: 0.0,
        overlap: 64.0,
        launch: 0.0,
        merge_part: 1e-12,
        merge: 0.0,
    };

    #[test]
    fn few_tasks_are_split_until_they_fill_the_cores() {
        // 2 tasks in 39 parts are 78: all cores, evenly. Compute is the longer: 2 ms.
        let best = STREAM.best();
        assert_eq!(best.splits, 39);
        assert!((best.time - 2e-3).abs() < 1e-9, "{}", best.time);
        assert_eq!(best.bound, Bound::Matrix);
    }

    #[test]
    fn whole_tasks_fall_on_cores_in_rounds() {
        // 128 tasks on 78 cores take two rounds: 2·78/128 of the even time.
        let stream = Stream { tasks: 128.0, ..STREAM };
        assert!((stream.best().time - 2e-3 * 156.0 / 128.0).abs() < 1e-9);
    }

    #[test]
    fn one_core_draws_what_its_latency_allows() {
        // A whole task takes a core 4 ms; memory alone would take 1 ms.
        let stream = Stream { blocks: 1.0, draw: 4e-3, load: Load { compute: 0.0, ..STREAM.load }, ..STREAM };
        let best = stream.best();
        assert!((best.time - 4e-3).abs() < 1e-9);
        assert_eq!(best.bound, Bound::Latency);
    }

    #[test]
    fn no_more_parts_than_the_merge_is_worth() {
        // Compute of one task alone is 2 ms · 78 / 2 = 78 ms; √(78 ms / 31.2 µs) = 50, of which the slots take 39.
        // At 780 µs a part: √(78 ms / 780 µs) = 10.
        assert_eq!(Stream { merge_part: 780e-6, ..STREAM }.best().splits, 10);
    }

    #[test]
    fn a_short_context_has_no_more_parts_than_blocks() {
        assert_eq!(Stream { blocks: 3.0, ..STREAM }.best().splits, 3);
    }
}

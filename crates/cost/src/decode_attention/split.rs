//! A stream over a cache by tasks that may be split: shared by attention over keys and values and over latents.

use vitruvian_quantity::Bytes;

use crate::estimate::Bound;
use crate::timing::{Machine, Residency};

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
    /// Bandwidth of one core over its even share.
    pub core_share: f64,
    /// Exponent of the combination.
    pub overlap: f64,
    /// Fixed time.
    pub launch: f64,
    /// Time to merge the parts.
    pub merge: f64,
}

/// How many parts each task is split into, and how they fall on cores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plan {
    /// Parts of a task.
    pub splits: f64,
    /// Work of the core with most parts, over the even share.
    pub imbalance: f64,
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

/// FlashAttention-3's heuristic leaves a cache whole once tasks fill this share of the slots.
const FULL: f64 = 0.8;

impl Stream {
    /// Every task in one part.
    pub(crate) fn whole(&self) -> Plan {
        self.plan(1.0)
    }

    fn plan(&self, splits: f64) -> Plan {
        let parts = self.tasks * splits;
        Plan { splits, imbalance: (parts / self.cores).ceil() * self.cores / parts }
    }

    /// As many parts as fill the slots; one where tasks alone nearly do.
    fn filled(&self) -> Plan {
        let full = self.tasks >= FULL * self.slots;
        self.plan(if full { 1.0 } else { (self.slots / self.tasks).floor().clamp(1.0, self.blocks.max(1.0)) })
    }

    /// The faster of the whole and the filled plan.
    pub(crate) fn best(&self) -> Split {
        let (whole, filled) = (self.time(&self.whole()), self.time(&self.filled()));
        if filled.time < whole.time { filled } else { whole }
    }

    /// launch + (Σ part^q)^(1/q) + merge.
    pub(crate) fn time(&self, plan: &Plan) -> Split {
        // A lone core cannot draw more than its own bytes in flight allow.
        let waiting = (plan.imbalance / self.core_share).max(1.0);
        let memory = self.load.memory * waiting;
        let compute = self.load.compute * plan.imbalance;
        let merge = if plan.splits > 1.0 { self.merge } else { 0.0 };
        let fixed = self.launch + merge;
        let busy = combined([memory, compute, self.load.overhead], self.overlap);
        let streaming = if waiting > 1.0 { Bound::Latency } else { Bound::Hbm };
        let parts = [
            (fixed, Bound::Launch),
            (memory, streaming),
            (compute, Bound::Matrix),
            (self.load.overhead, Bound::Latency),
        ];
        let bound =
            parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or(Bound::Launch, |(_, bound)| bound);
        Split { time: fixed + busy, bound, splits: plan.splits as u32 }
    }
}

/// (Σ x^q)^(1/q), scaled by the longest so that nothing overflows.
fn combined(parts: [f64; 3], q: f64) -> f64 {
    let longest = parts.into_iter().fold(0.0, f64::max);
    if longest <= 0.0 {
        return 0.0;
    }
    let sum: f64 = parts.into_iter().map(|part| (part / longest).powf(q)).sum();
    longest * sum.powf(q.recip())
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
        core_share: 1.0,
        overlap: 64.0,
        launch: 0.0,
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
    fn a_short_context_has_no_more_parts_than_blocks() {
        assert_eq!(Stream { blocks: 3.0, ..STREAM }.best().splits, 3);
    }

    #[test]
    fn an_exponent_of_one_adds() {
        assert!((combined([1.0, 2.0, 3.0], 1.0) - 6.0).abs() < 1e-12);
        assert_eq!(combined([0.0; 3], 2.0), 0.0);
    }
}

//! Attention on cube and vector cores.
//!
//! All heads of all sequences do the same work. Past a few thousand steps only some are run, a of them and half of those;
//! the rest take their time at the rate between the two:
//!
//! ```text
//! T(n) = T(a) + (n − a) · (T(a) − T(a/2)) / (a/2)
//! ```

use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::attention::{self, Attention, AttentionTiling, Decode};
use vitruvian_davinci::timing::{Options, Warmth, simulate};
use vitruvian_davinci::{Kernel, Machine as Core};
use vitruvian_model::operator::{DecodeAttention, PrefillAttention};
use vitruvian_quantity::Dtype;

use super::{Simulated, simulated, warmth};
use crate::timing::Machine;

/// Blocks of 512 keys against a tile of queries that are run whole.
const STEPS: f64 = 4000.0;

/// Share of the footprint that is output: one of Q, K, V and O where heads are not grouped.
const WRITTEN: f64 = 0.25;

pub(super) fn prefill(op: &PrefillAttention, on: &Machine, core: &Core) -> Option<Simulated> {
    let same = op.qk_dim == op.v_dim && op.cached == 0 && op.window == 0;
    let seq = op.new.next_multiple_of(128);
    let ty = same.then(|| operand(op.compute, op.kv)).flatten()?;
    let whole = Attention {
        batch: op.batch,
        heads: op.heads,
        kv_heads: op.kv_heads,
        seq,
        dim: op.qk_dim,
        ty,
        causal: op.causal,
    };
    let warmth = warmth(on, core, whole.footprint(), WRITTEN);
    let blocks = f64::from(seq / 128);
    let keys = f64::from(seq) / 512.0;
    let steps = if op.causal { blocks * (keys / 2.0 + 0.5).max(1.0) } else { blocks * keys.max(1.0) };
    let jobs = Jobs::of(op.batch, op.heads, op.kv_heads, steps)?;
    let run = jobs.time(core, warmth, |kv_heads, group| {
        let problem = Attention { batch: 1, heads: kv_heads * group, kv_heads, ..whole };
        attention::prefill(core, &problem, &AttentionTiling::default()).ok()
    })?;
    Some(Simulated { sigma: core.core.sigma.prefill, ..run })
}

pub(super) fn decode(op: &DecodeAttention, on: &Machine, core: &Core) -> Option<Simulated> {
    let ty = (op.queries == 1 && op.qk_dim == op.v_dim).then(|| operand(op.compute, op.kv)).flatten()?;
    let whole = Decode {
        batch: op.batch,
        heads: op.heads,
        kv_heads: op.kv_heads,
        kv_len: op.context,
        dim: op.qk_dim,
        ty,
    };
    let group = op.heads.checked_div(op.kv_heads)?;
    let warmth = warmth(on, core, whole.footprint(), 0.0);
    // A step serves the whole group of query heads.
    let steps = (f64::from(op.context) / 512.0).ceil() / f64::from(group.max(1));
    let run = Jobs::of(op.batch, op.heads, op.kv_heads, steps)?.time(core, warmth, |kv_heads, group| {
        let problem = Decode { batch: 1, heads: kv_heads * group, kv_heads, ..whole };
        attention::decode(core, &problem, &AttentionTiling::decode(&problem, core.cube_cores)).ok()
    })?;
    Some(Simulated { sigma: core.core.sigma.decode, ..run })
}

fn operand(compute: Dtype, kv: Dtype) -> Option<Type> {
    match compute {
        Dtype::Bf16 if kv == compute => Some(Type::Bf16),
        Dtype::Fp16 if kv == compute => Some(Type::F16),
        _ => None,
    }
}

/// Heads of all sequences: groups of query heads that share keys, and how many are run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Jobs {
    groups: u32,
    group: u32,
    /// Groups, and query heads of each, that are run.
    run: (u32, u32),
}

impl Jobs {
    fn of(batch: u32, heads: u32, kv_heads: u32, steps: f64) -> Option<Self> {
        let (groups, group) = (batch * kv_heads, heads.checked_div(kv_heads)?);
        let affordable = (STEPS / steps.max(1e-3)).max(2.0) as u32;
        let run = if affordable >= 2 * group {
            ((affordable / group / 2 * 2).min(groups), group)
        } else {
            (1, (affordable / 2 * 2).min(group))
        };
        Some(Self { groups, group, run })
    }

    fn heads(self) -> f64 {
        f64::from(self.groups) * f64::from(self.group)
    }

    fn time(
        self,
        core: &Core,
        warmth: Warmth,
        kernel: impl Fn(u32, u32) -> Option<Kernel>,
    ) -> Option<Simulated> {
        let run = |(groups, group): (u32, u32)| {
            let report = simulate(core, &kernel(groups, group)?, Options { warmth, trace: false }).ok()?;
            Some(simulated(core, &report, None))
        };
        let all = run(self.run)?;
        let done = f64::from(self.run.0 * self.run.1);
        let rest = self.heads() - done;
        if rest <= 0.0 {
            return Some(all);
        }
        let half = run(if self.run.0 > 1 { (self.run.0 / 2, self.run.1) } else { (1, self.run.1 / 2) })?;
        let halves = 2.0 * rest / done;
        Some(Simulated {
            device: all.device + (all.device - half.device) * halves,
            hbm: all.hbm + (all.hbm - half.hbm) * halves,
            l2: all.l2 + (all.l2 - half.l2) * halves,
            ..all
        })
    }
}

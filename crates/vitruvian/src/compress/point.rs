//! One operating point in every scheme: where its steps are slower than in 16 bits, and why.

use vitruvian_cost::{Bound, Refusal, execution};
use vitruvian_engine::{Meter, Replica, TaskCost, explain};
use vitruvian_hardware::Chip;
use vitruvian_model::{Layout, Model, Operator, QuantPlan, Scheme, Sparsity, Step};
use vitruvian_planner::Workload;
use vitruvian_quantity::three;

use super::answer::Slower;
use crate::answer::Deployment;
use crate::operators::shape;
use crate::setup::Setup;

/// A layout, a batch, a step's tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) layout: Layout,
    batch: u32,
    chunk: u32,
}

/// One decode step and one prefill step by operator.
pub(super) struct Steps {
    pub(super) decode: Vec<TaskCost>,
    prefill: Vec<TaskCost>,
}

/// Lead above which one scheme counts as slower than another.
const LEAD: f64 = 1.01;

/// Operators named in a reason, at most.
const NAMED: usize = 3;

impl Point {
    pub(super) fn of(deployment: &Deployment) -> Self {
        let Deployment { tp, pp, dp, ep, batch, chunk, .. } = *deployment;
        Self { layout: Layout { tp, pp, dp, ep, cp: 1 }, batch, chunk }
    }

    /// In words: `TP4, 64 sequences`.
    pub(super) fn words(&self) -> String {
        format!("{}, {} sequences", self.layout, self.batch)
    }

    /// The steps of a plan at this point.
    pub(super) fn steps(
        &self,
        setup: &Setup,
        model: &Model,
        plan: &QuantPlan,
        workload: &Workload,
    ) -> Result<Steps, Refusal> {
        let network = setup.network();
        let mut meter = Meter::new(&setup.node, setup.costs(), &network);
        let replica = Replica { model, plan, layout: self.layout, engine: &setup.engine };
        let sequences = self.batch.div_ceil(self.layout.dp * self.layout.pp).max(1);
        let tokens = workload.new_tokens().min(self.chunk.max(1));
        let decode = Step::decode(sequences, workload.mean_context());
        Ok(Steps {
            decode: explain(&replica, &decode, &mut meter)?,
            prefill: explain(&replica, &Step::prefill(1, tokens), &mut meter)?,
        })
    }
}

/// Time of all operators.
pub(super) fn total(lines: &[TaskCost]) -> f64 {
    lines.iter().map(|line| line.time().get()).sum()
}

impl Steps {
    pub(super) fn decode_ms(&self) -> f64 {
        1e3 * total(&self.decode)
    }

    pub(super) fn prefill_ms(&self) -> f64 {
        1e3 * total(&self.prefill)
    }
}

/// Where a scheme's steps take longer than those in 16 bits.
pub(super) fn slower(
    base: &Steps,
    own: &Steps,
    (scheme, sparsity): (Scheme, Sparsity),
    chip: &Chip,
) -> Vec<Slower> {
    let phases = [("decode", &base.decode, &own.decode), ("prefill", &base.prefill, &own.prefill)];
    let sentence = |(phase, base, own): (&str, &Vec<TaskCost>, &Vec<TaskCost>)| {
        let (before, after) = (total(base), total(own));
        (after > LEAD * before).then(|| Slower {
            phase: phase.to_owned(),
            step_ms: 1e3 * after,
            plain_step_ms: 1e3 * before,
            why: parts(base, own, (scheme, sparsity), chip),
        })
    };
    phases.into_iter().filter_map(sentence).collect()
}

/// The operators that take longer, the worst first.
fn parts(base: &[TaskCost], own: &[TaskCost], scheme: (Scheme, Sparsity), chip: &Chip) -> Vec<String> {
    let mut names: Vec<&str> = own.iter().map(|line| line.name).collect();
    names.sort_unstable();
    names.dedup();
    let of = |lines: &[TaskCost], name: &str| -> f64 {
        lines.iter().filter(|line| line.name == name).map(|line| line.time().get()).sum()
    };
    let mut longer: Vec<(f64, &str)> =
        names.iter().map(|name| (of(own, name) - of(base, name), *name)).collect();
    longer.retain(|(more, _)| *more > 0.0);
    longer.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let part = |(more, name): &(f64, &str)| {
        let lines: Vec<&TaskCost> = own.iter().filter(|line| line.name == *name).collect();
        format!("{name} +{} ms{}", three(1e3 * more), why(&lines, scheme, chip))
    };
    longer.iter().take(NAMED).map(part).collect()
}

/// Why one operator takes longer than in 16 bits.
fn why(lines: &[&TaskCost], (scheme, sparsity): (Scheme, Sparsity), chip: &Chip) -> String {
    let Some(line) = lines.first() else { return String::new() };
    if line.name == "quantise" {
        let runs: u32 = lines.iter().map(|line| line.count).sum();
        return format!(" ({runs} kernels that round activations)");
    }
    let converts = execution::of(scheme, sparsity, chip).ok().and_then(|execution| execution.dequantise);
    let what = match (&line.operator, converts) {
        (Operator::Gemm(_) | Operator::GroupedGemm(_), Some(dtype)) => {
            format!("weights converted to {} first", dtype.name())
        }
        (Operator::Gemm(_) | Operator::GroupedGemm(_), None)
            if matches!(line.estimate.bound, Bound::Launch | Bound::Latency) =>
        {
            "too small for its kernel, bound by launch".to_owned()
        }
        _ => format!("bound by {}", line.estimate.bound.name()),
    };
    format!(" ({}: {what})", shape(&line.operator))
}

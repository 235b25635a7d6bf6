//! The tasks of one rank as an engine launches them: those of the model, less what the engine folds into neighbours, with
//! the quantisation kernels between them and experts as served text chooses them.

use vitruvian_cost::execution;
use vitruvian_hardware::Chip;
use vitruvian_model::{
    CollectiveKind, Ffn, Gemm, GroupedGemm, Imbalance, Operator, QuantPlan, Scheme, Sparsity, Step, Task,
    VectorKind, VectorOp, tasks,
};
use vitruvian_quantity::Dtype;

use crate::profile::Fusion;
use crate::replica::Replica;

/// Appends what one rank of a pipeline stage launches for a step on `chip`.
///
/// Schemes that scale activations per token or block at run time need a kernel that reads them in 16 bits and writes
/// them in 8, where the chip multiplies 8 bits. Fixed scales are folded into the norm or activation before the product.
pub fn schedule(replica: &Replica<'_>, chip: &Chip, stage: u32, step: &Step, out: &mut Vec<Task>) {
    let first = out.len();
    tasks(replica.model, replica.plan, replica.layout, stage, step, out);
    if replica.engine.fuses.contains(&Fusion::SharedExperts) && shares_one(replica) {
        share(first, out);
    }
    for index in first..out.len() {
        skew(&mut out[index].operator, replica.engine.expert_skew);
        narrow(replica.plan, chip, &mut out[index]);
        let task = out[index];
        if let Some(rows) = quantised(&task, replica, chip) {
            out.push(Task { name: "quantise", operator: Operator::Vector(rows), count: task.count });
        }
    }
    fuse(replica, step, first, out);
}

/// Rows are copied into expert order in the format in which the experts multiply them.
fn narrow(plan: &QuantPlan, chip: &Chip, task: &mut Task) {
    if let ("permute", Operator::Vector(copy)) = (task.name, &mut task.operator)
        && rounds_at_run_time(plan.experts, chip)
    {
        copy.dtype = plan.experts.activation();
    }
}

/// Experts chosen by a power law instead of evenly.
fn skew(operator: &mut Operator, exponent: f64) {
    if let Operator::GroupedGemm(grouped) = operator
        && exponent > 0.0
    {
        grouped.imbalance = Imbalance::PowerLaw((exponent * 1000.0).round() as u16);
    }
}

/// Whether every layer of experts has one shared expert that the routed ones' kernel can take.
fn shares_one(replica: &Replica<'_>) -> bool {
    let fits = |moe: &vitruvian_model::ffn::Moe| moe.shared == moe.width && !moe.shared_gate;
    let mut experts = replica.model.layers().filter_map(|layer| match &layer.ffn {
        Ffn::Moe(moe) => Some(fits(moe)),
        _ => None,
    });
    !replica.layout.exchanges_tokens() && replica.layout.ep == 1 && experts.next() == Some(true)
}

/// The shared expert as one more routed expert.
fn share(first: usize, out: &mut Vec<Task>) {
    remove(out, first, |task| task.name.starts_with("shared_"));
    for task in out.iter_mut().skip(first) {
        if let Operator::GroupedGemm(grouped) = &mut task.operator {
            grouped.topk += 1;
            grouped.experts += 1;
            grouped.local_experts += 1;
        }
    }
}

/// Takes out what the engine folds into other kernels.
fn fuse(replica: &Replica<'_>, step: &Step, first: usize, out: &mut Vec<Task>) {
    let fuses = |fusion| replica.engine.fuses.contains(&fusion);
    if fuses(Fusion::RopeCache) {
        remove(out, first, |task| matches!(task.name, "rope" | "qk_norm" | "cache_write"));
    }
    if fuses(Fusion::AllReduceNorm) && step.prefill.is_none() {
        let reduced = all_reduces(&out[first..]);
        subtract(out, first, reduced);
    }
}

fn remove(out: &mut Vec<Task>, first: usize, folded: impl Fn(&Task) -> bool) {
    let mut index = 0;
    out.retain(|task| {
        index += 1;
        index <= first || !folded(task)
    });
}

fn all_reduces(tasks: &[Task]) -> u32 {
    let reduces = |task: &&Task| matches!(&task.operator, Operator::Collective(c) if c.kind == CollectiveKind::AllReduce && c.group.size > 1);
    tasks.iter().filter(reduces).map(|task| task.count).sum()
}

/// Takes as many residual norms out as there are all-reduces that they follow.
fn subtract(out: &mut [Task], first: usize, mut reduced: u32) {
    for task in out.iter_mut().skip(first).filter(|task| task.name == "norm") {
        let folded = task.count.min(reduced);
        task.count -= folded;
        reduced -= folded;
    }
}

/// The activations that a product quantises at run time, as rows × width.
fn quantised(task: &Task, replica: &Replica<'_>, chip: &Chip) -> Option<VectorOp> {
    let (scheme, rows, width) = match &task.operator {
        Operator::Gemm(Gemm { scheme, m, k, batch, .. }) => (*scheme, m.saturating_mul(*batch), *k),
        Operator::GroupedGemm(grouped) => (grouped.scheme, grouped_rows(task.name, grouped), grouped.k),
        _ => return None,
    };
    let kernel = VectorOp { kind: VectorKind::Quantise, rows, width, dtype: Dtype::Bf16 };
    let folded = scheme == Scheme::Fp8Tensor && replica.engine.fuses.contains(&Fusion::StaticQuantise);
    (rounds_at_run_time(scheme, chip) && !folded).then_some(kernel)
}

/// Tokens are quantised once, before they are copied to each of their experts; what comes out of experts, row by row.
fn grouped_rows(name: &str, grouped: &GroupedGemm) -> u32 {
    let rows = (grouped.rows().ceil() as u32).max(1);
    if name == "experts_up" { rows.min(grouped.tokens.max(1)) } else { rows }
}

/// Whether activations are rounded by a kernel of its own: not where their scales are fixed, nor where the chip converts
/// the weights and multiplies 16 bits.
fn rounds_at_run_time(scheme: Scheme, chip: &Chip) -> bool {
    let narrow = || execution::of(scheme, Sparsity::Dense, chip).is_ok_and(|how| how.multiply.bytes() < 2.0);
    scheme.quantises_activations() && scheme != Scheme::W8A8Static && narrow()
}

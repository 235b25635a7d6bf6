//! The tasks of one rank as an engine launches them: those of the model, and the quantisation kernels between them.

use vitruvian_model::{Gemm, GroupedGemm, Operator, Scheme, Step, Task, VectorKind, VectorOp, tasks};
use vitruvian_quantity::Dtype;

use crate::replica::Replica;

/// Appends what one rank of a pipeline stage launches for a step.
///
/// Schemes that scale activations per token or block at run time need a kernel that reads them in 16 bits and writes
/// them in 8. Fixed scales are folded into the norm or activation before the product.
pub fn schedule(replica: &Replica<'_>, stage: u32, step: &Step, out: &mut Vec<Task>) {
    let first = out.len();
    tasks(replica.model, replica.plan, replica.layout, stage, step, out);
    for index in first..out.len() {
        let task = out[index];
        if let Some(rows) = quantised(&task.operator) {
            out.push(Task { name: "quantise", operator: Operator::Vector(rows), count: task.count });
        }
    }
}

/// The activations that a product quantises at run time, as rows × width.
fn quantised(operator: &Operator) -> Option<VectorOp> {
    let (scheme, rows, width) = match operator {
        Operator::Gemm(Gemm { scheme, m, k, batch, .. }) => (*scheme, m.saturating_mul(*batch), *k),
        Operator::GroupedGemm(grouped) => (grouped.scheme, grouped_rows(grouped), grouped.k),
        _ => return None,
    };
    let kernel = VectorOp { kind: VectorKind::Quantise, rows, width, dtype: Dtype::Bf16 };
    scales_at_run_time(scheme).then_some(kernel)
}

fn grouped_rows(grouped: &GroupedGemm) -> u32 {
    (grouped.rows().ceil() as u32).max(1)
}

const fn scales_at_run_time(scheme: Scheme) -> bool {
    scheme.quantises_activations() && !matches!(scheme, Scheme::W8A8Static)
}

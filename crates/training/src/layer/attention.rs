//! Attention without a fused kernel, as GPT-3 was trained (arXiv 2205.05198, section 3): every score is written.

use vitruvian_model::{Gemm, Operator, PrefillAttention, Sparsity, VectorKind, VectorOp};

use super::{Line, Setting};

/// Names of the lines that selective recomputation runs again.
const CORE: [&str; 4] = ["scores", "softmax", "score_dropout", "context"];

pub(super) fn is_unfused_core(name: &str) -> bool {
    CORE.contains(&name)
}

/// Q·Kᵀ, masked softmax, dropout, P·V; each head a product of its own.
pub(super) fn unfused(setting: &Setting<'_>, core: &PrefillAttention, count: u32) -> Vec<Line> {
    let scheme = setting.quant.embedding.sixteen_bit();
    let keys = core.new.saturating_add(core.cached);
    let batch = core.batch.saturating_mul(core.heads);
    let product = |n, k| Gemm { m: core.new, n, k, batch, scheme, sparsity: Sparsity::Dense };
    let rows = batch.saturating_mul(core.new);
    let vector = |kind| Operator::Vector(VectorOp { kind, rows, width: keys, dtype: setting.quant.activation() });
    let line = |name, operator| Line { count, ..Line::compute(name, operator) };
    let mut lines = vec![
        line("scores", Operator::Gemm(product(keys, core.qk_dim))),
        line("softmax", vector(VectorKind::Norm)),
        line("context", Operator::Gemm(product(core.v_dim, keys))),
    ];
    if setting.stack.figures.dropout > 0.0 {
        // One read, one write, a byte of mask: 5 bytes where an activation moves 4.
        lines.insert(2, line("score_dropout", vector(VectorKind::Activation)).at(1.25));
    }
    lines
}

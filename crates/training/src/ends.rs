//! Before the first layer and after the last: embedding, head, loss, and the modules that predict further tokens.

use vitruvian_model::{
    Collective, CollectiveKind, Embedding, Gemm, Module, Operator, Sparsity, VectorKind, VectorOp,
};
use vitruvian_quantity::Dtype;

use crate::layer::{Lane, Line, Passes, Setting, backward_of};

/// Look-up in a table split by rows over the TP group, its sums scattered to where the tokens live.
pub fn embedding(setting: &Setting<'_>) -> Passes {
    let tokens = setting.tokens();
    let dtype = setting.quant.activation();
    let look_up = Embedding { tokens, hidden: setting.model.hidden, dtype };
    let mut passes = backward_of(setting, vec![Line::compute("embedding", Operator::Embedding(look_up))]);
    let (sum, spread) = if setting.sequence_parallel {
        (CollectiveKind::ReduceScatter, Some(CollectiveKind::AllGather))
    } else {
        (CollectiveKind::AllReduce, None)
    };
    passes.forward.extend(exchange(setting, "tp_embedding", sum));
    passes.weight.extend(spread.and_then(|kind| exchange(setting, "tp_embedding", kind)));
    passes
}

/// Final norm, logits of every token and the cross entropy over them, each rank a share of the vocabulary.
pub fn head(setting: &Setting<'_>) -> Passes {
    let (model, tokens) = (setting.model, setting.tokens());
    let columns = model.vocab.div_ceil(setting.degrees.tp);
    let dtype = setting.quant.activation();
    let vector = |name, kind, rows, width, dtype| {
        Line::compute(name, Operator::Vector(VectorOp { kind, rows, width, dtype }))
    };
    let scheme = setting.quant.scheme(Module::LmHead);
    let gemm = Gemm { m: tokens, n: columns, k: model.hidden, batch: 1, scheme, sparsity: Sparsity::Dense };
    let lines = vec![
        vector("norm", VectorKind::AddNorm, setting.resident_tokens(), model.hidden, dtype),
        Line::compute("lm_head", Operator::Gemm(gemm)),
        // Widened to fp32; maximum; exponentials and their sum.
        vector("loss", VectorKind::Norm, tokens, columns, Dtype::Fp32).at(2.0),
    ];
    let mut passes = backward_of(setting, lines);
    if setting.sequence_parallel {
        passes.forward.extend(exchange(setting, "tp_allgather", CollectiveKind::AllGather));
        passes.input.extend(exchange(setting, "tp_reduce_scatter", CollectiveKind::ReduceScatter));
    } else {
        passes.input.extend(exchange(setting, "tp_allreduce", CollectiveKind::AllReduce));
    }
    passes
}

/// The projection that joins embedding and hidden state before the layers of an MTP module.
pub fn mtp_projection(setting: &Setting<'_>) -> Passes {
    let (tokens, hidden) = (setting.resident_tokens(), setting.model.hidden);
    let dtype = setting.quant.activation();
    let norm = VectorOp { kind: VectorKind::Norm, rows: tokens, width: hidden, dtype };
    let scheme = setting.quant.scheme(Module::Attention);
    let gemm = Gemm { m: tokens, n: hidden, k: 2 * hidden, batch: 1, scheme, sparsity: Sparsity::Dense };
    let norms = Line { count: 2, ..Line::compute("norm", Operator::Vector(norm)) };
    backward_of(setting, vec![norms, Line::compute("mtp_proj", Operator::Gemm(gemm))])
}

/// Logits alive at the loss, in bytes: what the product puts out and what the loss makes of it.
pub fn logits_bytes(setting: &Setting<'_>) -> f64 {
    let figures = &setting.stack.figures;
    let each = if setting.degrees.tp > 1 { figures.logits_split } else { figures.logits };
    let columns = setting.model.vocab.div_ceil(setting.degrees.tp);
    f64::from(setting.tokens()) * f64::from(columns) * each
}

fn exchange(setting: &Setting<'_>, name: &'static str, kind: CollectiveKind) -> Option<Line> {
    let (group, bytes) = (setting.degrees.tp_group(), setting.row_bytes(setting.tokens()));
    let operator = Operator::Collective(Collective { kind, group, bytes });
    (group.size > 1).then(|| Line { lane: Lane::Tensor, ..Line::compute(name, operator) })
}

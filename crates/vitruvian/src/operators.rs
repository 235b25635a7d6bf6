//! The operators of a step as lines of an answer.

use vitruvian_cost::Choice;
use vitruvian_engine::{Meter, TaskCost};
use vitruvian_model::Operator;

use crate::answer::OperatorShare;

/// Every operator with its share of the step.
pub(crate) fn shares(lines: &[TaskCost], meter: &Meter<'_>) -> Vec<OperatorShare> {
    let total: f64 = lines.iter().map(|line| line.time().get()).sum();
    lines.iter().map(|line| share(line, total, meter)).collect()
}

fn share(line: &TaskCost, total: f64, meter: &Meter<'_>) -> OperatorShare {
    let estimate = &line.estimate;
    let (time, flop) = (estimate.time.get(), (estimate.work.matrix + estimate.work.vector).get());
    let bytes = bytes(line);
    OperatorShare {
        operator: line.name.to_owned(),
        shape: shape(&line.operator),
        count: line.count,
        time_us: time * 1e6,
        total_us: line.time().get() * 1e6,
        share: line.time().get() / total,
        flop,
        bytes,
        flop_per_s: if time > 0.0 { flop / time } else { 0.0 },
        bytes_per_s: if time > 0.0 { bytes / time } else { 0.0 },
        bound: estimate.bound.name().to_owned(),
        choice: choice(line, meter),
        sigma: estimate.sigma,
    }
}

fn bytes(line: &TaskCost) -> f64 {
    match &line.operator {
        Operator::Collective(collective) => collective.bytes as f64,
        _ => line.estimate.work.hbm.get(),
    }
}

/// The shape in the field's notation.
pub(crate) fn shape(operator: &Operator) -> String {
    match operator {
        Operator::Gemm(op) if op.batch > 1 => {
            format!("{}×[{}×{}×{}] {}", op.batch, op.m, op.n, op.k, op.scheme)
        }
        Operator::Gemm(op) => format!("{}×{}×{} {}", op.m, op.n, op.k, op.scheme),
        Operator::GroupedGemm(op) => {
            format!(
                "{} of {} experts, {:.0} rows ×{}×{} {}",
                op.local_experts,
                op.experts,
                op.rows(),
                op.n,
                op.k,
                op.scheme
            )
        }
        Operator::PrefillAttention(op) => format!(
            "{}×{} tokens after {}, {}/{} heads of {}/{}",
            op.batch, op.new, op.cached, op.heads, op.kv_heads, op.qk_dim, op.v_dim
        ),
        Operator::DecodeAttention(op) => format!(
            "{}×{} queries over {}, {}/{} heads of {}, KV {}",
            op.batch, op.queries, op.context, op.heads, op.kv_heads, op.qk_dim, op.kv
        ),
        Operator::MlaDecode(op) => format!(
            "{}×{} queries over {} of {}, {} heads, latent {}+{}",
            op.batch, op.queries, op.attended, op.context, op.heads, op.latent, op.rope
        ),
        Operator::Indexer(op) => {
            format!(
                "{}×{} queries over {}, {} heads of {}, top {}",
                op.batch, op.new, op.cached, op.heads, op.dim, op.topk
            )
        }
        Operator::LinearAttention(op) => format!(
            "{}×{} tokens, {} heads, state {}×{}",
            op.batch, op.new, op.value_heads, op.key_dim, op.value_dim
        ),
        Operator::Vector(op) => format!("{}×{} {}", op.rows, op.width, op.dtype),
        Operator::Embedding(op) => format!("{}×{}", op.tokens, op.hidden),
        Operator::Sampling(op) => format!("{}×{}", op.rows, op.vocab),
        Operator::Collective(op) => {
            format!("{} over {} ranks", vitruvian_quantity::Bytes::new(op.bytes as f64), op.group.size)
        }
    }
}

fn choice(line: &TaskCost, meter: &Meter<'_>) -> String {
    match (line.estimate.choice, &line.operator) {
        (Choice::Tile { rows, columns, split, waves, swapped }, _) => {
            let split = if split > 1 { format!(", split {split}") } else { String::new() };
            let swapped = if swapped { ", swapped" } else { "" };
            format!("tile {rows}×{columns}{split}{swapped}, {waves} waves")
        }
        (Choice::SplitKv { splits }, _) => format!("KV in {splits}"),
        (Choice::None, Operator::Collective(op)) => meter.network().collective(op).algorithm.to_string(),
        (Choice::None, _) => String::new(),
    }
}

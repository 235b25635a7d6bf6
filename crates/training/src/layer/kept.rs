//! What a layer keeps from its forward pass for its backward pass.
//!
//! Derived from the forward lines: a product keeps its input, a norm and an activation theirs, attention its queries,
//! keys, values and the logarithms of its sums. For a GPT layer that is 34·s·b·h without scores, and 5·a·s²·b with them
//! (arXiv 2205.05198, equation 1); for a Llama layer 2·s·b·(6h + 2·n_kv·d) + 6·s·b·i.

use vitruvian_model::{Operator, Scheme, VectorKind};

use super::{Line, Setting, attention};
use crate::plan::Recompute;
use crate::recipe::Recipe;
use crate::stack::{Inputs, Kernels};

/// Bytes on one rank of one layer and micro-batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Kept {
    /// Between forward and backward pass, under the recomputation asked for.
    pub(crate) between: f64,
    /// While the layer's backward pass runs: everything that it needs.
    pub(crate) whole: f64,
    /// The layer's input alone.
    pub(crate) input: f64,
}

/// Products whose input another line of the layer keeps already.
const SHARED: [&str; 7] = [
    "kv_a_proj",
    "gate_proj",
    "index_proj",
    "index_k_proj",
    "shared_gate_up",
    "latent_down",
    "in_proj_scalars",
];
/// Products whose depth is sliced by TP; the others read what sequence parallelism shares out.
const SLICED: [&str; 4] = ["o_proj", "down_proj", "shared_down", "o_b_proj"];
/// Products fed by an activation function or a norm, which are cheap to run again.
const FED_BY_VECTORS: [&str; 11] = [
    "qkv_proj",
    "q_proj",
    "qkv_a_proj",
    "q_b_proj",
    "kv_b_proj",
    "in_proj",
    "router",
    "gate_up_proj",
    "down_proj",
    "shared_down",
    "experts_down",
];

/// Projections of latents to heads, whose outputs attention keeps.
pub(super) const WIDENS: [&str; 2] = ["q_b_proj", "kv_b_proj"];

pub(super) fn of(setting: &Setting<'_>, forward: &[Line]) -> Kept {
    let whole: f64 = forward.iter().map(|line| bytes(setting, line)).sum();
    let input = setting.row_bytes(setting.resident_tokens()) as f64;
    let kept = match setting.recompute {
        Recompute::None => whole,
        Recompute::Selective => {
            // Queries, keys and values stay; scores and probabilities go.
            let gone = |line: &Line| attention::is_unfused_core(line.name) && line.name != "scores";
            whole - sum(setting, forward, gone)
        }
        Recompute::Elementwise => whole - sum(setting, forward, |line| FED_BY_VECTORS.contains(&line.name)),
        Recompute::UpProjection => {
            let widened = forward.iter().any(|line| WIDENS.contains(&line.name));
            let gone = |line: &Line| {
                let heads = widened && matches!(line.operator, Operator::PrefillAttention(_));
                heads || FED_BY_VECTORS.contains(&line.name)
            };
            whole - sum(setting, forward, gone)
        }
        Recompute::EverySecond => input + every_second(setting, forward),
        Recompute::Full => input,
    };
    Kept { between: kept, whole, input }
}

fn sum(setting: &Setting<'_>, forward: &[Line], which: impl Fn(&Line) -> bool) -> f64 {
    forward.iter().filter(|line| which(line)).map(|line| bytes(setting, line)).sum()
}

/// Outputs of attention and of every second product.
fn every_second(setting: &Setting<'_>, forward: &[Line]) -> f64 {
    let element = f64::from(setting.quant.activation().bits() / 8);
    let output = |line: &Line| match line.operator {
        Operator::Gemm(gemm) => {
            let shared = if SLICED.contains(&line.name) { split(setting) } else { 1.0 };
            let all = f64::from(gemm.batch) * f64::from(gemm.m) * f64::from(gemm.n) * element / shared;
            all * kept_share(line.name, forward)
        }
        Operator::PrefillAttention(core) => {
            let tokens = f64::from(core.batch) * f64::from(core.new);
            tokens * f64::from(core.heads) * (f64::from(core.v_dim) * element + 4.0)
        }
        _ => 0.0,
    };
    forward.iter().map(|line| f64::from(line.count) * output(line)).sum()
}

/// Share of a product's outputs that the policy of every second product keeps, and does not compute again. It counts
/// q, k, v, o, gate, up, down and keeps the odd ones (torchtitan, `_apply_ac_to_transformer_block`); half of others.
pub(super) fn kept_share(name: &str, forward: &[Line]) -> f64 {
    let core = forward.iter().find_map(|line| match line.operator {
        Operator::PrefillAttention(core) => Some(core),
        _ => None,
    });
    match (name, core) {
        ("qkv_proj", Some(core)) => {
            let (queries, keys) = (f64::from(core.heads), f64::from(core.kv_heads));
            (queries + keys) / (queries + 2.0 * keys)
        }
        ("o_proj", Some(_)) => 0.0,
        ("down_proj", Some(_)) => 1.0,
        _ => 0.5,
    }
}

/// Ranks over which a product's input on the residual stream is shared out while it is kept.
fn split(setting: &Setting<'_>) -> f64 {
    let shared = setting.sequence_parallel && setting.stack.inputs == Inputs::Regathered;
    if shared { f64::from(setting.degrees.tp) } else { 1.0 }
}

/// Bytes that a norm or an activation function keeps of one element of its rows, `element` of which came in.
fn vector_bytes(setting: &Setting<'_>, line: &Line, kind: VectorKind, element: f64) -> f64 {
    let eager = setting.stack.kernels == Kernels::Eager;
    match kind {
        VectorKind::Norm if line.name == "softmax" => 0.0,
        // A mask of one byte.
        VectorKind::Activation if line.name.ends_with("dropout") => setting.stack.figures.dropout,
        VectorKind::GatedActivation if eager => 3.0 * element,
        VectorKind::GatedActivation | VectorKind::Gate => 2.0 * activation_bytes(setting, kind, element),
        VectorKind::Norm | VectorKind::AddNorm if eager => 4.0 + element,
        VectorKind::Norm | VectorKind::AddNorm | VectorKind::Activation => element,
        _ => 0.0,
    }
}

/// DeepSeek-V3 keeps the inputs of activation functions in FP8 (arXiv 2412.19437, section 3.3.3).
fn activation_bytes(setting: &Setting<'_>, kind: VectorKind, element: f64) -> f64 {
    let short = setting.recipe == Recipe::Fp8Block && kind == VectorKind::GatedActivation;
    if short { 1.0 } else { element }
}

/// An element of a product's input. DeepSeek-V3 keeps what attention puts out in E5M6, 12 bits, since attention's own
/// backward pass reads it too (arXiv 2412.19437, section 3.3.3).
fn input_bytes(setting: &Setting<'_>, name: &str, scheme: Scheme) -> f64 {
    let kept = setting.recipe.kept_input(scheme);
    let attended = setting.recipe == Recipe::Fp8Block && name == "o_proj";
    if attended { kept.max(1.5) } else { kept }
}

/// What one forward line keeps.
fn bytes(setting: &Setting<'_>, line: &Line) -> f64 {
    let element = f64::from(setting.quant.activation().bits() / 8);
    let dropout = setting.stack.figures.dropout;
    let one = match line.operator {
        Operator::Gemm(_) if SHARED.contains(&line.name) => 0.0,
        // The probabilities after dropout, and those before.
        Operator::Gemm(gemm) if line.name == "context" => {
            f64::from(gemm.batch) * f64::from(gemm.m) * f64::from(gemm.k) * element * (1.0 + dropout)
        }
        // Queries, keys and values.
        Operator::Gemm(gemm) if line.name == "scores" => {
            let heads = f64::from(gemm.batch) * f64::from(gemm.k);
            heads * (f64::from(gemm.m) + 2.0 * f64::from(gemm.n)) * element
        }
        Operator::Gemm(gemm) if line.name.starts_with("experts") => {
            let rows = f64::from(gemm.m) * f64::from(gemm.batch);
            rows * f64::from(gemm.k) * setting.recipe.kept_input(gemm.scheme)
        }
        Operator::Gemm(gemm) if gemm.batch > 1 => 0.0,
        Operator::Gemm(gemm) => {
            let shared = if SLICED.contains(&line.name) { 1.0 } else { split(setting) };
            let rows = f64::from(gemm.m);
            // Rows of a router or of experts are shared out already.
            let shared = if gemm.m == setting.resident_tokens() { 1.0 } else { shared };
            rows * f64::from(gemm.k) * input_bytes(setting, line.name, gemm.scheme) / shared
        }
        Operator::PrefillAttention(core) => {
            let tokens = f64::from(core.batch) * f64::from(core.new);
            let queries = f64::from(core.heads) * f64::from(core.qk_dim);
            let keys = f64::from(core.kv_heads) * f64::from(core.qk_dim + core.v_dim);
            tokens * ((queries + keys) * element + 4.0 * f64::from(core.heads))
        }
        Operator::MlaDecode(core) => {
            let tokens = f64::from(core.batch) * f64::from(core.queries);
            tokens * f64::from(core.heads) * f64::from(2 * core.latent + core.rope) * element
        }
        Operator::LinearAttention(_) => 2.0 * setting.row_bytes(setting.tokens()) as f64,
        Operator::Vector(vector) => vector.elements() * vector_bytes(setting, line, vector.kind, element),
        _ => 0.0,
    };
    f64::from(line.count) * one
}

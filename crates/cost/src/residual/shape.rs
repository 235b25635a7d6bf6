//! Operators as points of a space of logarithms.

use std::cmp::Ordering;

use vitruvian_model::Operator;
use vitruvian_model::operator::Imbalance;

/// Sizes that stay fixed along a line.
pub const FEATURES: usize = 6;

/// The shape of an operator: sizes that set it apart, and the one that a table runs through. All logarithms to base two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Sizes that stay fixed along a line; unused ones zero.
    pub fixed: [f64; FEATURES],
    /// Rows, tokens or context.
    pub running: f64,
}

impl Shape {
    /// By the fixed sizes in turn, then by the running one.
    pub fn order(&self, other: &Self) -> Ordering {
        let sizes = |shape: &Self| shape.fixed.into_iter().chain([shape.running]);
        sizes(self)
            .zip(sizes(other))
            .map(|(a, b)| a.total_cmp(&b))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The shape of an operator; nothing for a collective.
    pub fn of(operator: &Operator) -> Option<Self> {
        Some(match operator {
            Operator::Gemm(op) => shape(&[op.n, op.k, op.batch], op.m),
            Operator::GroupedGemm(op) => {
                let mut shape = shape(&[op.experts, op.local_experts, op.topk, op.n, op.k], op.tokens);
                shape.fixed[FEATURES - 1] = spread(op.imbalance);
                shape
            }
            Operator::PrefillAttention(op) => {
                let window = if op.window == 0 { u32::MAX } else { op.window };
                shape(&[op.batch, op.heads, op.kv_heads, op.qk_dim, op.cached + 1, window], op.new)
            }
            Operator::DecodeAttention(op) => {
                shape(&[op.batch, op.queries, op.heads, op.kv_heads, op.qk_dim], op.context)
            }
            Operator::MlaDecode(op) => shape(
                &[op.batch, op.queries, op.heads, op.context - op.attended.min(op.context) + 1],
                op.context,
            ),
            Operator::Indexer(op) => shape(&[op.batch, op.new, op.heads, op.dim], op.cached + 1),
            Operator::LinearAttention(op) => {
                shape(&[op.batch, op.value_heads, op.key_dim, op.value_dim], op.new)
            }
            Operator::Vector(op) => {
                let mut shape = shape(&[op.width], op.rows);
                // Kinds are no sizes: each stands far from the others.
                shape.fixed[FEATURES - 1] = 64.0 * f64::from(op.kind as u8);
                shape
            }
            Operator::Embedding(op) => far(shape(&[op.hidden], op.tokens), -64.0),
            Operator::Sampling(op) => far(shape(&[op.vocab], op.rows), -128.0),
            Operator::Collective(_) => return None,
        })
    }
}

fn shape(sizes: &[u32], running: u32) -> Shape {
    let mut fixed = [0.0; FEATURES];
    for (feature, size) in fixed.iter_mut().zip(sizes) {
        *feature = octaves(*size);
    }
    Shape { fixed, running: octaves(running) }
}

fn octaves(size: u32) -> f64 {
    f64::from(size.max(1)).log2()
}

fn far(mut shape: Shape, place: f64) -> Shape {
    shape.fixed[FEATURES - 1] = place;
    shape
}

/// Ways in which tokens fall on experts, as places some octaves apart.
fn spread(imbalance: Imbalance) -> f64 {
    match imbalance {
        Imbalance::Balanced => 0.0,
        Imbalance::Uniform => 2.0,
        _ => 4.0,
    }
}

//! What an operator makes a chip compute and move: exact FLOPs of the algorithm by unit, and compulsory bytes.
//!
//! Shapes give both ([`vitruvian_model::operator`]); here they fall to the matrix or the vector unit, and weights take
//! the form in which this chip reads them. Every byte is counted once, as if through perfect caches.

use vitruvian_model::operator::{
    DecodeAttention, Embedding, Gemm, GroupedGemm, Indexer, LinearAttention, MlaDecode, PrefillAttention,
    Sampling, VectorOp,
};
use vitruvian_quantity::{Bytes, Flops};

use crate::estimate::Work;
use crate::execution::Execution;

/// Bytes of an output element: products leave in 16 bits.
pub const OUTPUT_BYTES: f64 = 2.0;

/// Vector operations of a softmax per score: maximum, subtraction, exponential, sum and rescale.
const SOFTMAX_FLOPS: f64 = 5.0;

/// Vector operations that convert one weight: scale and offset.
const CONVERSION_FLOPS: f64 = 2.0;

fn moved(matrix: Flops, vector: f64, hbm: Bytes) -> Work {
    Work { matrix, vector: Flops::new(vector), hbm, l2: Bytes::ZERO }
}

/// Bytes of an activation element that enters a product.
pub fn activation_bytes(execution: &Execution) -> f64 {
    execution.multiply.bytes()
}

/// 2·m·n·k per product; activations, weights as this chip reads them, outputs; one conversion a weight where needed.
pub fn of_gemm(op: &Gemm, execution: &Execution) -> Work {
    let rows = f64::from(op.batch) * f64::from(op.m);
    let weights = f64::from(op.batch) * f64::from(op.n) * f64::from(op.k);
    product(op.flops(), rows, weights, [f64::from(op.n), f64::from(op.k)], execution)
}

/// As [`of_gemm`], over the rows routed to this rank and the experts they hit.
pub fn of_grouped_gemm(op: &GroupedGemm, execution: &Execution) -> Work {
    let weights = op.experts_hit() * f64::from(op.n) * f64::from(op.k);
    product(op.flops(), op.rows(), weights, [f64::from(op.n), f64::from(op.k)], execution)
}

fn product(flops: Flops, rows: f64, weights: f64, [n, k]: [f64; 2], execution: &Execution) -> Work {
    let conversions = if execution.dequantise.is_some() { CONVERSION_FLOPS * weights } else { 0.0 };
    let rows = rows * (k * activation_bytes(execution) + n * OUTPUT_BYTES);
    moved(flops, conversions, Bytes::new(rows + weights * execution.weight_read))
}

/// Two products and a softmax over the pairs that the mask leaves.
pub fn of_prefill_attention(op: &PrefillAttention) -> Work {
    moved(op.flops(), SOFTMAX_FLOPS * op.pairs() as f64 * f64::from(op.heads), op.bytes())
}

/// Two products and a softmax over the context; the cache is read once.
pub fn of_decode_attention(op: &DecodeAttention) -> Work {
    let scores = f64::from(op.batch) * f64::from(op.queries) * f64::from(op.context) * f64::from(op.heads);
    moved(op.flops(), SOFTMAX_FLOPS * scores, op.bytes())
}

/// Two products and a softmax over the attended latents.
pub fn of_mla_decode(op: &MlaDecode) -> Work {
    let scores = f64::from(op.batch) * f64::from(op.queries) * f64::from(op.attended) * f64::from(op.heads);
    moved(op.flops(), SOFTMAX_FLOPS * scores, op.bytes())
}

/// One product; ReLU and weighting of each head's score, one comparison a pair in the selection.
pub fn of_indexer(op: &Indexer) -> Work {
    moved(op.flops(), (2.0 * f64::from(op.heads) + 1.0) * op.pairs() as f64, op.bytes())
}

/// The chunked form runs on the matrix unit, the recurrent one on the vector units.
pub fn of_linear_attention(op: &LinearAttention) -> Work {
    if op.new < op.kind.chunk() {
        moved(Flops::ZERO, op.flops().get(), op.bytes())
    } else {
        moved(op.flops(), 0.0, op.bytes())
    }
}

/// Streams of `rows` × `width` elements.
pub fn of_vector(op: &VectorOp) -> Work {
    moved(Flops::ZERO, op.flops().get(), op.bytes())
}

/// One row read and one written a token.
pub fn of_embedding(op: &Embedding) -> Work {
    moved(Flops::ZERO, 0.0, op.bytes())
}

/// Passes over fp32 logits.
pub fn of_sampling(op: &Sampling) -> Work {
    moved(Flops::ZERO, op.flops().get(), op.bytes())
}

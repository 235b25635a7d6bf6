//! What must be computed: shapes, formats and sparsity, without a chip and without a time.
//!
//! Operators are small `Copy + Eq + Hash` values with integer fields, so that a cost can be remembered by operator.

use vitruvian_quantity::Dtype;

use crate::scheme::{Scheme, Sparsity};

/// One operator, as one rank executes it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Dense matrix product.
    Gemm(Gemm),
    /// Products of many experts in one launch.
    GroupedGemm(GroupedGemm),
    /// Attention of new tokens over themselves and a cached prefix.
    PrefillAttention(PrefillAttention),
    /// Attention of a few query tokens per sequence over a KV cache.
    DecodeAttention(DecodeAttention),
    /// Weight-absorbed multi-head latent attention over a latent cache (decode, and sparse prefill).
    MlaDecode(MlaDecode),
    /// Scores that choose the keys of a sparse attention, and their top-k.
    Indexer(Indexer),
    /// Linear attention and state-space mixers.
    LinearAttention(LinearAttention),
    /// Work of the vector units: norms, activations, rotary embedding, quantisation, additions.
    Vector(VectorOp),
    /// Token embedding look-up.
    Embedding(Embedding),
    /// Choice of the next token from logits.
    Sampling(Sampling),
    /// Exchange between ranks. Costed by the network, not by a chip.
    Collective(Collective),
}

/// C\[m,n\] = A\[m,k\] · W\[k,n\], `batch` independent times (batched when above one, as in MLA's per-head products).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gemm {
    /// Rows: tokens.
    pub m: u32,
    /// Columns: output features of this rank.
    pub n: u32,
    /// Depth: input features of this rank.
    pub k: u32,
    /// Independent products.
    pub batch: u32,
    /// Formats of activations, weights and multiplier.
    pub scheme: Scheme,
    /// Structured sparsity of the weights.
    pub sparsity: Sparsity,
}

/// One projection of an expert layer: every (token, expert) pair routed to this rank through W_e\[k,n\].
///
/// Expected rows on the rank are `tokens · topk · local_experts / experts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GroupedGemm {
    /// Tokens routed over the whole expert-parallel group.
    pub tokens: u32,
    /// Experts each token is sent to.
    pub topk: u32,
    /// Routed experts of the layer.
    pub experts: u32,
    /// Routed experts held by this rank.
    pub local_experts: u32,
    /// Columns: output features of one expert on this rank.
    pub n: u32,
    /// Depth: input features of one expert on this rank.
    pub k: u32,
    /// Formats.
    pub scheme: Scheme,
    /// Structured sparsity of the weights.
    pub sparsity: Sparsity,
    /// How unevenly tokens fall on experts.
    pub imbalance: Imbalance,
}

/// How unevenly tokens fall on the experts of a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Imbalance {
    /// Every expert gets the same number of rows (benchmarks that fix tokens per expert).
    Balanced,
    /// Each token draws its experts uniformly: the counts are multinomial.
    #[default]
    Uniform,
    /// Expert popularity follows a power law with this exponent, in thousandths (aiconfigurator's `power_law_1.01` is 1010).
    PowerLaw(u16),
}

/// Attention of `new` tokens per sequence over themselves and `cached` earlier ones (causal unless said).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PrefillAttention {
    /// Sequences.
    pub batch: u32,
    /// New tokens per sequence.
    pub new: u32,
    /// Tokens already in the KV cache per sequence.
    pub cached: u32,
    /// Query heads of this rank.
    pub heads: u32,
    /// Key-value heads of this rank.
    pub kv_heads: u32,
    /// Width of a query and key head.
    pub qk_dim: u32,
    /// Width of a value head.
    pub v_dim: u32,
    /// Sliding window in tokens; zero for full attention.
    pub window: u32,
    /// Whether a token sees only itself and earlier ones.
    pub causal: bool,
    /// Format of the products.
    pub compute: Dtype,
    /// Format of the cached keys and values.
    pub kv: Dtype,
}

/// Attention of `queries` tokens per sequence over `context` cached ones, MHA, GQA or MQA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DecodeAttention {
    /// Sequences.
    pub batch: u32,
    /// Query tokens per sequence (one, or more with speculation).
    pub queries: u32,
    /// Tokens attended to per sequence, window or top-k already applied.
    pub context: u32,
    /// Query heads of this rank.
    pub heads: u32,
    /// Key-value heads of this rank.
    pub kv_heads: u32,
    /// Width of a query and key head.
    pub qk_dim: u32,
    /// Width of a value head.
    pub v_dim: u32,
    /// Format of the products.
    pub compute: Dtype,
    /// Format of the cached keys and values.
    pub kv: Dtype,
}

/// Weight-absorbed MLA: all heads share one latent of `latent` + `rope` per cached token.
///
/// FLOP per query, head and attended token: 2·(2·latent + rope) (arXiv 2405.04434).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MlaDecode {
    /// Sequences.
    pub batch: u32,
    /// Query tokens per sequence.
    pub queries: u32,
    /// Cached tokens per sequence.
    pub context: u32,
    /// Tokens attended to per query; equal to `context` unless a sparse index chose fewer.
    pub attended: u32,
    /// Query heads of this rank.
    pub heads: u32,
    /// Width of the latent.
    pub latent: u32,
    /// Width of the decoupled rotary key.
    pub rope: u32,
    /// Format of the products.
    pub compute: Dtype,
    /// Format of the cached latent.
    pub kv: Dtype,
}

/// Index scores of a sparse attention and the choice of the `topk` best keys per query (DeepSeek-V3.2 DSA).
///
/// FLOP per (query, key) pair: 2·heads·dim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Indexer {
    /// Sequences.
    pub batch: u32,
    /// New tokens (queries) per sequence.
    pub new: u32,
    /// Tokens already cached per sequence, in index entries (after any compression).
    pub cached: u32,
    /// Index heads.
    pub heads: u32,
    /// Width of an index head.
    pub dim: u32,
    /// Keys kept per query.
    pub topk: u32,
    /// Format of the index keys and products.
    pub dtype: Dtype,
}

/// A mixer with a state of fixed size per sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinearAttention {
    /// Which recurrence.
    pub kind: LinearKind,
    /// Sequences.
    pub batch: u32,
    /// New tokens per sequence; one in decode.
    pub new: u32,
    /// Key (or B/C group) heads of this rank.
    pub key_heads: u32,
    /// Value (or SSM) heads of this rank.
    pub value_heads: u32,
    /// Width of a key head, or the SSM state size.
    pub key_dim: u32,
    /// Width of a value head.
    pub value_dim: u32,
    /// Taps of the short convolution; zero if none.
    pub conv: u32,
    /// Format of activations.
    pub dtype: Dtype,
    /// Format of the state.
    pub state: Dtype,
}

/// Which recurrence a linear mixer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinearKind {
    /// Gated DeltaNet (Qwen3-Next, Qwen3.5): arXiv 2412.06464.
    GatedDeltaNet,
    /// Kimi Delta Attention: a gate per channel.
    KimiDelta,
    /// Mamba-2 state-space duality: arXiv 2405.21060.
    Mamba2,
}

/// Work of the vector units over `rows` × `width` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VectorOp {
    /// What is done.
    pub kind: VectorKind,
    /// Rows: tokens, or tokens × heads.
    pub rows: u32,
    /// Elements a row.
    pub width: u32,
    /// Format of the elements.
    pub dtype: Dtype,
}

/// What a vector operator does. Reads and writes are in elements of its `width`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VectorKind {
    /// RMSNorm or LayerNorm: one read, one write.
    Norm,
    /// Norm of a sum, the sum kept: two reads, two writes.
    AddNorm,
    /// Rotary embedding in place: one read, one write.
    Rope,
    /// Gated activation such as SwiGLU; `width` is the output width: two reads, one write.
    GatedActivation,
    /// Plain activation: one read, one write.
    Activation,
    /// Sum of two: two reads, one write.
    Add,
    /// Element-wise product with a gate: two reads, one write.
    Gate,
    /// Dynamic quantisation to 8 bits: one read, half a write.
    Quantise,
    /// Router scores to weights and indices over `width` experts.
    TopK,
    /// Gather of token rows into expert order.
    Permute,
    /// Weighted sum of expert outputs back to token order.
    Unpermute,
    /// Copy of new keys and values into the paged cache.
    CacheWrite,
}

/// Rows of an embedding table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Embedding {
    /// Tokens.
    pub tokens: u32,
    /// Width.
    pub hidden: u32,
    /// Stored format.
    pub dtype: Dtype,
}

/// Softmax and choice over `vocab` logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sampling {
    /// Rows: sequences that sample.
    pub rows: u32,
    /// Logits a row.
    pub vocab: u32,
}

/// Exchange between the ranks of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Collective {
    /// Which pattern.
    pub kind: CollectiveKind,
    /// Among which ranks.
    pub group: Group,
    /// Bytes of one rank's full buffer: the vector reduced; the vector gathered; all that one rank sends; the message.
    pub bytes: u64,
}

/// Collective patterns. `n` is [`Collective::bytes`], `p` the size of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollectiveKind {
    /// Every rank ends with the sum of all n-byte vectors.
    AllReduce,
    /// Every rank ends with an n-byte vector gathered from p shards of n/p.
    AllGather,
    /// Every rank ends with n/p bytes of the sum of p n-byte vectors.
    ReduceScatter,
    /// Every rank sends n/p to each rank.
    AllToAll,
    /// One rank sends n to one other.
    SendReceive,
}

/// Ranks that take part in a collective, packed onto nodes in rank order with a fixed stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Number of ranks.
    pub size: u32,
    /// Distance in rank order between neighbours of the group: 1 for TP, tp for DP-attention groups.
    pub stride: u32,
}

/// One line of a step: an operator, how often a rank runs it, and its name in a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Name in reports: `"qkv_proj"`, `"attention"`, `"experts_up"`.
    pub name: &'static str,
    /// What is computed.
    pub operator: Operator,
    /// How often one rank runs it in the step.
    pub count: u32,
}

impl PrefillAttention {
    /// Exact number of (query, key) pairs of one head over the batch.
    ///
    /// Causal, s new after p cached, window w: Σ_{i=1..s} min(p + i, w) (w = ∞ for full attention).
    pub fn pairs(&self) -> u64 {
        let (s, p) = (u64::from(self.new), u64::from(self.cached));
        let window = if self.window == 0 { u64::MAX } else { u64::from(self.window) };
        let one = if self.causal { capped_triangle(s, p, window) } else { s * (s + p).min(window) };
        one * u64::from(self.batch)
    }
}

/// Σ_{i=1..s} min(p + i, cap): with a = tokens before the cap binds, a·p + a(a+1)/2 + (s−a)·cap.
pub fn capped_triangle(s: u64, p: u64, cap: u64) -> u64 {
    let a = cap.saturating_sub(p).min(s);
    a * p + a * (a + 1) / 2 + if a < s { (s - a) * cap } else { 0 }
}

impl GroupedGemm {
    /// Expected rows on this rank: tokens · topk · local / experts.
    pub fn rows(&self) -> f64 {
        f64::from(self.tokens) * f64::from(self.topk) * f64::from(self.local_experts) / f64::from(self.experts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causal_pairs_are_exact() {
        // s·p + s(s+1)/2 = 4·10 + 10
        assert_eq!(capped_triangle(4, 10, u64::MAX), 50);
    }

    #[test]
    fn a_window_caps_each_row() {
        let brute = |s: u64, p: u64, w: u64| (1..=s).map(|i| (p + i).min(w)).sum::<u64>();
        for (s, p, w) in [(10, 0, 4), (10, 3, 4), (10, 4, 4), (10, 9, 4), (5, 2, 100), (1, 0, 1)] {
            assert_eq!(capped_triangle(s, p, w), brute(s, p, w), "{s} {p} {w}");
        }
    }
}

//! Softmax attention: prefill, decode, and latent with absorbed weights.

use vitruvian_quantity::{Bytes, Dtype, Flops};

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
    /// Sliding window in tokens; zero for full attention. A block-sparse attention gives the keys kept a query.
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
    /// Sliding window, or keys kept a query, where it cuts the context; zero where all cached tokens are attended to.
    pub window: u32,
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

/// Bytes of a 16-bit query or output element.
const ACTIVATION: f64 = 2.0;

impl PrefillAttention {
    /// Exact number of (query, key) pairs of one head over the batch.
    ///
    /// Causal, s new after p cached, window w: Σ_{i=1..s} min(p + i, w) (w = ∞ for full attention).
    pub fn pairs(&self) -> u64 {
        let (s, p) = (u64::from(self.new), u64::from(self.cached));
        let window = if self.window == 0 { u64::MAX } else { u64::from(self.window) };
        let one =
            if self.causal { capped_triangle(s, p, window) } else { s.saturating_mul((s + p).min(window)) };
        one.saturating_mul(self.batch.into())
    }

    /// Q·Kᵀ and P·V: `2·heads·(d_qk` + `d_v`) a pair.
    pub fn flops(&self) -> Flops {
        Flops::new(2.0 * f64::from(self.heads) * f64::from(self.qk_dim + self.v_dim) * self.pairs() as f64)
    }

    /// Queries, and keys and values within reach, read; outputs written.
    pub fn bytes(&self) -> Bytes {
        let reach = if self.window == 0 { self.cached } else { self.cached.min(self.window) };
        let width = f64::from(self.qk_dim + self.v_dim);
        let kv =
            (f64::from(self.new) + f64::from(reach)) * f64::from(self.kv_heads) * width * self.kv.bytes();
        let q_and_out = f64::from(self.new) * f64::from(self.heads) * width * ACTIVATION;
        Bytes::new(f64::from(self.batch) * (kv + q_and_out))
    }
}

impl DecodeAttention {
    /// `2·heads·(d_qk` + `d_v`) for each query and cached token.
    pub fn flops(&self) -> Flops {
        let pairs = f64::from(self.batch) * f64::from(self.queries) * f64::from(self.context);
        Flops::new(2.0 * f64::from(self.heads) * f64::from(self.qk_dim + self.v_dim) * pairs)
    }

    /// Keys and values of the context read once for all queries of a sequence.
    pub fn bytes(&self) -> Bytes {
        let width = f64::from(self.qk_dim + self.v_dim);
        let kv = f64::from(self.context) * f64::from(self.kv_heads) * width * self.kv.bytes();
        let q_and_out = f64::from(self.queries) * f64::from(self.heads) * width * ACTIVATION;
        Bytes::new(f64::from(self.batch) * (kv + q_and_out))
    }
}

impl MlaDecode {
    /// 2·heads·(2·latent + rope) for each query and attended token.
    pub fn flops(&self) -> Flops {
        let pairs = f64::from(self.batch) * f64::from(self.queries) * f64::from(self.attended);
        Flops::new(2.0 * f64::from(self.heads) * f64::from(2 * self.latent + self.rope) * pairs)
    }

    /// Latents read once for all heads: `context`, or fewer where sparse queries cannot touch them all.
    pub fn bytes(&self) -> Bytes {
        let touched = f64::from(self.context).min(f64::from(self.queries) * f64::from(self.attended));
        let q_and_out = f64::from(self.heads) * f64::from(2 * self.latent + self.rope) * ACTIVATION;
        let one = touched * Self::entry_bytes(self.latent, self.rope, self.kv)
            + f64::from(self.queries) * q_and_out;
        Bytes::new(f64::from(self.batch) * one)
    }

    /// Bytes of one cached latent. FP8 follows `FlashMLA`: one fp32 scale every 128, the rotary key in 16 bits.
    pub fn entry_bytes(latent: u32, rope: u32, kv: Dtype) -> f64 {
        let (latent, rope) = (f64::from(latent), f64::from(rope));
        if kv == Dtype::Fp8 {
            latent + latent / 128.0 * 4.0 + rope * 2.0
        } else {
            (latent + rope) * kv.bytes()
        }
    }
}

/// Σ_{i=1..s} min(p + i, cap): with a = tokens before the cap binds, a·p + a(a+1)/2 + (s−a)·cap. Saturates.
pub fn capped_triangle(s: u64, p: u64, cap: u64) -> u64 {
    let a = cap.saturating_sub(p).min(s);
    let free = a.saturating_mul(p).saturating_add(a.saturating_mul(a + 1) / 2);
    free.saturating_add(if a < s { (s - a).saturating_mul(cap) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: MlaDecode = MlaDecode {
        batch: 4,
        queries: 1,
        context: 1000,
        attended: 1000,
        heads: 128,
        latent: 512,
        rope: 64,
        compute: Dtype::Bf16,
        kv: Dtype::Bf16,
    };

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

    #[test]
    fn mla_decode_does_241_8_flop_a_cached_byte() {
        // One more cached token: 128·2·(2·512 + 64) FLOP over (512 + 64)·2 B = 278,528 / 1,152.
        let longer = MlaDecode { context: 2000, attended: 2000, ..V3 };
        let flops = longer.flops().get() - V3.flops().get();
        let bytes = longer.bytes().get() - V3.bytes().get();
        assert_eq!(flops / 4000.0, 278_528.0);
        assert!((flops / bytes - 241.8).abs() < 0.05);
    }

    #[test]
    fn fp8_latents_take_656_bytes() {
        assert_eq!(MlaDecode::entry_bytes(512, 64, Dtype::Fp8), 656.0);
    }

    #[test]
    fn gqa_decode_intensity_is_the_group_size() {
        // (n_h/n_kv)·2/b_kv = 8 FLOP/B at BF16 with 64 heads on 8.
        let at = |context| DecodeAttention {
            batch: 1,
            queries: 1,
            context,
            heads: 64,
            kv_heads: 8,
            qk_dim: 128,
            v_dim: 128,
            window: 0,
            compute: Dtype::Bf16,
            kv: Dtype::Bf16,
        };
        let flops = at(2000).flops().get() - at(1000).flops().get();
        let bytes = at(2000).bytes().get() - at(1000).bytes().get();
        assert_eq!(flops / bytes, 8.0);
    }
}

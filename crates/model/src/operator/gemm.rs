//! Matrix products, dense and by expert.

use vitruvian_quantity::{Bytes, Flops};

use crate::scheme::{Scheme, Sparsity};

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

/// One projection of an expert layer: every (token, expert) pair routed to this rank through `W_e`\[k,n\].
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
    /// Inner width of one expert on this rank, by which engines look up the tiles they were tuned for.
    pub inner: u32,
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
    /// An expert's rows are drawn evenly within this many thousandths of the mean and rounded down (`DeepGEMM`'s own
    /// benchmark of masked and contiguous experts: 300).
    Spread(u16),
}

/// Bytes of one 16-bit output element.
const OUTPUT: f64 = 2.0;

impl Gemm {
    /// 2·m·n·k a product.
    pub fn flops(&self) -> Flops {
        Flops::new(2.0 * f64::from(self.batch) * f64::from(self.m) * f64::from(self.n) * f64::from(self.k))
    }

    /// Bytes of the stored weights, scales and sparsity index included.
    pub fn weight_bytes(&self) -> Bytes {
        let elements = f64::from(self.batch) * f64::from(self.n) * f64::from(self.k);
        Bytes::new(elements * self.scheme.stored_bytes(self.sparsity))
    }

    /// A and W read, C written in 16 bits.
    pub fn bytes(&self) -> Bytes {
        let (m, n, k) = (f64::from(self.m), f64::from(self.n), f64::from(self.k));
        let rows = f64::from(self.batch) * m * (k * self.scheme.activation().bytes() + n * OUTPUT);
        self.weight_bytes() + Bytes::new(rows)
    }
}

impl GroupedGemm {
    /// Expected rows on this rank: tokens · topk · local / experts.
    pub fn rows(&self) -> f64 {
        f64::from(self.tokens) * f64::from(self.topk) * f64::from(self.local_experts)
            / f64::from(self.experts)
    }

    /// Expected number of this rank's experts that get at least one row.
    pub fn experts_hit(&self) -> f64 {
        let local = f64::from(self.local_experts);
        let chance = f64::from(self.topk) / f64::from(self.experts);
        match self.imbalance {
            Imbalance::Balanced => local.min(self.rows()),
            // E·(1 − (1 − k/E)^T), of which local/E on this rank.
            Imbalance::Uniform => local * (1.0 - (1.0 - chance).powf(f64::from(self.tokens))),
            Imbalance::PowerLaw(_) => {
                let draws = f64::from(self.tokens) * f64::from(self.topk);
                let hit = |share: &f64| 1.0 - (1.0 - share.min(1.0)).powf(draws);
                let popularity = self.popularity();
                let hit: f64 = popularity.shares().iter().map(hit).sum();
                local * hit * popularity.experts / f64::from(self.experts)
            }
            Imbalance::Spread(thousandths) => {
                // P(⌊mean·u⌋ ≥ 1) for u even on 1 ± s.
                let (mean, s) = (self.rows() / local, f64::from(thousandths.max(1)) / 1000.0);
                local * ((mean * (1.0 + s) - 1.0) / (2.0 * s * mean)).clamp(0.0, 1.0)
            }
        }
    }

    /// How the (token, expert) pairs fall on the experts of the layer: equal shares but for a power law.
    ///
    /// Popularity is drawn from the density x^−α on [1, 0.8·tokens]: experts stand at its quantiles, as aiconfigurator's
    /// generator samples it, in at most 16 groups.
    pub fn popularity(&self) -> Popularity {
        let groups = self.experts.min(POPULARITY_GROUPS as u32);
        let experts = f64::from(self.experts) / f64::from(groups);
        let mut shares = quantiles(self, groups);
        let total = shares[..groups as usize].iter().sum::<f64>() * experts;
        shares.iter_mut().for_each(|share| *share /= total);
        Popularity { shares, groups, experts }
    }

    /// 2·rows·n·k.
    pub fn flops(&self) -> Flops {
        Flops::new(2.0 * self.rows() * f64::from(self.n) * f64::from(self.k))
    }

    /// Bytes of the weights of the experts hit.
    pub fn weight_bytes(&self) -> Bytes {
        let one = f64::from(self.n) * f64::from(self.k) * self.scheme.stored_bytes(self.sparsity);
        Bytes::new(self.experts_hit() * one)
    }

    /// Rows and the hit experts' weights read, rows written in 16 bits.
    pub fn bytes(&self) -> Bytes {
        let a_row = f64::from(self.k) * self.scheme.activation().bytes() + f64::from(self.n) * OUTPUT;
        self.weight_bytes() + Bytes::new(self.rows() * a_row)
    }
}

/// Groups of experts that are taken to be equally popular.
const POPULARITY_GROUPS: usize = 16;

/// The experts of a layer in groups of equal popularity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Popularity {
    shares: [f64; POPULARITY_GROUPS],
    groups: u32,
    /// Experts of one group.
    pub experts: f64,
}

impl Popularity {
    /// Share of all (token, expert) pairs that one expert of each group gets.
    pub fn shares(&self) -> &[f64] {
        &self.shares[..self.groups as usize]
    }
}

/// The (i + ½)/groups quantiles of expert popularity, up to a factor: the inverse of (x^β − a^β)/(b^β − a^β), β = 1 − α.
fn quantiles(op: &GroupedGemm, groups: u32) -> [f64; POPULARITY_GROUPS] {
    let Imbalance::PowerLaw(thousandths) = op.imbalance else { return [1.0; POPULARITY_GROUPS] };
    let power = 1.0 - f64::from(thousandths) / 1000.0;
    let crowded = op.tokens.saturating_mul(op.topk) > op.experts;
    let (low, high): (f64, f64) =
        if crowded { (1.0, (0.8 * f64::from(op.tokens)).max(1.0)) } else { (0.01, 2.0) };
    let (a, b) = (low.powf(power), high.powf(power));
    std::array::from_fn(|i| {
        let u = (i as f64 + 0.5) / f64::from(groups);
        if power.abs() < 1e-6 { low * (high / low).powf(u) } else { (a + u * (b - a)).powf(power.recip()) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPED: GroupedGemm = GroupedGemm {
        tokens: 32,
        topk: 8,
        experts: 128,
        local_experts: 128,
        n: 1536,
        k: 2048,
        inner: 768,
        scheme: Scheme::Bf16,
        sparsity: Sparsity::Dense,
        imbalance: Imbalance::Uniform,
    };

    #[test]
    fn a_product_moves_its_operands_once() {
        let gemm = Gemm { m: 2, n: 3, k: 5, batch: 7, scheme: Scheme::Bf16, sparsity: Sparsity::Dense };
        // 7·2·(2·3·5) FLOP; 7·2·(2·5 + 3·5 + 2·3) B
        assert_eq!(gemm.flops().get(), 420.0);
        assert_eq!(gemm.bytes().get(), 7.0 * 2.0 * 31.0);
    }

    #[test]
    fn two_of_four_stores_half_and_an_index() {
        let gemm =
            Gemm { m: 1, n: 4, k: 4, batch: 1, scheme: Scheme::W8A8Dynamic, sparsity: Sparsity::TwoOfFour };
        // 16 weights: 8 kept of 1 B, 2 bits of index each
        assert_eq!(gemm.weight_bytes().get(), 8.0 + 2.0);
    }

    #[test]
    fn few_tokens_hit_few_experts() {
        // 128·(1 − (1 − 8/128)^32) = 111.77
        assert!((GROUPED.experts_hit() - 111.77).abs() < 0.01);
        let balanced = GroupedGemm { imbalance: Imbalance::Balanced, tokens: 4, ..GROUPED };
        assert_eq!(balanced.experts_hit(), 32.0);
    }

    #[test]
    fn skewed_popularity_hits_fewer() {
        let skewed = GroupedGemm { imbalance: Imbalance::PowerLaw(1200), ..GROUPED };
        assert!(skewed.experts_hit() < GROUPED.experts_hit());
        assert!(skewed.experts_hit() > 8.0);
    }
}

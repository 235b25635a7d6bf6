//! How many row tiles the experts of a rank need.

use vitruvian_model::operator::{GroupedGemm, Imbalance};

use crate::execution::Execution;
use crate::gemm::product::{HEIGHTS, Product};

/// The product with the expected number of row tiles at each height.
pub(crate) fn product(op: &GroupedGemm, execution: &Execution) -> Product {
    let (all, hit) = (op.rows(), op.experts_hit());
    Product::of([all / hit.max(1e-9), all, hit], [op.n, op.k], row_tiles(op, hit), execution)
}

/// E[Σ ⌈rows of an expert / height⌉] over this rank's experts, at each height.
fn row_tiles(op: &GroupedGemm, hit: f64) -> [f64; HEIGHTS.len()] {
    let local = f64::from(op.local_experts);
    let mean = op.rows() / local;
    let heights = HEIGHTS.map(f64::from);
    match op.imbalance {
        Imbalance::Balanced => heights.map(|height| hit * (mean.max(1.0) / height).ceil()),
        Imbalance::Spread(thousandths) => {
            heights.map(|height| local * spread(mean, f64::from(thousandths) / 1000.0, height))
        }
        Imbalance::Uniform => heights.map(|height| local * poisson(mean, height)),
        Imbalance::PowerLaw(_) => {
            let pairs = f64::from(op.tokens) * f64::from(op.topk);
            let popularity = op.popularity();
            let experts = popularity.experts * local / f64::from(op.experts);
            let tiles =
                |height| popularity.shares().iter().map(|share| poisson(share * pairs, height)).sum::<f64>();
            heights.map(|height| experts * tiles(height))
        }
    }
}

/// E⌈⌊u⌋/h⌉ for u uniform on mean·(1 ± s): the sum over j of P(u ≥ j·h + 1).
fn spread(mean: f64, s: f64, height: f64) -> f64 {
    let (low, high) = (mean * (1.0 - s), mean * (1.0 + s));
    if mean > MANY * height {
        return many(mean, height);
    }
    let above = |j: u32| ((high - f64::from(j) * height - 1.0) / (high - low)).clamp(0.0, 1.0);
    (0..=(high / height) as u32).map(above).sum()
}

/// E⌈X/h⌉ for X of Poisson's law: Σ_j P(X > j·h), the first exactly, the others by the normal law.
///
/// P(Z > z) is taken as the logistic 1/(1 + e^(1.702·z)), 0.0142 off at most (Bowling 2009); its exponential grows by the
/// same factor from one j to the next.
fn poisson(mean: f64, height: f64) -> f64 {
    if mean > MANY * height {
        return many(mean, height);
    }
    let deviation = mean.sqrt().max(1e-9);
    let most = ((mean + 4.0 * deviation) / height) as u32;
    let mut sum = -(-mean).exp_m1();
    if most == 0 {
        return sum;
    }
    let step = (LOGISTIC * height / deviation).exp();
    let mut odds = (LOGISTIC * (0.5 - mean) / deviation).exp();
    for _ in 0..most {
        odds *= step;
        sum += (1.0 + odds).recip();
    }
    sum
}

/// Slope of the logistic that fits the normal law best.
const LOGISTIC: f64 = 1.702;

/// Means beyond so many tiles make every remainder as likely as any other.
const MANY: f64 = 8.0;

/// E⌈X/h⌉ when remainders are even: (X + (h−1)/2)/h.
fn many(mean: f64, height: f64) -> f64 {
    (mean + (height - 1.0) / 2.0) / height
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_rows_need_one_tile_an_expert_hit() {
        // Poisson of mean 0.1: P(X > 0) = 1 − e^−0.1
        assert!((poisson(0.1, 64.0) - (1.0 - (-0.1_f64).exp())).abs() < 1e-6);
    }

    #[test]
    fn many_rows_need_half_a_tile_more_than_they_fill() {
        assert!((poisson(6400.0, 64.0) - (100.0 + 63.0 / 128.0)).abs() < 1e-9);
    }

    #[test]
    fn poisson_agrees_with_its_sum() {
        // E⌈X/16⌉ by the mass function p(x) = e^−λ λ^x / x!
        let mean = 20.0_f64;
        let (mut mass, mut sum) = ((-mean).exp(), 0.0);
        for x in 1..200_u32 {
            mass *= mean / f64::from(x);
            sum += mass * f64::from(x.div_ceil(16));
        }
        assert!((poisson(mean, 16.0) - sum).abs() < 0.03 * sum, "{} {sum}", poisson(mean, 16.0));
    }

    #[test]
    fn a_spread_of_one_row_leaves_half_of_the_experts_without() {
        // ⌊1·u⌋ for u on [0.7, 1.3]: zero below one, else one.
        assert!((spread(1.0, 0.3, 64.0) - 0.5).abs() < 1e-12);
        // 64·u is above 64 for half of the draws (⌊u⌋ ≥ 65): 1 + (83.2 − 65)/38.4
        assert!((spread(64.0, 0.3, 64.0) - (1.0 + 18.2 / 38.4)).abs() < 1e-9);
    }
}

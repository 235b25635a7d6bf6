//! How far predictions are off.

use schemars::JsonSchema;
use serde::Serialize;

/// One predicted against one measured time, and the sigma that the prediction claims.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Predicted time in seconds.
    pub predicted: f64,
    /// Measured time in seconds.
    pub measured: f64,
    /// Claimed standard deviation of the logarithm.
    pub sigma: f64,
}

/// Errors over a set of pairs; the keys are those of `validate operators --format json`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Score {
    /// Number of pairs.
    pub n: usize,
    /// Mean of |predicted/measured − 1|, in percent.
    pub mean_abs_pct_error: f64,
    /// Its median.
    pub median_abs_pct_error: f64,
    /// Its ninetieth percentile.
    pub p90_abs_pct_error: f64,
    /// Mean of ln(predicted/measured): the bias.
    pub mean_log_ratio: f64,
    /// Share of measured times between the claimed tenth and ninetieth percentile; 0.8 is right.
    pub share_within_p10_p90: f64,
}

/// The quantile of the standard normal distribution at 0.9.
pub const Z90: f64 = 1.281_551_565_545;

impl Pair {
    /// |predicted/measured − 1|.
    pub fn error(&self) -> f64 {
        (self.predicted / self.measured - 1.0).abs()
    }

    /// ln(predicted/measured).
    pub fn log_ratio(&self) -> f64 {
        (self.predicted / self.measured).ln()
    }
}

impl Score {
    /// Of all pairs; all zero if there are none.
    pub fn of(pairs: &[Pair]) -> Self {
        if pairs.is_empty() {
            return Self::default();
        }
        let n = pairs.len() as f64;
        let mut errors: Vec<f64> = pairs.iter().map(Pair::error).collect();
        errors.sort_by(f64::total_cmp);
        let within = pairs.iter().filter(|pair| pair.log_ratio().abs() <= Z90 * pair.sigma).count();
        Self {
            n: pairs.len(),
            mean_abs_pct_error: 100.0 * errors.iter().sum::<f64>() / n,
            median_abs_pct_error: 100.0 * quantile(&errors, 0.5),
            p90_abs_pct_error: 100.0 * quantile(&errors, 0.9),
            mean_log_ratio: pairs.iter().map(Pair::log_ratio).sum::<f64>() / n,
            share_within_p10_p90: within as f64 / n,
        }
    }
}

/// The quantile of sorted values, between neighbours; zero of none.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * sorted.len().saturating_sub(1) as f64;
    let (low, high) = (at.floor() as usize, at.ceil() as usize);
    match (sorted.get(low), sorted.get(high)) {
        (Some(a), Some(b)) => a + (b - a) * at.fract(),
        _ => 0.0,
    }
}

/// The sigma for which four of five residuals lie between P10 and P90: the 80th percentile of |log ratio| over z90.
pub fn calibrated_sigma(pairs: &[Pair]) -> f64 {
    let mut residuals: Vec<f64> = pairs.iter().map(|pair| pair.log_ratio().abs()).collect();
    residuals.sort_by(f64::total_cmp);
    quantile(&residuals, 0.8) / Z90
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(predicted: f64, sigma: f64) -> Pair {
        Pair { predicted, measured: 1.0, sigma }
    }

    #[test]
    fn errors_are_relative_to_the_measured_time() {
        // |1.1 − 1| and |0.7 − 1|: mean 20 %, median between them
        let score = Score::of(&[pair(1.1, 0.1), pair(0.7, 0.1)]);
        assert!((score.mean_abs_pct_error - 20.0).abs() < 1e-9);
        assert!((score.median_abs_pct_error - 20.0).abs() < 1e-9);
        // ln 1.1 = 0.095 is within 1.28·0.1; ln 0.7 = −0.357 is not
        assert_eq!(score.share_within_p10_p90, 0.5);
    }

    #[test]
    fn a_calibrated_sigma_covers_four_of_five() {
        let pairs: Vec<Pair> = (1..=101).map(|i| pair((f64::from(i) / 1000.0).exp(), 1.0)).collect();
        let sigma = calibrated_sigma(&pairs);
        let covered = Score::of(&pairs.iter().map(|p| Pair { sigma, ..*p }).collect::<Vec<_>>());
        assert!((covered.share_within_p10_p90 - 0.8).abs() < 0.02);
    }

    #[test]
    fn nothing_scores_nothing() {
        assert_eq!(Score::of(&[]).n, 0);
        assert_eq!(quantile(&[], 0.5), 0.0);
    }
}

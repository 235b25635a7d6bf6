//! Quantiles of samples: exact while they are few, a mergeable sketch of bounded relative error beyond.

use sketches_ddsketch::{Config, DDSketch};

/// Samples that are kept as they are; beyond, the sketch alone answers.
const EXACT: usize = 1 << 20;
/// Relative error of a quantile that the sketch answers.
const ERROR: f64 = 0.005;
/// Buckets of the sketch: 2048 × 1 % span nine decades.
const BUCKETS: u32 = 2048;
/// Samples below this count as zero.
const LEAST: f64 = 1e-9;

/// Samples, each with the number of times that it occurred. Negative samples are not meant to occur.
#[derive(Clone)]
pub struct Quantiles {
    sketch: DDSketch,
    exact: Option<Vec<(f64, u64)>>,
    count: u64,
    sum: f64,
}

/// Mean and quantiles.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Number of samples.
    pub count: u64,
    /// Mean, exact.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// Ninetieth percentile.
    pub p90: f64,
    /// Ninety-ninth percentile.
    pub p99: f64,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self::sketched(Some(Vec::new()))
    }
}

impl Quantiles {
    /// Samples that are never kept as they are: constant memory.
    pub fn streaming() -> Self {
        Self::sketched(None)
    }

    fn sketched(exact: Option<Vec<(f64, u64)>>) -> Self {
        Self { sketch: DDSketch::new(Config::new(ERROR, BUCKETS, LEAST)), exact, count: 0, sum: 0.0 }
    }

    /// Adds a sample that occurred `count` times.
    pub fn add(&mut self, value: f64, count: u64) {
        if count == 0 {
            return;
        }
        self.count += count;
        self.sum += value * count as f64;
        match &mut self.exact {
            Some(samples) if samples.len() < EXACT => samples.push((value, count)),
            Some(samples) => {
                samples.drain(..).for_each(|(value, count)| self.sketch.add_with_count(value, count));
                self.sketch.add_with_count(value, count);
                self.exact = None;
            }
            None => self.sketch.add_with_count(value, count),
        }
    }

    /// Adds all samples of another.
    pub fn merge(&mut self, other: &Self) {
        if let Some(samples) = &other.exact {
            return samples.iter().for_each(|(value, count)| self.add(*value, *count));
        }
        if let Some(samples) = self.exact.take() {
            samples.into_iter().for_each(|(value, count)| self.sketch.add_with_count(value, count));
        }
        // Sketches of one configuration always merge.
        let _ = self.sketch.merge(&other.sketch);
        self.count += other.count;
        self.sum += other.sum;
    }

    /// The value below which a share `q` of the samples lies (nearest rank); zero without samples.
    pub fn quantile(&self, q: f64) -> f64 {
        self.quantiles(&[q])[0]
    }

    /// Mean and the usual quantiles.
    pub fn summary(&self) -> Summary {
        let mean = if self.count > 0 { self.sum / self.count as f64 } else { 0.0 };
        let found = self.quantiles(&[0.5, 0.9, 0.99]);
        Summary { count: self.count, mean, p50: found[0], p90: found[1], p99: found[2] }
    }

    /// Several quantiles, rising.
    fn quantiles(&self, shares: &[f64]) -> Vec<f64> {
        let Some(samples) = &self.exact else {
            return shares.iter().map(|q| self.sketch.quantile(*q).ok().flatten().unwrap_or(0.0)).collect();
        };
        let mut sorted = samples.clone();
        sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        shares.iter().map(|q| ranked(&sorted, (q * self.count as f64).ceil().max(1.0) as u64)).collect()
    }
}

/// The sample of a rank, counted from one.
fn ranked(sorted: &[(f64, u64)], rank: u64) -> f64 {
    let mut below = 0;
    for (value, count) in sorted {
        below += count;
        if below >= rank {
            return *value;
        }
    }
    sorted.last().map_or(0.0, |(value, _)| *value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_samples_are_exact() {
        let mut samples = Quantiles::default();
        (1..=100).rev().for_each(|n| samples.add(f64::from(n), 1));
        let summary = samples.summary();
        // Nearest rank of 1..100; mean (1 + 100)/2.
        assert_eq!((summary.p50, summary.p90, summary.p99, summary.mean), (50.0, 90.0, 99.0, 50.5));
    }

    #[test]
    fn no_samples_are_zero() {
        assert_eq!(Quantiles::default().summary(), Summary::default());
        assert_eq!(Quantiles::streaming().summary(), Summary::default());
    }

    #[test]
    fn a_repeated_sample_weighs_as_often() {
        let mut samples = Quantiles::default();
        samples.add(1.0, 9);
        samples.add(5.0, 1);
        assert_eq!((samples.quantile(0.9), samples.quantile(0.95)), (1.0, 5.0));
    }

    proptest! {
        #[test]
        fn the_sketch_is_within_its_error(values in proptest::collection::vec(1e-3f64..1e3, 20..300)) {
            let (mut exact, mut sketch) = (Quantiles::default(), Quantiles::streaming());
            for value in &values {
                exact.add(*value, 1);
                sketch.add(*value, 1);
            }
            let mut sorted = values.clone();
            sorted.sort_by(f64::total_cmp);
            for q in [0.5, 0.9] {
                // The two count ranks from different ends of an interval: neighbours of the rank are as good.
                let rank = (q * values.len() as f64) as usize;
                let (low, high) = (sorted[rank.saturating_sub(2)], sorted[(rank + 1).min(values.len() - 1)]);
                let found = sketch.quantile(q);
                prop_assert!(found >= low * 0.99 && found <= high * 1.01, "{found} of {low}..{high}");
            }
        }

        #[test]
        fn merging_is_adding(a in proptest::collection::vec(1e-3f64..1e3, 1..50), b in proptest::collection::vec(1e-3f64..1e3, 1..50)) {
            let of = |values: &[f64], mut into: Quantiles| { values.iter().for_each(|v| into.add(*v, 1)); into };
            let whole = of(&[a.clone(), b.clone()].concat(), Quantiles::streaming());
            let mut merged = of(&a, Quantiles::streaming());
            merged.merge(&of(&b, Quantiles::streaming()));
            prop_assert_eq!(whole.summary().p90, merged.summary().p90);
            prop_assert_eq!(whole.summary().count, merged.summary().count);
        }
    }
}

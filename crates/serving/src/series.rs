//! Figures over time in a fixed number of buckets, whose width doubles when time outgrows them.

use vitruvian_event::Instant;

/// Most buckets.
const MOST: usize = 256;

/// What is counted. Each is an amount that a stretch of time contributes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Request-seconds of waiting.
    Waiting,
    /// Request-seconds of running.
    Running,
    /// Block-seconds of KV blocks in use.
    Blocks,
    /// Joules above active idle.
    Energy,
    /// Tokens made.
    Tokens,
    /// Prompt tokens computed.
    PromptTokens,
    /// Replica-seconds of stepping.
    Busy,
}

/// Number of [`Figure`]s.
const FIGURES: usize = 7;

/// Amounts by bucket.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Seconds of a bucket.
    pub width: f64,
    buckets: Vec<[f64; FIGURES]>,
}

impl Default for Series {
    fn default() -> Self {
        Self { width: 0.25, buckets: Vec::new() }
    }
}

impl Series {
    /// Spreads an amount evenly over a stretch of time.
    pub(crate) fn add(&mut self, figure: Figure, from: Instant, to: Instant, amount: f64) {
        let (from, to) = (from.seconds(), to.seconds());
        while to > self.width * MOST as f64 {
            self.halve();
        }
        let (first, last) = ((from / self.width) as usize, (to / self.width) as usize);
        if self.buckets.len() <= last {
            self.buckets.resize(last + 1, [0.0; FIGURES]);
        }
        if first == last || to <= from {
            self.buckets[last][figure as usize] += amount;
            return;
        }
        let rate = amount / (to - from);
        for bucket in first..=last {
            let start = from.max(bucket as f64 * self.width);
            let end = to.min((bucket + 1) as f64 * self.width);
            self.buckets[bucket][figure as usize] += rate * (end - start).max(0.0);
        }
    }

    /// Half as many buckets of twice the width.
    fn halve(&mut self) {
        let pairs = self.buckets.chunks(2).map(|pair| {
            let mut sum = pair[0];
            pair.iter().skip(1).for_each(|other| sum.iter_mut().zip(other).for_each(|(a, b)| *a += b));
            sum
        });
        self.buckets = pairs.collect();
        self.width *= 2.0;
    }

    /// Number of buckets.
    pub fn len(&self) -> usize {
        self.buckets.len()
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// A figure per second in each bucket: a mean level, or a rate.
    pub fn per_second(&self, figure: Figure) -> impl Iterator<Item = f64> + '_ {
        self.buckets.iter().map(move |bucket| bucket[figure as usize] / self.width)
    }

    /// The whole amount.
    pub fn total(&self, figure: Figure) -> f64 {
        self.buckets.iter().map(|bucket| bucket[figure as usize]).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_lost(stretches in proptest::collection::vec((0.0f64..500.0, 0.0f64..200.0, 0.0f64..10.0), 1..50)) {
            let mut series = Series::default();
            for (from, length, amount) in &stretches {
                series.add(Figure::Energy, Instant::from_seconds(*from), Instant::from_seconds(from + length), *amount);
            }
            let expected: f64 = stretches.iter().map(|(_, _, amount)| amount).sum();
            prop_assert!((series.total(Figure::Energy) - expected).abs() < 1e-6 * expected.max(1.0));
            prop_assert!(series.len() <= MOST + 1);
        }
    }
}

//! How long requests are.

use rand_distr::{Distribution, LogNormal};
use vitruvian_event::random::{Stream, below, uniform};

/// A distribution of prompt and output tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum Lengths {
    /// All alike.
    Fixed {
        /// Prompt tokens.
        input: u32,
        /// Output tokens.
        output: u32,
    },
    /// Uniform between a share of the length and the length (`--random-range-ratio` of the engines' benchmarks).
    Uniform {
        /// Most prompt tokens.
        input: u32,
        /// Most output tokens.
        output: u32,
        /// Least over most.
        ratio: f64,
    },
    /// Log-normal, prompt and output apart.
    LogNormal {
        /// Mean prompt tokens.
        input: f64,
        /// Mean output tokens.
        output: f64,
        /// Standard deviations of the logarithms.
        sigma: [f64; 2],
        /// Most prompt and output tokens.
        most: [u32; 2],
    },
    /// Pairs drawn from those observed.
    Observed(Vec<(u32, u32)>),
}

impl Lengths {
    /// Prompt and output tokens of `count` requests.
    pub fn draw(&self, count: usize, stream: &mut Stream) -> Vec<(u32, u32)> {
        (0..count).map(|_| self.one(stream)).collect()
    }

    fn one(&self, stream: &mut Stream) -> (u32, u32) {
        match self {
            Self::Fixed { input, output } => (*input, *output),
            Self::Uniform { input, output, ratio } => {
                let mut part = |most: u32| {
                    let least = f64::from(most) * ratio;
                    (least + (f64::from(most) - least) * uniform(stream)).round().max(1.0) as u32
                };
                (part(*input), part(*output))
            }
            Self::LogNormal { input, output, sigma, most } => {
                let mut part = |mean: f64, sigma: f64, most: u32| log_normal(mean, sigma, stream).min(most);
                (part(*input, sigma[0], most[0]), part(*output, sigma[1], most[1]))
            }
            Self::Observed(pairs) => pairs.get(below(stream, pairs.len())).copied().unwrap_or((1, 1)),
        }
    }
}

/// A log-normal of this mean: µ = ln(mean) − σ²/2.
fn log_normal(mean: f64, sigma: f64, stream: &mut Stream) -> u32 {
    let drawn = LogNormal::new(mean.ln() - sigma * sigma / 2.0, sigma).map(|law| law.sample(stream));
    drawn.unwrap_or(mean).round().max(1.0) as u32
}

#[cfg(test)]
mod tests {
    use vitruvian_event::stream;

    use super::*;

    fn means(lengths: &Lengths) -> (f64, f64) {
        let drawn = lengths.draw(50_000, &mut stream(5, "test"));
        let mean = |part: fn(&(u32, u32)) -> u32| {
            drawn.iter().map(|pair| f64::from(part(pair))).sum::<f64>() / drawn.len() as f64
        };
        (mean(|pair| pair.0), mean(|pair| pair.1))
    }

    #[test]
    fn means_are_as_asked() {
        assert_eq!(means(&Lengths::Fixed { input: 7, output: 3 }), (7.0, 3.0));
        // (0.8 + 1)/2 of the most.
        let (input, output) = means(&Lengths::Uniform { input: 1000, output: 100, ratio: 0.8 });
        assert!((input - 900.0).abs() < 2.0 && (output - 90.0).abs() < 0.5);
        let wide = Lengths::LogNormal { input: 1000.0, output: 200.0, sigma: [1.0, 0.5], most: [1 << 20; 2] };
        let (input, output) = means(&wide);
        // Standard error √(e − 1)/√50000 = 0.6 %.
        assert!(
            (input / 1000.0 - 1.0).abs() < 0.03 && (output / 200.0 - 1.0).abs() < 0.02,
            "{input} {output}"
        );
        let pairs = vec![(10, 1), (20, 2)];
        let (input, output) = means(&Lengths::Observed(pairs));
        assert!((input / output - 10.0).abs() < 1e-9);
    }
}

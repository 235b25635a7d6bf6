//! When requests come.

use rand_distr::{Distribution, Gamma};
use vitruvian_event::random::{Stream, exponential, uniform};

/// A process of arrivals.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Exponential gaps.
    Poisson {
        /// Requests per second.
        rate: f64,
    },
    /// Gaps of a gamma distribution: burstier than Poisson for a coefficient of variation above one.
    Gamma {
        /// Requests per second.
        rate: f64,
        /// Standard deviation of the gaps over their mean.
        cv: f64,
    },
    /// Poisson at one of several rates, each held for an exponential time (a Markov-modulated Poisson process).
    Modulated {
        /// Rates in requests per second, taken in turn.
        rates: Vec<f64>,
        /// Mean seconds of each.
        hold: f64,
    },
    /// Poisson at a rate that swings by a sine.
    Diurnal {
        /// Mean requests per second.
        rate: f64,
        /// Amplitude over mean, from zero to one.
        swing: f64,
        /// Seconds of one period.
        period: f64,
    },
    /// Equal gaps.
    Even {
        /// Requests per second.
        rate: f64,
    },
    /// All at the start.
    Burst,
    /// Clients that each send a request when their last one is answered.
    Closed {
        /// Clients.
        clients: u32,
        /// Seconds between an answer and the next request.
        think: f64,
    },
}

impl Arrivals {
    /// Seconds of the first `count` arrivals, rising. A closed loop's are not known beforehand.
    pub fn draw(&self, count: usize, stream: &mut Stream) -> Vec<f64> {
        match self {
            Self::Poisson { rate } => gaps(count, || exponential(stream) / rate),
            Self::Gamma { rate, cv } => gamma(count, *rate, *cv, stream),
            Self::Modulated { rates, hold } => modulated(count, rates, *hold, stream),
            Self::Diurnal { rate, swing, period } => diurnal(count, [*rate, *swing, *period], stream),
            Self::Even { rate } => gaps(count, || 1.0 / rate),
            Self::Burst | Self::Closed { .. } => vec![0.0; count],
        }
    }

    /// The same process at another mean rate.
    #[must_use]
    pub fn at_rate(&self, new: f64) -> Self {
        match self.clone() {
            Self::Poisson { .. } => Self::Poisson { rate: new },
            Self::Gamma { cv, .. } => Self::Gamma { rate: new, cv },
            Self::Modulated { rates, hold } => {
                let mean = rates.iter().sum::<f64>() / rates.len().max(1) as f64;
                Self::Modulated { rates: rates.iter().map(|rate| rate / mean * new).collect(), hold }
            }
            Self::Diurnal { swing, period, .. } => Self::Diurnal { rate: new, swing, period },
            Self::Even { .. } => Self::Even { rate: new },
            other => other,
        }
    }
}

fn gaps(count: usize, mut gap: impl FnMut() -> f64) -> Vec<f64> {
    let mut now = 0.0;
    (0..count)
        .map(|_| {
            now += gap();
            now
        })
        .collect()
}

/// Shape k = 1/CV², scale 1/(k · rate): mean 1/rate.
fn gamma(count: usize, rate: f64, cv: f64, stream: &mut Stream) -> Vec<f64> {
    let shape = 1.0 / (cv * cv);
    match Gamma::new(shape, 1.0 / (shape * rate)) {
        Ok(gamma) => gaps(count, || gamma.sample(stream)),
        Err(_) => gaps(count, || 1.0 / rate),
    }
}

fn modulated(count: usize, rates: &[f64], hold: f64, stream: &mut Stream) -> Vec<f64> {
    let (mut now, mut state, mut until) = (0.0, 0, exponential(stream) * hold);
    let mut times = Vec::with_capacity(count);
    while times.len() < count {
        let rate = rates.get(state).copied().unwrap_or(1.0);
        let next = if rate > 0.0 { now + exponential(stream) / rate } else { f64::INFINITY };
        if next <= until {
            now = next;
            times.push(now);
        } else {
            // Exponential gaps have no memory: the next state begins anew.
            now = until;
            until = now + exponential(stream) * hold;
            state = (state + 1) % rates.len().max(1);
        }
    }
    times
}

/// Thinning: candidates at the highest rate, each kept with rate(t)/highest.
fn diurnal(count: usize, [rate, swing, period]: [f64; 3], stream: &mut Stream) -> Vec<f64> {
    let highest = rate * (1.0 + swing);
    let (mut now, mut times) = (0.0f64, Vec::with_capacity(count));
    while times.len() < count {
        now += exponential(stream) / highest;
        let here = rate * (1.0 + swing * (std::f64::consts::TAU * now / period).sin());
        if uniform(stream) * highest <= here {
            times.push(now);
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use vitruvian_event::stream;

    use super::*;

    /// Mean rate and coefficient of variation of the gaps.
    fn moments(arrivals: &Arrivals) -> (f64, f64) {
        let times = arrivals.draw(100_000, &mut stream(5, "test"));
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        (1.0 / mean, variance.sqrt() / mean)
    }

    #[test]
    fn rates_and_burstiness_are_as_asked() {
        let near = |(rate, cv): (f64, f64), expected: (f64, f64)| {
            assert!((rate / expected.0 - 1.0).abs() < 0.03 && (cv - expected.1).abs() < 0.05, "{rate} {cv}");
        };
        near(moments(&Arrivals::Poisson { rate: 8.0 }), (8.0, 1.0));
        near(moments(&Arrivals::Gamma { rate: 8.0, cv: 2.0 }), (8.0, 2.0));
        near(moments(&Arrivals::Even { rate: 8.0 }), (8.0, 0.0));
        let swinging = moments(&Arrivals::Diurnal { rate: 8.0, swing: 0.5, period: 60.0 });
        assert!((swinging.0 / 8.0 - 1.0).abs() < 0.03 && swinging.1 > 1.0);
        // Half of the time at each rate: the mean rate is the mean of the rates.
        let modulated = moments(&Arrivals::Modulated { rates: vec![4.0, 12.0], hold: 2.0 });
        assert!((modulated.0 / 8.0 - 1.0).abs() < 0.05 && modulated.1 > 1.05, "{modulated:?}");
    }
}

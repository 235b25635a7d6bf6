//! What the market may do: which part of an order arrives, when, and at what price.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::fleet::problem::Problem;

/// A part of an order that arrives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Delivery {
    /// Quarter of arrival.
    pub quarter: usize,
    /// Part of the order; an order is filled in proportion.
    pub share: f64,
    /// Price over the price in the file.
    pub price: f64,
}

/// One future of the whole market.
#[derive(Clone, Debug, PartialEq)]
pub struct Future {
    /// Index of the outcome of each risk.
    pub outcomes: Vec<usize>,
    /// Its probability.
    pub weight: f64,
    /// What arrives of an order, by chip and by the quarter in which it is due. Nothing: it comes too late, or never.
    pub deliveries: Vec<Vec<Vec<Delivery>>>,
}

/// Something that may turn out in several ways; risks are independent of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Risk {
    /// Name.
    pub name: String,
    /// The ways; their probabilities add up to one.
    pub outcomes: Vec<Outcome>,
}

/// One way in which a risk may turn out.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name.
    pub name: String,
    /// Probability.
    pub probability: f64,
    /// What it does to deliveries.
    pub effects: Vec<Effect>,
}

/// What an outcome does to the deliveries of one chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effect {
    /// Index into [`Problem::chips`].
    pub chip: usize,
    /// First quarter in which orders are due that it touches.
    pub from: usize,
    /// First quarter that it touches no more.
    pub until: usize,
    /// Part of an order that arrives at first.
    pub share: f64,
    /// Quarters over which that part grows to the whole; zero: it stays.
    pub ramp: usize,
    /// Quarters that a delivery is late.
    pub delay: usize,
    /// Price over the price in the file.
    pub price: f64,
}

/// How futures are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// Seed; the same seed gives the same futures on every machine.
    pub seed: u64,
    /// How many.
    pub samples: usize,
}

/// The purposes that random numbers are drawn for; each has its own ChaCha stream, so that one does not move another.
#[derive(Clone, Copy)]
enum Stream {
    /// Which outcome each risk takes.
    Outcomes = 1,
    /// How much of each chip's supply there is.
    Volume = 2,
}

impl Effect {
    /// The part of an order due in `quarter` that arrives: grows from `share` to one over `ramp` quarters.
    fn share_at(&self, quarter: usize) -> f64 {
        if self.ramp == 0 {
            return self.share;
        }
        let grown = ((quarter - self.from) as f64 / self.ramp as f64).min(1.0);
        self.share + (1.0 - self.share) * grown
    }

    fn touches(&self, chip: usize, quarter: usize) -> bool {
        self.chip == chip && (self.from..self.until).contains(&quarter)
    }
}

/// All futures: each combination of outcomes with its probability where they are no more than the samples asked for and
/// nothing else is uncertain, else so many samples of equal weight.
///
/// `spread` is, for each chip, the relative standard deviation of its whole supply (lognormal, cut at what is offered).
pub fn futures(problem: &Problem, risks: &[Risk], spread: &[f64], sampling: Sampling) -> Vec<Future> {
    let combinations = risks.iter().try_fold(1_usize, |all, risk| all.checked_mul(risk.outcomes.len()));
    let certain = spread.iter().all(|sigma| *sigma == 0.0);
    match combinations {
        Some(count) if certain && count <= sampling.samples.max(1) => enumerate(problem, risks, count),
        _ => (0..sampling.samples.max(1))
            .map(|sample| draw(problem, risks, spread, sampling, sample))
            .collect(),
    }
}

/// Whether the futures of [`futures`] are all there are, rather than samples.
pub fn is_exact(risks: &[Risk], spread: &[f64], sampling: Sampling) -> bool {
    let combinations = risks.iter().try_fold(1_usize, |all, risk| all.checked_mul(risk.outcomes.len()));
    spread.iter().all(|sigma| *sigma == 0.0)
        && combinations.is_some_and(|count| count <= sampling.samples.max(1))
}

/// The future in which every risk takes its likeliest outcome.
pub fn likely(problem: &Problem, risks: &[Risk]) -> Future {
    let likeliest = |risk: &Risk| {
        let all = risk.outcomes.iter().enumerate();
        all.fold(
            (0, 0.0),
            |best, (index, outcome)| {
                if outcome.probability > best.1 { (index, outcome.probability) } else { best }
            },
        )
        .0
    };
    let outcomes: Vec<usize> = risks.iter().map(likeliest).collect();
    let level = vec![1.0; problem.chips.len()];
    future(problem, risks, outcomes, 1.0, &level)
}

/// Mean deliveries of several futures: of each order the expected part in each quarter, at the expected price.
pub fn mean(futures: &[Future]) -> Future {
    let mut all = futures[0].deliveries.clone();
    for (chip, by_due) in all.iter_mut().enumerate() {
        for (due, merged) in by_due.iter_mut().enumerate() {
            *merged = mean_of(futures.iter().map(|future| (future.weight, &future.deliveries[chip][due])));
        }
    }
    Future { outcomes: Vec::new(), weight: 1.0, deliveries: all }
}

fn mean_of<'a>(parts: impl Iterator<Item = (f64, &'a Vec<Delivery>)>) -> Vec<Delivery> {
    let mut merged: Vec<Delivery> = Vec::new();
    for (weight, deliveries) in parts {
        for delivery in deliveries {
            let (share, paid) = (weight * delivery.share, weight * delivery.share * delivery.price);
            match merged.iter_mut().find(|other| other.quarter == delivery.quarter) {
                Some(other) => {
                    let total = other.share + share;
                    other.price = (other.price * other.share + paid) / total;
                    other.share = total;
                }
                None => merged.push(Delivery { quarter: delivery.quarter, share, price: delivery.price }),
            }
        }
    }
    merged.sort_by_key(|delivery| delivery.quarter);
    merged
}

fn enumerate(problem: &Problem, risks: &[Risk], count: usize) -> Vec<Future> {
    let level = vec![1.0; problem.chips.len()];
    let one = |mut index: usize| {
        let mut weight = 1.0;
        let mut pick = |risk: &Risk| {
            let outcome = index % risk.outcomes.len();
            index /= risk.outcomes.len();
            weight *= risk.outcomes[outcome].probability;
            outcome
        };
        let outcomes: Vec<usize> = risks.iter().map(&mut pick).collect();
        future(problem, risks, outcomes, weight, &level)
    };
    (0..count).map(one).filter(|future| future.weight > 0.0).collect()
}

fn draw(problem: &Problem, risks: &[Risk], spread: &[f64], sampling: Sampling, sample: usize) -> Future {
    let mut outcomes_of = stream(sampling.seed, Stream::Outcomes, sample);
    let outcomes = risks.iter().map(|risk| pick(risk, uniform(&mut outcomes_of))).collect();
    let mut volume = stream(sampling.seed, Stream::Volume, sample);
    let level: Vec<f64> = spread.iter().map(|sigma| (sigma * normal(&mut volume)).exp()).collect();
    future(problem, risks, outcomes, 1.0 / sampling.samples as f64, &level)
}

fn future(problem: &Problem, risks: &[Risk], outcomes: Vec<usize>, weight: f64, level: &[f64]) -> Future {
    let effects: Vec<Effect> = risks
        .iter()
        .zip(&outcomes)
        .flat_map(|(risk, outcome)| risk.outcomes[*outcome].effects.iter().copied())
        .collect();
    let by_due = |chip: usize| {
        (0..problem.quarters).map(|due| delivery(problem, &effects, chip, due, level[chip])).collect()
    };
    let deliveries = (0..problem.chips.len()).map(by_due).collect();
    Future { outcomes, weight, deliveries }
}

fn delivery(problem: &Problem, effects: &[Effect], chip: usize, due: usize, level: f64) -> Vec<Delivery> {
    let start = Delivery { quarter: due, share: level, price: 1.0 };
    let touching = effects.iter().filter(|effect| effect.touches(chip, due));
    let end = touching.fold(start, |delivery, effect| Delivery {
        quarter: delivery.quarter + effect.delay,
        share: delivery.share * effect.share_at(due),
        price: delivery.price * effect.price,
    });
    let share = end.share.min(1.0);
    if share > 0.0 && end.quarter < problem.quarters { vec![Delivery { share, ..end }] } else { Vec::new() }
}

fn pick(risk: &Risk, uniform: f64) -> usize {
    let mut below = 0.0;
    let found = risk.outcomes.iter().position(|outcome| {
        below += outcome.probability;
        uniform < below
    });
    found.unwrap_or(risk.outcomes.len() - 1)
}

fn stream(seed: u64, purpose: Stream, sample: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(((purpose as u64) << 32) | sample as u64);
    rng
}

/// Uniform in (0, 1), of 53 bits.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    ((rng.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
}

/// Standard normal (Box and Muller 1958).
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (radius, angle) = (uniform(rng), uniform(rng));
    (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
}

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
    /// What its nodes serve over what they were estimated to serve.
    pub speed: f64,
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
    /// What the nodes of each chip serve over what they were estimated to serve. A slower chip draws less power in
    /// proportion, so that a future changes how much of a chip there is, and nothing else.
    pub speed: Vec<f64>,
}

/// What is not known of a chip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Doubt {
    /// Relative standard deviation of its whole supply (lognormal, cut at what is offered).
    pub volume: f64,
    /// Relative standard deviation of what it serves (lognormal).
    pub speed: f64,
    /// Chips of one kin are estimated too fast or too slow together.
    pub kin: usize,
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
    /// How fast each kin of chips is.
    Speed = 3,
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
pub fn futures(problem: &Problem, risks: &[Risk], doubts: &[Doubt], sampling: Sampling) -> Vec<Future> {
    match countable(risks, doubts, sampling) {
        Some(count) => enumerate(problem, risks, count),
        None => (0..sampling.samples.max(1))
            .map(|sample| draw(problem, risks, doubts, sampling, sample))
            .collect(),
    }
}

/// Whether the futures of [`futures`] are all there are, rather than samples.
pub fn is_exact(risks: &[Risk], doubts: &[Doubt], sampling: Sampling) -> bool {
    countable(risks, doubts, sampling).is_some()
}

/// How many combinations of outcomes there are, if that is all that is uncertain and no more than the samples.
fn countable(risks: &[Risk], doubts: &[Doubt], sampling: Sampling) -> Option<usize> {
    let combinations = risks.iter().try_fold(1_usize, |all, risk| all.checked_mul(risk.outcomes.len()));
    let certain = doubts.iter().all(|doubt| doubt.volume == 0.0 && doubt.speed == 0.0);
    combinations.filter(|count| certain && *count <= sampling.samples.max(1))
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
    future(problem, risks, outcomes, 1.0, &Levels::typical(problem))
}

/// Mean deliveries of several futures: of each order the expected part in each quarter, at the expected price.
pub fn mean(futures: &[Future]) -> Future {
    let mut all = futures[0].deliveries.clone();
    for (chip, by_due) in all.iter_mut().enumerate() {
        for (due, merged) in by_due.iter_mut().enumerate() {
            *merged = mean_of(futures.iter().map(|future| (future.weight, &future.deliveries[chip][due])));
        }
    }
    let weight: f64 = futures.iter().map(|future| future.weight).sum();
    let speed = |chip: usize| -> f64 {
        futures.iter().map(|future| future.weight * future.speed[chip]).sum::<f64>() / weight
    };
    let speed = (0..all.len()).map(speed).collect();
    Future { outcomes: Vec::new(), weight: 1.0, deliveries: all, speed }
}

/// Shares add up; price and speed are means over what arrives.
fn mean_of<'a>(parts: impl Iterator<Item = (f64, &'a Vec<Delivery>)>) -> Vec<Delivery> {
    let mut merged: Vec<Delivery> = Vec::new();
    for (weight, deliveries) in parts {
        for delivery in deliveries {
            let share = weight * delivery.share;
            match merged.iter_mut().find(|other| other.quarter == delivery.quarter) {
                Some(other) => {
                    let total = other.share + share;
                    other.price = (other.price * other.share + delivery.price * share) / total;
                    other.speed = (other.speed * other.share + delivery.speed * share) / total;
                    other.share = total;
                }
                None => merged.push(Delivery { share, ..*delivery }),
            }
        }
    }
    merged.sort_by_key(|delivery| delivery.quarter);
    merged
}

fn enumerate(problem: &Problem, risks: &[Risk], count: usize) -> Vec<Future> {
    let level = Levels::typical(problem);
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

/// What a future has of each chip, over what is typical.
struct Levels {
    volume: Vec<f64>,
    speed: Vec<f64>,
}

impl Levels {
    fn typical(problem: &Problem) -> Self {
        let one = vec![1.0; problem.chips.len()];
        Self { volume: one.clone(), speed: one }
    }

    fn draw(doubts: &[Doubt], seed: u64, sample: usize) -> Self {
        let mut rng = stream(seed, Stream::Volume, sample);
        let volume = doubts.iter().map(|doubt| (doubt.volume * normal(&mut rng)).exp()).collect();
        let mut rng = stream(seed, Stream::Speed, sample);
        let kins = doubts.iter().map(|doubt| doubt.kin + 1).max().unwrap_or(0);
        let of_kin: Vec<f64> = (0..kins).map(|_| normal(&mut rng)).collect();
        let speed = doubts.iter().map(|doubt| (doubt.speed * of_kin[doubt.kin]).exp()).collect();
        Self { volume, speed }
    }
}

fn draw(problem: &Problem, risks: &[Risk], doubts: &[Doubt], sampling: Sampling, sample: usize) -> Future {
    let mut outcomes_of = stream(sampling.seed, Stream::Outcomes, sample);
    let outcomes = risks.iter().map(|risk| pick(risk, uniform(&mut outcomes_of))).collect();
    let levels = Levels::draw(doubts, sampling.seed, sample);
    future(problem, risks, outcomes, 1.0 / sampling.samples as f64, &levels)
}

fn future(problem: &Problem, risks: &[Risk], outcomes: Vec<usize>, weight: f64, levels: &Levels) -> Future {
    let effects: Vec<Effect> = risks
        .iter()
        .zip(&outcomes)
        .flat_map(|(risk, outcome)| risk.outcomes[*outcome].effects.iter().copied())
        .collect();
    let by_due = |chip: usize| {
        (0..problem.quarters).map(|due| delivery(problem, &effects, chip, due, levels)).collect()
    };
    let deliveries = (0..problem.chips.len()).map(by_due).collect();
    Future { outcomes, weight, deliveries, speed: levels.speed.clone() }
}

fn delivery(
    problem: &Problem,
    effects: &[Effect],
    chip: usize,
    due: usize,
    levels: &Levels,
) -> Vec<Delivery> {
    let start = Delivery { quarter: due, share: levels.volume[chip], price: 1.0, speed: levels.speed[chip] };
    let touching = effects.iter().filter(|effect| effect.touches(chip, due));
    let end = touching.fold(start, |delivery, effect| Delivery {
        quarter: delivery.quarter + effect.delay,
        share: delivery.share * effect.share_at(due),
        price: delivery.price * effect.price,
        speed: delivery.speed,
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

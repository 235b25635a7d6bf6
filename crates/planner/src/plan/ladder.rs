//! One layout and precision at growing batches, and what it delivers in between.

use super::shape::Limit;
use super::{Unit, tail};
use crate::objective::Objective;

/// What one layout, precision and chunk delivers at growing batches, as long as the targets are kept.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// One a batch, ascending.
    pub units: Vec<Unit>,
    /// What a larger batch falls to.
    pub limit: Limit,
}

impl Ladder {
    /// Batches worth starting with: the largest carries most, smaller ones are for speed.
    pub fn started(&self, objective: Objective) -> &[Unit] {
        let from = if objective == Objective::Latency { 0 } else { self.units.len().saturating_sub(1) };
        self.units.get(from..).unwrap_or_default()
    }

    /// The figures of a mean number of running sequences, on a straight line between two batches. With fewer than the
    /// smallest batch, steps are as fast as its steps.
    pub fn at(&self, running: f64) -> Option<Unit> {
        let above = self.units.iter().position(|unit| f64::from(unit.candidate.batch) >= running);
        let (first, last) = (self.units.first()?, self.units.last()?);
        Some(match above {
            None => *last,
            Some(0) => Unit { rate: first.rate * running / f64::from(first.candidate.batch), ..*first },
            Some(index) => {
                let (low, high) = (&self.units[index - 1], &self.units[index]);
                let [a, b] = [low, high].map(|unit| f64::from(unit.candidate.batch));
                between(low, high, (running - a) / (b - a))
            }
        })
    }

    /// The figures at which a replica carries `rate`; those of the largest batch if that carries less.
    pub fn carrying(&self, rate: f64) -> Option<Unit> {
        let above = self.units.iter().position(|unit| unit.rate >= rate);
        let (first, last) = (self.units.first()?, self.units.last()?);
        Some(match above {
            None => *last,
            Some(0) => Unit { rate, ..*first },
            Some(index) => {
                let (low, high) = (&self.units[index - 1], &self.units[index]);
                between(low, high, (rate - low.rate) / (high.rate - low.rate))
            }
        })
    }

    /// Figures of one of `replicas` that are started with `batch` places each, when so many places are taken on average
    /// that a share `attainment` of requests finds one free.
    pub fn staffed(&self, batch: u32, replicas: u32, attainment: f64) -> Option<Unit> {
        let places = f64::from(batch) * f64::from(replicas);
        self.at(tail::taken(places, attainment) / f64::from(replicas))
    }
}

/// A point on the line from one unit to another.
fn between(low: &Unit, high: &Unit, share: f64) -> Unit {
    let line = |a: f64, b: f64| a + (b - a) * share;
    Unit {
        candidate: high.candidate,
        rate: line(low.rate, high.rate),
        ttft: low.ttft + (high.ttft - low.ttft) * share,
        tpot: low.tpot + (high.tpot - low.tpot) * share,
        energy: low.energy + (high.energy - low.energy) * share,
        sigma: high.sigma,
    }
}

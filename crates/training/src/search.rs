//! The best plan under a number of chips, their memory and a global batch.
//!
//! Every plan of a space is checked, its memory and time taken by closed form; the best are simulated pass by pass. Each
//! plan that falls is counted by why.

mod census;
mod space;

use vitruvian_cost::Refusal;

use crate::plan::Plan;
use crate::step::{Detail, Pricer, Step};

pub use census::{Census, Miss};
pub use space::Space;

/// A plan with its step.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The step, simulated.
    pub step: Step,
    /// Time by closed form, in seconds.
    pub closed: f64,
}

/// What a search found.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// The best plans, best first.
    pub best: Vec<Candidate>,
    /// What became of the others.
    pub census: Census,
}

/// Plans simulated pass by pass.
const SIMULATED: usize = 100;

/// Searches a space. `usable` is the memory of one chip that the job may take, in bytes.
///
/// # Errors
/// The chip cannot do one of the model's operators, with the reason.
pub fn search(pricer: &mut Pricer<'_, '_>, space: &Space, usable: f64) -> Result<Found, Refusal> {
    let mut census = Census::default();
    let mut priced: Vec<(f64, Plan)> = Vec::new();
    for plan in space.plans(pricer.job(), &mut census) {
        let step = pricer.step(&plan, Detail::Closed)?;
        let fullest = step.fullest();
        if fullest.peak() > usable {
            census.too_big(&plan, &fullest, usable);
        } else {
            census.fit += 1;
            priced.push((step.time, plan));
        }
    }
    priced.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    let mut best = Vec::new();
    for (closed, plan) in priced.into_iter().take(SIMULATED) {
        // A hundred time lines are hundreds of megabytes: the best one's is made again.
        let step = Step { timeline: None, ..pricer.step(&plan, Detail::Simulated)? };
        best.push(Candidate { step, closed });
    }
    best.sort_by(|a, b| a.step.time.total_cmp(&b.step.time).then_with(|| a.step.plan.cmp(&b.step.plan)));
    if let Some(first) = best.first_mut() {
        first.step = pricer.step(&first.step.plan, Detail::Simulated)?;
    }
    Ok(Found { best, census })
}

/// How far one plan is from another: the sum of the binary logarithms of the factors between their degrees, and one for
/// each other choice that differs.
pub fn distance(a: &Plan, b: &Plan) -> f64 {
    let pairs = [
        (a.degrees.tp, b.degrees.tp),
        (a.degrees.cp, b.degrees.cp),
        (a.degrees.pp, b.degrees.pp),
        (a.degrees.dp, b.degrees.dp),
        (a.degrees.ep, b.degrees.ep),
        (a.chunks, b.chunks),
        (a.micro_batch, b.micro_batch),
    ];
    let degrees: f64 = pairs.iter().map(|(a, b)| (f64::from(*a) / f64::from(*b)).log2().abs()).sum();
    let choices = [
        a.recompute != b.recompute,
        a.sharding != b.sharding,
        a.schedule != b.schedule,
        a.offload != b.offload,
    ];
    degrees + choices.iter().filter(|differs| **differs).count() as f64
}

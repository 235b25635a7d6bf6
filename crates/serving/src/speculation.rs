//! Speculative decoding: a draft proposes tokens, one step of the target verifies them all.

use std::str::FromStr;

use vitruvian_cost::Refusal;
use vitruvian_engine::{Meter, Replica};
use vitruvian_event::random::{Stream, uniform};
use vitruvian_model::{Step, draft_tasks};

use crate::times::StepTime;

/// Draft tokens a step and how often each is accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Speculation {
    /// Probability that the i-th draft token is accepted, given that those before it were.
    pub acceptance: Vec<f64>,
}

impl Speculation {
    /// `drafts` tokens, each accepted with the same probability (arXiv 2211.17192).
    pub fn uniform(drafts: u32, acceptance: f64) -> Self {
        Self { acceptance: vec![acceptance; drafts as usize] }
    }

    /// Expected tokens of a step: 1 + Σᵢ Πⱼ≤ᵢ aⱼ.
    pub fn tokens_per_step(&self) -> f64 {
        let mut reach = 1.0;
        1.0 + self
            .acceptance
            .iter()
            .map(|a| {
                reach *= a;
                reach
            })
            .sum::<f64>()
    }

    /// Steps in which a sequence gains `tokens` tokens.
    pub(crate) fn steps(&self, tokens: u32, stream: &mut Stream) -> u32 {
        let (mut left, mut steps) = (tokens, 0);
        while left > 0 {
            left = left.saturating_sub(1 + self.accepted(stream));
            steps += 1;
        }
        steps
    }

    fn accepted(&self, stream: &mut Stream) -> u32 {
        let refused = self.acceptance.iter().position(|chance| uniform(stream) >= *chance);
        refused.unwrap_or(self.acceptance.len()) as u32
    }
}

impl FromStr for Speculation {
    type Err = String;

    /// `3:0.8` for three drafts, each accepted with probability 0.8; `0.85,0.6,0.4` for one by one.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is neither `drafts:acceptance`, as 3:0.8, nor a list of acceptances, as 0.8,0.6"
            )
        };
        let chance = |text: &str| {
            let chance = text.trim().parse::<f64>().ok().filter(|chance| (0.0..=1.0).contains(chance));
            chance.ok_or_else(wrong)
        };
        let acceptance: Vec<f64> = match text.split_once(':') {
            Some((drafts, each)) => {
                let drafts = drafts.trim().parse::<u32>().ok().filter(|n| (1..=MOST_DRAFTS).contains(n));
                vec![chance(each)?; drafts.ok_or_else(wrong)? as usize]
            }
            None => text.split(',').map(chance).collect::<Result<_, _>>()?,
        };
        if acceptance.len() > MOST_DRAFTS as usize {
            return Err(format!(
                "{} draft tokens are more than the {MOST_DRAFTS} that any engine drafts",
                acceptance.len()
            ));
        }
        Ok(Self { acceptance })
    }
}

/// Longest draft that is accepted.
const MOST_DRAFTS: u32 = 64;

/// What drafting costs: the model's own MTP module, run once a draft token.
#[derive(Clone, Debug)]
pub struct Draft {
    tokens: u32,
}

impl Draft {
    /// What so many drafts cost.
    pub fn new(speculation: &Speculation) -> Self {
        Self { tokens: speculation.acceptance.len() as u32 }
    }

    /// Query tokens of a verified sequence.
    pub fn queries(&self) -> u32 {
        self.tokens + 1
    }

    /// All draft passes of one step. A model without a module of its own drafts with one of its layers' time and a head,
    /// which is what an EAGLE head is.
    ///
    /// # Errors
    /// The chip cannot do one of the operators, with the reason.
    pub fn cost(
        &self,
        replica: &Replica<'_>,
        sequences: u32,
        context: u32,
        meter: &mut Meter<'_>,
    ) -> Result<StepTime, Refusal> {
        let step = Step::decode(sequences, context);
        let mut tasks = Vec::new();
        draft_tasks(replica.model, replica.plan, replica.layout, &step, &mut tasks);
        let (mut time, mut energy) = (0.0, 0.0);
        for task in &tasks {
            let estimate = meter.operator(&task.operator)?;
            time += estimate.time.get() * f64::from(task.count);
            energy += estimate.energy.get() * f64::from(task.count);
        }
        if tasks.is_empty() {
            let whole = vitruvian_engine::step_cost(replica, &step, meter)?;
            let depth = replica.model.depth().max(1) as f64;
            time = (whole.latency - whole.host).get() / depth;
            energy = whole.energy.get() / depth;
        } else {
            energy *= f64::from(replica.layout.chips());
        }
        let passes = f64::from(self.tokens);
        Ok(StepTime { latency: time * passes, interval: 0.0, energy: energy * passes })
    }
}

#[cfg(test)]
mod tests {
    use vitruvian_event::stream;

    use super::*;

    #[test]
    fn expected_tokens_are_the_geometric_sum() {
        // (1 − α^(γ+1))/(1 − α) = (1 − 0.8⁴)/0.2
        let expected = (1.0 - 0.8f64.powi(4)) / 0.2;
        assert!((Speculation::uniform(3, 0.8).tokens_per_step() - expected).abs() < 1e-12);
    }

    #[test]
    fn drawn_steps_have_that_mean() {
        let speculation = Speculation { acceptance: vec![0.58, 0.53, 0.5] };
        let mut stream = stream(3, "test");
        let tokens = 200_000;
        let mean = f64::from(tokens) / f64::from(speculation.steps(tokens, &mut stream));
        assert!((mean / speculation.tokens_per_step() - 1.0).abs() < 0.01, "{mean}");
    }

    #[test]
    fn speculation_is_written_in_two_ways() {
        assert_eq!("2:0.5".parse(), Ok(Speculation { acceptance: vec![0.5; 2] }));
        assert_eq!("0.9,0.5".parse(), Ok(Speculation { acceptance: vec![0.9, 0.5] }));
        assert!(["", "0:0.5", "2:1.5", "x"].iter().all(|text| text.parse::<Speculation>().is_err()));
    }

    #[test]
    fn certain_acceptance_takes_every_draft() {
        assert_eq!(Speculation::uniform(3, 1.0).steps(9, &mut stream(1, "test")), 3);
    }
}

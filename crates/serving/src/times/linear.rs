//! Step times as a straight line: for what-ifs, for fits to a server's log, and for checks against closed forms.

use vitruvian_cost::Refusal;

use super::{Batch, Line, StepTime, StepTimes};

/// Seconds of a step: a constant, and terms in its new tokens, pairs, sequences and contexts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LinearTimes {
    /// Every step.
    pub step: f64,
    /// Each prompt token.
    pub token: f64,
    /// Each query-key pair of a prompt.
    pub pair: f64,
    /// Each sequence in decode.
    pub sequence: f64,
    /// Each cached token of each sequence in decode.
    pub context: f64,
    /// Watts above active idle while a step runs.
    pub power: f64,
}

impl LinearTimes {
    fn timed(&self, latency: f64) -> StepTime {
        StepTime { latency, interval: latency, energy: latency * self.power }
    }
}

impl StepTimes for LinearTimes {
    fn step(&mut self, batch: &Batch) -> Result<StepTime, Refusal> {
        let prefill = self.token * f64::from(batch.new) + self.pair * batch.pairs;
        let decode = self.sequence * f64::from(batch.decode) + self.context * batch.context as f64;
        Ok(self.timed(self.step + prefill + decode))
    }

    fn decode(&mut self, sequences: u32, context: f64) -> Result<Line, Refusal> {
        let n = f64::from(sequences);
        let now = self.timed(self.step + self.sequence * n + self.context * n * context);
        Ok(Line { now, slope: self.timed(self.context * n), room: f64::INFINITY })
    }
}

//! What a step costs: time and energy by its shape.

mod engine;
mod experts;
mod linear;

pub use engine::EngineTimes;
pub use linear::LinearTimes;
use vitruvian_cost::Refusal;

/// What one lane puts into one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Batch {
    /// Prompts, or chunks of prompts.
    pub prompts: u32,
    /// New tokens of all of them.
    pub new: u32,
    /// Query-key pairs of all of them: Σ new · (cached + new/2).
    pub pairs: f64,
    /// Of the prompts, those that end in this step.
    pub sampled: u32,
    /// Sequences in decode.
    pub decode: u32,
    /// Tokens in the cache of all sequences in decode.
    pub context: u64,
}

impl Batch {
    /// Adds a chunk of a prompt.
    pub fn add(&mut self, new: u32, cached: u32, ends: bool) {
        self.prompts += 1;
        self.new += new;
        self.pairs += f64::from(new) * (f64::from(cached) + f64::from(new) / 2.0);
        self.sampled += u32::from(ends);
    }

    /// Whether the lane does nothing.
    pub fn is_empty(&self) -> bool {
        self.new == 0 && self.decode == 0
    }
}

/// Time and energy of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepTime {
    /// Seconds from start to sampled token.
    pub latency: f64,
    /// Seconds after which the next micro-batch may start: the slowest pipeline stage.
    pub interval: f64,
    /// Joules above active idle, all chips of the replica.
    pub energy: f64,
}

/// The cost of decode steps of one batch size as their contexts grow: a straight line over a range of contexts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// A step now.
    pub now: StepTime,
    /// What each further token of mean context adds.
    pub slope: StepTime,
    /// Mean context tokens that may be added before the line bends.
    pub room: f64,
}

/// What steps of one kind of replica cost. Implementations remember what they computed.
pub trait StepTimes {
    /// A step that carries prefill.
    ///
    /// # Errors
    /// The chip cannot do it.
    fn step(&mut self, batch: &Batch) -> Result<StepTime, Refusal>;

    /// Steps of decode alone: `sequences` of so many cached tokens on average.
    ///
    /// # Errors
    /// The chip cannot do it.
    fn decode(&mut self, sequences: u32, context: f64) -> Result<Line, Refusal>;

    /// Of a step in which every data-parallel group brings so many rows, the seconds of what the groups do together: expert
    /// layers and their exchanges. They are part of what the other two give.
    ///
    /// # Errors
    /// The chip cannot do it.
    fn shared(&mut self, _rows: u32) -> Result<f64, Refusal> {
        Ok(0.0)
    }
}

//! What became of each request, and of all together.

use vitruvian_event::{Instant, Quantiles};

use crate::series::Series;

/// How a request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Not answered when the simulation ended.
    #[default]
    Unfinished,
    /// Answered.
    Finished,
    /// Turned away: longer than the model's context or than the whole cache.
    Rejected,
}

/// Everything that a simulation found out; a column a figure, a row a request.
#[derive(Clone, Default)]
pub struct Outcome {
    /// How each ended.
    pub states: Vec<State>,
    /// When each arrived.
    pub arrivals: Vec<Instant>,
    /// When the first chunk of each began.
    pub starts: Vec<Instant>,
    /// When the first token of each was there.
    pub first_tokens: Vec<Instant>,
    /// When the last token of each was there.
    pub finishes: Vec<Instant>,
    /// Prompt tokens of each that were in the cache.
    pub cached: Vec<u32>,
    /// How often each was preempted.
    pub preemptions: Vec<u16>,
    /// The replica that finished each, counted over all pools.
    pub replicas: Vec<u16>,
    /// Time between tokens, one sample a sequence and step, in seconds.
    pub between_tokens: Quantiles,
    /// Figures over time.
    pub series: Series,
    /// When the last thing happened.
    pub end: Instant,
    /// Steps of all replicas.
    pub steps: u64,
    /// Seconds in which replicas stepped, by pool.
    pub busy: Vec<f64>,
    /// Joules above active idle, by pool.
    pub energy: Vec<f64>,
    /// Prompt tokens that were computed, those computed again after a preemption included.
    pub prompt_tokens: u64,
    /// Tokens of caches that were moved.
    pub moved_tokens: u64,
    /// Highest number of KV blocks in use on one lane, as a share of its blocks.
    pub fullest: f64,
    /// Integral of requests that wait, in request-seconds.
    pub waiting: f64,
    /// Integral of requests in the service, in request-seconds.
    pub present: f64,
}

impl Outcome {
    pub(crate) fn new(requests: usize, pools: usize) -> Self {
        Self {
            states: vec![State::Unfinished; requests],
            arrivals: vec![Instant::NEVER; requests],
            starts: vec![Instant::NEVER; requests],
            first_tokens: vec![Instant::NEVER; requests],
            finishes: vec![Instant::NEVER; requests],
            replicas: vec![0; requests],
            between_tokens: Quantiles::streaming(),
            busy: vec![0.0; pools],
            energy: vec![0.0; pools],
            ..Self::default()
        }
    }

    /// Number of requests that ended so.
    pub fn count(&self, state: State) -> usize {
        self.states.iter().filter(|other| **other == state).count()
    }
}

//! What is asked of a deployment.

use vitruvian_quantity::Seconds;

/// Requests of one typical length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Workload {
    /// Prompt tokens of a request (ISL).
    pub input: u32,
    /// Generated tokens of a request (OSL).
    pub output: u32,
    /// Prompt tokens already in the prefix cache.
    pub cached: u32,
}

/// Service level: means under steady load.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Targets {
    /// Time to first token at most.
    pub ttft: Option<Seconds>,
    /// Time per output token after the first at most.
    pub tpot: Option<Seconds>,
}

impl Workload {
    /// Prompt tokens that are computed.
    pub fn new_tokens(&self) -> u32 {
        self.input - self.cached.min(self.input.saturating_sub(1))
    }

    /// Prompt tokens taken from the prefix cache; the last token of a prompt is always computed.
    pub fn cached_tokens(&self) -> u32 {
        self.input - self.new_tokens()
    }

    /// Mean tokens in the cache of a sequence in decode.
    pub fn mean_context(&self) -> u32 {
        self.input + self.output / 2
    }

    /// Decode steps of a request: the first token comes from prefill.
    pub fn decode_steps(&self) -> u32 {
        self.output.saturating_sub(1)
    }
}

//! What users of a service see: latencies, rates, and how many requests meet a service level.

use vitruvian_event::{Instant, Quantiles, Summary};

use crate::outcome::{Outcome, State};
use crate::requests::Requests;

/// A service level: each request must meet both.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// Seconds to the first token at most.
    pub ttft: Option<f64>,
    /// Seconds per token after the first at most.
    pub tpot: Option<f64>,
}

/// Figures of a simulated service. Times are seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Requests sent.
    pub requests: usize,
    /// Answered.
    pub finished: usize,
    /// Turned away.
    pub rejected: usize,
    /// Time to first token.
    pub ttft: Summary,
    /// Mean time between tokens of a request, over requests of two tokens and more.
    pub tpot: Summary,
    /// Time between tokens.
    pub itl: Summary,
    /// From arrival to last token.
    pub e2e: Summary,
    /// From arrival to first step.
    pub queue: Summary,
    /// From first arrival to last token.
    pub duration: f64,
    /// Requests answered per second.
    pub requests_per_s: f64,
    /// Tokens made per second.
    pub output_per_s: f64,
    /// Prompt tokens of answered requests per second.
    pub input_per_s: f64,
    /// Requests that met the service level.
    pub good: usize,
    /// The same per second; all answered ones without a level.
    pub goodput: f64,
    /// Prompt tokens found in the cache, as a share of all.
    pub cache_hit: f64,
    /// Preemptions.
    pub preemptions: u64,
    /// Prompt tokens computed, those computed again included.
    pub prompt_tokens: u64,
    /// Tokens made.
    pub output_tokens: u64,
}

impl Level {
    /// Whether a request with these times meets it.
    pub fn met(&self, ttft: f64, tpot: Option<f64>) -> bool {
        let within = |time: f64, most: Option<f64>| most.is_none_or(|most| time <= most);
        within(ttft, self.ttft) && tpot.is_none_or(|tpot| within(tpot, self.tpot))
    }
}

impl Outcome {
    /// Seconds from arrival to first token of an answered request.
    pub fn ttft(&self, index: usize) -> f64 {
        (self.first_tokens[index] - self.arrivals[index]).seconds()
    }

    /// Seconds from arrival to last token of an answered request.
    pub fn e2e(&self, index: usize) -> f64 {
        (self.finishes[index] - self.arrivals[index]).seconds()
    }

    /// Seconds from arrival to first step.
    pub fn queued(&self, index: usize) -> f64 {
        (self.starts[index] - self.arrivals[index]).seconds()
    }

    /// Seconds per token after the first of an answered request; nothing for a single token.
    pub fn tpot(&self, index: usize, output: u32) -> Option<f64> {
        let decode = (self.finishes[index] - self.first_tokens[index]).seconds();
        (output > 1).then(|| decode / f64::from(output - 1))
    }
}

/// Figures of the requests from `skip` on (those before it warm the service up).
pub fn measures(outcome: &Outcome, requests: &Requests, level: &Level, skip: usize) -> Measures {
    let mut found = Measures { requests: requests.len(), ..Measures::default() };
    let [mut ttft, mut tpot, mut e2e, mut queue] = std::array::from_fn(|_| Quantiles::default());
    let (mut inputs, mut hits) = (0u64, 0u64);
    let (mut first, mut last) = (Instant::NEVER, Instant::ZERO);
    for index in skip..requests.len() {
        first = first.min(outcome.arrivals[index]);
        found.preemptions += u64::from(outcome.preemptions[index]);
        if outcome.states[index] != State::Finished {
            found.rejected += usize::from(outcome.states[index] == State::Rejected);
            continue;
        }
        let (input, output) = (requests.inputs[index], requests.outputs[index]);
        let (to_first, each) = (outcome.ttft(index), outcome.tpot(index, output));
        last = last.max(outcome.finishes[index]);
        ttft.add(to_first, 1);
        each.into_iter().for_each(|each| tpot.add(each, 1));
        e2e.add(outcome.e2e(index), 1);
        queue.add(outcome.queued(index), 1);
        found.finished += 1;
        found.good += usize::from(level.met(to_first, each));
        found.output_tokens += u64::from(output);
        inputs += u64::from(input);
        hits += u64::from(outcome.cached[index]);
    }
    let duration = (last - first).seconds();
    let per_second = |count: f64| if duration > 0.0 { count / duration } else { 0.0 };
    Measures {
        ttft: ttft.summary(),
        tpot: tpot.summary(),
        itl: outcome.between_tokens.summary(),
        e2e: e2e.summary(),
        queue: queue.summary(),
        duration,
        requests_per_s: per_second(found.finished as f64),
        output_per_s: per_second(found.output_tokens as f64),
        input_per_s: per_second(inputs as f64),
        goodput: per_second(found.good as f64),
        cache_hit: hits as f64 / inputs.max(1) as f64,
        prompt_tokens: outcome.prompt_tokens,
        ..found
    }
}

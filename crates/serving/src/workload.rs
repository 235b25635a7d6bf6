//! Made-up streams of requests: arrivals, lengths, shared prefixes, each from a random stream of its own.

mod arrivals;
mod lengths;
mod sharing;

pub use arrivals::Arrivals;
pub use lengths::Lengths;
pub use sharing::Sharing;
use vitruvian_event::{Instant, stream};

use crate::requests::Requests;

/// What is made up.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Number of requests.
    pub requests: u32,
    /// When they come.
    pub arrivals: Arrivals,
    /// How long they are.
    pub lengths: Lengths,
    /// What their prompts have in common.
    pub sharing: Option<Sharing>,
    /// Seed of all draws.
    pub seed: u64,
}

impl Workload {
    /// Draws the requests.
    pub fn draw(&self) -> Requests {
        let count = self.requests as usize;
        let lengths = self.lengths.draw(count, &mut stream(self.seed, "lengths"));
        let mut requests = Requests::default();
        match &self.arrivals {
            Arrivals::Closed { clients, think } => {
                (requests.clients, requests.think) = (*clients, *think);
                lengths.iter().for_each(|(input, output)| requests.push(Instant::ZERO, *input, *output));
            }
            open => {
                let times = open.draw(count, &mut stream(self.seed, "arrivals"));
                for (at, (input, output)) in times.into_iter().zip(&lengths) {
                    requests.push(Instant::from_seconds(at), *input, *output);
                }
            }
        }
        if let Some(sharing) = &self.sharing {
            sharing.apply(&mut requests, &mut stream(self.seed, "prefixes"));
        }
        requests
    }
}

//! What "best" means.

use std::fmt;
use std::str::FromStr;

use crate::performance::Performance;

/// What the search maximises or minimises among the candidates that meet the targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Objective {
    /// Most output tokens per second.
    #[default]
    Throughput,
    /// Least money per output token.
    Cost,
    /// Least energy per output token.
    Energy,
    /// Shortest time of a whole request.
    Latency,
}

impl Objective {
    /// All objectives.
    pub const ALL: [Self; 4] = [Self::Throughput, Self::Cost, Self::Energy, Self::Latency];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Cost => "cost",
            Self::Energy => "energy",
            Self::Latency => "latency",
        }
    }

    /// A figure that is smaller for the better of two candidates.
    pub fn score(self, performance: &Performance) -> f64 {
        match self {
            Self::Throughput => -performance.output_per_s,
            Self::Cost => performance.cost.map_or(f64::INFINITY, |cost| cost.blended_output.get()),
            Self::Energy => performance.energy_per_token.get(),
            Self::Latency => performance.request_time.get(),
        }
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|objective| objective.name() == text);
        found.ok_or_else(|| format!("`{text}` is not an objective: use throughput, cost, energy or latency"))
    }
}

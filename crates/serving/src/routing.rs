//! Which lane takes a request.

mod least_loaded;
mod prefix_aware;
mod round_robin;

use std::str::FromStr;

/// A rule by which requests find their lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// Each lane in turn.
    RoundRobin,
    /// The lane with the fewest tokens to work off.
    #[default]
    LeastLoaded,
    /// The lane that holds most of the prompt, unless it is much busier than another.
    PrefixAware,
}

/// What a router sees of a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LaneView {
    /// Requests on the lane, waiting and running.
    pub requests: u32,
    /// Prompt tokens that wait, and tokens in the cache of running sequences.
    pub tokens: u64,
    /// Tokens of the request's prompt that the lane has in its cache.
    pub cached: u32,
}

impl Routing {
    /// Whether the rule asks what lanes have in their caches.
    pub fn looks_at_caches(self) -> bool {
        self == Self::PrefixAware
    }

    /// The lane for a request: an index into `lanes`, which are not empty; `turn` counts requests.
    pub fn choose(self, lanes: &[LaneView], turn: u64) -> usize {
        match self {
            Self::RoundRobin => round_robin::choose(lanes, turn),
            Self::LeastLoaded => least_loaded::choose(lanes),
            Self::PrefixAware => prefix_aware::choose(lanes),
        }
    }

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round-robin",
            Self::LeastLoaded => "least-loaded",
            Self::PrefixAware => "prefix-aware",
        }
    }
}

impl FromStr for Routing {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = [Self::RoundRobin, Self::LeastLoaded, Self::PrefixAware];
        let found = all.into_iter().find(|rule| rule.name() == name);
        found.ok_or_else(|| {
            format!("there is no routing `{name}`; use round-robin, least-loaded or prefix-aware")
        })
    }
}

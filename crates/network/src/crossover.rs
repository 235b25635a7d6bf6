//! Which algorithm serves which sizes: what `topology explain` prints.

use vitruvian_model::{Collective, CollectiveKind, Group};

use crate::estimate::CollectiveEstimate;
use crate::network::Network;

/// A range of message sizes that one algorithm serves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// Smallest size of the range, in bytes.
    pub from: u64,
    /// Largest size of the range, in bytes.
    pub to: u64,
    /// The estimate at the smallest size.
    pub first: CollectiveEstimate,
    /// The estimate at the largest size.
    pub last: CollectiveEstimate,
}

/// The algorithms that win between `smallest` and `largest` bytes, in order of size; bounds are exact to one byte.
///
/// A range is followed in steps of two and its end found by bisection; a range inside another and shorter than a factor
/// of two may be missed.
pub fn crossovers(
    network: &Network,
    kind: CollectiveKind,
    group: Group,
    smallest: u64,
    largest: u64,
) -> Vec<Span> {
    let at = |bytes: u64| network.collective(&Collective { kind, group, bytes });
    let mut spans = Vec::new();
    let mut open = (smallest, at(smallest));
    let mut probe = smallest;
    while probe < largest {
        let next = probe.saturating_mul(2).clamp(probe + 1, largest);
        if at(next).algorithm == open.1.algorithm {
            probe = next;
            continue;
        }
        let last = last_like(&at, probe, next);
        spans.push(Span { from: open.0, to: last, first: open.1, last: at(last) });
        probe = last + 1;
        open = (probe, at(probe));
    }
    spans.push(Span { from: open.0, to: largest, first: open.1, last: at(largest) });
    spans
}

/// The largest size between `low` and `high` that is served as `low` is.
fn last_like(at: &impl Fn(u64) -> CollectiveEstimate, mut low: u64, mut high: u64) -> u64 {
    let algorithm = at(low).algorithm;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if at(middle).algorithm == algorithm { low = middle } else { high = middle }
    }
    low
}

//! What one exchange costs one rank.

use std::fmt;

use vitruvian_quantity::{Bytes, BytesPerSecond, Seconds};

use crate::algorithm::Algorithm;

/// The answer of [`crate::Network::collective`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CollectiveEstimate {
    /// Wall time on the device, inside a captured graph or a full stream.
    pub time: Seconds,
    /// The cheapest algorithm.
    pub algorithm: Algorithm,
    /// Bytes that one rank sends over links.
    pub bytes_on_links: Bytes,
    /// What the time is spent on.
    pub bound: Bound,
    /// Bus bandwidth as nccl-tests counts it: algbw × 2(p−1)/p for all-reduce, (p−1)/p for the rest.
    pub busbw: BytesPerSecond,
    /// The part that does not grow with the bytes.
    pub latency: Seconds,
    /// The time of the bytes alone on the busiest link.
    pub wire: Seconds,
    /// Relative standard deviation of the time (of its logarithm).
    pub sigma: f64,
}

/// What the time of an exchange is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    /// Steps and start-up.
    Latency,
    /// Links inside the node.
    Link,
    /// NICs between nodes.
    Nic,
}

impl Bound {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Link => "link",
            Self::Nic => "NIC",
        }
    }
}

impl CollectiveEstimate {
    /// A group of one rank exchanges nothing.
    pub const NOTHING: Self = Self {
        time: Seconds::ZERO,
        algorithm: Algorithm::Nothing,
        bytes_on_links: Bytes::ZERO,
        bound: Bound::Latency,
        busbw: BytesPerSecond::ZERO,
        latency: Seconds::ZERO,
        wire: Seconds::ZERO,
        sigma: 0.0,
    };
}

impl fmt::Display for CollectiveEstimate {
    /// One sentence for a person: `ring Simple: 1.40 ms, 1.27 ms on the wire (470 MB sent), 13.0 µs latency; link-bound`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, algorithm, bytes_on_links, bound, busbw, latency, wire, .. } = self;
        write!(
            f,
            "{algorithm}: {time}, of which {wire} on the wire ({bytes_on_links} sent) and {latency} latency; busbw {busbw}, bound by {}",
            bound.name()
        )
    }
}

//! All-reduce by the switch's adders and multicast (`NVLink` SHARP, NVLS).
//!
//! Each rank reduces a share: the switch pulls that share from all ranks, adds, and delivers n/p; the rank multicasts
//! the sum. A chip thus sends n + n/p and receives as much, whatever p: wire = n·(1 + 1/p) / B.

use super::{Algorithm, Candidate};
use crate::estimate::Bound;
use crate::network::Links;
use crate::profile::InSwitch;

/// An all-reduce of `n` bytes over `p` ranks, if the switch can add.
pub(crate) fn in_switch(links: &Links, profile: InSwitch, n: f64, p: f64) -> Option<Candidate> {
    let sent = n * (1.0 + 1.0 / p);
    Some(Candidate {
        algorithm: Algorithm::InSwitch,
        latency: links.base + profile.start.get(),
        wire: sent / links.in_switch?,
        ramp: 1.0,
        sent,
        limit: Bound::Link,
    })
}

/// The link rate behind a bus bandwidth measured over `p` ranks: busbw = 2(p−1)/p · n/t and t = n(1 + 1/p)/B give
/// B = busbw · (1 + 1/p) · p / (2(p−1)).
pub(crate) fn link_rate(busbw: f64, p: f64) -> f64 {
    busbw * (1.0 + 1.0 / p) * p / (2.0 * (p - 1.0))
}

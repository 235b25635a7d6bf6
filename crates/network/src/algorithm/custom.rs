//! All-reduce kernels of serving engines for small messages (`custom_all_reduce` of vLLM and `SGLang`).
//!
//! One-shot: every rank reads p−1 whole vectors, one exchange of flags. Two-shot: a rank reads its share of p−1 vectors,
//! then p−1 reduced shares; two exchanges of flags. Multimem: the switch adds and multicasts.

use super::{Algorithm, Candidate};
use crate::estimate::Bound;
use crate::network::Links;
use crate::profile::{Custom, Multimem, PeerAccess};

/// What an engine's kernels offer for an all-reduce of `n` bytes over `p` ranks.
pub(crate) fn custom(links: &Links, kernels: &Custom, n: f64, p: f64) -> impl Iterator<Item = Candidate> {
    let small = n <= kernels.largest as f64;
    let one_shot = small.then(|| peers(links, &kernels.one_shot, Algorithm::OneShot, (p - 1.0) * n, p));
    let two_shot =
        small.then(|| peers(links, &kernels.two_shot, Algorithm::TwoShot, 2.0 * (p - 1.0) / p * n, p));
    let multimem = kernels.multimem.filter(|kernel| !small && n <= kernel.largest as f64);
    [one_shot, two_shot, multimem.map(|kernel| switched(links, &kernel, n, p))].into_iter().flatten()
}

fn peers(links: &Links, access: &PeerAccess, algorithm: Algorithm, read: f64, p: f64) -> Candidate {
    let latency = access.start.get() + access.peer.get() * (p - 1.0);
    let wire = read / (access.bandwidth * links.ring);
    Candidate { algorithm, latency, wire, ramp: 1.0, sent: read, limit: Bound::Link }
}

fn switched(links: &Links, kernel: &Multimem, n: f64, p: f64) -> Candidate {
    Candidate {
        algorithm: Algorithm::Multimem,
        latency: kernel.start.get(),
        wire: n / (kernel.bandwidth * links.ring),
        ramp: 1.0,
        sent: n * (1.0 + 1.0 / p),
        limit: Bound::Link,
    }
}

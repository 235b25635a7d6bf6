//! Max-min fair shares of links, where several exchanges are under way at a time.
//!
//! Flow f has a rate `x_f` and crosses a set of links; link l has a capacity `C_l`. The rates are feasible if
//!
//! ```text
//! for every link l:  Σ_{f crosses l} w_f · x_f ≤ C_l        for every flow f:  0 ≤ x_f ≤ limit_f
//! ```
//!
//! where `w_f` is the load that one byte of the flow puts on a link (2 for a flow that crosses it twice). They are max-min
//! fair if no flow's rate can grow without lowering that of a flow which is not faster. Progressive filling finds them:
//! raise all rates together until a link is full or a flow is at its limit, fix those flows, and go on with the rest.
//!
//! Worked example: links A (capacity 10) and B (capacity 4); flow 1 over A, flow 2 over A and B, flow 3 over B.
//! Raising all to 2 fills B (2 + 2 = 4): flows 2 and 3 stay at 2. Flow 1 goes on to 10 − 2 = 8 and fills A.
//!
//! This is the model of `SimGrid` (`src/kernel/lmm/System.hpp`) without priorities. It holds for steady large messages, not
//! for slow start, incast or priority pauses.

use vitruvian_quantity::BytesPerSecond;

/// One exchange under way.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// Links that it crosses, and the load of one of its bytes on each. Indices into the capacities.
    pub links: Vec<(usize, f64)>,
    /// What it takes at most, whatever the links offer.
    pub limit: Option<BytesPerSecond>,
}

/// The rate of a flow, and what holds it there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// Its rate.
    pub rate: BytesPerSecond,
    /// The link that is full, or none if the flow is at its own limit.
    pub bottleneck: Option<usize>,
}

/// Max-min fair rates of `flows` over links of these capacities. A flow without links or limit gets an infinite rate; a
/// flow over a link that does not exist gets none.
pub fn max_min(capacities: &[BytesPerSecond], flows: &[Flow]) -> Vec<Share> {
    let mut filling = Filling::new(capacities, flows);
    while let Some((level, stop)) = filling.next_stop() {
        filling.fix(level, stop);
    }
    filling.shares
}

/// What ends a round of filling.
#[derive(Clone, Copy, PartialEq)]
enum Stop {
    Full(usize),
    Limit(usize),
}

/// Progressive filling: the shares so far, and what each link has left for flows that still grow.
struct Filling<'a> {
    flows: &'a [Flow],
    shares: Vec<Share>,
    growing: Vec<bool>,
    left: Vec<f64>,
}

impl<'a> Filling<'a> {
    fn new(capacities: &[BytesPerSecond], flows: &'a [Flow]) -> Self {
        let exists = |flow: &Flow| flow.links.iter().all(|(link, _)| *link < capacities.len());
        let start = |flow: &Flow| if exists(flow) { f64::INFINITY } else { 0.0 };
        let shares =
            flows.iter().map(|flow| Share { rate: BytesPerSecond::new(start(flow)), bottleneck: None });
        Self {
            flows,
            shares: shares.collect(),
            growing: flows.iter().map(exists).collect(),
            left: capacities.iter().map(|capacity| capacity.get()).collect(),
        }
    }

    /// The lowest common rate at which a link is full or a flow at its limit, if any flow still grows.
    fn next_stop(&self) -> Option<(f64, Stop)> {
        let full = (0..self.left.len()).filter_map(|link| {
            let load = self.load(link);
            (load > 0.0).then(|| (self.left[link].max(0.0) / load, Stop::Full(link)))
        });
        let limits = self.growing().filter_map(|(index, flow)| Some((flow.limit?.get(), Stop::Limit(index))));
        full.chain(limits).min_by(|(a, _), (b, _)| a.total_cmp(b))
    }

    /// Gives the flows that the stop holds this rate, and takes it from the links they cross.
    fn fix(&mut self, level: f64, stop: Stop) {
        for index in 0..self.flows.len() {
            let flow = &self.flows[index];
            let (held, bottleneck) = match stop {
                Stop::Full(link) => (crosses(flow, link), Some(link)),
                Stop::Limit(limited) => (index == limited, None),
            };
            if !(held && self.growing[index]) {
                continue;
            }
            self.growing[index] = false;
            self.shares[index] = Share { rate: BytesPerSecond::new(level), bottleneck };
            for (link, weight) in &flow.links {
                self.left[*link] -= weight * level;
            }
        }
    }

    /// What one unit of every growing flow's rate puts on a link.
    fn load(&self, link: usize) -> f64 {
        let weights = self.growing().flat_map(|(_, flow)| &flow.links);
        weights.filter(|(other, _)| *other == link).map(|(_, weight)| weight).sum()
    }

    fn growing(&self) -> impl Iterator<Item = (usize, &'a Flow)> + '_ {
        self.flows.iter().enumerate().filter(|(index, _)| self.growing[*index])
    }
}

/// A flow without weight on a link does not wait for it.
fn crosses(flow: &Flow, link: usize) -> bool {
    flow.links.iter().any(|(other, weight)| *other == link && *weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(links: &[usize]) -> Flow {
        Flow { links: links.iter().map(|link| (*link, 1.0)).collect(), limit: None }
    }

    fn rates(capacities: &[f64], flows: &[Flow]) -> Vec<f64> {
        let capacities: Vec<_> = capacities.iter().copied().map(BytesPerSecond::new).collect();
        max_min(&capacities, flows).iter().map(|share| share.rate.get()).collect()
    }

    #[test]
    fn equal_flows_share_a_link_equally() {
        // 3x ≤ 9
        assert_eq!(rates(&[9.0], &[flow(&[0]), flow(&[0]), flow(&[0])]), [3.0, 3.0, 3.0]);
    }

    #[test]
    fn the_worked_example_of_the_header() {
        // x1 + x2 ≤ 10, x2 + x3 ≤ 4 → x2 = x3 = 2, x1 = 8
        assert_eq!(rates(&[10.0, 4.0], &[flow(&[0]), flow(&[0, 1]), flow(&[1])]), [8.0, 2.0, 2.0]);
    }

    #[test]
    fn a_long_path_gets_the_share_of_its_tightest_link() {
        // Parking lot: x0 crosses all three links, one cross flow on each: every link 2x ≤ 1 but the last 2x ≤ 4,
        // so x0 = 0.5 from the first and the last cross flow takes 4 − 0.5.
        let flows = [flow(&[0, 1, 2]), flow(&[0]), flow(&[1]), flow(&[2])];
        assert_eq!(rates(&[1.0, 1.0, 4.0], &flows), [0.5, 0.5, 0.5, 3.5]);
    }

    #[test]
    fn what_a_limited_flow_leaves_goes_to_the_others() {
        // x1 ≤ 1, x1 + x2 ≤ 6 → x2 = 5
        let limited = Flow { limit: Some(BytesPerSecond::new(1.0)), ..flow(&[0]) };
        let shares = max_min(&[BytesPerSecond::new(6.0)], &[limited, flow(&[0])]);
        assert_eq!(shares[0], Share { rate: BytesPerSecond::new(1.0), bottleneck: None });
        assert_eq!(shares[1], Share { rate: BytesPerSecond::new(5.0), bottleneck: Some(0) });
    }

    #[test]
    fn a_weight_of_two_counts_twice() {
        // 2·x1 + x2 ≤ 9 → x = 3
        let twice = Flow { links: vec![(0, 2.0)], limit: None };
        assert_eq!(rates(&[9.0], &[twice, flow(&[0])]), [3.0, 3.0]);
    }

    #[test]
    fn kv_transfer_beside_expert_exchange_on_one_nic() {
        // NIC 48.5; links 371: the exchange crosses both, the transfer the NIC alone: 24.25 each.
        assert_eq!(rates(&[48.5, 371.0], &[flow(&[0, 1]), flow(&[0])]), [24.25, 24.25]);
    }

    #[test]
    fn a_flow_over_no_link_is_free_and_over_an_unknown_one_stuck() {
        assert_eq!(rates(&[1.0], &[flow(&[]), flow(&[7])]), [f64::INFINITY, 0.0]);
    }

    proptest::proptest! {
        #[test]
        fn rates_are_feasible_and_every_flow_has_a_full_link(
            capacities in proptest::collection::vec(1.0f64..1e3, 1..6),
            paths in proptest::collection::vec(proptest::collection::vec(0usize..6, 1..4), 1..8),
        ) {
            let flows: Vec<Flow> = paths.iter().map(|path| {
                let mut links: Vec<usize> = path.iter().map(|link| link % capacities.len()).collect();
                links.sort_unstable();
                links.dedup();
                flow(&links)
            }).collect();
            let rates = rates(&capacities, &flows);
            let load = |link: usize| -> f64 {
                flows.iter().zip(&rates).filter(|(flow, _)| crosses(flow, link)).map(|(_, rate)| rate).sum()
            };
            for (link, capacity) in capacities.iter().enumerate() {
                proptest::prop_assert!(load(link) <= capacity * (1.0 + 1e-9));
            }
            // Max-min fair: each flow crosses a full link on which nobody is faster.
            for (flow, rate) in flows.iter().zip(&rates) {
                let held = flow.links.iter().any(|(link, _)| {
                    load(*link) >= capacities[*link] * (1.0 - 1e-9)
                        && flows.iter().zip(&rates).all(|(other, fast)| !crosses(other, *link) || *fast <= rate * (1.0 + 1e-9))
                });
                proptest::prop_assert!(held);
            }
        }
    }
}

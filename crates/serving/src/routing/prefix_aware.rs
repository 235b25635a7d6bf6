//! The lane that holds most of the prompt, while loads are balanced; the least loaded otherwise.
//!
//! SGLang's cache-aware router: loads are out of balance when the busiest lane has both `ABSOLUTE` requests more than the
//! least busy one and `RELATIVE` times as many (`--balance-abs-threshold`, `--balance-rel-threshold`).

use super::{LaneView, least_loaded};

const ABSOLUTE: u32 = 64;
const RELATIVE: f64 = 1.5;

pub(super) fn choose(lanes: &[LaneView]) -> usize {
    let requests = || lanes.iter().map(|lane| lane.requests);
    let (most, least) = (requests().max().unwrap_or(0), requests().min().unwrap_or(0));
    let unbalanced = most - least > ABSOLUTE && f64::from(most) > RELATIVE * f64::from(least);
    let longest = lanes.iter().map(|lane| lane.cached).max().unwrap_or(0);
    if unbalanced || longest == 0 {
        return least_loaded::choose(lanes);
    }
    let rank = |index: &usize| (lanes[*index].cached, std::cmp::Reverse((lanes[*index].requests, *index)));
    (0..lanes.len()).max_by_key(rank).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(requests: u32, cached: u32) -> LaneView {
        LaneView { requests, tokens: 0, cached }
    }

    #[test]
    fn the_longest_prefix_wins_while_loads_are_balanced() {
        assert_eq!(choose(&[lane(3, 64), lane(30, 512), lane(0, 0)]), 1);
        assert_eq!(choose(&[lane(0, 64), lane(100, 512)]), 0);
        assert_eq!(choose(&[lane(3, 0), lane(1, 0)]), 1);
        assert_eq!(choose(&[lane(3, 64), lane(1, 64)]), 1);
    }
}

//! The lane with the fewest requests; of equals, the one with the fewest tokens.

use super::LaneView;

pub(super) fn choose(lanes: &[LaneView]) -> usize {
    let load = |index: &usize| (lanes[*index].requests, lanes[*index].tokens, *index);
    (0..lanes.len()).min_by_key(load).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewest_requests_then_fewest_tokens_then_the_first() {
        let lane = |requests, tokens| LaneView { requests, tokens, cached: 0 };
        assert_eq!(choose(&[lane(2, 0), lane(1, 9), lane(1, 5), lane(1, 5)]), 2);
    }
}

//! Each lane in turn.

use super::LaneView;

pub(super) fn choose(lanes: &[LaneView], turn: u64) -> usize {
    (turn % lanes.len() as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_take_turns() {
        let lanes = [LaneView::default(); 3];
        assert_eq!((0..5).map(|turn| choose(&lanes, turn)).collect::<Vec<_>>(), [0, 1, 2, 0, 1]);
    }
}

//! How the ranks of a group fall on nodes.

use vitruvian_model::Group;

/// Ranks of a group and the nodes they are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Ranks of the group.
    pub ranks: u32,
    /// Ranks of the group that share a node (the fullest one).
    pub local: u32,
    /// Nodes the group is spread over.
    pub nodes: u32,
}

impl Placement {
    /// Rank order puts consecutive ranks on one node of `node_size` chips, TP fastest: of a group of stride s,
    /// ⌈`node_size` / s⌉ ranks share a node.
    ///
    /// ```
    /// use vitruvian_model::Group;
    /// use vitruvian_network::Placement;
    ///
    /// // TP 4 inside a node of 8; the 8 DP groups above it reach over 4 nodes, two ranks each.
    /// assert_eq!(Placement::of(Group { size: 4, stride: 1 }, 8).nodes, 1);
    /// assert_eq!(Placement::of(Group { size: 8, stride: 4 }, 8), Placement { ranks: 8, local: 2, nodes: 4 });
    /// ```
    pub fn of(group: Group, node_size: u32) -> Self {
        let ranks = group.size.max(1);
        let local = node_size.div_ceil(group.stride.max(1)).clamp(1, ranks);
        Self { ranks, local, nodes: ranks.div_ceil(local) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stride_of_a_node_leaves_one_rank_a_node() {
        let spread = Placement::of(Group { size: 4, stride: 8 }, 8);
        assert_eq!(spread, Placement { ranks: 4, local: 1, nodes: 4 });
    }

    #[test]
    fn a_group_may_end_inside_a_node() {
        // 12 ranks over nodes of 8: 8 + 4.
        assert_eq!(
            Placement::of(Group { size: 12, stride: 1 }, 8),
            Placement { ranks: 12, local: 8, nodes: 2 }
        );
    }
}

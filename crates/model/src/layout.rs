//! How one replica of a model is spread over chips.

use std::fmt;
use std::ops::Range;

use crate::operator::Group;

/// Parallel degrees of one replica. It occupies `tp · cp · dp · pp` chips.
///
/// Rank order is TP fastest, then CP, then DP, then PP, so that TP groups stay inside a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layout {
    /// Tensor parallel: ranks that share the heads and columns of a layer.
    pub tp: u32,
    /// Pipeline parallel: stages.
    pub pp: u32,
    /// Data-parallel attention: groups of `tp` ranks that hold different sequences but share the expert layers.
    pub dp: u32,
    /// Expert parallel: shards of the routed experts; divides `tp · dp`. The rest, `tp · dp / ep`, slices each expert.
    pub ep: u32,
    /// Context parallel: groups of `tp` ranks that share the tokens, and the cache, of a sequence.
    pub cp: u32,
}

impl Layout {
    /// One chip.
    pub const ONE: Self = Self { tp: 1, pp: 1, dp: 1, ep: 1, cp: 1 };

    /// Chips of one replica.
    pub const fn chips(self) -> u32 {
        self.tp * self.dp * self.pp * self.cp
    }

    /// Ranks that share an expert layer.
    pub const fn expert_ranks(self) -> u32 {
        self.tp * self.dp * self.cp
    }

    /// Ranks that slice each expert.
    pub const fn expert_tp(self) -> u32 {
        self.expert_ranks() / self.ep
    }

    /// Key-value heads of one rank: whole heads, replicated once there are more ranks than heads.
    pub const fn heads_of(self, heads: u32) -> u32 {
        let share = heads / self.tp;
        if share == 0 { 1 } else { share }
    }

    /// Whether ranks of an expert layer hold different tokens, and so exchange them around the experts.
    pub const fn exchanges_tokens(self) -> bool {
        self.dp * self.cp > 1
    }

    /// Ranks that slice the shared experts: TP, or one where each rank runs them on its own tokens.
    pub const fn shared_tp(self) -> u32 {
        if self.exchanges_tokens() { 1 } else { self.tp }
    }

    /// Layers `start..end` of a pipeline stage, as even as possible.
    pub fn layers_of(self, stage: u32, depth: usize) -> Range<usize> {
        let cut = |stage: u32| stage as usize * depth / self.pp as usize;
        cut(stage)..cut(stage + 1)
    }

    /// Ranks of a tensor-parallel group.
    pub const fn tp_group(self) -> Group {
        Group { size: self.tp, stride: 1 }
    }

    /// Ranks of a context-parallel group.
    pub const fn cp_group(self) -> Group {
        Group { size: self.cp, stride: self.tp }
    }

    /// Ranks that hold different tokens of an expert layer: one of each TP group.
    pub const fn token_group(self) -> Group {
        Group { size: self.cp * self.dp, stride: self.tp }
    }

    /// All ranks of an expert layer.
    pub const fn expert_group(self) -> Group {
        Group { size: self.expert_ranks(), stride: 1 }
    }

    /// A rank and its neighbour in the next pipeline stage.
    pub const fn stage_group(self) -> Group {
        Group { size: 2, stride: self.expert_ranks() }
    }
}

impl fmt::Display for Layout {
    /// `TP4 DP2 EP8`, degrees of one left out; `TP1` for one chip.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = [("TP", self.tp), ("PP", self.pp), ("DP", self.dp), ("EP", self.ep), ("CP", self.cp)];
        let parts: Vec<String> = degrees
            .iter()
            .filter(|(_, degree)| *degree > 1)
            .map(|(name, degree)| format!("{name}{degree}"))
            .collect();
        f.pad(&if parts.is_empty() { "TP1".to_owned() } else { parts.join(" ") })
    }
}

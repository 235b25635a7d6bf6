//! How one replica of a model is spread over chips.

use std::fmt;

/// Parallel degrees of one replica. It occupies `tp · dp · pp` chips.
///
/// Rank order is TP fastest, then DP, then PP, so that TP groups stay inside a node.
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
    /// Context parallel: ranks that share the tokens of a sequence. Takes part of `tp`'s ranks in decode.
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
}

impl fmt::Display for Layout {
    /// `TP4 DP2 EP8`, degrees of one left out; `TP1` for one chip.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let degrees = [("TP", self.tp), ("PP", self.pp), ("DP", self.dp), ("EP", self.ep), ("CP", self.cp)];
        let parts: Vec<String> =
            degrees.iter().filter(|(_, degree)| *degree > 1).map(|(name, degree)| format!("{name}{degree}")).collect();
        f.pad(&if parts.is_empty() { "TP1".to_owned() } else { parts.join(" ") })
    }
}

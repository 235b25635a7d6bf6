//! Exchanges between ranks.

/// Exchange between the ranks of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Collective {
    /// Which pattern.
    pub kind: CollectiveKind,
    /// Among which ranks.
    pub group: Group,
    /// Bytes of one rank's full buffer: the vector reduced; the vector gathered; all that one rank sends; the message.
    pub bytes: u64,
}

/// Collective patterns. `n` is [`Collective::bytes`], `p` the size of the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CollectiveKind {
    /// Every rank ends with the sum of all n-byte vectors.
    AllReduce,
    /// Every rank ends with an n-byte vector gathered from p shards of n/p.
    AllGather,
    /// Every rank ends with n/p bytes of the sum of p n-byte vectors.
    ReduceScatter,
    /// Every rank sends n/p to each rank.
    AllToAll,
    /// Expert parallelism: every rank sends its tokens' rows to the ranks of their experts. n counts a row once per
    /// chosen expert, own rank included; a kernel may send a row once per rank or node.
    Dispatch {
        /// Experts a token chooses.
        topk: u32,
    },
    /// The way back: every rank returns the experts' outputs to the tokens' ranks. n as in dispatch.
    Combine {
        /// Experts a token chooses.
        topk: u32,
    },
    /// One rank sends n to one other.
    SendReceive,
}

/// Ranks that take part in a collective, packed onto nodes in rank order with a fixed stride.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Group {
    /// Number of ranks.
    pub size: u32,
    /// Distance in rank order between neighbours of the group: 1 for TP, tp for DP-attention groups.
    pub stride: u32,
}

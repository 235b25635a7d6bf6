//! The queues of a core.

/// An in-order queue of a core. Pipes run beside each other; only flags and barriers order them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Pipe {
    /// Scalar unit: fills the other queues.
    S,
    /// Vector unit.
    V,
    /// Cube.
    M,
    /// L1 to L0A, L0B, BT, FB.
    Mte1,
    /// GM to L1 or UB.
    Mte2,
    /// UB to GM.
    Mte3,
    /// L0C to GM or L1.
    Fix,
}

impl Pipe {
    /// How many there are.
    pub const COUNT: usize = 7;
    /// All, in declaration order: `ALL[p as usize] == p`.
    pub const ALL: [Self; Self::COUNT] =
        [Self::S, Self::V, Self::M, Self::Mte1, Self::Mte2, Self::Mte3, Self::Fix];

    /// The vendor's name: `"PIPE_MTE1"`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::S => "PIPE_S",
            Self::V => "PIPE_V",
            Self::M => "PIPE_M",
            Self::Mte1 => "PIPE_MTE1",
            Self::Mte2 => "PIPE_MTE2",
            Self::Mte3 => "PIPE_MTE3",
            Self::Fix => "PIPE_FIX",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pipe;

    #[test]
    fn order_is_index() {
        assert!(Pipe::ALL.into_iter().enumerate().all(|(index, pipe)| pipe as usize == index));
    }
}

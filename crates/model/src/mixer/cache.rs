//! What a layer keeps of a sequence.

/// Memory of one sequence in one layer on one rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cache {
    /// One entry every `stride` tokens, for ever.
    Growing {
        /// Bytes of an entry.
        bytes: f64,
        /// Tokens an entry stands for.
        stride: u32,
    },
    /// One entry a token, of which the last `tokens` are kept.
    Window {
        /// Bytes of an entry.
        bytes: f64,
        /// Entries kept.
        tokens: u32,
    },
    /// A state of fixed size.
    State {
        /// Bytes.
        bytes: f64,
    },
}

impl Cache {
    /// Bytes held after `context` tokens.
    pub fn at(self, context: u32) -> f64 {
        match self {
            Self::Growing { bytes, stride } => f64::from(context / stride) * bytes,
            Self::Window { bytes, tokens } => f64::from(context.min(tokens)) * bytes,
            Self::State { bytes } => bytes,
        }
    }

    /// Bytes that one more token adds to a long sequence.
    pub fn growth(self) -> f64 {
        match self {
            Self::Growing { bytes, stride } => bytes / f64::from(stride),
            Self::Window { .. } | Self::State { .. } => 0.0,
        }
    }
}

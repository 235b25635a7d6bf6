//! Why an operator has no time on a chip.

use std::fmt;

use vitruvian_model::{Scheme, Sparsity};
use vitruvian_quantity::Dtype;

/// Why an operator has no time on a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The network costs collectives.
    Collective,
    /// The chip can neither multiply the format nor has a released kernel that converts it first.
    Scheme {
        /// The chip's title.
        chip: String,
        /// What was asked.
        scheme: Scheme,
        /// Why not, and what to use instead.
        reason: String,
    },
    /// The chip cannot do arithmetic in the format.
    Format {
        /// The chip's title.
        chip: String,
        /// What was asked.
        dtype: Dtype,
    },
    /// The chip does not execute the sparsity pattern.
    Sparsity {
        /// The chip's title.
        chip: String,
        /// What was asked.
        sparsity: Sparsity,
        /// Why not.
        reason: String,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Collective => f.write_str("a collective has no time on one chip: the network costs it"),
            Self::Scheme { chip, scheme, reason } => write!(f, "{chip} cannot run {scheme}: {reason}"),
            Self::Format { chip, dtype } => write!(f, "{chip} has no arithmetic in {dtype}"),
            Self::Sparsity { chip, sparsity, reason } => {
                write!(f, "{chip} cannot run {sparsity} sparsity: {reason}")
            }
        }
    }
}

impl std::error::Error for Refusal {}

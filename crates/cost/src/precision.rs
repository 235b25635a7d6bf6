//! What a profile is keyed by besides its family.

use std::fmt;

use vitruvian_model::Scheme;
use vitruvian_quantity::Dtype;

use crate::family::Family;

/// Number formats of a kernel: a scheme where weights are involved, a pair of formats elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Precision {
    /// Of a matrix product with weights.
    Scheme(Scheme),
    /// Of attention and vector work: `"bf16"`, or `"bf16/fp8"` where the cache or state is stored otherwise.
    Formats {
        /// Format of the arithmetic.
        compute: Dtype,
        /// Format of the cache or state.
        stored: Dtype,
    },
}

impl Precision {
    /// Vector work has one profile for all formats: bytes make the difference.
    pub const VECTOR: Self = Self::Formats { compute: Dtype::Bf16, stored: Dtype::Bf16 };

    /// A pair of formats.
    pub const fn formats(compute: Dtype, stored: Dtype) -> Self {
        Self::Formats { compute, stored }
    }

    /// Reads the word a profile file uses for this family.
    ///
    /// # Errors
    /// A sentence that names the words that would do.
    pub fn parse(family: Family, text: &str) -> Result<Self, String> {
        if family.has_weights() {
            return text.parse().map(Self::Scheme);
        }
        let (compute, stored) = text.split_once('/').unwrap_or((text, text));
        Ok(Self::Formats { compute: compute.parse()?, stored: stored.parse()? })
    }

    /// All precisions a family can be asked for.
    pub fn all(family: Family) -> Vec<Self> {
        if family.has_weights() {
            return Scheme::ALL.map(Self::Scheme).to_vec();
        }
        let pairs = Dtype::ALL.into_iter().flat_map(|compute| Dtype::ALL.map(|stored| (compute, stored)));
        pairs.map(|(compute, stored)| Self::formats(compute, stored)).collect()
    }

    /// A small number of its own within a family.
    pub(crate) const fn slot(self) -> usize {
        match self {
            Self::Scheme(scheme) => scheme as usize,
            Self::Formats { compute, stored } => compute as usize * Dtype::ALL.len() + stored as usize,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(scheme) => f.pad(scheme.name()),
            Self::Formats { compute, stored } if compute == stored => f.pad(compute.name()),
            Self::Formats { compute, stored } => f.pad(&format!("{compute}/{stored}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for family in Family::ALL {
            for precision in Precision::all(family) {
                assert_eq!(Precision::parse(family, &precision.to_string()), Ok(precision));
            }
        }
    }

    #[test]
    fn slots_are_distinct() {
        for family in Family::ALL {
            let mut slots: Vec<usize> = Precision::all(family).into_iter().map(Precision::slot).collect();
            let count = slots.len();
            slots.sort_unstable();
            slots.dedup();
            // 0, 1, 2, …: the index into a family's table
            assert!(slots.iter().copied().eq(0..count));
        }
    }
}

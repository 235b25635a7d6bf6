//! Time, bytes, energy and bound of one operator on one chip.
//!
//! One question, `(Operator, Chip, Profile) -> Estimate`, answered at several fidelities. Cost functions know neither
//! request nor phase nor time of day. One file an operator kind.

pub mod estimate;

pub use estimate::{Bound, Choice, Estimate, Work};

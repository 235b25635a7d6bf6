//! Time, bytes, energy and bound of one operator on one chip.
//!
//! One question, `(Operator, Chip, Profile) -> Estimate`, answered at several fidelities by [`Costs::estimate`]. Cost
//! functions know neither request nor phase nor time of day. One file an operator family.

pub mod costs;
pub mod decode_attention;
pub mod energy;
pub mod estimate;
pub mod execution;
pub mod family;
mod flash_attention;
pub mod gemm;
pub mod grouped_gemm;
pub mod indexer;
pub mod linear_attention;
pub mod memo;
pub mod mla_decode;
pub mod parameters;
pub mod precision;
pub mod prefill_attention;
pub mod prepared;
pub mod profile;
pub mod refusal;
pub mod residual;
pub mod roofline;
mod simulated;
pub mod timing;
pub mod vector;
pub mod work;

pub use costs::{Costs, Fidelity};
pub use estimate::{Bound, Choice, Estimate, Work};
pub use execution::Execution;
pub use family::Family;
pub use memo::Memo;
pub use parameters::{Parameter, Parameters};
pub use precision::Precision;
pub use prepared::Prepared;
pub use profile::{Library, Profile, ProfileSet};
pub use refusal::Refusal;
pub use residual::Residuals;
pub use timing::{Machine, Residency, Timing};

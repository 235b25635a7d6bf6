//! Search over deployments: which layout, precision, batch and chunk meets the service level best.
//!
//! [`search`] walks a [`Space`] of candidates, discards what cannot be by bounds, costs the rest by the steady state of
//! continuous batching, and keeps a Pareto set. It can say for every candidate why it fell.

pub mod burst;
pub mod census;
pub mod closed;
pub mod fleet;
pub mod knapsack;
pub mod objective;
pub mod pareto;
pub mod performance;
pub mod plan;
pub mod search;
pub mod space;
pub mod steady;
pub mod workload;

pub use burst::{Burst, burst};
pub use census::{Census, Fall, Miss};
pub use closed::{Loop, closed_loop};
pub use objective::Objective;
pub use performance::{Performance, performance};
pub use plan::{Ask, Found, Plan, plan};
pub use search::{Outcome, Question, Row, Verdict, search};
pub use space::{Candidate, Precision, Space};
pub use steady::{Steady, steady};
pub use workload::{Targets, Workload};

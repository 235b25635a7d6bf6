//! One replica of a model under a serving engine: the time of its step, and what fits in its memory.
//!
//! A [`Replica`] is a model spread over chips by a layout, run by an engine. [`step`] costs one iteration, [`memory`]
//! says how many sequences fit. Nothing here knows requests, queues or service levels.

pub mod catalog;
pub mod exchange;
pub mod explain;
pub mod memory;
pub mod profile;
pub mod replica;
pub mod schedule;
pub mod step;

pub use exchange::ExchangeOverlap;
pub use explain::{TaskCost, explain};
pub use memory::{Memory, Misfit, cache_demand, memory, most_sequences, sequence_bytes};
pub use profile::{Admission, EngineProfile, Fusion, Scheduler};
pub use replica::{Meter, Replica};
pub use step::{BOUNDS, StepCost, step_cost};

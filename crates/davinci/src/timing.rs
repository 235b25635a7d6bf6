//! Timing simulation: how long a kernel takes and why.
//!
//! Each pipe of each core is an in-order queue that the scalar unit fills. Between two transfers a core depends on nobody,
//! so its pipes are advanced by max-plus arithmetic without a clock ([`core`]); transfers of all cores share L2 and
//! device memory by max-min fairness over time ([`memory`]). Time is whole core cycles. No data is read.

mod core;
mod cost;
mod cross;
mod flag;
mod l2;
mod memory;
mod queue;
mod run;
mod slices;
mod stats;
mod step;
mod trace;

pub use cost::{Cost, cycles, occupation};
pub use l2::Warmth;
pub use run::{Options, TimingFault, simulate};
pub use stats::{Cause, CoreReport, PipeReport, Report};
pub use trace::Event;

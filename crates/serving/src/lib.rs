//! A deployment under a stream of requests, simulated step by step.
//!
//! [`simulate`] runs [`Requests`] through a [`Service`]: pools of replicas whose schedulers decide what each step holds,
//! whose caches decide what fits, and whose step times come from [`StepTimes`] (the engine's own: [`EngineTimes`]). The
//! result is an [`Outcome`]: a row a request, counters, and series over time. Nothing here reads a file or a clock.

pub mod deploy;
pub mod kv;
mod lane;
pub mod measures;
pub mod observe;
pub mod outcome;
mod pipeline;
pub mod prefix;
pub mod replica;
pub mod requests;
pub mod routing;
pub mod scheduler;
pub mod series;
pub mod service;
pub mod simulation;
pub mod speculation;
pub mod times;
pub mod trace;
pub mod transfer;
pub mod workload;

pub use measures::{Level, Measures, measures};
pub use observe::{Census, Quiet, StepRecord, Watch};
pub use outcome::{Outcome, State};
pub use requests::{RequestId, Requests};
pub use routing::Routing;
pub use scheduler::{Chunk, Policy};
pub use service::{FirstToken, Front, Limits, Pool, Role, Service};
pub use simulation::{Halt, simulate, simulate_watched};
pub use speculation::{Draft, Speculation};
pub use times::{Batch, EngineTimes, Line, LinearTimes, StepTime, StepTimes};
pub use transfer::Transfer;

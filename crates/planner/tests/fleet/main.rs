//! Small fleets against trying everything.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod enumerate;
mod futures;
mod limits;
mod small;
mod stochastic;

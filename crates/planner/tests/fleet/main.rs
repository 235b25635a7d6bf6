//! Small fleets against trying everything.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod enumerate;
mod futures;
mod limits;
mod realistic;
mod small;
mod stochastic;

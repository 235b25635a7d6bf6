//! A training step and run: what a rank computes and exchanges, in which order, with how much memory.
//!
//! A [`Job`] says what is trained on what; a [`Plan`] spreads it over chips and time. [`Pricer::step`] prices a plan by
//! closed form or pass by pass, [`search()`] finds the best plan, [`run`] goes from a step to days and money. Nothing here
//! knows serving.

mod book;
pub mod catalog;
pub mod check;
mod device;
pub mod ends;
pub mod job;
pub mod layer;
pub mod memory;
mod optimizer;
pub mod plan;
pub mod price;
pub mod recipe;
pub mod reliability;
pub mod run;
pub mod schedule;
pub mod search;
pub mod stack;
pub mod stages;
pub mod step;
mod traffic;
pub mod weights;

pub use job::Job;
pub use memory::Memory;
pub use plan::{Context, Degrees, Offload, Overlap, Plan, Recompute, Schedule, Sharding};
pub use recipe::Recipe;
pub use search::{Candidate, Found, Space, search};
pub use stack::Stack;
pub use step::{Detail, Parts, Pricer, Step};

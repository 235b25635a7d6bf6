//! A study in, an answer out: the whole of Vitruvian behind a few functions of plain data, one for each command.
//!
//! [`compare()`] finds the best deployment on each chip and says which wins and why; [`estimate()`] costs one deployment;
//! [`simulate()`] serves traffic with it, and [`plan()`] searches for what a traffic needs; [`train()`] costs a training run;
//! [`compress()`] weighs schemes; [`fleet_plan()`] buys over quarters. All are pure: chip files and model configurations come
//! in as texts, nothing is read, printed or timed here.

pub mod answer;
pub mod check;
pub mod compare;
pub mod compress;
mod deployment;
pub mod die;
pub mod estimate;
pub mod export_control;
pub mod fleet;
mod node;
mod operators;
pub mod ownership;
pub mod plan;
pub mod precision;
pub mod present;
mod profiles;
mod reasons;
pub mod setup;
pub mod simulate;
pub mod study;
pub mod train;
pub mod validation;

pub use answer::{CompareAnswer, EstimateAnswer};
pub use compare::compare;
pub use compress::{CompressStudy, compress};
pub use estimate::estimate;
pub use fleet::{FleetAnswer, FleetStudy, fleet_plan};
pub use plan::{PlanAnswer, PlanStudy, plan};
pub use simulate::{SimulateAnswer, SimulateStudy, simulate};
pub use study::{CompareStudy, EstimateStudy, Input};
pub use train::{TrainAnswer, TrainStudy, train};

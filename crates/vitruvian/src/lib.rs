//! A [`Study`] in, an [`Answer`] out: the whole of Vitruvian behind two functions of plain data.
//!
//! [`compare()`] finds the best deployment on each chip and says which wins and why; [`estimate()`] costs one deployment.
//! Both are pure: chip files and model configurations come in as texts, nothing is read, printed or timed here.

pub mod answer;
pub mod check;
pub mod compare;
pub mod compress;
mod deployment;
pub mod die;
pub mod estimate;
pub mod fleet;
pub mod export_control;
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

//! What it costs to make a good chip: wafer, yield, harvest, package, memory, test.

pub mod catalog;
pub mod cost;
pub mod harvest;
pub mod inputs;
pub mod recipe;
pub mod spread;
pub mod stream;
pub mod wafer;
pub mod yields;

pub use catalog::{Manufacture, Process, manufacture, process, process_names, processes};
pub use cost::{Costing, Recipe, cost, simulate, swings};
pub use harvest::{Bin, Clusters, at_least, distribution};
pub use inputs::{Input, Inputs};
pub use recipe::{Choices, Made, Origin, recipe};
pub use spread::Spread;
pub use wafer::{Wafer, dies_per_wafer};
pub use yields::YieldModel;

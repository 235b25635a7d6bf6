//! Predictions against published end-to-end results.

mod knob;
pub mod scenarios;
pub mod serving;

pub use scenarios::{ScenarioReport, scenarios};
pub use serving::{EngineFit, ServingReport, fit, serving};

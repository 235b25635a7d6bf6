//! Predictions against published end-to-end results.

pub mod serving;

pub use serving::{ServingReport, serving};

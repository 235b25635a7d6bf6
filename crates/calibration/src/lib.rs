//! Measured tables in, fitted profiles and error reports out.
//!
//! A table's rows become [`Measurement`]s: operators whose times add up to a measured one. [`fit`] finds the parameters
//! of a profile from them, [`score`] says how far predictions are off, [`validate`] does so for every row.

pub mod accuracy;
pub mod calibrate;
pub mod cross;
pub mod exchange;
pub mod fit;
pub mod manifest;
pub mod measurement;
pub mod reader;
pub mod residuals;
pub mod score;
pub mod table;
pub mod validate;
pub mod write;

pub use calibrate::{Calibration, Options, calibrate};
pub use manifest::Manifest;
pub use measurement::{Measurement, Slot};
pub use residuals::residuals;
pub use score::Score;
pub use table::{Table, read_csv, read_parquet};
pub use validate::{Report, validate};

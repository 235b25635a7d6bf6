//! Quantisers and sparsifiers on real tensors, their error, and the checkpoints they read and write.
//!
//! ```text
//! checkpoint (Source: bytes at an offset) --> Matrix --quantise--> Quantised --export--> checkpoint
//!                                                |                      |
//!                                                +------- error --------+
//! ```
//!
//! Nothing here opens a file: a checkpoint is read through a `Source` and written through a `Target` that the caller gives.

// Reinterpreting bits is what number formats do.
#![allow(clippy::cast_possible_wrap)]

pub mod algebra;
pub mod checkpoint;
pub mod export;
pub mod format;
pub mod forward;
pub mod measure;
pub mod method;
pub mod recipe;
pub mod tensor;

pub use checkpoint::Checkpoint;
pub use format::{Energy, Granularity, Grid, Quantised, Scale, ScaleFormat, Scheme, Symmetry, quantise};
pub use tensor::Matrix;

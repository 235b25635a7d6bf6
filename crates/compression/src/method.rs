//! How weights are rounded and pruned: one method a file.
//!
//! | method | needs | file |
//! | --- | --- | --- |
//! | round to nearest, clip search | weights | `rounding` |
//! | HQQ | weights | `hqq` |
//! | SmoothQuant | largest activations | `smooth` |
//! | AWQ | mean activations, their Gram matrix | `awq` |
//! | GPTQ | the Gram matrix | `gptq` |
//! | Hadamard rotation | weights | `hadamard` |
//! | magnitude | weights | `magnitude` |
//! | Wanda | norms of activations | `wanda` |
//! | SparseGPT | the Gram matrix | `sparsegpt` |
//!
//! These act on one matrix, or on the matrices that read one input. [`crate::recipe`] applies them to a model.

mod awq;
mod four_two;
mod gptq;
mod hadamard;
mod hqq;
mod magnitude;
mod pattern;
mod rounding;
mod settle;
mod smooth;
mod sparsegpt;
mod sweep;
mod wanda;

pub use awq::{Awq, Scaling, awq};
pub use four_two::FourTwo;
pub use gptq::{Gptq, GroupScales, Order, gptq};
pub use hadamard::Hadamard;
pub use hqq::{Hqq, Moves, hqq};
pub use magnitude::magnitude;
pub use pattern::Pattern;
pub use rounding::{ClipSearch, clipped_scales, round_clipped};
pub use smooth::{divide_rows, scale_columns, smoothquant};
pub use sparsegpt::{SparseGpt, sparsegpt, sparsegpt_rounded};
pub use wanda::wanda;

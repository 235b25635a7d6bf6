//! Chips, nodes and clusters as sourced data.
//!
//! A [`Chip`] is a plain value of base-unit figures that the engines compute with; beside each figure its
//! [`Provenance`] is kept: the unit as written, the source, the grade, and the values that other sources give.
//!
//! ```
//! let chip = vitruvian_hardware::catalog::chip("h20")?;
//! let node = vitruvian_hardware::catalog::node_for(&chip)?;
//! assert_eq!(node.size, 8);
//! # Ok::<(), vitruvian_diagnostics::Diagnostics>(())
//! ```

pub mod catalog;
pub mod chip;
mod diff;
mod file;
pub mod node;
pub mod provenance;
pub mod schema;

pub use chip::{
    Architecture, Buffers, CacheLevel, Chip, Compute, Die, Hbm, Host, OtherDie, ParsedChip, Paths, Peak,
    Power, Price, Rates, ScaleUp, SparseMatmul, Status, StructuredSparsity, Transistor, Vector, Vendor,
    parse_chip,
};
pub use diff::{Difference, diff};
pub use file::did_you_mean;
pub use node::{Fabric, Node, ParsedNode, ScaleOut, parse_node};
pub use provenance::{Alternative, Figure, Grade, Provenance};

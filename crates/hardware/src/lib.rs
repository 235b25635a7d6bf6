//! Chips, nodes and clusters as sourced data.
//!
//! A [`Chip`] is a plain value of base-unit figures that the engines compute with; beside each figure its
//! [`Provenance`] is kept: the unit as written, the source, the grade, and the values that other sources give.

pub mod chip;
pub mod node;
pub mod provenance;

pub use chip::{
    Architecture, Buffers, CacheLevel, Chip, Compute, Die, Hbm, Host, Paths, Power, Price, Rates, ScaleUp, SparseMatmul,
    Status, StructuredSparsity, Vector, Vendor,
};
pub use node::{Fabric, Node, ScaleOut};
pub use provenance::{Alternative, Figure, Grade, Provenance};

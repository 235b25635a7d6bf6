//! The Da Vinci core against references: plain f64 kernels, measured curves and tables, and its own file tests.

mod attention;
mod common;
mod faults;
mod gemm;
mod rows;
mod text;

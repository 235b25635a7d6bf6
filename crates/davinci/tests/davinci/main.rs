//! The Da Vinci core against references: plain f64 kernels, measured curves and tables, and its own file tests.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_possible_wrap, clippy::format_collect)]

mod attention;
mod common;
mod convolution;
mod curves;
mod faults;
mod files;
mod gemm;
mod img2col;
mod rows;
mod tables;
mod text;
mod tutorial;

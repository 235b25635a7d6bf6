//! Kernels, parametrised by tiling. One file a kernel; each returns a [`crate::Kernel`] that both simulators run.

pub mod attention;
pub mod gemm;
mod lanes;
pub mod rows;

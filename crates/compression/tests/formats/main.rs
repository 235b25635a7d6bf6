//! Every number format against a public implementation, and every quantiser against compressed-tensors.

#![allow(clippy::unwrap_used)]

mod grids;

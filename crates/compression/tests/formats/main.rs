//! Every number format, quantiser and layout against a public implementation.

#![allow(clippy::unwrap_used)]

mod common;
mod grids;
mod layouts;
mod quantisers;

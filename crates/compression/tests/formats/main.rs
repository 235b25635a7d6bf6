//! Every number format, quantiser and layout against a public implementation; checkpoints written and read back.

#![allow(clippy::unwrap_used, clippy::cast_possible_wrap)]

mod common;
mod export;
mod faults;
mod grids;
mod layouts;
mod quantisers;

//! Methods on real weights: a small decoder that this repository trains, and a sentence encoder where it is installed.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic)]

mod common;
mod decoder;
mod encoder;
mod end_to_end;
mod order;
mod reference;

//! Physical quantities and number formats.
//!
//! Every figure of a chip, a price or an answer is one of these newtypes over `f64`, held in its base
//! unit (seconds, bytes, FLOP, …). Only the operators that mean something exist: bytes divided by bytes per
//! second give seconds, bytes plus seconds do not compile. Each type parses and prints with a unit
//! (`"4.0 TB/s"`), and GB (10⁹) is never confused with GiB (2³⁰).

mod dtype;
mod format;
mod operators;
mod parse;
mod unit;

pub use dtype::Dtype;
pub use format::{significant, three};
pub use parse::ParseError;
pub use unit::{
    Area, Bytes, BytesPerSecond, Flops, FlopsPerSecond, Hertz, Joules, JoulesPerByte, JoulesPerFlop, Money,
    Quantity, Seconds, Watts,
};

//! Functional simulation: what a kernel computes, and whether it is allowed to.
//!
//! Buffers hold real bytes. Beside them stand, for every byte, whether it was ever written and, for every 32-byte granule, who
//! wrote and read it last. Pipes carry vector clocks that flags and barriers join, so an access that is not ordered
//! after a conflicting one is a race, whatever order this simulator happens to run them in. Nothing here knows time.

mod access;
mod clock;
mod core;
mod cube;
mod fault;
mod global;
mod img2col;
mod memory;
mod moves;
mod number;
mod resolve;
mod run;
mod vector;

pub use fault::{Fault, FaultKind};
pub use global::GlobalMemory;
pub use number::{decode, encode};
pub use run::execute;

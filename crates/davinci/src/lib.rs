//! The Da Vinci core of Huawei's Ascend chips: instruction set, assembler, functional and timing simulation, kernels.
//!
//! ```text
//! .dv text --asm--> Program --+--> timing::simulate     (cycles, stalls; never reads data)
//!                    Kernel --+--> functional::execute  (buffers, faults; never reads time)
//! ```
//!
//! One decoded [`Program`] serves both simulators. A [`Machine`] is data: buffer sizes, path widths and clocks come from
//! a [`vitruvian_hardware::Chip`], instruction timing from a core description (`catalog/cores/*.toml`).

// Reinterpreting bits is what an instruction-set simulator does; FixPipe and its like are the vendor's words.
#![allow(clippy::cast_possible_wrap, clippy::doc_markdown)]

pub mod answer;
pub mod asm;
pub mod functional;
pub mod isa;
pub mod kernel;
pub mod kernels;
pub mod machine;
mod near;
pub mod program;
pub mod tiling;
pub mod timing;

pub use kernel::{CoreKind, CoreSlot, Kernel, Tensor};
pub use machine::{CoreTiming, Machine};
pub use program::{Program, ProgramBuilder};

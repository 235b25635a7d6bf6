//! Measured collectives: reading them, predicting them, fitting the profile of a communication library to them.

pub mod calibrate;
mod knobs;
pub mod predict;
pub mod read;
mod search;
pub mod write;

use vitruvian_model::Collective;
use vitruvian_quantity::Seconds;

use crate::measurement::Software;

pub use calibrate::{Fitted, Measured, calibrate};
pub use predict::rows;

/// One measured collective.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// What was exchanged.
    pub collective: Collective,
    /// Whose kernel did it.
    pub path: Path,
    /// How long it took.
    pub time: Seconds,
    /// The software that was measured, if the table says.
    pub software: Option<Software>,
    /// Row of the file, counted from one.
    pub line: u32,
}

/// Whose kernel a benchmark calls: it leaves the choice among algorithms to the library, but not that of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Path {
    /// The communication library alone.
    Library,
    /// The all-reduce of a serving engine, which falls back on the library.
    Engine(Engine),
    /// Low-latency expert kernels, at any size.
    LowLatency,
    /// Normal expert kernels, at any size.
    Normal,
}

/// Engines whose all-reduce was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Engine {
    /// vLLM.
    Vllm,
    /// `SGLang`.
    Sglang,
    /// `TensorRT`-LLM.
    TensorRtLlm,
}

impl Engine {
    /// The name in collective profiles.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::TensorRtLlm => "tensorrt-llm",
        }
    }
}

impl Path {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Library => "library",
            Self::Engine(engine) => engine.name(),
            Self::LowLatency => "low-latency",
            Self::Normal => "normal",
        }
    }
}

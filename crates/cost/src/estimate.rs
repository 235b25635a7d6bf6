//! What a cost function answers.

use vitruvian_quantity::{Bytes, Flops, Joules, Seconds};

/// What one operator does to one chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Wall time on the device, launch included.
    pub time: Seconds,
    /// The same under the power cap that was measured, for those who know what a long load makes of it.
    pub uncapped: Seconds,
    /// Least time that this chip's power cap leaves the work, where it is below the cap that was measured.
    pub floor: Seconds,
    /// What is executed and moved.
    pub work: Work,
    /// Energy above active idle.
    pub energy: Joules,
    /// What the time is spent on.
    pub bound: Bound,
    /// How the kernel runs: the reason behind the time.
    pub choice: Choice,
    /// Relative standard deviation of the time (of its logarithm), from the profile's out-of-family residuals.
    pub sigma: f64,
}

/// What is computed and moved. FLOPs are the algorithm's, not those of padding.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Matrix operations.
    pub matrix: Flops,
    /// Vector operations.
    pub vector: Flops,
    /// Bytes to and from device memory.
    pub hbm: Bytes,
    /// Bytes to and from L2.
    pub l2: Bytes,
}

/// The resource that the time is spent on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bound {
    /// Matrix (tensor, cube) unit.
    Matrix,
    /// Vector units.
    Vector,
    /// Device memory bandwidth.
    Hbm,
    /// L2 bandwidth.
    L2,
    /// Too few bytes in flight to fill the memory bandwidth.
    Latency,
    /// Launch and fixed overheads.
    Launch,
    /// Links between chips.
    Network,
    /// The host's work between steps.
    Host,
}

/// How a kernel was chosen to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Nothing to choose.
    #[default]
    None,
    /// Tiles of the output, and how they fall on cores.
    Tile {
        /// Rows of a tile.
        rows: u32,
        /// Columns of a tile.
        columns: u32,
        /// Parts the depth is split into.
        split: u32,
        /// Rounds of tiles over the cores.
        waves: u32,
        /// Rows and columns swapped (tokens on the N side).
        swapped: bool,
    },
    /// Parts the KV cache is split into.
    SplitKv {
        /// Parts.
        splits: u32,
    },
}

impl Bound {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matrix => "matrix",
            Self::Vector => "vector",
            Self::Hbm => "HBM",
            Self::L2 => "L2",
            Self::Latency => "latency",
            Self::Launch => "launch",
            Self::Network => "network",
            Self::Host => "host",
        }
    }
}

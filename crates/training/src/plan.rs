//! How a training step is spread over chips and time.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use vitruvian_model::Group;

/// Parallel degrees of a whole training job. It occupies `tp · cp · dp · pp` chips.
///
/// Rank order is TP fastest, then CP, DP, PP, as Megatron-LM places ranks. Expert layers regroup the `tp · cp · dp`
/// ranks of a stage as ETP × EP × EDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Degrees {
    /// Tensor parallel.
    pub tp: u32,
    /// Context parallel.
    pub cp: u32,
    /// Pipeline parallel: devices a micro-batch passes through.
    pub pp: u32,
    /// Data parallel: copies that see different sequences.
    pub dp: u32,
    /// Expert parallel.
    pub ep: u32,
    /// Tensor parallel inside an expert.
    pub etp: u32,
}

impl Degrees {
    /// One chip.
    pub const ONE: Self = Self { tp: 1, cp: 1, pp: 1, dp: 1, ep: 1, etp: 1 };

    /// Chips of the job.
    pub const fn chips(self) -> u32 {
        self.tp * self.cp * self.dp * self.pp
    }

    /// Ranks of one pipeline stage.
    pub const fn stage_ranks(self) -> u32 {
        self.tp * self.cp * self.dp
    }

    /// Copies of an expert's shard: EDP = tp · cp · dp / (etp · ep).
    pub const fn edp(self) -> u32 {
        let copies = self.stage_ranks() / (self.etp * self.ep);
        if copies == 0 { 1 } else { copies }
    }

    /// Ranks of a tensor-parallel group.
    pub const fn tp_group(self) -> Group {
        Group { size: self.tp, stride: 1 }
    }

    /// Ranks of a context-parallel group.
    pub const fn cp_group(self) -> Group {
        Group { size: self.cp, stride: self.tp }
    }

    /// Ranks that hold the same dense weights: context- and data-parallel ones.
    pub const fn dp_group(self) -> Group {
        Group { size: self.cp * self.dp, stride: self.tp }
    }

    /// Ranks that slice one expert.
    pub const fn etp_group(self) -> Group {
        Group { size: self.etp, stride: 1 }
    }

    /// Ranks that share the experts of a layer.
    pub const fn ep_group(self) -> Group {
        Group { size: self.ep, stride: self.etp }
    }

    /// Ranks that hold the same experts.
    pub const fn edp_group(self) -> Group {
        Group { size: self.edp(), stride: self.etp * self.ep }
    }

    /// A rank and its neighbour in the next pipeline stage.
    pub const fn stage_group(self) -> Group {
        Group { size: 2, stride: self.stage_ranks() }
    }
}

impl fmt::Display for Degrees {
    /// `TP8 PP16 DP4`, degrees of one left out; `DP1` for one chip.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let etp = if self.ep > 1 && self.etp > 1 { self.etp } else { 1 };
        let degrees = [
            ("TP", self.tp),
            ("CP", self.cp),
            ("PP", self.pp),
            ("DP", self.dp),
            ("EP", self.ep),
            ("ETP", etp),
        ];
        let parts: Vec<String> = degrees
            .iter()
            .filter(|(_, degree)| *degree > 1)
            .map(|(name, degree)| format!("{name}{degree}"))
            .collect();
        f.pad(&if parts.is_empty() { "DP1".to_owned() } else { parts.join(" ") })
    }
}

/// In which order a device runs the passes of its stages. One file a schedule under [`crate::schedule`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// One forward, one backward (arXiv 2104.04473); interleaved where a device holds several chunks.
    #[default]
    #[serde(rename = "1f1b")]
    OneFOneB,
    /// Weight gradients put off into the drain, memory of 1F1B (arXiv 2401.10241).
    ZbH1,
    /// Twice the forwards in flight, no bubble (arXiv 2401.10241).
    #[serde(rename = "zb-2p")]
    Zb2p,
    /// Both directions at once, two copies of the weights (arXiv 2412.19437).
    #[serde(rename = "dualpipe")]
    DualPipe,
}

impl Schedule {
    /// Copies of a stage's weights within one pipeline: one a direction.
    pub fn copies(self) -> u32 {
        if self == Self::DualPipe { 2 } else { 1 }
    }
}

/// What is computed again in the backward pass instead of kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recompute {
    /// Everything is kept.
    #[default]
    None,
    /// Scores and probabilities of attention (arXiv 2205.05198); nothing where a flash kernel keeps none anyway.
    Selective,
    /// Activation functions and norms: cheap element-wise work.
    Elementwise,
    /// The same, and the projections that latent attention widens to heads (DeepSeek-V3; arXiv 2412.19437, section 3.2.3).
    UpProjection,
    /// All but attention and every second product (torchtitan's and `PyTorch`'s selective policy).
    EverySecond,
    /// Whole layers: only their inputs are kept.
    Full,
}

/// What data-parallel ranks share out between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sharding {
    /// Nothing: every rank holds everything.
    #[default]
    None,
    /// Optimizer states (ZeRO-1, Megatron's distributed optimizer).
    #[serde(rename = "zero-1")]
    Optimizer,
    /// Gradients too (ZeRO-2).
    #[serde(rename = "zero-2")]
    Gradients,
    /// Parameters too (ZeRO-3, FSDP): gathered a layer at a time.
    #[serde(rename = "zero-3", alias = "fsdp")]
    Parameters,
}

/// How context-parallel ranks share attention.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Context {
    /// Keys and values go round a ring beside the computation.
    #[default]
    Ring,
    /// All-to-alls exchange tokens for heads before and after (`DeepSpeed` Ulysses).
    Ulysses,
}

/// Exchanges that run beside computation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[allow(clippy::struct_excessive_bools, reason = "each hides an exchange of its own")]
pub struct Overlap {
    /// Gradients are reduced while the last backward pass runs.
    pub gradients: bool,
    /// Parameters are gathered while the first forward pass runs.
    pub parameters: bool,
    /// Tensor-parallel exchanges are cut into pieces that run beside the products (userbuffers, MC2, async TP).
    pub tensor: bool,
    /// Sends between stages run beside the next pass.
    pub pipeline: bool,
    /// Expert exchanges of one micro-batch run beside the computation of another (`DualPipe`).
    pub experts: bool,
}

/// What lives in host memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offload {
    /// Nothing.
    #[default]
    None,
    /// Optimizer states, streamed in and out once a step.
    Optimizer,
    /// Kept activations, streamed out after the forward pass and back before the backward pass.
    Activations,
}

/// A layout with everything that a user may choose beside it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Plan {
    /// Parallel degrees.
    pub degrees: Degrees,
    /// Model chunks of one device (virtual pipeline stages); one for a plain pipeline.
    pub chunks: u32,
    /// Layers of each virtual stage, first to last; empty for as even as possible.
    pub layers: Vec<u32>,
    /// Sequences of one micro-batch.
    pub micro_batch: u32,
    /// Order of passes.
    pub schedule: Schedule,
    /// What is computed again.
    pub recompute: Recompute,
    /// With full recomputation, how many layers of a device are computed again; nothing for all.
    pub recompute_layers: Option<u32>,
    /// What data-parallel ranks share out.
    pub sharding: Sharding,
    /// Whether norms and residuals are shared out over the TP ranks (sequence parallelism).
    pub sequence_parallel: bool,
    /// How context-parallel ranks share attention.
    pub context: Context,
    /// What is hidden.
    pub overlap: Overlap,
    /// What lives on the host.
    pub offload: Offload,
}

impl Plan {
    /// A plain plan of these degrees: 1F1B, one sequence a micro-batch, nothing recomputed, ZeRO-1, and the overlaps that
    /// every stack of today has.
    pub fn new(degrees: Degrees) -> Self {
        Self {
            degrees,
            chunks: 1,
            layers: Vec::new(),
            micro_batch: 1,
            schedule: Schedule::OneFOneB,
            recompute: Recompute::None,
            recompute_layers: None,
            sharding: Sharding::Optimizer,
            sequence_parallel: degrees.tp > 1,
            context: Context::Ring,
            overlap: Overlap {
                gradients: true,
                parameters: true,
                tensor: degrees.tp > 1,
                ..Overlap::default()
            },
            offload: Offload::None,
        }
    }

    /// Virtual stages that a micro-batch passes.
    pub const fn stages(&self) -> u32 {
        self.degrees.pp * self.chunks
    }

    /// Micro-batches of one data-parallel copy in a step of `global_batch` sequences.
    pub const fn micro_batches(&self, global_batch: u32) -> u32 {
        global_batch / (self.degrees.dp * self.micro_batch)
    }
}

macro_rules! names {
    ($type:ty, $what:literal, [$($name:literal => $value:expr),+ $(,)?]) => {
        impl $type {
            /// All of them with their names.
            pub const NAMES: &'static [(&'static str, Self)] = &[$(($name, $value)),+];

            /// The name used on the command line and in reports.
            pub fn name(self) -> &'static str {
                Self::NAMES.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
            }
        }

        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let known = Self::NAMES.iter().find(|(name, _)| *name == text);
                known.map(|(_, value)| *value).ok_or_else(|| {
                    let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                    format!(concat!("there is no ", $what, " `{}`: use {}"), text, names.join(", "))
                })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

names!(Schedule, "schedule", [
    "1f1b" => Self::OneFOneB, "zb-h1" => Self::ZbH1, "zb-2p" => Self::Zb2p, "dualpipe" => Self::DualPipe,
]);
names!(Recompute, "recomputation", [
    "none" => Self::None, "selective" => Self::Selective, "elementwise" => Self::Elementwise,
    "up-projection" => Self::UpProjection,
    "every-second" => Self::EverySecond, "full" => Self::Full,
]);
names!(Sharding, "sharding", [
    "none" => Self::None, "zero-1" => Self::Optimizer, "zero-2" => Self::Gradients, "zero-3" => Self::Parameters,
]);
names!(Context, "context parallelism", ["ring" => Self::Ring, "ulysses" => Self::Ulysses]);
names!(Offload, "offload", [
    "none" => Self::None, "optimizer" => Self::Optimizer, "activations" => Self::Activations,
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expert_layers_regroup_the_ranks_of_a_stage() {
        // tp·cp·dp = 4·2·8 = 64 ranks as ETP 1 × EP 16 × EDP 4.
        let degrees = Degrees { tp: 4, cp: 2, pp: 2, dp: 8, ep: 16, etp: 1 };
        assert_eq!(degrees.edp(), 4);
        assert_eq!(degrees.chips(), 128);
        assert_eq!(degrees.edp_group(), Group { size: 4, stride: 16 });
    }

    #[test]
    fn names_are_read_back() {
        for (name, schedule) in Schedule::NAMES {
            assert_eq!(name.parse::<Schedule>().unwrap(), *schedule);
        }
        assert!("gpipe".parse::<Schedule>().unwrap_err().contains("dualpipe"));
    }

    #[test]
    fn degrees_of_one_are_left_out() {
        assert_eq!(Degrees { tp: 8, dp: 4, ..Degrees::ONE }.to_string(), "TP8 DP4");
        assert_eq!(Degrees::ONE.to_string(), "DP1");
    }
}

//! What a communication library's protocols make of the links: fitted ratios and start times.
//!
//! Bandwidths are ratios to what the node file says a chip's links deliver, and steps are ratios to its step latency, so
//! that a profile carries over to another node of the same kind.

mod library;

use serde::Deserialize;
use vitruvian_quantity::{BytesPerSecond, Seconds};

use crate::algorithm::{Protocol, Steps};

pub use library::Library;

/// The constants of one communication library on one kind of fabric, with the kernels an engine adds to it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectiveProfile {
    /// Whose kernels were measured, and in which version.
    pub stack: Stack,
    /// Where the measurements come from.
    pub source: String,
    /// Measured points it was fitted on; zero for a prior.
    pub points: u32,
    /// Errors on the fitted points.
    pub in_fit: Option<Errors>,
    /// Errors on (kind, group size) pairs left out of the fit.
    pub held_out: Option<Errors>,
    /// Standard deviations of the logarithm of time.
    pub sigma: Sigma,
    /// Exponent q of time = (latency^q + wire^q)^(1/q) of what is sent in chunks (Simple, in-switch): 1 is Hockney's sum,
    /// less a slower ramp to full bandwidth, because chunks and channels grow with the message.
    pub ramp: f64,
    /// Protocols of ring (or mesh) all-reduce, all-gather and reduce-scatter.
    pub ring: Vec<RingProtocol>,
    /// Protocols of all-to-all and send/receive.
    pub pairwise: Vec<PairwiseProtocol>,
    /// All-reduce in the switch.
    pub in_switch: Option<InSwitch>,
    /// Stages inside and between nodes.
    pub across: Across,
    /// Expert dispatch and combine kernels.
    pub experts: Experts,
    /// All-reduce kernels that serving engines bring for small messages.
    #[serde(default)]
    pub custom: Vec<Custom>,
    /// Whether it was measured on another core design than the chip's.
    #[serde(skip)]
    pub borrowed: bool,
}

/// Whose kernels were measured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Library or engine: `"NCCL"`.
    pub software: String,
    /// Its version as the source states it.
    pub version: String,
}

/// Absolute relative errors of predicted against measured time.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Ninetieth percentile.
    pub p90: f64,
}

/// How far estimates can be trusted: standard deviations of the logarithm of time.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sigma {
    /// Inside a node.
    pub inside: f64,
    /// Between nodes.
    pub across: f64,
    /// Expert dispatch and combine.
    pub experts: f64,
}

/// One protocol of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RingProtocol {
    /// Which.
    pub protocol: Protocol,
    /// How many steps a pass takes behind a switch; a mesh takes one.
    #[serde(default)]
    pub steps: Steps,
    /// Start-up beyond the fabric's base latency.
    pub start: Seconds,
    /// Latency of a step, as a multiple of the fabric's step latency.
    pub step: f64,
    /// Bandwidth, as a share of the fabric's ring bandwidth.
    pub bandwidth: f64,
    /// Rate of the local copy or reduction of a rank's own shard, as a multiple of the fabric's ring bandwidth.
    pub copy: Option<f64>,
}

/// One protocol of exchanges between pairs.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairwiseProtocol {
    /// Which.
    pub protocol: Protocol,
    /// Start-up beyond the fabric's base latency.
    pub start: Seconds,
    /// Bandwidth to one peer, as a share of the fabric's ring bandwidth (of one link on a mesh).
    pub peer: f64,
}

/// All-reduce by the switch's own adders (NVLS).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InSwitch {
    /// Start-up beyond the fabric's base latency.
    pub start: Seconds,
}

/// How stages inside and between nodes follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Across {
    /// Share of the shorter stage that hides behind the longer: 0 one after the other, 1 fully pipelined.
    pub overlap: f64,
    /// Bandwidth of log-step algorithms (tree, NHR), as a share of the ring's between nodes.
    pub tree_bandwidth: f64,
}

/// Expert dispatch and combine kernels of an engine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experts {
    /// Largest exchange that fits the buffers of the low-latency kernels, in bytes of rows.
    pub largest: u64,
    /// One message for each (token, expert), for decode.
    pub low_latency: ExpertKernel,
    /// One message for each (token, rank) over links and (token, node) over NICs, for prefill; none if the stack has none.
    pub normal: Option<ExpertKernel>,
}

/// Both ways of one expert kernel.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertKernel {
    /// Tokens to experts.
    pub dispatch: ExpertPhase,
    /// Experts' outputs back.
    pub combine: ExpertPhase,
}

/// One way of an expert kernel.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpertPhase {
    /// Latency of the smallest exchange: counting, flags, quantisation.
    pub start: Seconds,
    /// Added latency each time the group doubles.
    pub doubling: Seconds,
    /// What the kernel's cores can copy per second, where the links are faster.
    pub copy_bandwidth: BytesPerSecond,
    /// Exponent q of (start^q + copy^q)^(1/q) inside a node: above 1, part of the start hides behind the copy.
    pub ramp: f64,
}

/// All-reduce kernels of a serving engine that read peers' memory directly.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Custom {
    /// Engines that launch them: `"vllm"`.
    pub engines: Vec<String>,
    /// Whose kernels were measured.
    pub stack: Stack,
    /// Where the measurements come from.
    pub source: String,
    /// Measured points they were fitted on.
    pub points: u32,
    /// Errors on the fitted points.
    pub in_fit: Option<Errors>,
    /// Errors on group sizes left out of the fit.
    pub held_out: Option<Errors>,
    /// Standard deviation of the logarithm of time.
    pub sigma: f64,
    /// Largest message they take.
    pub largest: u64,
    /// Every rank reads every vector whole.
    pub one_shot: PeerAccess,
    /// Every rank reduces its share and reads the others'.
    pub two_shot: PeerAccess,
    /// Two-shot through the switch's adders, for larger messages, where the engine has it.
    pub multimem: Option<Multimem>,
}

/// Direct reads of peers' memory.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerAccess {
    /// Start-up with flags.
    pub start: Seconds,
    /// Added latency of each peer.
    pub peer: Seconds,
    /// Bandwidth, as a share of the fabric's ring bandwidth.
    pub bandwidth: f64,
}

/// All-reduce by multicast loads and stores from an engine's own kernel.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Multimem {
    /// Start-up with flags.
    pub start: Seconds,
    /// Vector bytes reduced per second, as a share of the fabric's ring bandwidth.
    pub bandwidth: f64,
    /// Largest message it takes.
    pub largest: u64,
}

impl CollectiveProfile {
    /// The profile with the all-reduce kernels of one serving engine, or of none.
    #[must_use]
    pub fn for_engine(&self, engine: Option<&str>) -> Self {
        let mut profile = self.clone();
        let launches =
            |kernels: &Custom| engine.is_some_and(|engine| kernels.engines.iter().any(|own| own == engine));
        profile.custom.retain(launches);
        profile
    }

    /// The exponent of a protocol's ramp: only chunks ramp up.
    pub(crate) fn ramp(&self, protocol: Protocol) -> f64 {
        if protocol == Protocol::Simple { self.ramp } else { 1.0 }
    }
}

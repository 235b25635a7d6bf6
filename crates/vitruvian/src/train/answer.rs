//! The answer of `train`. Keys carry units.

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::Range;

/// The answer of `train`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TrainAnswer {
    /// What was asked, in a line.
    pub title: String,
    /// The chip.
    pub chip: String,
    /// The model.
    pub model: String,
    /// Parameters of the model.
    pub parameters: u64,
    /// Chips.
    pub chips: u32,
    /// Chips of a node.
    pub chips_per_node: u32,
    /// Layers of the model.
    pub layers: u32,
    /// Whether the model has experts.
    pub experts: bool,
    /// Training stack with its version.
    pub stack: String,
    /// Precision recipe.
    pub precision: String,
    /// Tokens of a sequence.
    pub sequence_tokens: u32,
    /// Sequences of a step.
    pub global_batch: u32,
    /// The plans, best first: one where a layout was asked for.
    pub plans: Vec<PlanAnswer>,
    /// What became of the plans of a search.
    pub census: Option<CensusAnswer>,
    /// The layout asked for, where it does not fit.
    pub misfit: Option<MisfitAnswer>,
    /// The run.
    pub run: Option<RunAnswer>,
    /// Best step by number of chips.
    pub scaling: Vec<ScalingPoint>,
    /// Why the first plan is as it is, and what would change it.
    pub reasons: Vec<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Passes of one step of the first plan, where asked for.
    pub timeline: Vec<TimelineEvent>,
}

/// One plan with its step.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlanAnswer {
    /// Degrees in a line.
    pub layout: String,
    /// Tensor parallel.
    pub tp: u32,
    /// Context parallel.
    pub cp: u32,
    /// Pipeline parallel.
    pub pp: u32,
    /// Data parallel.
    pub dp: u32,
    /// Expert parallel.
    pub ep: u32,
    /// Tensor parallel inside an expert.
    pub etp: u32,
    /// Model chunks of a device.
    pub chunks: u32,
    /// Layers of each virtual stage, where they are not even.
    pub stage_layers: Vec<u32>,
    /// Sequences of a micro-batch.
    pub micro_batch: u32,
    /// Micro-batches of a copy in a step.
    pub micro_batches: u32,
    /// Order of passes.
    pub schedule: String,
    /// What is computed again.
    pub recompute: String,
    /// Layers of a device computed again, where not all.
    pub recompute_layers: Option<u32>,
    /// What data-parallel ranks share out.
    pub sharding: String,
    /// Whether norms are shared out over TP ranks.
    pub sequence_parallel: bool,
    /// How context-parallel ranks share attention.
    pub context: String,
    /// What is hidden.
    pub overlap: Vec<String>,
    /// What lives on the host.
    pub offload: String,
    /// Whether 16-bit weights are the upper halves of their master copies.
    pub reuse_master: bool,
    /// Time of a step.
    pub step_time_s: Range,
    /// The same by closed form, without simulating the pipeline.
    pub closed_form_s: f64,
    /// Tokens a second of all chips.
    pub tokens_per_s: f64,
    /// Tokens a second and chip.
    pub tokens_per_s_per_chip: f64,
    /// Model FLOP/s of a chip, causal attention counted exactly.
    pub model_tflops_per_chip: f64,
    /// Model FLOPs over the peak of the products' format.
    pub mfu: f64,
    /// Executed FLOPs, recomputation included, over that peak.
    pub hfu: f64,
    /// Seconds of the busiest device by what they are spent on.
    pub parts_s: PartsAnswer,
    /// Memory of each pipeline device.
    pub memory: Vec<MemoryAnswer>,
    /// Peak of the fullest device.
    pub peak_memory_gb: f64,
    /// Tensors of the fullest device, without runtime and allocator slack.
    pub allocated_memory_gb: f64,
    /// Mean power of a chip.
    pub chip_power_w: f64,
}

/// Seconds of a step on the busiest device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PartsAnswer {
    /// Matrix products.
    pub products: f64,
    /// Attention cores.
    pub attention: f64,
    /// Element-wise kernels.
    pub vector: f64,
    /// Launches that the device waits for.
    pub launch: f64,
    /// Of the above, computed again.
    pub recomputed: f64,
    /// Exposed tensor- and context-parallel exchange.
    pub tensor_exchange: f64,
    /// Exposed expert exchange.
    pub expert_exchange: f64,
    /// Exposed gradient and parameter exchange.
    pub data_exchange: f64,
    /// Waiting for other stages.
    pub bubble: f64,
    /// Optimizer.
    pub optimizer: f64,
    /// Outside of kernels.
    pub host: f64,
}

/// Memory of one rank of a pipeline device, in GB.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MemoryAnswer {
    /// Device.
    pub device: u32,
    /// Parameters that the products read.
    pub parameters_gb: f64,
    /// Accumulated gradients.
    pub gradients_gb: f64,
    /// Master weights and moments.
    pub optimizer_gb: f64,
    /// Activations kept for backward passes.
    pub activations_gb: f64,
    /// Passes in flight, in chunks.
    pub in_flight: u32,
    /// What one layer's backward pass has live.
    pub working_gb: f64,
    /// Logits and their gradients.
    pub logits_gb: f64,
    /// Whole parameters and gradients of the layers at work.
    pub gathered_gb: f64,
    /// Context, communicators, workspaces.
    pub runtime_gb: f64,
    /// Allocator waste.
    pub slack_gb: f64,
    /// All of it.
    pub peak_gb: f64,
    /// The largest part.
    pub largest: String,
    /// The moment of the peak.
    pub moment: String,
}

/// What became of the plans of a search; counts add up.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CensusAnswer {
    /// Plans looked at.
    pub looked_at: u64,
    /// Degrees that do not divide the model.
    pub shape: u64,
    /// Micro-batches or schedules that the batch does not allow.
    pub batch: u64,
    /// Plans that need more memory than a chip has.
    pub memory: u64,
    /// Plans that fit.
    pub fit: u64,
    /// The plan that lacked least memory.
    pub nearest_miss: Option<String>,
}

/// A layout that does not fit, and the nearest that does.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MisfitAnswer {
    /// The layout asked for.
    pub asked: PlanAnswer,
    /// Memory that its fullest device lacks.
    pub missing_gb: f64,
    /// The nearest layout that fits on as many chips.
    pub nearest: Option<Box<PlanAnswer>>,
}

/// A run of the first plan.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunAnswer {
    /// Tokens.
    pub tokens: f64,
    /// Steps.
    pub steps: f64,
    /// Days with checkpoints, failures and restarts.
    pub days: Range,
    /// Days if nothing fails.
    pub ideal_days: f64,
    /// Time of one checkpoint.
    pub checkpoint_s: f64,
    /// Time between two.
    pub checkpoint_interval_s: f64,
    /// Mean time between failures of the job.
    pub mtbf_h: f64,
    /// Failures to expect.
    pub failures: f64,
    /// Share of the wall time that is progress.
    pub goodput: f64,
    /// Hours of all chips.
    pub chip_hours: f64,
    /// Energy at the wall, hosts and facility included.
    pub energy_mwh: f64,
    /// Cost of ownership; none where no price is known.
    pub cost_usd: Option<Range>,
}

/// One point of a scaling curve.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ScalingPoint {
    /// Chips.
    pub chips: u32,
    /// The best layout; none where nothing fits.
    pub layout: Option<String>,
    /// Tokens a second of all chips.
    pub tokens_per_s: Option<f64>,
    /// Tokens a second and chip over that of the smallest number that fits.
    pub efficiency: Option<f64>,
    /// Model FLOPs over peak.
    pub mfu: Option<f64>,
}

/// One slot of the time line.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TimelineEvent {
    /// Pipeline device.
    pub device: u32,
    /// `forward`, `backward`, `input`, `weight` or `forward+backward`.
    pub work: &'static str,
    /// Chunk.
    pub chunk: u32,
    /// Micro-batch.
    pub micro_batch: u32,
    /// From.
    pub start_us: f64,
    /// To.
    pub end_us: f64,
}

//! The question of `train`, as plain data.

use serde::{Deserialize, Serialize};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_quantity::{Bytes, Seconds};
use vitruvian_training::stack::Attention;
use vitruvian_training::{Context, Degrees, Offload, Overlap, Plan, Recompute, Schedule, Sharding};

use crate::study::Input;

/// What does a training step take, and which layout is best?
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainStudy {
    /// The chip.
    pub chip: Input,
    /// The model.
    pub model: Input,
    /// Node the chips sit in; nothing for the usual one.
    pub node: Option<Input>,
    /// Chips; nothing for what the layout takes.
    pub chips: Option<u32>,
    /// Training stack; nothing for the first that runs on the chip.
    pub stack: Option<String>,
    /// `bf16`, `fp16`, `fp8`, `fp8-block` or `int8`.
    pub precision: Option<String>,
    /// Tokens of a sequence.
    pub sequence: u32,
    /// Sequences of a step.
    pub global_batch: u32,
    /// The layout, or what of it is fixed.
    pub plan: PlanSpec,
    /// Whether what is not fixed is searched; otherwise degrees not given are one.
    pub search: bool,
    /// Memory of a chip that the job may take; nothing for what software sees.
    pub memory: Option<Bytes>,
    /// Whether routing is forced to be even.
    pub balanced: bool,
    /// The run; nothing for a step alone.
    pub run: Option<RunSpec>,
    /// Region whose prices and tariff hold.
    pub region: Option<String>,
    /// Whether the answer carries the time line of one step.
    pub timeline: bool,
    /// Chip counts of a scaling curve; empty for none.
    pub scaling: Vec<u32>,
}

/// A run of many steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunSpec {
    /// Tokens to train on.
    pub tokens: f64,
    /// Time between failures of one chip; nothing for the catalog's.
    pub mtbf: Option<Seconds>,
    /// Time from a failure to the next step; nothing for the catalog's.
    pub restart: Option<Seconds>,
    /// Time between checkpoints; nothing for the best.
    pub interval: Option<Seconds>,
}

/// A layout, or what of it is fixed. The keys of a scenario's `[training]` table too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PlanSpec {
    /// Tensor parallel.
    pub tp: Option<u32>,
    /// Context parallel.
    pub cp: Option<u32>,
    /// Pipeline parallel.
    pub pp: Option<u32>,
    /// Data parallel.
    pub dp: Option<u32>,
    /// Expert parallel.
    pub ep: Option<u32>,
    /// Tensor parallel inside an expert.
    pub etp: Option<u32>,
    /// Model chunks of a device.
    pub chunks: Option<u32>,
    /// Layers of each virtual stage.
    pub layers: Vec<u32>,
    /// Sequences of a micro-batch.
    pub micro_batch: Option<u32>,
    /// Order of passes.
    pub schedule: Option<String>,
    /// What is computed again.
    pub recompute: Option<String>,
    /// Layers of a device that full recomputation runs again.
    pub recompute_layers: Option<u32>,
    /// What data-parallel ranks share out.
    pub sharding: Option<String>,
    /// Whether norms are shared out over TP ranks.
    pub sequence_parallel: Option<bool>,
    /// `ring` or `ulysses`.
    pub context: Option<String>,
    /// Exchanges to hide: `gradients`, `parameters`, `tensor`, `pipeline`, `experts`; `none` for none.
    pub overlap: Option<Vec<String>>,
    /// What lives on the host.
    pub offload: Option<String>,
    /// `flash` or `unfused`; nothing for the stack's own kernel.
    pub attention: Option<String>,
    /// Whether the upper halves of the master weights are the weights themselves (MindSpeed, `--reuse-fp32-param`).
    pub reuse_master: bool,
}

impl TrainStudy {
    /// Checks figures that no name stands for.
    ///
    /// # Errors
    /// Every mistake, at once.
    pub fn check(&self) -> Result<(), Diagnostics> {
        let mut faults = Vec::new();
        let mut within = |what: &str, value: u32, most: u32| {
            if value == 0 || value > most {
                let message = format!("{what} must lie between 1 and {most}, not {value}");
                faults.push(Diagnostic::error("out-of-range", message));
            }
        };
        within("tokens of a sequence", self.sequence, 100_000_000);
        within("the global batch", self.global_batch, 100_000_000);
        self.chips
            .into_iter()
            .chain(self.scaling.iter().copied())
            .for_each(|n| within("chips", n, MOST_CHIPS));
        let spec = &self.plan;
        let degrees = [
            ("TP", spec.tp),
            ("CP", spec.cp),
            ("PP", spec.pp),
            ("DP", spec.dp),
            ("EP", spec.ep),
            ("ETP", spec.etp),
            ("the micro-batch", spec.micro_batch),
            ("chunks", spec.chunks),
        ];
        degrees
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)))
            .for_each(|(n, v)| within(n, v, MOST_CHIPS));
        if self.search && self.chips.is_none() {
            faults.push(
                Diagnostic::error("chips", "a search needs a number of chips")
                    .help("add --chips N, or a layout: --tp, --pp, --dp"),
            );
        }
        let product: u64 =
            [spec.tp, spec.cp, spec.pp, spec.dp].iter().map(|d| u64::from(d.unwrap_or(1))).product();
        if product > u64::from(MOST_CHIPS) {
            let message = format!("a layout of {product} chips is more than {MOST_CHIPS}");
            faults.push(Diagnostic::error("out-of-range", message));
        }
        if let Some(run) = self.run.filter(|run| !(run.tokens > 0.0 && run.tokens.is_finite())) {
            faults.push(
                Diagnostic::error("tokens", format!("a run of {} tokens", run.tokens))
                    .help("such as 15T or 300B"),
            );
        }
        if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
    }
}

/// Most chips of one question.
const MOST_CHIPS: u32 = 1_048_576;

/// A name, or its mistake.
fn named<T: std::str::FromStr<Err = String>>(
    name: Option<&String>,
    faults: &mut Vec<Diagnostic>,
) -> Option<T> {
    let parsed = name?.parse().map_err(|error: String| Diagnostic::error("name-unknown", error));
    parsed.map_err(|fault| faults.push(fault)).ok()
}

/// The names of a spec looked up.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Choices {
    pub(crate) schedule: Option<Schedule>,
    pub(crate) recompute: Option<Recompute>,
    pub(crate) sharding: Option<Sharding>,
    pub(crate) context: Option<Context>,
    pub(crate) offload: Option<Offload>,
    pub(crate) overlap: Option<Overlap>,
    pub(crate) attention: Option<Attention>,
}

impl PlanSpec {
    /// Whether any degree is given.
    pub fn has_degrees(&self) -> bool {
        [self.tp, self.cp, self.pp, self.dp, self.ep].iter().any(Option::is_some)
    }

    /// The same without its degrees: what a search at another number of chips keeps.
    pub(crate) fn choices_alone(&self) -> Self {
        let (tp, cp, pp, dp, ep, etp) = (None, None, None, None, None, None);
        let (chunks, layers, micro_batch) = (None, Vec::new(), None);
        Self { tp, cp, pp, dp, ep, etp, chunks, layers, micro_batch, ..self.clone() }
    }

    pub(crate) fn choices(&self) -> Result<Choices, Diagnostics> {
        let mut faults = Vec::new();
        let choices = Choices {
            schedule: named(self.schedule.as_ref(), &mut faults),
            recompute: named(self.recompute.as_ref(), &mut faults),
            sharding: named(self.sharding.as_ref(), &mut faults),
            context: named(self.context.as_ref(), &mut faults),
            offload: named(self.offload.as_ref(), &mut faults),
            overlap: self.overlap.as_ref().and_then(|names| overlap(names, &mut faults)),
            attention: named(self.attention.as_ref(), &mut faults),
        };
        if faults.is_empty() { Ok(choices) } else { Err(Diagnostics(faults)) }
    }

    /// The degrees given; `dp` takes what is left of the chips unless it is given too.
    pub(crate) fn degrees(&self, chips: Option<u32>, experts: bool) -> Degrees {
        let or_one = |degree: Option<u32>| degree.unwrap_or(1);
        let (tp, cp, pp) = (or_one(self.tp), or_one(self.cp), or_one(self.pp));
        let left = chips.map_or(1, |chips| chips / (tp * cp * pp).max(1)).max(1);
        let ep = or_one(self.ep);
        // Experts that are not spread are sliced as the rest of the layer.
        let etp = self.etp.unwrap_or(if experts && ep == 1 { tp } else { 1 });
        Degrees { tp, cp, pp, dp: self.dp.unwrap_or(left), ep, etp }
    }

    /// The plan of these choices.
    pub(crate) fn plan(&self, degrees: Degrees, choices: &Choices) -> Plan {
        let plain = Plan::new(degrees);
        Plan {
            chunks: self.chunks.unwrap_or(1),
            layers: self.layers.clone(),
            micro_batch: self.micro_batch.unwrap_or(1),
            schedule: choices.schedule.unwrap_or_default(),
            recompute: choices.recompute.unwrap_or_default(),
            recompute_layers: self.recompute_layers,
            sharding: choices.sharding.unwrap_or(if degrees.dp * degrees.cp > 1 {
                plain.sharding
            } else {
                Sharding::None
            }),
            sequence_parallel: self.sequence_parallel.unwrap_or(plain.sequence_parallel),
            context: choices.context.unwrap_or_default(),
            overlap: choices.overlap.unwrap_or(plain.overlap),
            offload: choices.offload.unwrap_or_default(),
            degrees,
        }
    }
}

fn overlap(names: &[String], faults: &mut Vec<Diagnostic>) -> Option<Overlap> {
    let mut overlap = Overlap::default();
    for name in names {
        match name.as_str() {
            "none" => {}
            "gradients" => overlap.gradients = true,
            "parameters" => overlap.parameters = true,
            "tensor" => overlap.tensor = true,
            "pipeline" => overlap.pipeline = true,
            "experts" => overlap.experts = true,
            other => {
                let known = "gradients, parameters, tensor, pipeline, experts or none";
                faults.push(Diagnostic::error(
                    "name-unknown",
                    format!("`{other}` cannot be overlapped: use {known}"),
                ));
                return None;
            }
        }
    }
    Some(overlap)
}

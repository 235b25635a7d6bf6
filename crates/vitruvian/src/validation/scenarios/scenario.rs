//! A scenario's file: a model, a deployment, a workload and, optionally, what was measured.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_model::{Layout, Model, QuantPlan, catalog as models, validate};
use vitruvian_planner::Workload;
use vitruvian_quantity::Dtype;
use vitruvian_serving::Speculation;

use crate::setup::{Profiles, Setup};
use crate::study::{Input, Service};

/// How the deployment is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Load {
    /// Steps of so many whole prompts in each data-parallel group, nothing else.
    Prefill,
    /// Steps of so many sequences in decode, nothing else.
    Decode,
    /// So many clients, each sending its next request when the last one is answered.
    Closed,
    /// So many requests that arrive at once.
    Burst,
}

/// A metric that a scenario may state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Mean time to first token.
    Ttft,
    /// Mean time per output token after the first.
    Tpot,
    /// Output tokens per second of the whole deployment.
    OutputThroughput,
    /// Prompt and output tokens per second of the whole deployment.
    TotalThroughput,
    /// Prompt tokens per second and chip, of prefill alone.
    PrefillThroughputPerChip,
    /// Output tokens per second and chip, of decode alone.
    DecodeThroughputPerChip,
}

/// A scenario with its names looked up.
pub(super) struct Scenario {
    pub(super) title: String,
    pub(super) setup: Setup,
    pub(super) model: Model,
    pub(super) plan: QuantPlan,
    pub(super) layout: Layout,
    pub(super) chunk: u32,
    /// Most running sequences of a data-parallel group; the engine's default if none.
    pub(super) running: Option<u32>,
    /// Speculative decoding.
    pub(super) speculation: Option<Speculation>,
    pub(super) load: Load,
    pub(super) sequences: u32,
    pub(super) rounds: u32,
    pub(super) workload: Workload,
    pub(super) measured: Option<Measured>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    model: Spanned<String>,
    deployment: Deployment,
    workload: Asked,
    measured: Option<Measured>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    chip: Spanned<String>,
    engine: Option<Spanned<String>>,
    node: Option<String>,
    precision: Option<Spanned<String>>,
    kv: Option<Spanned<String>>,
    attention: Option<Spanned<String>>,
    overlap_experts: Option<String>,
    expert_skew: Option<f64>,
    speculation: Option<Spanned<String>>,
    #[serde(default = "one")]
    tp: u32,
    #[serde(default = "one")]
    pp: u32,
    #[serde(default = "one")]
    dp: u32,
    #[serde(default = "one")]
    ep: u32,
    chunk: Option<u32>,
    running: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    load: Load,
    input: u32,
    #[serde(default = "one")]
    output: u32,
    sequences: u32,
    #[serde(default = "ten")]
    rounds: u32,
}

/// What was measured, and where it was published.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Measured {
    /// `A` or `B`.
    pub(super) grade: String,
    /// `calib` or `heldout`.
    pub(super) split: String,
    source_repo: String,
    source_commit: String,
    source_path: String,
    ttft: Option<Published>,
    tpot: Option<Published>,
    output_throughput: Option<Published>,
    total_throughput: Option<Published>,
    prefill_throughput_per_chip: Option<Published>,
    decode_throughput_per_chip: Option<Published>,
}

/// One published value.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Published {
    /// In the metric's unit.
    pub(super) value: f64,
    /// The unit, which must be the metric's.
    unit: Unit,
    /// Signed error of our prediction in percent, as last recorded.
    pub(super) error_pct: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
enum Unit {
    #[serde(rename = "ms")]
    Milliseconds,
    #[serde(rename = "token/s")]
    TokensPerSecond,
}

const fn one() -> u32 {
    1
}

const fn ten() -> u32 {
    10
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Ttft,
        Self::Tpot,
        Self::OutputThroughput,
        Self::TotalThroughput,
        Self::PrefillThroughputPerChip,
        Self::DecodeThroughputPerChip,
    ];

    /// Key in a scenario's file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ttft => "ttft",
            Self::Tpot => "tpot",
            Self::OutputThroughput => "output_throughput",
            Self::TotalThroughput => "total_throughput",
            Self::PrefillThroughputPerChip => "prefill_throughput_per_chip",
            Self::DecodeThroughputPerChip => "decode_throughput_per_chip",
        }
    }

    /// Its unit.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Ttft | Self::Tpot => "ms",
            _ => "token/s",
        }
    }
}

impl Measured {
    pub(super) fn metric(&self, metric: Metric) -> Option<Published> {
        match metric {
            Metric::Ttft => self.ttft,
            Metric::Tpot => self.tpot,
            Metric::OutputThroughput => self.output_throughput,
            Metric::TotalThroughput => self.total_throughput,
            Metric::PrefillThroughputPerChip => self.prefill_throughput_per_chip,
            Metric::DecodeThroughputPerChip => self.decode_throughput_per_chip,
        }
    }

    pub(super) fn source(&self) -> String {
        format!("{}@{} {}", self.source_repo, self.source_commit, self.source_path)
    }
}

impl Scenario {
    /// Reads a file and looks its names up.
    ///
    /// # Errors
    /// What does not parse, or every name that is not known, each at its place.
    pub(super) fn read(source: &SourceText, profiles: &Profiles) -> Result<Self, Diagnostics> {
        let file: File = toml::from_str(source.text()).map_err(|error| {
            let span = error.span().unwrap_or_default();
            place("scenario-file", source, span, error.message(), "this scenario cannot be read")
        })?;
        let mut faults = Vec::new();
        let model = keep(models::model(file.model.get_ref()), source, file.model.span(), &mut faults);
        let setup = setup(&file.deployment, source, profiles, &mut faults);
        let speculation = speculation(&file.deployment, source, &mut faults);
        let plan = model.as_ref().and_then(|model| plan(&file.deployment, model, source, &mut faults));
        faults.extend(wrong_units(&file, source));
        let (Some(model), Some(setup), Some(plan), true) = (model, setup, plan, faults.is_empty()) else {
            return Err(Diagnostics(faults));
        };
        let Deployment { tp, pp, dp, ep, chunk, running, .. } = file.deployment;
        let layout = Layout { tp, pp, dp, ep, cp: 1 };
        validate(&model, layout).map_err(|error| {
            let chip = file.deployment.chip.span();
            place("scenario-layout", source, chip, &error.to_string(), "the layout does not divide the model")
        })?;
        Ok(Self {
            title: file.title,
            chunk: chunk.unwrap_or(setup.engine.batched_tokens),
            running,
            speculation,
            load: file.workload.load,
            sequences: file.workload.sequences.max(1),
            rounds: file.workload.rounds,
            workload: Workload { input: file.workload.input.max(1), output: file.workload.output, cached: 0 },
            measured: file.measured,
            setup,
            model,
            plan,
            layout,
        })
    }
}

fn place(
    code: &'static str,
    source: &SourceText,
    span: Range<usize>,
    label: &str,
    message: &str,
) -> Diagnostic {
    Diagnostic::error(code, message).at(source, span.into(), label)
}

/// The value, or its mistake put at its place.
fn keep<T>(
    result: Result<T, Diagnostic>,
    source: &SourceText,
    span: Range<usize>,
    faults: &mut Vec<Diagnostic>,
) -> Option<T> {
    result.map_err(|fault| faults.push(fault.at(source, span.into(), "named here"))).ok()
}

fn setup(
    deployment: &Deployment,
    source: &SourceText,
    profiles: &Profiles,
    faults: &mut Vec<Diagnostic>,
) -> Option<Setup> {
    let service = Service {
        engine: deployment.engine.as_ref().map(|engine| engine.get_ref().clone()),
        overlap_experts: deployment.overlap_experts.clone(),
        node: deployment.node.clone().map(Input::Name),
        ..Service::default()
    };
    let chip = Input::Name(deployment.chip.get_ref().clone());
    let mut put = |found: Diagnostics| {
        let at = |fault: Diagnostic| {
            let engine = deployment.engine.as_ref().filter(|_| fault.code.starts_with("engine"));
            let span = engine.map_or(deployment.chip.span(), Spanned::span);
            fault.at(source, span.into(), "named here")
        };
        faults.extend(found.0.into_iter().map(at));
    };
    let mut setup = Setup::new(&chip, &service, profiles).map_err(&mut put).ok()?;
    setup.engine.expert_skew = deployment.expert_skew.unwrap_or(setup.engine.expert_skew);
    Some(setup)
}

/// The checkpoint's own plan unless a precision is named.
fn plan(
    deployment: &Deployment,
    model: &Model,
    source: &SourceText,
    faults: &mut Vec<Diagnostic>,
) -> Option<QuantPlan> {
    let plan = match &deployment.precision {
        None => model.default_plan(),
        Some(name) => {
            let scheme =
                name.get_ref().parse().map_err(|error: String| Diagnostic::error("precision-unknown", error));
            QuantPlan::uniform(keep(scheme, source, name.span(), faults)?)
        }
    };
    let mut format = |word: &Option<Spanned<String>>, code, own: Dtype| match word {
        None => Some(own),
        Some(word) => {
            let dtype = word.get_ref().parse::<Dtype>().map_err(|error| Diagnostic::error(code, error));
            keep(dtype, source, word.span(), faults)
        }
    };
    let kv = format(&deployment.kv, "kv-unknown", plan.kv);
    let attend = format(&deployment.attention, "attention-unknown", plan.attend);
    Some(plan.with_kv(kv?).with_attend(attend?))
}

fn speculation(
    deployment: &Deployment,
    source: &SourceText,
    faults: &mut Vec<Diagnostic>,
) -> Option<Speculation> {
    let word = deployment.speculation.as_ref()?;
    let parsed = word.get_ref().parse().map_err(|error: String| Diagnostic::error("speculation", error));
    keep(parsed, source, word.span(), faults)
}

fn wrong_units(file: &File, source: &SourceText) -> Vec<Diagnostic> {
    let Some(measured) = &file.measured else { return Vec::new() };
    let wrong = |metric: &Metric| {
        let milliseconds = matches!(metric, Metric::Ttft | Metric::Tpot);
        measured.metric(*metric).is_some_and(|m| (m.unit == Unit::Milliseconds) != milliseconds)
    };
    let fault = |metric: Metric| {
        let start = source.text().find(metric.key()).unwrap_or(0);
        let message = format!("`{}` must be in {}", metric.key(), metric.unit());
        place("scenario-unit", source, start..start + metric.key().len(), "in another unit", &message)
    };
    Metric::ALL.into_iter().filter(wrong).map(fault).collect()
}

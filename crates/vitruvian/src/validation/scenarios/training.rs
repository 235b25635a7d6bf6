//! Scenarios of training: a model, a deployment, a layout and, optionally, what was measured.

mod fit;

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_engine::Meter;
use vitruvian_training::stack::Figures;
use vitruvian_training::{Detail, Job, Pricer, Stack, Step, check};

use super::{RefusedScenario, ScenarioRow};
use crate::setup::Profiles;
use crate::study::Input;
use crate::train::{PlanSpec, Question, TrainStudy};

pub use fit::{StackFit, fit};

/// A metric that a scenario of training may state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Time of one step.
    StepTime,
    /// Tokens per second and chip.
    TrainingThroughputPerChip,
    /// Memory of the fullest chip as its driver shows it.
    PeakMemory,
    /// Memory that the allocator of the fullest rank took from its driver.
    ReservedMemory,
    /// Memory of the tensors of the fullest rank.
    AllocatedMemory,
    /// Memory of the activations of the first stage's rank.
    ActivationMemory,
    /// Hours of all chips for the run's tokens.
    ChipHours,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    model: Spanned<Named>,
    deployment: Deployment,
    training: Training,
    measured: Option<Measured>,
}

/// A model or a chip: a name of the catalog, or its own fields.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Config(toml::Table),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    /// A chip: a name of the catalog, or the fields of a chip file with a `name`.
    chip: Spanned<Named>,
    node: Option<Spanned<String>>,
    stack: Option<Spanned<String>>,
    precision: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct Training {
    sequence: u32,
    global_batch: u32,
    #[serde(default)]
    balanced: bool,
    /// Tokens of a run, for its hours.
    tokens: Option<f64>,
    #[serde(flatten)]
    plan: PlanSpec,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Measured {
    grade: String,
    split: String,
    source_repo: String,
    source_commit: String,
    source_path: String,
    step_time: Option<Published>,
    training_throughput_per_chip: Option<Published>,
    peak_memory: Option<Published>,
    reserved_memory: Option<Published>,
    allocated_memory: Option<Published>,
    activation_memory: Option<Published>,
    chip_hours: Option<Published>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Published {
    value: f64,
    unit: String,
    error_pct: Option<f64>,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::StepTime,
        Self::TrainingThroughputPerChip,
        Self::PeakMemory,
        Self::ReservedMemory,
        Self::AllocatedMemory,
        Self::ActivationMemory,
        Self::ChipHours,
    ];

    /// Key in a scenario's file.
    pub const fn key(self) -> &'static str {
        match self {
            Self::StepTime => "step_time",
            Self::TrainingThroughputPerChip => "training_throughput_per_chip",
            Self::PeakMemory => "peak_memory",
            Self::ReservedMemory => "reserved_memory",
            Self::AllocatedMemory => "allocated_memory",
            Self::ActivationMemory => "activation_memory",
            Self::ChipHours => "chip_hours",
        }
    }

    /// Its unit.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::StepTime => "s",
            Self::TrainingThroughputPerChip => "token/s",
            Self::PeakMemory | Self::ReservedMemory | Self::AllocatedMemory | Self::ActivationMemory => "GiB",
            Self::ChipHours => "h",
        }
    }
}

/// Whether a file describes training.
pub(super) fn is_training(source: &SourceText) -> bool {
    source.text().lines().any(|line| line.trim() == "[training]")
}

/// A scenario with its question.
pub(super) struct Scenario {
    file: File,
    question: Question,
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
        let mut faults: Vec<Diagnostic> = wrong_units(&file, source);
        let question = Question::new(&study(&file, source), profiles).map_err(|found| {
            let at = |fault: Diagnostic| {
                let span = place_of(&file, fault.code);
                if fault.labels.is_empty() { fault.at(source, span.into(), "named here") } else { fault }
            };
            faults.extend(found.0.into_iter().map(at));
        });
        match question {
            Ok(question) if faults.is_empty() => Ok(Self { file, question }),
            _ => Err(Diagnostics(faults)),
        }
    }

    /// Every metric that was measured, or all where none was.
    pub(super) fn rows(&self, source: &SourceText) -> Result<Vec<ScenarioRow>, RefusedScenario> {
        let refused = |reason: String| RefusedScenario { file: source.name().to_owned(), reason };
        let step = self.step().map_err(|faults| refused(faults.to_string()))?;
        let measured = self.file.measured.as_ref();
        let wanted =
            |metric: &Metric| measured.is_none() || measured.and_then(|m| m.metric(*metric)).is_some();
        Ok(Metric::ALL
            .into_iter()
            .filter(wanted)
            .filter_map(|metric| self.row(source, &step, metric))
            .collect())
    }

    fn step(&self) -> Result<Step, Diagnostics> {
        self.step_under(&self.question.stack.figures)
    }

    /// The step under other figures of its stack.
    fn step_under(&self, figures: &Figures) -> Result<Step, Diagnostics> {
        let question = &self.question;
        let stack = Stack { figures: *figures, ..question.stack.clone() };
        let plan = question.plan();
        check::plan(&question.model, &plan, question.sequence, question.global_batch).map_err(Diagnostics)?;
        let network = question.setup.network();
        let mut meter = Meter::new(&question.setup.node, question.setup.costs(), &network);
        let job = Job { stack: &stack, ..question.job(&network) };
        let step = Pricer::new(job, &mut meter).step(&plan, Detail::Simulated);
        step.map_err(|refusal| crate::train::refused(&refusal))
    }

    fn row(&self, source: &SourceText, step: &Step, metric: Metric) -> Option<ScenarioRow> {
        let (predicted, sigma) = self.predicted(step, metric)?;
        let measured = self.file.measured.as_ref();
        let published = measured.and_then(|m| m.metric(metric));
        let text = |get: fn(&Measured) -> String| measured.map(get).unwrap_or_default();
        Some(ScenarioRow {
            file: source.name().to_owned(),
            title: self.file.title.clone(),
            chip: self.question.setup.chip.name.clone(),
            engine: self.question.stack.name.clone(),
            metric: metric.key().to_owned(),
            unit: metric.unit(),
            measured: published.map(|p| p.value),
            predicted,
            sigma,
            error_pct: published.map(|p| 100.0 * (predicted / p.value - 1.0)),
            recorded_error_pct: published.and_then(|p| p.error_pct),
            grade: text(|m| m.grade.clone()),
            split: text(|m| m.split.clone()),
            source: text(|m| format!("{}@{} {}", m.source_repo, m.source_commit, m.source_path)),
        })
    }

    /// The value and its spread.
    fn predicted(&self, step: &Step, metric: Metric) -> Option<(f64, f64)> {
        const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
        let chips = f64::from(step.plan.degrees.chips());
        Some(match metric {
            Metric::StepTime => (step.time, step.sigma),
            Metric::TrainingThroughputPerChip => (step.tokens_per_s / chips, step.sigma),
            Metric::PeakMemory => (step.fullest().peak() / GIB, MEMORY_SIGMA),
            Metric::ReservedMemory => (step.fullest().reserved() / GIB, MEMORY_SIGMA),
            Metric::AllocatedMemory => (step.fullest().allocated() / GIB, MEMORY_SIGMA),
            Metric::ActivationMemory => {
                (step.memory.first().map_or(0.0, |first| first.activations) / GIB, MEMORY_SIGMA)
            }
            Metric::ChipHours => {
                (self.file.training.tokens? / step.tokens_per_s * chips / 3600.0, step.sigma)
            }
        })
    }
}

/// Spread of memory: what allocators and workspaces add beyond what is counted.
const MEMORY_SIGMA: f64 = 0.05;

impl Measured {
    fn metric(&self, metric: Metric) -> Option<&Published> {
        match metric {
            Metric::StepTime => self.step_time.as_ref(),
            Metric::TrainingThroughputPerChip => self.training_throughput_per_chip.as_ref(),
            Metric::PeakMemory => self.peak_memory.as_ref(),
            Metric::ReservedMemory => self.reserved_memory.as_ref(),
            Metric::AllocatedMemory => self.allocated_memory.as_ref(),
            Metric::ActivationMemory => self.activation_memory.as_ref(),
            Metric::ChipHours => self.chip_hours.as_ref(),
        }
    }
}

fn study(file: &File, source: &SourceText) -> TrainStudy {
    let name = |field: &Option<Spanned<String>>| field.as_ref().map(|name| name.get_ref().clone());
    let chip = match file.deployment.chip.get_ref() {
        Named::Name(name) => Input::Name(name.clone()),
        Named::Config(table) => own_chip(table),
    };
    let model = match file.model.get_ref() {
        Named::Name(name) => Input::Name(name.clone()),
        Named::Config(table) => Input::File { path: source.name().to_owned(), text: json(table) },
    };
    TrainStudy {
        chip,
        model,
        node: name(&file.deployment.node).map(Input::Name),
        stack: name(&file.deployment.stack),
        precision: name(&file.deployment.precision),
        sequence: file.training.sequence,
        global_batch: file.training.global_batch,
        plan: file.training.plan.clone(),
        balanced: file.training.balanced,
        ..TrainStudy::default()
    }
}

/// A chip that no catalog sells: one of it with other figures, as a source states them.
fn own_chip(table: &toml::Table) -> Input {
    let mut table = table.clone();
    let name = table.remove("name");
    let name = name.as_ref().and_then(toml::Value::as_str).unwrap_or("chip");
    let lines = table.iter().map(|(key, value)| format!("{key} = {}\n", inline(value)));
    Input::File { path: format!("{name}.toml"), text: lines.collect() }
}

/// A value on one line.
fn inline(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("{text:?}"),
        toml::Value::Table(table) => {
            let fields: Vec<String> = table.iter().map(|(k, v)| format!("{k} = {}", inline(v))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        other => json_value(other),
    }
}

/// A flat table as JSON: numbers, words, truth values.
fn json(table: &toml::Table) -> String {
    let fields: Vec<String> = table.iter().map(|(key, v)| format!("{key:?}: {}", json_value(v))).collect();
    format!("{{{}}}", fields.join(", "))
}

fn json_value(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => format!("{text:?}"),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(truth) => truth.to_string(),
        // Nothing else has a place in a flat configuration: the reader says so.
        _ => "null".to_owned(),
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

/// What a mistake is about.
fn place_of(file: &File, code: &str) -> Range<usize> {
    let deployment = &file.deployment;
    let of = |field: &Option<Spanned<String>>| field.as_ref().map(Spanned::span);
    let found = match code {
        "stack-unknown" | "stack-chip" => of(&deployment.stack),
        "precision-unknown" => of(&deployment.precision),
        "node-unknown" | "node-chip" => of(&deployment.node),
        code if code.starts_with("model") || code.starts_with("config") => Some(file.model.span()),
        _ => None,
    };
    found.unwrap_or_else(|| deployment.chip.span())
}

fn wrong_units(file: &File, source: &SourceText) -> Vec<Diagnostic> {
    let Some(measured) = &file.measured else { return Vec::new() };
    let wrong = |metric: &Metric| measured.metric(*metric).is_some_and(|m| m.unit != metric.unit());
    let fault = |metric: Metric| {
        let start = source.text().find(metric.key()).unwrap_or(0);
        let message = format!("`{}` must be in {}", metric.key(), metric.unit());
        place("scenario-unit", source, start..start + metric.key().len(), "in another unit", &message)
    };
    Metric::ALL.into_iter().filter(wrong).map(fault).collect()
}

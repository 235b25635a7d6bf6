//! What compression costs in quality and gains in speed, memory, energy and money, on each chip.
//!
//! ```text
//! checkpoint --quality--> error of each scheme ------+
//!      |                                             +--> Pareto front a chip, knapsack of layers
//!      +-- model --search--> deployment a scheme ----+
//! ```

mod against;
pub mod answer;
mod measured;
mod mix;
mod point;
mod survey;
mod trade;
mod variant;
mod write;

use vitruvian_compression::Checkpoint;
use vitruvian_compression::recipe::Recorded;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, all};
use vitruvian_quantity::Seconds;

use crate::compare::{service_question, workload};
use crate::setup::{Profiles, Setup, load_model};
use crate::study::{Input, Service};
use answer::{CheckpointAnswer, CompressAnswer, SchemeAnswer};
use measured::Measured;
use survey::Survey;
use variant::Variant;

pub use against::Against;
pub use measured::{Texts, record};
pub use write::{WriteStudy, write};

/// Which scheme is worth its error, on which chip?
pub struct CompressStudy<'a> {
    /// The checkpoint.
    pub checkpoint: &'a Checkpoint,
    /// The name that a person knows it by.
    pub name: String,
    /// The service; its model is the checkpoint's, or the one to cost instead.
    pub service: Service,
    /// Whether the model that is costed is another than the checkpoint's.
    pub deployed_as: bool,
    /// Chips.
    pub chips: Vec<Input>,
    /// Chips of each kind.
    pub count: u32,
    /// Time to first token at most.
    pub ttft: Option<Seconds>,
    /// Time per output token at most.
    pub tpot: Option<Seconds>,
    /// What is best.
    pub objective: String,
    /// Schemes by name; empty for those that the chips suggest.
    pub schemes: Vec<String>,
    /// How weights are rounded: words joined by `+`.
    pub method: String,
    /// Weights that share a scale in 4-bit integer schemes.
    pub group: usize,
    /// Texts to calibrate on and to measure with.
    pub texts: Option<Texts>,
    /// Statistics of an earlier calibration pass, which stand for a text to calibrate on.
    pub statistics: Option<&'a Recorded>,
    /// A checkpoint of the same model that is quantised already, to measure.
    pub against: Option<Against<'a>>,
}

/// Quality from the weights (and from texts, where given), deployments from the engines, put together.
///
/// # Errors
/// Every mistake in the question; what is wrong with the checkpoint, with the names of its tensors.
pub fn compress(study: &CompressStudy<'_>) -> Result<CompressAnswer, Diagnostics> {
    vitruvian_compression::export::dense(study.checkpoint)?;
    let model = load_model(&study.service.model)?;
    let profiles = Profiles::catalog()?;
    let setups = all(study.chips.iter().map(|chip| Setup::new(chip, &study.service, &profiles)))?;
    let chips: Vec<_> = setups.iter().map(|setup| &setup.chip).collect();
    let asked = variant::variants(study, &chips)?;
    let survey = Survey::of(study.checkpoint, &asked, study.schemes.is_empty())?;
    let measured = study.texts.as_ref().map(|texts| Measured::of(study, texts, &survey.variants));
    let measured = measured.transpose()?;
    let other = study.against.as_ref().map(|other| against::against(study, other, &survey)).transpose()?;
    let schemes = scheme_answers(study, &survey, measured.as_ref());
    let question = trade::Question { study, model: &model, survey: &survey, measured: measured.as_ref() };
    let chips = all(study
        .chips
        .iter()
        .zip(&setups)
        .map(|(input, setup)| trade::on_chip(&question, input, setup, &schemes)))?;
    let mut asked = service_question(&study.service, &model, &workload(&study.service));
    asked.chips = study.count;
    asked.ttft_ms = study.ttft.map(|time| time.get() * 1e3);
    asked.tpot_ms = study.tpot.map(|time| time.get() * 1e3);
    asked.objective.clone_from(&study.objective);
    Ok(CompressAnswer {
        question: asked,
        checkpoint: checkpoint_answer(study, &survey),
        protocol: protocol(study, measured.as_ref()),
        layers: survey.layers(),
        against: other,
        schemes,
        chips,
        notes: notes(study, &survey, &model.name),
    })
}

fn checkpoint_answer(study: &CompressStudy<'_>, survey: &Survey) -> CheckpointAnswer {
    let tensors = study.checkpoint.tensors();
    CheckpointAnswer {
        name: study.name.clone(),
        layout: study.checkpoint.layout().to_string(),
        parameters: tensors.values().map(|tensor| tensor.elements() as u64).sum(),
        linear_parameters: survey.parameters(),
        linear_layers: survey.weights.len() as u64,
        bytes: tensors.values().map(|tensor| tensor.bytes).sum(),
    }
}

fn scheme_answers(
    study: &CompressStudy<'_>,
    survey: &Survey,
    measured: Option<&Measured>,
) -> Vec<SchemeAnswer> {
    let plain: u64 = study.checkpoint.tensors().values().map(|tensor| tensor.bytes).sum();
    let answer = |(index, variant): (usize, &Variant)| {
        let found = measured.and_then(|measured| measured.of_variant(index));
        let energy = survey.total(index);
        let perplexity = found.map(|found| found.perplexity);
        let base = measured.map(|measured| measured.baseline);
        SchemeAnswer {
            scheme: variant.name.clone(),
            bits_per_weight: survey.bits_per_weight(index),
            checkpoint_bytes: plain as f64 - survey.saved_bytes(index),
            sqnr_db: finite(energy.sqnr_db()),
            output_error: found.and_then(|found| found.output_error),
            perplexity,
            perplexity_ratio: perplexity.zip(base).map(|(found, base)| found / base),
            same_token: found.map(|found| found.same_token),
            divergence_nats: found.map(|found| found.divergence),
            worst_layer: survey.worst(index),
        }
    };
    survey.variants.iter().enumerate().map(answer).collect()
}

/// A figure that JSON can hold: nothing for what loses nothing.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

fn protocol(study: &CompressStudy<'_>, measured: Option<&Measured>) -> String {
    let Some((measured, texts)) = measured.zip(study.texts.as_ref()) else {
        return format!(
            "weights alone, rounded to nearest, INT4 in groups of {}: signal over quantisation noise of the linear layers",
            study.group
        );
    };
    format!(
        "method {}, calibrated on {}; SQNR of weights rounded to nearest; perplexity {} of {} tokens of {} in windows of {}, {:.4} in BF16 weights",
        study.method,
        texts.calibration_name,
        texts.unit,
        measured.tokens,
        texts.held_out_name,
        texts.window,
        measured.baseline
    )
}

fn notes(study: &CompressStudy<'_>, survey: &Survey, model: &str) -> Vec<String> {
    let mut notes = survey.left_out.clone();
    if study.deployed_as {
        notes.push(format!(
            "errors are of the weights of {}, deployments of {model}: the two are different models",
            study.name
        ));
    }
    notes
}

/// An error of the checkpoint's side as one of the question.
fn refused(code: &'static str, message: impl Into<String>) -> Diagnostics {
    Diagnostic::error(code, message).into()
}

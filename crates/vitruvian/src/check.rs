//! What a question must say before it can be answered.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_quantity::Seconds;

use crate::plan::{PlanStudy, Rate};
use crate::study::{CompareStudy, EstimateStudy, Input, Service};

/// Longest request that is accepted: far beyond any model, and small enough that no product overflows.
const MOST_TOKENS: u32 = 100_000_000;
/// Most chips of one question.
pub(crate) const MOST_CHIPS: u32 = 65_536;
/// Most plans that an answer lists.
const MOST_PLANS: u32 = 1_000;

/// Checks a comparison.
///
/// # Errors
/// Every mistake, at once.
pub fn compare(study: &CompareStudy) -> Result<(), Diagnostics> {
    let mut faults = service(&study.service);
    if study.chips.is_empty() {
        faults.push(
            Diagnostic::error("no-chip", "no chip is named")
                .help("name at least one, such as h20 ascend-910b2"),
        );
    }
    at_least_one(&mut faults, "chips", study.count, MOST_CHIPS);
    positive(&mut faults, "TTFT", study.ttft);
    positive(&mut faults, "TPOT", study.tpot);
    all_or_nothing(faults)
}

/// Checks an estimate.
///
/// # Errors
/// Every mistake, at once.
pub fn estimate(study: &EstimateStudy) -> Result<(), Diagnostics> {
    let mut faults = service(&study.service);
    at_least_one(&mut faults, "batch", study.batch, 1_000_000);
    let degrees = study.layout;
    for (name, degree) in [("TP", degrees.tp), ("PP", degrees.pp), ("DP", degrees.dp), ("EP", degrees.ep)] {
        at_least_one(&mut faults, name, degree, MOST_CHIPS);
    }
    if let Some(chunk) = study.chunk {
        at_least_one(&mut faults, "chunk", chunk, MOST_TOKENS);
    }
    all_or_nothing(faults)
}

/// Checks a plan.
///
/// # Errors
/// Every mistake, at once.
pub fn plan(study: &PlanStudy) -> Result<(), Diagnostics> {
    let mut faults = service(&study.service);
    if study.chips.is_empty() {
        faults.push(
            Diagnostic::error("no-chip", "no chip is named").help("such as --chips h20:8,ascend-910b2:16"),
        );
    }
    for chips in &study.chips {
        at_least_one(&mut faults, "chips", chips.count, MOST_CHIPS);
    }
    for (index, chips) in study.chips.iter().enumerate() {
        let first = study.chips.iter().position(|other| other.chip == chips.chip);
        if let Input::Name(name) = &chips.chip
            && first.is_some_and(|first| first < index)
        {
            let all: u32 = study.chips.iter().filter(|c| c.chip == chips.chip).map(|c| c.count).sum();
            let fault = Diagnostic::error("chips", format!("`{name}` is named more than once"));
            faults.push(fault.help(format!("write `{name}:{all}`")));
        }
    }
    at_least_one(&mut faults, "plans", study.most, MOST_PLANS);
    positive(&mut faults, "TTFT", study.ttft);
    positive(&mut faults, "TPOT", study.tpot);
    if let Some(Rate::PerSecond(rate)) =
        study.rate.filter(|rate| matches!(rate, Rate::PerSecond(rate) if !rate.is_finite() || *rate <= 0.0))
    {
        let message = format!("the rate is {rate} requests per second, which is no traffic");
        faults.push(Diagnostic::error("rate", message).help("give a positive number, or leave --rate out"));
    }
    if !(study.attainment > 0.0 && study.attainment < 1.0) {
        let message = format!("an attainment of {} is no share of the requests below one", study.attainment);
        faults.push(Diagnostic::error("attainment", message).help("give a share such as 0.9"));
    }
    if let Some(confirm) = &study.confirm {
        at_least_one(&mut faults, "simulated requests", confirm.requests, 10_000_000);
    }
    all_or_nothing(faults)
}

pub(crate) fn service(service: &Service) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    at_least_one(&mut faults, "input tokens", service.input_tokens, MOST_TOKENS);
    at_least_one(&mut faults, "output tokens", service.output_tokens, MOST_TOKENS);
    if service.cached_tokens > service.input_tokens {
        let message = format!(
            "{} cached tokens are more than the {} of the prompt",
            service.cached_tokens, service.input_tokens
        );
        faults.push(
            Diagnostic::error("cached-tokens", message).help("the cached prefix is a part of the prompt"),
        );
    }
    faults
}

pub(crate) fn at_least_one(faults: &mut Vec<Diagnostic>, what: &str, value: u32, most: u32) {
    if value == 0 || value > most {
        let message = format!("{what} must lie between 1 and {most}, not {value}");
        faults.push(Diagnostic::error("out-of-range", message));
    }
}

pub(crate) fn positive(faults: &mut Vec<Diagnostic>, what: &str, time: Option<Seconds>) {
    if let Some(time) = time.filter(|time| *time <= Seconds::ZERO) {
        let message = format!("the {what} target is {time}, which nothing can meet");
        faults.push(Diagnostic::error("target", message).help("give a positive time, such as 50ms"));
    }
}

pub(crate) fn all_or_nothing(faults: Vec<Diagnostic>) -> Result<(), Diagnostics> {
    if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
}

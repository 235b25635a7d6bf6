//! Questions that the tests ask.

use vitruvian::answer::{CompareAnswer, EstimateAnswer, OperatorShare, PhaseAnswer};
use vitruvian::setup::{Profiles, Setup};
use vitruvian::study::{Degrees, Phase, Service};
use vitruvian::{CompareStudy, EstimateStudy, Input};
use vitruvian_quantity::Seconds;

pub(crate) fn name(name: &str) -> Input {
    Input::Name(name.to_owned())
}

/// A chip file of the user's.
pub(crate) fn file(text: impl Into<String>) -> Input {
    Input::File { path: "what-if.toml".to_owned(), text: text.into() }
}

pub(crate) fn service(model: &str) -> Service {
    Service { model: name(model), input_tokens: 4096, output_tokens: 1024, ..Service::default() }
}

/// The default question of the command line: 8 chips, TTFT of 2 s, TPOT of 50 ms.
pub(crate) fn comparison(model: &str, chips: &[&str]) -> CompareStudy {
    CompareStudy {
        chips: chips.iter().map(|chip| name(chip)).collect(),
        service: service(model),
        count: 8,
        ttft: Some(Seconds::new(2.0)),
        tpot: Some(Seconds::new(0.05)),
        objective: None,
        all: false,
    }
}

pub(crate) fn compare(study: &CompareStudy) -> CompareAnswer {
    vitruvian::compare(study).unwrap_or_else(|faults| panic!("{faults}"))
}

/// Decode of a batch at TP1 unless the test changes it.
pub(crate) fn deployment(model: &str, chip: Input) -> EstimateStudy {
    EstimateStudy {
        chip,
        service: service(model),
        layout: Degrees::default(),
        batch: 32,
        chunk: None,
        phase: Phase::Decode,
    }
}

pub(crate) fn estimate(study: &EstimateStudy) -> EstimateAnswer {
    vitruvian::estimate(study).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The only phase of an estimate.
pub(crate) fn phase(study: &EstimateStudy) -> PhaseAnswer {
    let answer = estimate(study);
    answer.decode.or(answer.prefill).unwrap()
}

pub(crate) fn operator<'a>(phase: &'a PhaseAnswer, name: &str) -> &'a OperatorShare {
    let found = phase.operators.iter().find(|operator| operator.operator == name);
    found.unwrap_or_else(|| {
        let names: Vec<&str> = phase.operators.iter().map(|operator| operator.operator.as_str()).collect();
        panic!("no {name} among {names:?}")
    })
}

/// A chip with all that goes with it.
pub(crate) fn setup(chip: &str) -> Setup {
    let profiles = Profiles::catalog().unwrap_or_else(|faults| panic!("{faults}"));
    Setup::new(&name(chip), &Service::default(), &profiles).unwrap_or_else(|faults| panic!("{faults}"))
}

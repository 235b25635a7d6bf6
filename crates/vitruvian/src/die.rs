//! What it costs to make a good chip.

pub mod answer;
mod assemble;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_economics::Exchange;
use vitruvian_economics::manufacture::{Choices, Made, manufacture, recipe};

use crate::setup::load_chip;
use crate::study::Input;
pub use answer::DieAnswer;

/// What does a good chip cost to make, on each of these processes?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DieStudy {
    /// The chip.
    pub chip: Input,
    /// Processes; empty for that of the chip's file.
    pub processes: Vec<String>,
    /// What the user sets.
    pub choices: Choices,
    /// Exchange rates, such as `CNY=0.139`.
    pub rates: Vec<String>,
    /// Seed of the simulation.
    pub seed: u64,
    /// Chips simulated.
    pub samples: u32,
}

/// Most chips of a simulation.
const MOST_SAMPLES: u32 = 1_000_000;

/// Costs a chip on each process.
///
/// # Errors
/// An unknown chip or process, figures that cannot be, a die larger than the reticle, a currency without a rate.
pub fn die(study: &DieStudy) -> Result<DieAnswer, Diagnostics> {
    let (loaded, exchange) = both(load_chip(&study.chip), Exchange::new(&study.rates))?;
    let (chip, notes) = loaded;
    if study.samples < 10 || study.samples > MOST_SAMPLES {
        let message = format!("samples must lie between 10 and {MOST_SAMPLES}, not {}", study.samples);
        return Err(Diagnostic::error("out-of-range", message).into());
    }
    let catalog = manufacture()?;
    let names: Vec<Option<&str>> = if study.processes.is_empty() {
        vec![None]
    } else {
        study.processes.iter().map(|name| Some(name.as_str())).collect()
    };
    let made = names.into_iter().map(|name| recipe(&chip, name, &study.choices, &catalog, &exchange));
    let made: Vec<Made> = vitruvian_diagnostics::all(made)?;
    Ok(assemble::answer(study, &chip, &made, &exchange, notes))
}

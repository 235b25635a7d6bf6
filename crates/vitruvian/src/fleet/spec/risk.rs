//! Risks: what may happen to deliveries, and with which probability.

use vitruvian_diagnostics::Span;
use vitruvian_planner::fleet::{Effect, Outcome, Risk};

use super::Frame;
use crate::fleet::file::{Faults, Table};

/// Probabilities must add up to one this closely: thirds may be written with three digits.
const CLOSE: f64 = 2e-3;

/// The risks of a file.
pub(super) fn risks(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Vec<Risk> {
    table.tables("risk").filter_map(|risk| one(risk, frame, faults)).collect()
}

fn one(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Option<Risk> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    let (mut sum, mut known) = (0.0, true);
    for outcome in table.tables("outcome") {
        let effects = effects(outcome, frame, faults);
        let (name, probability) = (outcome.text("name"), outcome.number("probability"));
        known &= probability.is_some();
        sum += probability.unwrap_or(0.0);
        outcomes.extend(name.zip(probability).map(|(name, probability)| Outcome {
            name: name.name,
            probability,
            effects,
        }));
    }
    let name = table.text("name")?;
    if known && !outcomes.is_empty() && (sum - 1.0).abs() > CLOSE {
        let places: Vec<Span> = table.tables("outcome").map(|o| o.place("probability")).collect();
        let message = format!(
            "the probabilities of `{}` add up to {}, not to 1",
            name.name,
            vitruvian_quantity::significant(sum, 4)
        );
        let rest = outcomes.last().map_or(0.0, |last| last.probability) + 1.0 - sum;
        let help = (0.0..=1.0)
            .contains(&rest)
            .then(|| format!("with {} for the last they would", vitruvian_quantity::significant(rest, 3)));
        faults.add("probabilities", message, places.last().copied().unwrap_or(table.span), help);
    }
    outcomes.iter_mut().for_each(|outcome| outcome.probability /= sum.max(f64::MIN_POSITIVE));
    Some(Risk { name: name.name, outcomes })
}

fn effects(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Vec<Effect> {
    let mut all = Vec::new();
    for effect in table.tables("effect") {
        let (from, until) = frame.span_of(effect, faults);
        for chip in frame.chips_of(&effect.texts("chips"), faults) {
            all.push(Effect {
                chip,
                from,
                until,
                share: effect.number("share").unwrap_or(1.0),
                ramp: effect.count("ramp").unwrap_or(0) as usize,
                delay: effect.count("delay").unwrap_or(0) as usize,
                price: effect.number("price").unwrap_or(1.0),
            });
        }
    }
    all
}

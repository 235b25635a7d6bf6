//! A fleet file with its names looked up and its figures checked against each other.

mod demand;
mod market;
mod risk;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};
use vitruvian_economics::{Region, region};
use vitruvian_planner::fleet::future::Sampling;
use vitruvian_planner::fleet::{Limits, Quarter, Risk};

use super::file::{Faults, Named, Table, read};
use crate::setup::Profiles;
use crate::study::Input;
pub(super) use demand::DemandSpec;
pub(super) use market::{StackSpec, SupplySpec};

/// What is planned.
pub(super) struct Spec {
    pub(super) title: String,
    pub(super) start: Quarter,
    pub(super) quarters: usize,
    pub(super) region: Region,
    pub(super) goal: Goal,
    pub(super) discount: f64,
    pub(super) wait: usize,
    pub(super) sampling: Sampling,
    /// Whether what a chip serves is uncertain, too.
    pub(super) uncertain: bool,
    pub(super) demands: Vec<DemandSpec>,
    pub(super) supplies: Vec<SupplySpec>,
    pub(super) stacks: Vec<StackSpec>,
    pub(super) risks: Vec<Risk>,
    pub(super) limits: Limits,
}

/// What is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// Least money, penalties included.
    Cost,
    /// Least shortfall, then least money.
    Shortfall,
    /// No shortfall if all goes as is likeliest, then least money.
    Meet,
}

/// What every part of a file is checked against.
pub(super) struct Frame {
    pub(super) start: Quarter,
    pub(super) quarters: usize,
    pub(super) region: Region,
    /// The chips of the market, in the order of the file.
    pub(super) chips: Vec<Named>,
    /// Files that it names, with their texts.
    pub(super) files: Vec<(String, String)>,
}

/// What a million output tokens are.
pub(super) const MILLION: f64 = 1e6;
const WATTS_PER_KILOWATT: f64 = 1000.0;

/// Reads a fleet file.
///
/// # Errors
/// Every mistake of the file, in its order.
pub(super) fn spec(
    source: &SourceText,
    files: &[(String, String)],
    profiles: &Profiles,
) -> Result<Spec, Diagnostics> {
    let mut faults = Faults::new(source);
    let table = read(source, &mut faults)?;
    let Some((start, quarters)) = horizon(&table, &mut faults) else {
        faults.done()?;
        return Err(Diagnostic::error("fleet-file", "the file has no horizon").into());
    };
    let name = table.text("region").map_or_else(|| "cn".to_owned(), |named| named.name);
    let region = region::region(&name).map_err(Diagnostics::from)?;
    let chips: Vec<Named> = table.tables("supply").filter_map(|supply| supply.text("chip")).collect();
    let frame = Frame { start, quarters, region, chips, files: files.to_vec() };
    let limits = limits(&table, quarters);
    let rack_power = table.tables("limits").find_map(|limits| limits.number("rack_power"));
    let space = market::Space { limited: limits.racks.is_some(), rack_power };
    let supplies = market::supplies(&table, &frame, profiles, space, &mut faults);
    let stacks = market::stacks(&table, &frame, &mut faults);
    let risks = risk::risks(&table, &frame, &mut faults);
    let demands = demand::demands(&table, &frame, &mut faults);
    crowded(&table, &supplies, &limits, &mut faults);
    faults.done()?;
    Ok(assemble(&table, frame, limits, (demands, supplies, stacks, risks)))
}

type Parts = (Vec<DemandSpec>, Vec<SupplySpec>, Vec<StackSpec>, Vec<Risk>);

fn assemble(table: &Table, frame: Frame, limits: Limits, (demands, supplies, stacks, risks): Parts) -> Spec {
    let objective = table.tables("objective").next();
    let last = frame.quarters - 1;
    let wait = objective.and_then(|objective| objective.quarter("wait"));
    Spec {
        title: table.text("title").map_or_else(|| "Fleet".to_owned(), |named| named.name),
        start: frame.start,
        quarters: frame.quarters,
        goal: goal(objective),
        discount: objective
            .and_then(|objective| objective.number("discount"))
            .unwrap_or(frame.region.discount_rate),
        wait: wait.map_or(last.min(2), |quarter| index(quarter, frame.start)),
        sampling: Sampling {
            seed: u64::from(table.count("seed").unwrap_or(1)),
            samples: table.count("samples").unwrap_or(100) as usize,
        },
        uncertain: table.text("speed").is_none_or(|named| named.name == "uncertain"),
        region: frame.region,
        demands,
        supplies,
        stacks,
        risks,
        limits,
    }
}

fn horizon(table: &Table, faults: &mut Faults<'_>) -> Option<(Quarter, usize)> {
    let quarters = table.count("quarters");
    let start = table.text("start").and_then(|named| match named.name.parse::<Quarter>() {
        Ok(start) => Some(start),
        Err(message) => {
            faults.add("date", message, named.span, None);
            None
        }
    });
    Some((start?, quarters? as usize))
}

fn goal(objective: Option<&Table>) -> Goal {
    let word = objective.and_then(|objective| objective.text("goal")).map(|named| named.name);
    match word.as_deref() {
        Some("shortfall") => Goal::Shortfall,
        Some("meet") => Goal::Meet,
        _ => Goal::Cost,
    }
}

fn limits(table: &Table, quarters: usize) -> Limits {
    let Some(limits) = table.tables("limits").next() else { return Limits::default() };
    let kilowatts = |watts: Vec<f64>| watts.into_iter().map(|w| w / WATTS_PER_KILOWATT).collect();
    Limits {
        power: limits.series("power", quarters).map(kilowatts),
        racks: limits.series("racks", quarters),
        budget: limits.series("budget", quarters),
        total: limits.number("total_budget"),
    }
}

/// Notes that what is there already takes more racks than there are.
fn crowded(table: &Table, supplies: &[SupplySpec], limits: &Limits, faults: &mut Faults<'_>) {
    let taken = |quarter: usize| -> f64 {
        supplies.iter().map(|supply| supply.stock[quarter] * supply.racks_per_node).sum()
    };
    let racks = limits.racks.iter().flatten().enumerate();
    let worst = racks.map(|(quarter, racks)| (taken(quarter), *racks)).find(|(taken, racks)| taken > racks);
    let (Some((taken, racks)), Some(section)) = (worst, table.tables("limits").next()) else { return };
    let message = format!(
        "the stock takes {} racks, but there are {}",
        vitruvian_quantity::three(taken),
        vitruvian_quantity::three(racks)
    );
    faults.add("racks-taken", message, section.place("racks"), None);
}

/// Quarters from the start; a quarter of the file is never before it.
pub(super) fn index(quarter: Quarter, start: Quarter) -> usize {
    usize::try_from(quarter.since(start)).unwrap_or(0)
}

impl Frame {
    /// A chip or a model: a file that was given with the fleet file, else a name of the catalog.
    pub(super) fn input(&self, name: &str) -> Input {
        let file = self.files.iter().find(|(path, _)| path == name);
        match file {
            Some((path, text)) => Input::File { path: path.clone(), text: text.clone() },
            None => Input::Name(name.to_owned()),
        }
    }

    /// Indices of named chips in the market; unknown ones are noted.
    pub(super) fn chips_of(&self, names: &[Named], faults: &mut Faults<'_>) -> Vec<usize> {
        let known: Vec<&str> = self.chips.iter().map(|chip| chip.name.as_str()).collect();
        let mut found = Vec::new();
        for named in names {
            match known.iter().position(|chip| *chip == named.name) {
                Some(index) => found.push(index),
                None => faults.unknown("[[supply]]", &named.name, named.span, &known),
            }
        }
        found
    }

    /// First quarter and one past the last that a table's `from` and `until` leave.
    pub(super) fn span_of(&self, table: &Table, faults: &mut Faults<'_>) -> (usize, usize) {
        let from = table.quarter("from").map_or(0, |quarter| index(quarter, self.start));
        let until = table.quarter("until").map_or(self.quarters, |quarter| index(quarter, self.start) + 1);
        if from >= until {
            let message = "`until` lies before `from`".to_owned();
            faults.add("date-order", message, table.place("until"), None);
        }
        (from, until)
    }
}

/// Notes a name that is given twice.
pub(super) fn once(what: &str, named: &[(String, Span)], faults: &mut Faults<'_>) {
    for (index, (name, span)) in named.iter().enumerate() {
        if named[..index].iter().any(|(other, _)| other == name) {
            let message = format!("there are two {what}s called `{name}`");
            faults.add("name-twice", message, *span, None);
        }
    }
}

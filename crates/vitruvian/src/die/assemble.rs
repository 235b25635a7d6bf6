//! From recipes to an answer.

use std::collections::BTreeMap;

use vitruvian_economics::Exchange;
use vitruvian_economics::manufacture::Input;
use vitruvian_economics::manufacture::cost::Swing;
use vitruvian_economics::manufacture::{Costing, Made, cost, simulate, swings, wafer};
use vitruvian_hardware::{Chip, catalog};

use super::DieStudy;
use super::answer::{BinShare, DieAnswer, InputUsed, OnProcess, Part, Quoted, RateUsed, Sensitivity};
use crate::answer::Range;

pub(super) fn answer(
    study: &DieStudy,
    chip: &Chip,
    made: &[Made],
    exchange: &Exchange,
    mut notes: Vec<String>,
) -> DieAnswer {
    if chip.die.cores_on_die.is_none() {
        notes.push(
            "The chip's file does not say how many cores are on the die: none is taken as spare.".to_owned(),
        );
    }
    let own = chip.die.process.clone();
    if made.iter().any(|made| !made.process.names.contains(&own)) && !study.choices.scale_area {
        notes.push(format!(
            "The die keeps its area of {own} on every process; `--scale-area` lets it follow the density of transistors."
        ));
    }
    let materials = chip.figures.iter().find(|figure| figure.key == "price.materials");
    DieAnswer {
        chip: chip.name.clone(),
        title: chip.title.clone(),
        model: made.first().map_or(String::new(), |made| made.recipe.model.to_string()),
        seed: study.seed,
        samples: study.samples,
        processes: made.iter().map(|made| on_process(study, chip, made)).collect(),
        materials_usd: materials.and_then(|figure| figure.number),
        price_usd: chip.price.map(|price| price.typical.get()),
        rates: rates(study, exchange),
        notes,
    }
}

/// The rates that the user gave.
fn rates(study: &DieStudy, exchange: &Exchange) -> Vec<RateUsed> {
    let named = study.rates.iter().filter_map(|text| text.split('=').next());
    let found = named.filter_map(|currency| exchange.rate(currency).ok());
    found
        .map(|rate| RateUsed {
            currency: rate.currency.clone(),
            usd: rate.dollars,
            origin: rate.origin.clone(),
        })
        .collect()
}

fn on_process(study: &DieStudy, chip: &Chip, made: &Made) -> OnProcess {
    let recipe = &made.recipe;
    let typical = recipe.inputs.typical();
    let costing = cost(recipe, &typical);
    let draws = simulate(recipe, study.seed, study.samples);
    let spread = |of: &dyn Fn(&Costing) -> f64| quantiles(&draws, of);
    OnProcess {
        process: made.process.name.clone(),
        title: made.process.title.clone(),
        area_mm2: recipe.area * 100.0,
        width_mm: made.outline[0],
        height_mm: made.outline[1],
        dies_per_wafer: recipe.per_wafer as u32,
        dies_per_wafer_formula: wafer::estimate(made.usable, recipe.area * 100.0),
        whole_die_yield: recipe.die_yield(None, &typical),
        die_yield: spread(&|draw| draw.die_yield),
        defect_density_per_cm2: range(recipe.inputs.get(Input::DefectDensity)),
        good_die_usd: spread(&|draw| draw.good_die),
        chip_usd: spread(&|draw| draw.total),
        parts: parts(&costing, &draws),
        bins: bins(chip, made),
        sensitivity: swings(recipe).iter().map(sensitivity).collect(),
        quoted_yields: quoted(made),
        inputs: inputs(made),
    }
}

fn range(spread: vitruvian_economics::manufacture::Spread) -> Range {
    Range { p10: spread.low, p50: spread.typical, p90: spread.high }
}

/// P10, median and P90 of a figure over the simulated chips.
fn quantiles(draws: &[Costing], of: &dyn Fn(&Costing) -> f64) -> Range {
    let mut values: Vec<f64> = draws.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    Range { p10: at(0.1), p50: at(0.5), p90: at(0.9) }
}

/// A figure of one simulated chip.
type Figure = fn(&Costing) -> f64;

fn parts(costing: &Costing, draws: &[Costing]) -> Vec<Part> {
    let all: [(&str, Figure); 7] = [
        ("compute dies", |c| c.compute),
        ("other dies", |c| c.others),
        ("memory", |c| c.memory),
        ("interposer", |c| c.interposer),
        ("substrate", |c| c.substrate),
        ("test and finish", |c| c.test),
        ("lost in assembly", |c| c.assembly_loss),
    ];
    all.into_iter()
        .filter(|(_, of)| of(costing) > 0.0)
        .map(|(part, of)| Part {
            part: part.to_owned(),
            usd: quantiles(draws, &of),
            share: of(costing) / costing.total,
        })
        .collect()
}

/// What the die can be sold as: the chips of the catalog that use the same die, and this one, by cores needed.
fn bins(chip: &Chip, made: &Made) -> Vec<BinShare> {
    let recipe = &made.recipe;
    let Some((_, needed)) = recipe.cores else { return Vec::new() };
    let typical = recipe.inputs.typical();
    let mut by_cores: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    by_cores.entry(needed).or_default().push(chip.name.clone());
    for sibling in siblings(chip) {
        by_cores.entry(sibling.compute.cores.div_ceil(sibling.compute.dies)).or_default().push(sibling.name);
    }
    let wafer_price = typical.get(Input::WaferPrice);
    let mut better = 0.0;
    let mut bins = Vec::new();
    for (cores, chips) in by_cores.into_iter().rev() {
        let at_least = recipe.die_yield(Some(cores), &typical);
        bins.push(BinShare {
            cores,
            chips,
            share: at_least - better,
            at_least,
            dies_per_wafer: recipe.per_wafer * at_least,
            good_die_usd: wafer_price / (recipe.per_wafer * at_least),
        });
        better = at_least;
    }
    bins
}

/// Other chips of the catalog with the same die.
fn siblings(chip: &Chip) -> Vec<Chip> {
    let same = |other: &Chip| {
        other.name != chip.name
            && other.vendor == chip.vendor
            && other.die.area == chip.die.area
            && other.die.cores_on_die == chip.die.cores_on_die
    };
    catalog::names().filter_map(|name| catalog::chip(name).ok()).filter(same).collect()
}

fn sensitivity(swing: &Swing) -> Sensitivity {
    let (input, unit) = swing.input.name();
    Sensitivity {
        input: input.to_owned(),
        unit: unit.to_owned(),
        low: swing.spread.low,
        high: swing.spread.high,
        at_low_usd: swing.at_low,
        at_high_usd: swing.at_high,
        share: swing.share,
    }
}

/// What each quoted yield of the process would mean for this die.
fn quoted(made: &Made) -> Vec<Quoted> {
    let recipe = &made.recipe;
    let Some(said) = &made.process.quoted_yield else { return Vec::new() };
    let Some(area) = said.area_cm2() else { return Vec::new() };
    let own = (said.value, &said.source, &said.grade);
    let others = said.alternatives.iter().map(|other| (other.value, &other.source, &other.grade));
    let one = |(good, source, grade): (f64, &String, &String)| {
        let density = recipe.model.density(area, good);
        let costing = cost(recipe, &recipe.inputs.typical().with(Input::DefectDensity, density));
        Quoted {
            good,
            defect_density_per_cm2: density,
            die_yield: costing.die_yield,
            good_die_usd: costing.good_die,
            source: source.clone(),
            grade: grade.clone(),
        }
    };
    std::iter::once(own).chain(others).map(one).collect()
}

fn inputs(made: &Made) -> Vec<InputUsed> {
    let used = made.origins.iter().map(|origin| {
        let spread = made.recipe.inputs.get(origin.input);
        let (input, unit) = origin.input.name();
        InputUsed {
            input: input.to_owned(),
            unit: unit.to_owned(),
            low: spread.low,
            typical: spread.typical,
            high: spread.high,
            date: origin.date.clone(),
            source: origin.source.clone(),
            grade: origin.grade.clone(),
            alternatives: origin.others.clone(),
        }
    });
    used.collect()
}

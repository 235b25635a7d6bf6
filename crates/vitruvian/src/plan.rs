//! The best deployments of chips at hand for a traffic, confirmed by simulation, ready to be launched.

pub mod answer;
mod closest;
mod emit;
mod pairing;
mod reasons;
mod rows;
pub mod study;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, all, both};
use vitruvian_engine::catalog as engines;
use vitruvian_model::Model;
use vitruvian_network::Network;
use vitruvian_planner::plan::{Ask, Found, plan as search};
use vitruvian_planner::space::Limits;
use vitruvian_planner::{Objective, Question, Space, Targets, Workload};
use vitruvian_report::launch::Launch;

use crate::check;
use crate::compare::workload;
use crate::precision::precisions;
use crate::setup::{Profiles, Setup, load_model, maker};
use crate::study::Service;

pub use answer::PlanAnswer;
pub use study::{Chips, Confirm, PlanStudy, Split};

/// An answer, and what to launch for its best plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// What was found.
    pub answer: PlanAnswer,
    /// What to start for the best plan; nothing where no plan was found.
    pub launch: Option<Launch>,
}

/// The question with everything found and read that it names.
pub(crate) struct Asked<'a> {
    study: &'a PlanStudy,
    model: &'a Model,
    setups: &'a [Setup],
    spaces: &'a [Space],
    workload: Workload,
    /// Tokens of the longest request.
    longest: u32,
    targets: Targets,
    objective: Objective,
    objective_name: &'a str,
}

/// Plans a deployment of the chips at hand. With `launch`, the best plan must be one that launch files can be written for.
///
/// # Errors
/// Every mistake in the question, in a chip file or in a model configuration; an engine without launch files.
pub fn plan(study: &PlanStudy, launch: bool) -> Result<Planned, Diagnostics> {
    check::plan(study)?;
    let (objective, objective_name) = objective(study)?;
    let profiles = Profiles::catalog()?;
    let setups = all(study.chips.iter().map(|chips| setup(study, chips, &profiles)));
    let (model, setups) = both(load_model(&study.service.model), setups)?;
    let spaces =
        all(setups.iter().zip(&study.chips).map(|(setup, chips)| space(study, &model, setup, chips)))?;
    let asked = Asked {
        study,
        model: &model,
        setups: &setups,
        spaces: &spaces,
        workload: workload(&study.service),
        longest: study.service.input_tokens.saturating_add(study.service.output_tokens),
        targets: Targets { ttft: study.ttft, tpot: study.tpot },
        objective,
        objective_name,
    };
    answer(&asked, launch)
}

fn answer(asked: &Asked<'_>, launch: bool) -> Result<Planned, Diagnostics> {
    let networks: Vec<Network<'_>> = asked.setups.iter().map(Setup::network).collect();
    let kinds: Vec<Question<'_>> =
        (0..asked.setups.len()).map(|kind| question(asked, kind, &networks[kind])).collect();
    let pairing = |from: usize, to: usize| {
        let [from, to] = [from, to].map(|kind| &asked.setups[kind].engine);
        pairing::pairing(from, to, asked.model).filter(|_| asked.study.split != Split::Aggregated)
    };
    let ask = Ask { kinds: &kinds, rate: asked.study.rate, objective: asked.objective, pairing: &pairing };
    let mut found = search(&ask);
    if asked.study.split == Split::Disaggregated {
        found.only_disaggregated();
    }
    let shown = rows::rows(asked, &found);
    let launched = match shown.plans.first() {
        Some(best) if launch => Some(emit::launch(asked, best, rows::predicted(&shown.rows[0]))?),
        _ => None,
    };
    let reasons = reasons::reasons(asked, &shown.plans, &shown.rows);
    let closest = if shown.plans.is_empty() { closest::closest(asked, &kinds, &found) } else { Vec::new() };
    let answer = PlanAnswer {
        question: rows::question(asked),
        search: rows::search(asked, &kinds, &found),
        plans: shown.rows,
        closest,
        reasons,
        notes: notes(asked, &found),
    };
    Ok(Planned { answer, launch: launched })
}

fn objective(study: &PlanStudy) -> Result<(Objective, &str), Diagnostic> {
    match study.objective.as_deref().unwrap_or("goodput") {
        "goodput" => Ok((Objective::Throughput, "goodput")),
        name => match name.parse() {
            Ok(objective) => Ok((objective, name)),
            Err(_) => Err(Diagnostic::error("objective-unknown", format!("`{name}` is not an objective"))
                .help("use goodput, throughput, cost, energy or latency")),
        },
    }
}

/// The setup of a kind, under the first of the engines named that runs on it.
fn setup(study: &PlanStudy, chips: &Chips, profiles: &Profiles) -> Result<Setup, Diagnostics> {
    let free = Service { engine: None, ..study.service.clone() };
    let setup = Setup::new(&chips.chip, &free, profiles)?;
    let Some(names) = &study.service.engine else { return Ok(setup) };
    let named = all(names.split(',').map(|name| Ok::<_, Diagnostics>(engines::engine(name.trim())?)))?;
    let runs = |vendors: &[String]| vendors.iter().any(|vendor| vendor == maker(&setup.chip));
    match named.iter().find(|engine| runs(&engine.vendors)) {
        Some(engine) => {
            let service = Service { engine: Some(engine.name.clone()), ..study.service.clone() };
            Setup::new(&chips.chip, &service, profiles)
        }
        // An engine that is meant for another kind leaves this one with its usual one.
        None if study.chips.len() > 1 => Ok(setup),
        None => Setup::new(&chips.chip, &study.service, profiles),
    }
}

/// Layouts that an engine can be told: experts on all ranks of a layer, or on none.
fn space(study: &PlanStudy, model: &Model, setup: &Setup, chips: &Chips) -> Result<Space, Diagnostics> {
    let precisions = precisions(&study.service, model, &setup.chip)?;
    let limits =
        Limits { max_sequences: setup.engine.max_sequences, batched_tokens: setup.engine.batched_tokens };
    let mut space = Space::whole(model, chips.count, setup.node.size, precisions, limits);
    space.layouts = vitruvian_planner::space::fitting(model.has_experts(), chips.count, setup.node.size);
    space.layouts.retain(|layout| layout.ep == 1 || layout.ep == layout.expert_ranks());
    Ok(space)
}

fn question<'a>(asked: &Asked<'a>, kind: usize, network: &'a Network<'a>) -> Question<'a> {
    let setup = &asked.setups[kind];
    Question {
        model: asked.model,
        chip: &setup.chip,
        node: &setup.node,
        costs: setup.costs(),
        network,
        engine: &setup.engine,
        workload: asked.workload,
        targets: asked.targets,
        objective: asked.objective,
        finance: setup.finance(),
        space: &asked.spaces[kind],
        keep_all: false,
    }
}

fn notes(asked: &Asked<'_>, found: &Found) -> Vec<String> {
    let mut notes: Vec<String> = asked.setups.iter().flat_map(|setup| setup.notes.clone()).collect();
    let engines = |plan: &vitruvian_planner::Plan| {
        let mut names: Vec<&str> =
            plan.pools.iter().map(|pool| asked.setups[pool.kind].engine.name.as_str()).collect();
        names.dedup();
        names.len()
    };
    if found.plans.first().is_some_and(|plan| plan.transfer.is_some() && engines(plan) > 1) {
        notes.push(pairing::FOREIGN.to_owned());
    }
    notes
}

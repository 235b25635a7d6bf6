//! The best deployments of chips at hand for a traffic, confirmed by simulation, ready to be launched.

pub mod answer;
mod closest;
mod confirm;
mod emit;
mod pairing;
mod reasons;
mod rows;
pub mod study;
mod traffic;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, all, both};
use vitruvian_engine::catalog as engines;
use vitruvian_model::Model;
use vitruvian_network::Network;
use vitruvian_planner::plan::{Ask, Plan, Pool, plan as search};
use vitruvian_planner::space::Limits;
use vitruvian_planner::{Objective, Question, Space, Targets, Workload};
use vitruvian_report::launch::Launch;

use crate::check;
use crate::compare::workload;
use crate::precision::precisions;
use crate::setup::{Profiles, Setup, load_model, maker};
use crate::study::Service;
use traffic::Traffic;

pub use answer::PlanAnswer;
use answer::PlanSearch;
pub use study::{Chips, Confirm, PlanStudy, Rate, Recorded, Split};

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
    traffic: &'a Traffic,
    workload: Workload,
    /// Requests per second to be served; nothing for as many as possible.
    rate: Option<f64>,
    /// Tokens of the longest request.
    longest: u32,
    /// Rows of the trace that were left out.
    skipped: usize,
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
    let read = study.trace.as_ref().map(traffic::read).transpose();
    let ((model, setups), read) = both(both(load_model(&study.service.model), setups), read)?;
    let (skipped, traffic) = match read {
        Some((trace, skipped)) => {
            let rate = traffic::mean_rate(&trace).ok_or_else(no_rate)?;
            (skipped, Traffic::Recorded(trace, rate))
        }
        None => (0, Traffic::Made(workload(&study.service))),
    };
    let spaces =
        all(setups.iter().zip(&study.chips).map(|(setup, chips)| space(study, &model, setup, chips)))?;
    let asked = Asked {
        study,
        model: &model,
        setups: &setups,
        spaces: &spaces,
        traffic: &traffic,
        workload: typical(study, &traffic),
        rate: rate(study, &traffic),
        longest: traffic.longest(),
        skipped,
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
    let attainment = asked.study.attainment;
    let objective = asked.objective;
    let ask = Ask { kinds: &kinds, rate: asked.rate, attainment, objective, pairing: &pairing };
    let mut found = search(&ask);
    if asked.study.split == Split::Disaggregated {
        found.only_disaggregated();
    }
    let shown = rows::rows(asked, &kinds, &found);
    let launched = match (shown.plans.first(), shown.rows.first()) {
        (Some(best), Some(row)) if launch => {
            let rate = row.simulated.as_ref().map_or(best.rate, |simulated| simulated.rate_per_s);
            Some(emit::launch(asked, best, rate, rows::predicted(row))?)
        }
        _ => None,
    };
    let reasons = reasons::reasons(asked, &shown);
    let closest = if shown.plans.is_empty() {
        closest::closest(asked, &kinds, &found)
    } else {
        closest::unconfirmed(asked, &shown.rows).into_iter().collect()
    };
    let answer = PlanAnswer {
        question: rows::question(asked),
        search: PlanSearch { simulations: shown.runs, ..rows::search(asked, &kinds, &found) },
        notes: notes(asked, &shown.plans),
        plans: shown.rows,
        closest,
        reasons,
    };
    Ok(Planned { answer, launch: launched })
}

/// The request that stands for all: of a trace, its mean lengths.
fn typical(study: &PlanStudy, traffic: &Traffic) -> Workload {
    match traffic {
        Traffic::Made(workload) => *workload,
        Traffic::Recorded(trace, _) => {
            let (input, output) = trace.mean_lengths();
            let input = (input.round() as u32).max(1);
            let cached = study.service.cached_tokens.min(input);
            Workload { input, output: (output.round() as u32).max(1), cached }
        }
    }
}

fn rate(study: &PlanStudy, traffic: &Traffic) -> Option<f64> {
    match (study.rate, traffic) {
        (Some(Rate::PerSecond(rate)), _) => Some(rate),
        (None, Traffic::Recorded(_, own)) => Some(*own),
        (Some(Rate::Most), _) | (None, Traffic::Made(_)) => None,
    }
}

fn no_rate() -> Diagnostic {
    Diagnostic::error("trace-rate", "all requests of the trace come at once: it has no rate")
        .help("give a trace that lasts some time, or --isl, --osl and --rate")
}

impl Asked<'_> {
    /// Whether prompts share contents that a prefix cache finds.
    fn prefixes(&self) -> bool {
        self.traffic.shares()
    }
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

/// What a reader should know of the chips, the trace and the listed plans.
fn notes(asked: &Asked<'_>, plans: &[&Plan]) -> Vec<String> {
    let mut notes: Vec<String> = asked.setups.iter().flat_map(|setup| setup.notes.clone()).collect();
    if asked.skipped > 0 {
        notes.push(format!("{} rows of the trace were left out", asked.skipped));
    }
    let engine = |pool: &Pool| asked.setups[pool.kind].engine.name.as_str();
    let foreign = |plan: &&Plan| {
        plan.transfer.is_some() && plan.pools.windows(2).any(|pair| engine(&pair[0]) != engine(&pair[1]))
    };
    if plans.iter().any(foreign) {
        notes.push(pairing::FOREIGN.to_owned());
    }
    notes
}

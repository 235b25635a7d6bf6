//! `fleet plan`: which chips to buy, when, and for which service, under a shortage.

mod answer;
mod assemble;
mod columns;
mod file;
mod limits;
mod outlook;
mod problem;
mod reasons;
mod spec;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_planner::fleet::branch::Effort;
use vitruvian_planner::fleet::direct::{Freedom, Orders, direct};
use vitruvian_planner::fleet::elastic::{Blocked, blocked};
use vitruvian_planner::fleet::future::is_exact;
use vitruvian_planner::fleet::hedge::{Hedged, Patience};
use vitruvian_planner::fleet::placement::{Placement, placements};
use vitruvian_planner::fleet::polish::{Polished, polish};
use vitruvian_planner::fleet::relax::Halt;
use vitruvian_planner::fleet::strategy::{Strategy, Tried, attempt, known};
use vitruvian_planner::fleet::worth::{Worth, worths};
use vitruvian_planner::fleet::{Doubt, Future, Problem, evaluate, futures, likely};

pub use answer::*;
pub use file::{files_named, json_schema};

use columns::{Found, Unserved, columns};
use spec::{Goal, Spec};

use crate::setup::Profiles;

/// Which fleet?
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetStudy {
    /// Path of the fleet file, for diagnostics.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Chip files and model configurations that it names: the name as written, and the text.
    pub files: Vec<(String, String)>,
    /// Futures to draw, instead of what the file says.
    pub samples: Option<u32>,
    /// Seed, instead of what the file says.
    pub seed: Option<u32>,
}

/// Relaxations of one program with whole numbers.
const EFFORT: Effort = Effort { nodes: 300, gap: 1e-4 };
/// The same for the placements of one quarter, which are solved a hundred times as fast.
const PLACING: Effort = Effort { nodes: 3000, gap: 1e-3 };
/// The plan is sought until another could be better by this part at most.
const PATIENCE: Patience = Patience { steps: 60, gap: 1e-3, rounds: 3, branch: EFFORT };

/// The same where placements are tried many times over.
const POLISHING: Effort = Effort { nodes: 600, gap: 1e-3 };
/// Deployments ordered after rounding at most.
const TRIES: usize = 60;

/// Everything that was worked out.
struct Worked<'a> {
    spec: &'a Spec,
    found: &'a [Found],
    unserved: &'a [Unserved],
    problem: &'a Problem,
    futures: &'a [Future],
    exact: bool,
    doubts: &'a [Doubt],
    likely: &'a Future,
    known: &'a [f64],
    tried: &'a [Tried],
    plan: &'a Hedged,
    placed: &'a [Placement],
    /// Present value of the likeliest future with nodes shared between deployments.
    shared: f64,
    worths: &'a [Worth],
    blocked: Option<&'a Blocked>,
}

/// Plans a fleet.
///
/// # Errors
/// Every mistake of the file at its place, or a solver that fails.
pub fn fleet_plan(study: &FleetStudy) -> Result<FleetAnswer, Diagnostics> {
    let source = SourceText::new(study.path.as_str(), study.text.as_str());
    let profiles = Profiles::catalog()?;
    let mut spec = spec::spec(&source, &study.files, &profiles)?;
    spec.sampling.samples = study.samples.map_or(spec.sampling.samples, |samples| samples as usize);
    spec.sampling.seed = study.seed.map_or(spec.sampling.seed, u64::from);
    let (found, unserved) = columns(&spec.demands, &spec.supplies);
    let problem = problem::problem(&spec, &found);
    work(&spec, &found, &unserved, &problem).map_err(|halt| failed(&halt))
}

fn work(spec: &Spec, found: &[Found], unserved: &[Unserved], problem: &Problem) -> Result<FleetAnswer, Halt> {
    let doubts = doubts(spec, found);
    let futures = futures(problem, &spec.risks, &doubts, spec.sampling);
    let likely = likely(problem, &spec.risks);
    let blocked = blocked(problem, &likely)?;
    let known = known(problem, &futures)?;
    let mut tried = try_all(spec, problem, &futures, &known)?;
    let placed = finish(spec, problem, &futures, &likely, (&known, &mut tried[0]))?;
    let plan = tried[0].hedged.clone().ok_or(Halt::Infeasible)?;
    let shared = evaluate(problem, &plan.orders, std::slice::from_ref(&likely))?;
    let worths = worths(problem, &likely)?;
    let exact = is_exact(&spec.risks, &doubts, spec.sampling);
    Ok(assemble::answer(&Worked {
        spec,
        found,
        unserved,
        problem,
        futures: &futures,
        exact,
        doubts: &doubts,
        likely: &likely,
        known: &known,
        tried: &tried,
        plan: &plan,
        placed: &placed,
        shared: shared.iter().map(vitruvian_planner::fleet::Books::total).sum(),
        worths: &worths,
        blocked: blocked.as_ref(),
    }))
}

/// What is not known of each chip. Its speed has the mean spread of its deployments; chips of one architecture are costed by
/// the same models and are off together.
fn doubts(spec: &Spec, found: &[Found]) -> Vec<Doubt> {
    let architecture = |chip: usize| spec.supplies[chip].setup.chip.architecture;
    let one = |chip: usize| {
        let sigmas: Vec<f64> =
            found.iter().filter(|way| way.chip == chip).map(|way| way.performance.tpot_sigma).collect();
        let mean = sigmas.iter().sum::<f64>() / (sigmas.len() as f64).max(1.0);
        let kin = (0..chip).find(|other| architecture(*other) == architecture(chip)).unwrap_or(chip);
        Doubt { volume: spec.supplies[chip].spread, speed: if spec.uncertain { mean } else { 0.0 }, kin }
    };
    (0..spec.supplies.len()).map(one).collect()
}

/// The plan first, then each chip alone, then waiting.
fn try_all(spec: &Spec, problem: &Problem, futures: &[Future], known: &[f64]) -> Result<Vec<Tried>, Halt> {
    let mut strategies = vec![Strategy::Mixed];
    let on_the_market = |chip: &usize| problem.chips[*chip].offered.iter().any(|nodes| *nodes >= 1.0);
    strategies.extend((0..problem.chips.len()).filter(on_the_market).map(Strategy::Only));
    strategies.push(Strategy::Wait(spec.wait));
    let mut tried = Vec::new();
    for strategy in strategies {
        tried.push(attempt(problem, futures, known, strategy, PATIENCE)?);
    }
    if let [only] = futures {
        tried[0] = certain(problem, only, known, &tried[0])?;
    }
    adopt(&mut tried);
    Ok(tried)
}

/// Whole placements of the plan in the likeliest future. Where shortfall comes before money, what rounding leaves short is
/// ordered too.
fn finish(
    spec: &Spec,
    problem: &Problem,
    futures: &[Future],
    likely: &Future,
    (known, plan): (&[f64], &mut Tried),
) -> Result<Vec<Placement>, Halt> {
    let Some(hedged) = &mut plan.hedged else { return Ok(Vec::new()) };
    if spec.goal == Goal::Cost {
        return placements(problem, &hedged.orders, likely, PLACING);
    }
    let Polished { orders, placed } = polish(problem, &hedged.orders, likely, POLISHING, TRIES)?;
    if orders != hedged.orders {
        plan.books = evaluate(problem, &orders, futures)?;
        let totals =
            plan.books.iter().map(|books| books.weight * (books.cost() + books.penalty * problem.priority));
        hedged.expected = totals.sum::<f64>().max(hedged.bound);
        hedged.orders = orders;
        let pairs = plan.books.iter().zip(known);
        plan.regret = pairs.map(|(books, least)| (books.total() - least).max(0.0)).collect();
    }
    Ok(placed)
}

/// With one future, orders and placements are sought as whole numbers together; the better of both plans is kept.
fn certain(problem: &Problem, future: &Future, known: &[f64], hedged: &Tried) -> Result<Tried, Halt> {
    let freedom = Freedom { whole_orders: true, whole_placements: true, ..Freedom::default() };
    let Ok(plan) = direct(problem, future, freedom, EFFORT) else { return Ok(hedged.clone()) };
    let whole = |orders: &Orders| -> Result<f64, Halt> {
        let placed = placements(problem, orders, future, PLACING)?;
        let paid = evaluate::nodes_charge(problem, orders, future) + evaluate::stacks_charge(problem, orders);
        Ok(paid + placed.iter().map(|quarter| quarter.cost).sum::<f64>())
    };
    let Some(before) = &hedged.hedged else { return Ok(hedged.clone()) };
    let (own, other) = (whole(&plan.orders)?, whole(&before.orders)?);
    let (orders, expected) = if own <= other { (plan.orders, own) } else { (before.orders.clone(), other) };
    let books = evaluate(problem, &orders, std::slice::from_ref(future))?;
    let regret = books.iter().zip(known).map(|(books, least)| (books.total() - least).max(0.0)).collect();
    let hedged = Hedged { orders, expected, bound: plan.bound, steps: before.steps };
    Ok(Tried { strategy: Strategy::Mixed, books, regret, hedged: Some(hedged) })
}

/// Where the orders of one chip alone turn out better than those of all, within the gap, they are the plan.
fn adopt(tried: &mut [Tried]) {
    let expected = |tried: &Tried| tried.hedged.as_ref().map_or(f64::INFINITY, |hedged| hedged.expected);
    let best = (1..tried.len()).min_by(|a, b| expected(&tried[*a]).total_cmp(&expected(&tried[*b])));
    let Some(best) = best.filter(|best| expected(&tried[*best]) < expected(&tried[0])) else { return };
    let bound = tried[0].hedged.as_ref().map(|hedged| hedged.bound);
    let better = tried[best].clone();
    let hedged = better.hedged.map(|hedged| Hedged { bound: bound.unwrap_or(hedged.bound), ..hedged });
    tried[0] = Tried { strategy: Strategy::Mixed, hedged, ..better };
}

fn failed(halt: &Halt) -> Diagnostics {
    let message = match halt {
        Halt::Infeasible => "no orders keep the limits, not even none".to_owned(),
        Halt::Failed(why) => format!("the solver gave up: {why}"),
    };
    Diagnostic::error("fleet-solver", message).into()
}

/// Whether the answer is that the demand cannot be met though it must.
pub fn is_infeasible(answer: &FleetAnswer) -> bool {
    answer.question.goal == "meet" && !answer.can_be_met
}

impl Goal {
    /// The word in the file.
    const fn name(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Shortfall => "shortfall",
            Self::Meet => "meet",
        }
    }
}

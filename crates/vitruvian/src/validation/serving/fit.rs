//! Fitting an engine's host figures to a table of serving points: few figures, one coordinate at a time.
//!
//! Candidates are judged by the closed form, corrected by simulation: each point is simulated at the figures found so far, and
//! the closed form's TPOT is scaled and its TTFT shifted so that the two agree there. A correction holds no measurement.
//!
//! What steps spend is fitted to TPOT, then what requests spend outside of steps to TTFT. The loss is the mean of
//! min(|ln(predicted/measured)|, 0.35), a model on a chip counting as the root of its points: those of one model are not
//! independent evidence about an engine.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_engine::{EngineProfile, Meter, Replica};
use vitruvian_network::Network;
use vitruvian_planner::{Loop, Steady, closed_loop};

use super::point::Case;
use super::{Known, Point, ROUNDS, simulated, table};
use crate::setup::Profiles;
use crate::validation::knob::{self, Knob};

/// Figures of one engine as a table of points suggests them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct EngineFit {
    /// Engine.
    pub engine: String,
    /// Points used.
    pub points: usize,
    /// Fitted figures by their key in the engine's file, with units.
    pub figures: Vec<FittedFigure>,
    /// Errors with all models in the fit.
    pub fitted: FitError,
    /// Errors of each model with figures fitted on the other models, all points together.
    pub left_out: FitError,
}

/// A fitted figure.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FittedFigure {
    /// Key in the engine's file.
    pub key: &'static str,
    /// Value as the file writes it.
    pub value: String,
}

/// Median absolute errors in percent, and the spread that makes P10–P90 hold 80 % of the points.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct FitError {
    /// Median absolute error of TTFT.
    pub ttft_median_abs_pct_error: f64,
    /// Median absolute error of TPOT.
    pub tpot_median_abs_pct_error: f64,
    /// Relative standard deviation of TTFT by its 80 % quantile.
    pub ttft_sigma: f64,
    /// Relative standard deviation of TPOT by its 80 % quantile.
    pub tpot_sigma: f64,
}

/// The measurement that figures are fitted to.
#[derive(Clone, Copy, PartialEq)]
enum Aim {
    Tpot,
    Ttft,
}

/// What steps spend. The ranges are what makes sense: eight small kernels of 2 µs a layer, the skew of aiconfigurator's
/// generator, a Python frame or two a launch, and less than a millisecond between two steps.
const OF_STEPS: [Knob; 4] = [
    knob::launch([2.0, 60.0]),
    knob::gap_experts([0.5, 16.0]),
    knob::gap([0.05, 0.8]),
    knob::expert_skew([0.05, 1.2]),
];
/// What requests spend outside of steps.
const OF_REQUESTS: [Knob; 3] =
    [knob::request_experts([0.01, 5.0]), knob::request([2.0, 300.0]), knob::request_each([0.05, 10.0])];

/// All of them.
fn knobs() -> impl Iterator<Item = &'static Knob> {
    OF_STEPS.iter().chain(&OF_REQUESTS)
}

/// Factors tried on a figure, coarse in the first sweeps and finer in the next.
const SWEEPS: [&[f64]; 6] = [
    &[0.1, 0.25, 0.5, 2.0, 4.0, 8.0],
    &[0.1, 0.3, 0.6, 1.6, 3.0, 8.0],
    &[0.4, 0.7, 1.4, 2.5],
    &[0.6, 0.8, 1.25, 1.6],
    &[0.7, 0.9, 1.1, 1.4],
    &[0.85, 0.93, 1.08, 1.18],
];

/// A point with its meter, which remembers costs from one candidate to the next.
struct Bench<'a> {
    case: &'a Case,
    point: &'a Point,
    network: &'a Network<'a>,
    meter: Meter<'a>,
    correction: Correction,
}

/// What a simulation makes of the closed form at one set of figures.
#[derive(Clone, Copy)]
struct Correction {
    /// Simulated over closed TPOT.
    tpot: f64,
    /// Simulated less closed TTFT, in seconds.
    ttft: f64,
}

impl Correction {
    const NONE: Self = Self { tpot: 1.0, ttft: 0.0 };
}

/// Times that the simulations are repeated at the figures found; the figures change little after the second.
const ROUNDS_OF_SIMULATION: usize = 2;

/// Fits every engine of a table and says what the figures are worth on models they were not fitted on.
///
/// # Errors
/// As [`super::serving`].
pub fn fit(
    source: &SourceText,
    configuration: &dyn Fn(&str) -> Option<SourceText>,
) -> Result<Vec<EngineFit>, Diagnostics> {
    let points = table::read(source)?;
    let known = Known { profiles: Profiles::catalog()?, configuration };
    let cases: Vec<(Case, &Point)> = points
        .iter()
        .filter(|point| point.aggregated)
        .filter_map(|point| Some((Case::new(point, &known).ok()?, point)))
        .collect();
    let networks: Vec<Network<'_>> = cases.iter().map(|(case, _)| case.sides[0].setup.network()).collect();
    let mut engines: Vec<&EngineProfile> =
        cases.iter().map(|(case, _)| &case.sides[0].setup.engine).collect();
    engines.sort_by(|a, b| a.name.cmp(&b.name));
    engines.dedup_by(|a, b| a.name == b.name);
    let fits = engines.into_iter().map(|engine| {
        let mine = cases
            .iter()
            .zip(&networks)
            .filter(|((case, _), _)| case.sides[0].setup.engine.name == engine.name);
        let bench = mine.map(|((case, point), network)| Bench {
            case,
            point,
            network,
            correction: Correction::NONE,
            meter: Meter::new(&case.sides[0].setup.node, case.sides[0].setup.costs(), network),
        });
        fit_engine(engine, bench.collect())
    });
    Ok(fits.collect())
}

fn fit_engine(engine: &EngineProfile, mut bench: Vec<Bench<'_>>) -> EngineFit {
    let start = &knob::neutral(engine, knobs());
    let everyone = |_: &Bench<'_>| true;
    let mut best = descend(start, &mut bench, &everyone);
    for _ in 0..ROUNDS_OF_SIMULATION {
        bench.iter_mut().for_each(|one| one.correction = correction(&best, one));
        best = descend(start, &mut bench, &everyone);
    }
    let fitted = ratios(&best, &mut bench, &everyone);
    let mut models: Vec<String> = bench.iter().map(|one| one.case.model.name.clone()).collect();
    models.sort();
    models.dedup();
    let mut left_out = Vec::new();
    for model in &models {
        let others = descend(start, &mut bench, &|one| one.case.model.name != *model);
        left_out.extend(ratios(&others, &mut bench, &|one| one.case.model.name == *model));
    }
    let figure = |knob: &Knob| FittedFigure { key: knob.key, value: knob.written(&best) };
    EngineFit {
        engine: start.name.clone(),
        points: fitted.len(),
        figures: knobs().map(figure).collect(),
        fitted: errors(&fitted),
        left_out: errors(&left_out),
    }
}

/// The figures of steps to TPOT, then those of requests to TTFT.
fn descend(
    start: &EngineProfile,
    bench: &mut [Bench<'_>],
    used: &dyn Fn(&Bench<'_>) -> bool,
) -> EngineProfile {
    let mut to = |aim, start, knobs: &[Knob]| {
        knob::descend(start, knobs, &SWEEPS, |engine| loss(aim, engine, bench, used)).0
    };
    let steps = to(Aim::Tpot, start.clone(), &OF_STEPS);
    to(Aim::Ttft, steps, &OF_REQUESTS)
}

/// ln(predicted/measured) of TTFT and TPOT.
struct Ratio {
    group: String,
    ttft: f64,
    tpot: f64,
}

fn ratios(engine: &EngineProfile, bench: &mut [Bench<'_>], used: &dyn Fn(&Bench<'_>) -> bool) -> Vec<Ratio> {
    let mut all = Vec::new();
    for one in bench.iter_mut().filter(|one| used(one)) {
        let Some(state) = run(engine, one) else { continue };
        let ttft = (state.ttft.get() + one.correction.ttft).max(SHORTEST);
        all.push(Ratio {
            group: format!("{} {}", one.case.model.name, one.case.sides[0].setup.chip.name),
            ttft: (ttft * 1e3 / one.point.ttft_ms).ln(),
            tpot: (state.tpot.get() * one.correction.tpot * 1e3 / one.point.tpot_ms).ln(),
        });
    }
    all
}

/// A corrected TTFT is at least a millisecond.
const SHORTEST: f64 = 1e-3;

/// The closed form as it is where a point cannot be simulated.
fn correction(engine: &EngineProfile, one: &mut Bench<'_>) -> Correction {
    let Some(state) = run(engine, one) else { return Correction::NONE };
    let networks = std::slice::from_ref(one.network);
    simulated::means(one.case, networks, Some(engine)).map_or(Correction::NONE, |seen| Correction {
        tpot: seen.tpot.mean / state.tpot.get(),
        ttft: seen.ttft.mean - state.ttft.get(),
    })
}

fn run(engine: &EngineProfile, one: &mut Bench<'_>) -> Option<Steady> {
    let replica =
        Replica { model: &one.case.model, plan: &one.case.plan, layout: one.case.sides[0].layout, engine };
    let load = Loop { clients: one.case.clients(), rounds: ROUNDS };
    closed_loop(&replica, &one.case.workload, load, engine.batched_tokens, &mut one.meter).ok()
}

/// Errors beyond this tell of what a point's table does not say; they count, but do not pull.
const MOST: f64 = 0.35;

fn loss(aim: Aim, engine: &EngineProfile, bench: &mut [Bench<'_>], used: &dyn Fn(&Bench<'_>) -> bool) -> f64 {
    let mut all = ratios(engine, bench, used);
    all.sort_by(|a, b| a.group.cmp(&b.group));
    let groups = all.chunk_by(|a, b| a.group == b.group);
    let aimed = |r: &Ratio| if aim == Aim::Tpot { r.tpot } else { r.ttft };
    let (mut sum, mut weight) = (0.0, 0.0);
    for group in groups {
        let root = (group.len() as f64).sqrt();
        sum += group.iter().map(|r| aimed(r).abs().min(MOST)).sum::<f64>() / root;
        weight += root;
    }
    sum / f64::max(weight, 1.0)
}

/// A normal spread holds 80 % of its draws within ±1.2816 σ.
const WITHIN_80: f64 = 1.2816;

fn errors(ratios: &[Ratio]) -> FitError {
    let quantile = |value: fn(&Ratio) -> f64, share: f64| {
        let mut sorted: Vec<f64> = ratios.iter().map(value).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((share * last as f64).round() as usize).copied().unwrap_or(0.0)
    };
    FitError {
        ttft_median_abs_pct_error: 100.0 * quantile(|r| r.ttft.exp_m1().abs(), 0.5),
        tpot_median_abs_pct_error: 100.0 * quantile(|r| r.tpot.exp_m1().abs(), 0.5),
        ttft_sigma: quantile(|r| r.ttft.abs(), 0.8) / WITHIN_80,
        tpot_sigma: quantile(|r| r.tpot.abs(), 0.8) / WITHIN_80,
    }
}

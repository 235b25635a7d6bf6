//! Every scheme on one chip: its best deployment, its place on the front, its steps against those in 16 bits.

use vitruvian_diagnostics::Diagnostics;
use vitruvian_model::{Model, QuantPlan};
use vitruvian_planner::pareto;

use super::CompressStudy;
use super::answer::{ChipTrade, SchemeAnswer, SchemeTrade};
use super::measured::Measured;
use super::mix;
use super::point::{Point, Steps, slower};
use super::survey::Survey;
use super::variant::Variant;
use crate::answer::{ChipAnswer, Deployment};
use crate::compare::{compare, workload};
use crate::precision::conversions;
use crate::setup::Setup;
use crate::study::{CompareStudy, Input};

/// What is asked of each chip.
pub(super) struct Question<'a> {
    pub(super) study: &'a CompressStudy<'a>,
    pub(super) model: &'a Model,
    pub(super) survey: &'a Survey,
    pub(super) measured: Option<&'a Measured>,
}

/// One scheme as far as it is known.
pub(super) struct Run<'a> {
    pub(super) variant: &'a Variant,
    answer: Result<ChipAnswer, String>,
    pub(super) steps: Option<Steps>,
}

/// The trade on one chip.
pub(super) fn on_chip(
    question: &Question<'_>,
    input: &Input,
    setup: &Setup,
    qualities: &[SchemeAnswer],
) -> Result<ChipTrade, Diagnostics> {
    let variants = &question.survey.variants;
    let mut runs: Vec<Run<'_>> = Vec::with_capacity(variants.len());
    for variant in variants {
        let answer = search(question, input, variant)?;
        runs.push(Run { variant, answer, steps: None });
    }
    let point = runs.first().and_then(|run| point(run.answer.as_ref().ok()?));
    if let Some(point) = point {
        let workload = workload(&question.study.service);
        for run in runs.iter_mut().filter(|run| run.answer.is_ok()) {
            run.steps = point.steps(setup, question.model, &plan(question, run.variant), &workload).ok();
        }
    }
    let mut schemes: Vec<SchemeTrade> = runs.iter().map(|run| scheme(question, setup, run, &runs)).collect();
    for index in front(&schemes, qualities) {
        schemes[index].on_front = true;
    }
    Ok(ChipTrade {
        chip: setup.chip.name.clone(),
        title: setup.chip.title.clone(),
        engine: format!("{} {}", setup.engine.title, setup.engine.version),
        common_point: point.map(|point| point.words()),
        schemes,
        mixes: if question.study.deployed_as { Vec::new() } else { mix::mixes(question, &runs) },
    })
}

/// A scheme as engines run it: linear layers in it, all else in 16 bits.
fn plan(question: &Question<'_>, variant: &Variant) -> QuantPlan {
    let group = u16::try_from(question.study.group).unwrap_or(u16::MAX);
    QuantPlan { group, ..QuantPlan::uniform(variant.scheme).with_sparsity(variant.sparsity) }
}

/// The best deployment of a scheme, or why the chip cannot run it.
fn search(
    question: &Question<'_>,
    input: &Input,
    variant: &Variant,
) -> Result<Result<ChipAnswer, String>, Diagnostics> {
    let study = question.study;
    let mut service = study.service.clone();
    service.precisions = vec![variant.scheme.name().to_owned()];
    service.sparsity = Some(variant.sparsity.name().to_owned());
    let asked = CompareStudy {
        chips: vec![input.clone()],
        service,
        count: study.count,
        ttft: study.ttft,
        tpot: study.tpot,
        objective: Some(study.objective.clone()),
        all: false,
    };
    match compare(&asked) {
        Ok(mut answer) => Ok(answer.chips.pop().ok_or_else(|| "no answer".to_owned())),
        Err(faults) => match &faults.0[..] {
            [fault] if fault.code == "precision-chip" => Ok(Err(fault.message.clone())),
            _ => Err(faults),
        },
    }
}

/// The best deployment in 16 bits, or the nearest miss.
fn point(answer: &ChipAnswer) -> Option<Point> {
    let missed = || answer.closest.as_ref().and_then(|closest| closest.deployment.as_ref());
    answer.best.as_ref().or_else(missed).map(Point::of)
}

fn scheme(question: &Question<'_>, setup: &Setup, run: &Run<'_>, runs: &[Run<'_>]) -> SchemeTrade {
    let best = |run: &Run<'_>| run.answer.as_ref().ok().and_then(|answer| answer.best.clone());
    let (own, base) = (best(run), runs.first().and_then(best));
    let misses = run.answer.as_ref().ok().and_then(|answer| answer.closest.as_ref());
    let kind = (run.variant.scheme, run.variant.sparsity);
    let reasons = runs.first().and_then(|base| base.steps.as_ref()).zip(run.steps.as_ref());
    SchemeTrade {
        scheme: run.variant.name.clone(),
        refused: run.answer.as_ref().err().cloned(),
        misses: misses.map(|closest| format!("{}: {}", closest.candidate, closest.stops)),
        decode_step_ms: run.steps.as_ref().map(Steps::decode_ms),
        prefill_step_ms: run.steps.as_ref().map(Steps::prefill_ms),
        speedup: ratio(own.as_ref(), base.as_ref(), |d| Some(d.output_tokens_per_s.p50)),
        cost_ratio: ratio(own.as_ref(), base.as_ref(), |d| Some(d.cost_per_million_output_usd?.p50)),
        on_front: false,
        slower: reasons.map_or_else(Vec::new, |(base, own)| slower(base, own, kind, &setup.chip)),
        notes: run
            .answer
            .as_ref()
            .map_or_else(|_| Vec::new(), |_| conversions(&plan(question, run.variant), &setup.chip)),
        deployment: own,
    }
}

fn ratio(
    own: Option<&Deployment>,
    base: Option<&Deployment>,
    figure: impl Fn(&Deployment) -> Option<f64>,
) -> Option<f64> {
    Some(figure(own?)? / figure(base?)?)
}

/// Schemes that no other beats in both error and money (energy, where no price is known).
fn front(schemes: &[SchemeTrade], qualities: &[SchemeAnswer]) -> Vec<usize> {
    let costs = |scheme: &SchemeTrade| {
        let deployment = scheme.deployment.as_ref()?;
        let money = deployment.cost_per_million_output_usd.map(|cost| cost.p50);
        Some(money.unwrap_or(deployment.energy_per_token_j.p50))
    };
    let able: Vec<(usize, f64)> =
        schemes.iter().enumerate().filter_map(|(index, scheme)| Some((index, costs(scheme)?))).collect();
    let points: Vec<(f64, f64)> =
        able.iter().map(|(index, cost)| (quality(&qualities[*index]), -cost)).collect();
    let mut front: Vec<usize> = pareto::front(&points).into_iter().map(|at| able[at].0).collect();
    front.sort_unstable();
    front
}

/// Larger is better: less divergence from the original where it was measured, else more signal over noise.
///
/// Perplexity of a short text may fall by chance; divergence cannot.
fn quality(scheme: &SchemeAnswer) -> f64 {
    match (scheme.divergence_nats, scheme.sqnr_db) {
        (Some(divergence), _) => -divergence,
        _ if scheme.is_original() => f64::INFINITY,
        (None, Some(sqnr)) => sqnr,
        (None, None) => f64::NEG_INFINITY,
    }
}

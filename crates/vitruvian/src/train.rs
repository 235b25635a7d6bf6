//! How long does a training step take, and which layout is best?

pub mod answer;
mod describe;
mod question;
mod reasons;
pub mod study;

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_engine::Meter;
use vitruvian_training::search::{Census, Miss, distance};
use vitruvian_training::{Candidate, Detail, Plan, Pricer, Space, Step, check, search};

use answer::ScalingPoint;
pub use answer::TrainAnswer;
pub use question::Question;
pub use study::{PlanSpec, TrainStudy};

use crate::setup::Profiles;

/// Costs one layout, or searches for the best.
///
/// # Errors
/// Every mistake in the question: what does not divide, which batch is no multiple, which stage has no layer.
pub fn train(study: &TrainStudy) -> Result<TrainAnswer, Diagnostics> {
    study.check()?;
    let question = Question::new(study, &Profiles::catalog()?)?;
    let outcome = if study.search { best(&question)? } else { one(&question)? };
    let mut answer = describe::answer(&question, &outcome, &vitruvian_training::reliability::reliability()?);
    answer.scaling = scaling(study)?;
    Ok(answer)
}

/// The best layout at each number of chips, the global batch held.
fn scaling(study: &TrainStudy) -> Result<Vec<ScalingPoint>, Diagnostics> {
    let mut points: Vec<ScalingPoint> = Vec::new();
    for chips in &study.scaling {
        let plan = if study.search { study.plan.clone() } else { study.plan.choices_alone() };
        let study = TrainStudy { chips: Some(*chips), search: true, plan, ..study.clone() };
        let question = Question::new(&study, &Profiles::catalog()?)?;
        let network = question.setup.network();
        let mut meter = Meter::new(&question.setup.node, question.setup.costs(), &network);
        let mut pricer = Pricer::new(question.job(&network), &mut meter);
        let found = search(&mut pricer, &question.space(), question.usable()).map_err(|r| refused(&r))?;
        let best = found.best.first().map(|candidate| &candidate.step);
        let first = points.iter().find_map(|p| Some(p.tokens_per_s? / f64::from(p.chips)));
        let each = best.map(|step| step.tokens_per_s / f64::from(*chips));
        points.push(ScalingPoint {
            chips: *chips,
            layout: best.map(|step| describe::in_one_line(&step.plan)),
            tokens_per_s: best.map(|step| step.tokens_per_s),
            efficiency: each.map(|each| each / first.unwrap_or(each)),
            mfu: best.map(|step| step.mfu),
        });
    }
    Ok(points)
}

/// What was found.
pub(crate) struct Outcome {
    /// The answer, best first; empty if nothing fits.
    pub(crate) plans: Vec<Candidate>,
    /// What became of the plans looked at.
    pub(crate) census: Option<Census>,
    /// The plan asked for, if it does not fit.
    pub(crate) misfit: Option<Step>,
    /// The plan nearest to it that does.
    pub(crate) nearest: Option<Candidate>,
    /// What was left out to see what it is worth: name and step time without it.
    pub(crate) without: Vec<(&'static str, f64)>,
}

fn best(question: &Question) -> Result<Outcome, Diagnostics> {
    let network = question.setup.network();
    let mut meter = Meter::new(&question.setup.node, question.setup.costs(), &network);
    let mut pricer = Pricer::new(question.job(&network), &mut meter);
    let space = question.space();
    let found = search(&mut pricer, &space, question.usable()).map_err(|r| refused(&r))?;
    if found.best.is_empty() && found.census.memory == 0 {
        return Err(nothing_divides(question, &found.census).into());
    }
    let without = found.best.first().map(|best| alternatives(&mut pricer, &best.step)).unwrap_or_default();
    Ok(Outcome { plans: found.best, census: Some(found.census), misfit: None, nearest: None, without })
}

fn one(question: &Question) -> Result<Outcome, Diagnostics> {
    let plan = question.plan();
    check::plan(&question.model, &plan, question.sequence, question.global_batch).map_err(Diagnostics)?;
    let network = question.setup.network();
    let mut meter = Meter::new(&question.setup.node, question.setup.costs(), &network);
    let mut pricer = Pricer::new(question.job(&network), &mut meter);
    let step = pricer.step(&plan, Detail::Simulated).map_err(|r| refused(&r))?;
    let closed = pricer.step(&plan, Detail::Closed).map_err(|r| refused(&r))?.time;
    if step.fullest().peak() <= question.usable() {
        let without = alternatives(&mut pricer, &step);
        let plans = vec![Candidate { step, closed }];
        return Ok(Outcome { plans, census: None, misfit: None, nearest: None, without });
    }
    let nearest = nearest(&mut pricer, question, &plan)?;
    Ok(Outcome { plans: Vec::new(), census: None, misfit: Some(step), nearest, without: Vec::new() })
}

/// The plan on as many chips that fits and differs least from the one asked for; of equals, the fastest.
fn nearest(
    pricer: &mut Pricer<'_, '_>,
    question: &Question,
    plan: &Plan,
) -> Result<Option<Candidate>, Diagnostics> {
    let space = Space { chips: plan.degrees.chips(), overlap: plan.overlap, ..Space::default() };
    let mut census = Census::default();
    let mut best: Option<(f64, Step)> = None;
    for other in space.plans(pricer.job(), &mut census) {
        let away = distance(plan, &other);
        if best.as_ref().is_some_and(|(least, _)| away > *least) {
            continue;
        }
        let step = pricer.step(&other, Detail::Closed).map_err(|r| refused(&r))?;
        let closer = best.as_ref().is_none_or(|(least, known)| away < *least || step.time < known.time);
        if closer && step.fullest().peak() <= question.usable() {
            best = Some((away, step));
        }
    }
    let Some((_, closed)) = best else { return Ok(None) };
    let step = pricer.step(&closed.plan, Detail::Simulated).map_err(|r| refused(&r))?;
    Ok(Some(Candidate { step, closed: closed.time }))
}

/// The step with one choice of the plan undone at a time: what each is worth.
fn alternatives(pricer: &mut Pricer<'_, '_>, step: &Step) -> Vec<(&'static str, f64)> {
    let plan = &step.plan;
    let mut list = Vec::new();
    let mut try_plan = |name, other: Plan| {
        let job = pricer.job();
        if check::plan(job.model, &other, job.sequence, job.global_batch).is_ok()
            && let Ok(priced) = pricer.step(&other, Detail::Simulated)
        {
            list.push((name, priced.time));
        }
    };
    if plan.chunks > 1 {
        try_plan("interleaving", Plan { chunks: 1, layers: Vec::new(), ..plan.clone() });
    }
    if plan.overlap.gradients || plan.overlap.parameters {
        let overlap = vitruvian_training::Overlap { gradients: false, parameters: false, ..plan.overlap };
        try_plan("overlap of gradients and parameters", Plan { overlap, ..plan.clone() });
    }
    if plan.overlap.tensor && plan.degrees.tp > 1 {
        let overlap = vitruvian_training::Overlap { tensor: false, ..plan.overlap };
        try_plan("overlap of tensor-parallel exchange", Plan { overlap, ..plan.clone() });
    }
    if plan.sequence_parallel {
        try_plan("sequence parallelism", Plan { sequence_parallel: false, ..plan.clone() });
    }
    list
}

/// Why not even one plan divides.
fn nothing_divides(question: &Question, census: &Census) -> Diagnostic {
    let message = format!(
        "no layout of {} on {} chips divides: {} fail on the model's shape, {} on the batch of {}",
        question.model.name, question.chips, census.shape, census.batch, question.global_batch
    );
    Diagnostic::error("layout", message)
        .help("give a number of chips with more divisors, and a global batch that they divide")
}

pub(crate) fn refused(refusal: &vitruvian_cost::Refusal) -> Diagnostics {
    Diagnostic::error("unsupported", refusal.to_string()).into()
}

/// The nearest miss of a search, for a reader.
pub(crate) fn miss(census: &Census) -> Option<&Miss> {
    census.nearest.as_ref()
}

/// The first plan of an answer as a launch line.
pub fn launch(answer: &TrainAnswer, stack: vitruvian_report::launch_training::Stack) -> Option<String> {
    let plan = answer.plans.first()?;
    let launch = vitruvian_report::launch_training::TrainingLaunch {
        model: answer.model.clone(),
        estimated_with: answer.stack.clone(),
        nodes: answer.chips.div_ceil(answer.chips_per_node.max(1)),
        chips_per_node: answer.chips_per_node.min(answer.chips),
        tp: plan.tp,
        cp: plan.cp,
        pp: plan.pp,
        dp: plan.dp,
        ep: plan.ep,
        etp: plan.etp,
        chunks: plan.chunks,
        depth: answer.layers,
        stage_layers: plan.stage_layers.clone(),
        experts: answer.experts,
        micro_batch: plan.micro_batch,
        global_batch: answer.global_batch,
        sequence: answer.sequence_tokens,
        steps: answer.run.as_ref().map(|run| run.steps as u64),
        precision: answer.precision.clone(),
        schedule: plan.schedule.clone(),
        recompute: plan.recompute.clone(),
        recompute_layers: plan.recompute_layers,
        sharding: plan.sharding.clone(),
        sequence_parallel: plan.sequence_parallel,
        context: plan.context.clone(),
        overlap: plan.overlap.clone(),
        offload: plan.offload.clone(),
        reuse_master: plan.reuse_master,
    };
    Some(vitruvian_report::launch_training::launch(stack, &launch))
}

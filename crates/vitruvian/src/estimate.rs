//! What one deployment delivers.

use vitruvian_cost::Refusal;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_engine::{BOUNDS, Meter, Replica, StepCost, explain, step_cost};
use vitruvian_model::{Layout, Model, Step, validate};
use vitruvian_network::Network;
use vitruvian_planner::search::evaluate;
use vitruvian_planner::{
    Candidate, Fall, Objective, Precision, Question as Search, Space, Targets, Workload,
};
use vitruvian_quantity::{Dtype, Seconds};

use crate::answer::{BoundShare, EstimateAnswer, PhaseAnswer, Range};
use crate::check;
use crate::compare::{service_question, workload};
use crate::deployment::deployment;
use crate::operators::shares;
use crate::precision::{conversions, precisions};
use crate::setup::{Profiles, Setup, load_model};
use crate::study::{EstimateStudy, Phase};

/// Costs one deployment: a step of each phase asked for, and the steady state where both are.
///
/// # Errors
/// Every mistake in the question; a layout that does not divide or fit, with the figure and the rank.
pub fn estimate(study: &EstimateStudy) -> Result<EstimateAnswer, Diagnostics> {
    check::estimate(study)?;
    let setup = Setup::new(&study.chip, &study.service, &Profiles::catalog()?);
    let (model, setup) = both(load_model(&study.service.model), setup)?;
    let layout = layout(study);
    validate(&model, layout).map_err(|error| {
        Diagnostic::error("layout", format!("{layout} does not divide {}: {error}", model.name))
            .help("choose degrees that divide the heads, experts and layers; `model show` lists them")
    })?;
    let precision = precisions(&study.service, &model, &setup.chip)?.remove(0);
    let case = Case { study, model: &model, setup: &setup, layout, precision: &precision };
    answer(&case)
}

/// One deployment with everything that it needs.
struct Case<'a> {
    study: &'a EstimateStudy,
    model: &'a Model,
    setup: &'a Setup,
    layout: Layout,
    precision: &'a Precision,
}

impl Case<'_> {
    fn replica(&self) -> Replica<'_> {
        Replica {
            model: self.model,
            plan: &self.precision.plan,
            layout: self.layout,
            engine: &self.setup.engine,
        }
    }

    fn workload(&self) -> Workload {
        workload(&self.study.service)
    }

    fn chunk(&self) -> u32 {
        self.study.chunk.unwrap_or(self.setup.engine.batched_tokens)
    }
}

fn layout(study: &EstimateStudy) -> Layout {
    let degrees = study.layout;
    Layout { tp: degrees.tp, pp: degrees.pp, dp: degrees.dp, ep: degrees.ep, cp: 1 }
}

fn answer(case: &Case<'_>) -> Result<EstimateAnswer, Diagnostics> {
    let network = case.setup.network();
    let mut meter = Meter::new(&case.setup.node, case.setup.costs(), &network);
    let phase = case.study.phase;
    let deployment = if phase == Phase::Both { Some(under_load(case, &network, &mut meter)?) } else { None };
    let mut step = |step: Step, tokens: u32| phase_answer(case, &step, tokens, &mut meter);
    let prefill =
        (phase != Phase::Decode).then(|| step(prefill_step(case), prefill_tokens(case))).transpose()?;
    let decode = (phase != Phase::Prefill).then(|| step(decode_step(case), case.study.batch)).transpose()?;
    let mut notes = case.setup.notes.clone();
    notes.extend(conversions(&case.precision.plan, &case.setup.chip));
    let mut question = service_question(&case.study.service, case.model, &case.workload());
    question.chips = case.layout.chips();
    Ok(EstimateAnswer {
        question,
        chip: case.setup.chip.name.clone(),
        title: case.setup.chip.title.clone(),
        node: case.setup.node.title.clone(),
        engine: format!("{} {}", case.setup.engine.title, case.setup.engine.version),
        deployment,
        prefill,
        decode,
        notes,
    })
}

/// One prompt, or the first chunk of it.
fn prefill_step(case: &Case<'_>) -> Step {
    Step::prefill(1, case.workload().new_tokens().min(case.chunk()))
}

fn prefill_tokens(case: &Case<'_>) -> u32 {
    prefill_step(case).tokens() * case.layout.dp
}

fn decode_step(case: &Case<'_>) -> Step {
    let sequences = case.study.batch.div_ceil(case.layout.dp * case.layout.pp);
    Step::decode(sequences, case.workload().mean_context())
}

fn phase_answer(
    case: &Case<'_>,
    step: &Step,
    tokens: u32,
    meter: &mut Meter<'_>,
) -> Result<PhaseAnswer, Diagnostic> {
    let replica = case.replica();
    let cost = step_cost(&replica, step, meter).map_err(|refusal| refused(&refusal))?;
    let lines = explain(&replica, step, meter).map_err(|refusal| refused(&refusal))?;
    let cycle = cost.latency.max(cost.interval * f64::from(case.layout.pp));
    let chips = f64::from(case.layout.chips());
    let chip = &case.setup.chip;
    let peak = chip.matrix_peak(Dtype::Bf16).max(chip.matrix_peak(Dtype::Fp16));
    let power = chip.power.active_idle + cost.energy * f64::from(case.layout.pp) / cycle / chips;
    Ok(PhaseAnswer {
        time_ms: Range::new(cycle.get() * 1e3, cost.sigma),
        tokens,
        tokens_per_s: Range::new(f64::from(tokens) / cycle.get(), cost.sigma),
        bound: cost.bound().name().to_owned(),
        by_bound: by_bound(&cost),
        hidden_exchange_ms: cost.hidden.get() * 1e3,
        mfu: cost.work.matrix.get() * f64::from(case.layout.pp) / (cycle.get() * peak.get() * chips),
        mbu: cost.work.hbm.get() * f64::from(case.layout.pp)
            / (cycle.get() * chip.hbm.bandwidth.get() * chips),
        chip_power_w: power.min(chip.power.cap).get(),
        operators: shares(&lines, meter),
    })
}

fn by_bound(cost: &StepCost) -> Vec<BoundShare> {
    let total: f64 = cost.by_bound.iter().map(|time| time.get()).sum();
    let shares = BOUNDS.iter().zip(cost.by_bound).filter(|(_, time)| *time > Seconds::ZERO);
    let mut shares: Vec<BoundShare> = shares
        .map(|(bound, time)| BoundShare { bound: bound.name().to_owned(), share: time.get() / total })
        .collect();
    shares.sort_by(|a, b| b.share.total_cmp(&a.share));
    shares
}

/// The deployment under steady load.
fn under_load(
    case: &Case<'_>,
    network: &Network<'_>,
    meter: &mut Meter<'_>,
) -> Result<crate::answer::Deployment, Diagnostic> {
    let space = Space {
        chips: case.layout.chips(),
        layouts: vec![case.layout],
        precisions: vec![case.precision.clone()],
        batches: vec![case.study.batch],
        chunks: vec![case.chunk()],
    };
    let setup = case.setup;
    let question = Search {
        model: case.model,
        chip: &setup.chip,
        node: &setup.node,
        costs: setup.costs(),
        network,
        engine: &setup.engine,
        workload: case.workload(),
        targets: Targets::default(),
        objective: Objective::default(),
        finance: setup.finance(),
        space: &space,
        keep_all: false,
    };
    let candidate = Candidate {
        layout: case.layout,
        replicas: 1,
        precision: 0,
        batch: case.study.batch,
        chunk: case.chunk(),
    };
    let found = evaluate(&question, &candidate, meter).map_err(|fall| fell(&fall, case))?;
    Ok(deployment(&candidate, &found, &question))
}

fn fell(fall: &Fall, case: &Case<'_>) -> Diagnostic {
    let (layout, chip, batch) = (case.layout, &case.setup.chip, case.study.batch);
    match fall {
        Fall::DoesNotFit { missing, stage } => Diagnostic::error(
            "does-not-fit",
            format!("batch {batch} of {} does not fit {layout} on {}: {missing} too much on each rank of pipeline stage {stage}", case.model.name, chip.title),
        )
        .help("use more chips, a smaller batch, or a smaller precision"),
        Fall::Saturated { load } => Diagnostic::error(
            "saturated",
            format!("batch {batch} cannot be kept full: prefill needs {load:.2} times what steps of {} tokens can carry", case.chunk()),
        )
        .help("use a smaller batch or a larger --chunk"),
        other => Diagnostic::error("unsupported", other.to_string()),
    }
}

fn refused(refusal: &Refusal) -> Diagnostic {
    Diagnostic::error("unsupported", refusal.to_string())
}

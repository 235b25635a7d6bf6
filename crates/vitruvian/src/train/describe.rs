//! From what was found to the answer, with its reasons.

use vitruvian_economics::{Capital, tco};
use vitruvian_model::parameters;
use vitruvian_quantity::Watts;
use vitruvian_training::reliability::Reliability;
use vitruvian_training::run::{Conditions, run};
use vitruvian_training::schedule::{Slot, Work};
use vitruvian_training::{Memory, Plan, Step};

use super::answer::{
    CensusAnswer, MemoryAnswer, MisfitAnswer, PartsAnswer, PlanAnswer, RunAnswer, TimelineEvent, TrainAnswer,
};
use super::{Outcome, Question, miss, reasons};
use crate::answer::Range;

/// Plans listed.
const LISTED: usize = 10;
const GB: f64 = 1e9;

pub(super) fn answer(question: &Question, outcome: &Outcome, reliability: &Reliability) -> TrainAnswer {
    let stack = &question.stack;
    let plans: Vec<PlanAnswer> =
        outcome.plans.iter().take(LISTED).map(|c| plan(question, &c.step, c.closed)).collect();
    let best = outcome.plans.first().map(|candidate| &candidate.step);
    let count = parameters(&question.model);
    TrainAnswer {
        title: format!("{} on {} × {}", question.model.name, question.chips, question.setup.chip.title),
        chip: question.setup.chip.name.clone(),
        model: question.model.name.clone(),
        parameters: count.total + count.mtp,
        chips: question.chips,
        chips_per_node: question.setup.node.size,
        layers: question.model.depth() as u32,
        experts: question.model.has_experts(),
        stack: format!("{} {}", stack.title, stack.version),
        precision: question.recipe.name().to_owned(),
        sequence_tokens: question.sequence,
        global_batch: question.global_batch,
        census: outcome.census.as_ref().map(census),
        misfit: outcome.misfit.as_ref().map(|step| misfit(question, step, outcome)),
        run: best.and_then(|step| run_answer(question, step, reliability)),
        scaling: Vec::new(),
        reasons: reasons::reasons(question, outcome),
        notes: notes(question),
        timeline: best.filter(|_| question.study.timeline).map(timeline).unwrap_or_default(),
        plans,
    }
}

fn plan(question: &Question, step: &Step, closed: f64) -> PlanAnswer {
    let Plan { degrees: d, .. } = step.plan;
    let chips = f64::from(d.chips());
    let fullest = step.fullest();
    let network = question.setup.network();
    PlanAnswer {
        layout: in_one_line(&step.plan),
        tp: d.tp,
        cp: d.cp,
        pp: d.pp,
        dp: d.dp,
        ep: d.ep,
        etp: d.etp,
        chunks: step.plan.chunks,
        stage_layers: step.plan.layers.clone(),
        micro_batch: step.plan.micro_batch,
        micro_batches: step.micro_batches,
        schedule: step.plan.schedule.name().to_owned(),
        recompute: step.plan.recompute.name().to_owned(),
        recompute_layers: step.plan.recompute_layers,
        sharding: step.plan.sharding.name().to_owned(),
        sequence_parallel: step.plan.sequence_parallel,
        context: step.plan.context.name().to_owned(),
        overlap: overlaps(&step.plan),
        offload: step.plan.offload.name().to_owned(),
        reuse_master: question.study.plan.reuse_master,
        step_time_s: Range::new(step.time, step.sigma),
        closed_form_s: closed,
        tokens_per_s: step.tokens_per_s,
        tokens_per_s_per_chip: step.tokens_per_s / chips,
        model_tflops_per_chip: step.mfu * question.job(&network).peak() / 1e12,
        mfu: step.mfu,
        hfu: step.hfu,
        parts_s: parts(step),
        memory: step.memory.iter().map(memory).collect(),
        peak_memory_gb: fullest.peak() / GB,
        allocated_memory_gb: fullest.allocated() / GB,
        chip_power_w: step.chip_power,
    }
}

fn overlaps(plan: &Plan) -> Vec<String> {
    let o = plan.overlap;
    let all = [
        (o.gradients, "gradients"),
        (o.parameters, "parameters"),
        (o.tensor, "tensor"),
        (o.pipeline, "pipeline"),
        (o.experts, "experts"),
    ];
    all.iter().filter(|(on, _)| *on).map(|(_, name)| (*name).to_owned()).collect()
}

fn parts(step: &Step) -> PartsAnswer {
    let p = step.parts;
    PartsAnswer {
        products: p.products,
        attention: p.attention,
        vector: p.vector,
        launch: p.launch,
        recomputed: p.again,
        tensor_exchange: p.tensor,
        expert_exchange: p.experts,
        data_exchange: p.data,
        bubble: p.bubble,
        optimizer: p.optimizer,
        host: p.host,
    }
}

fn memory(memory: &Memory) -> MemoryAnswer {
    MemoryAnswer {
        device: memory.device,
        parameters_gb: memory.parameters / GB,
        gradients_gb: memory.gradients / GB,
        optimizer_gb: memory.optimizer / GB,
        activations_gb: memory.activations / GB,
        in_flight: memory.in_flight,
        working_gb: memory.working / GB,
        logits_gb: memory.logits / GB,
        gathered_gb: memory.gathered / GB,
        runtime_gb: memory.runtime / GB,
        slack_gb: memory.slack / GB,
        peak_gb: memory.peak() / GB,
        largest: memory.largest().to_owned(),
        moment: memory.moment().to_owned(),
    }
}

/// `TP8 PP16 DP4, 1f1b × 2, micro-batch 1, zero-1, recompute full`.
pub(super) fn in_one_line(plan: &Plan) -> String {
    let mut parts = vec![plan.degrees.to_string()];
    if plan.degrees.pp > 1 {
        let chunks = if plan.chunks > 1 { format!(" × {}", plan.chunks) } else { String::new() };
        parts.push(format!("{}{chunks}", plan.schedule));
    }
    parts.push(format!("micro-batch {}", plan.micro_batch));
    parts.push(plan.sharding.to_string());
    if plan.recompute != vitruvian_training::Recompute::None {
        parts.push(format!("recompute {}", plan.recompute));
    }
    parts.join(", ")
}

fn census(census: &vitruvian_training::search::Census) -> CensusAnswer {
    let near = |miss: &vitruvian_training::search::Miss| {
        format!("{} lacks {} GB", in_one_line(&miss.plan), vitruvian_quantity::three(miss.missing / GB))
    };
    CensusAnswer {
        looked_at: census.looked_at,
        shape: census.shape,
        batch: census.batch,
        memory: census.memory,
        fit: census.fit,
        nearest_miss: miss(census).map(near),
    }
}

fn misfit(question: &Question, step: &Step, outcome: &Outcome) -> MisfitAnswer {
    let nearest = outcome.nearest.as_ref().map(|c| Box::new(plan(question, &c.step, c.closed)));
    MisfitAnswer {
        asked: plan(question, step, step.time),
        missing_gb: (step.fullest().peak() - question.usable()) / GB,
        nearest,
    }
}

fn run_answer(question: &Question, step: &Step, reliability: &Reliability) -> Option<RunAnswer> {
    let spec = question.study.run?;
    let network = question.setup.network();
    let conditions = Conditions {
        tokens: spec.tokens,
        chip_mtbf: spec.mtbf.unwrap_or(reliability.chip_mtbf),
        restart: spec.restart.unwrap_or(reliability.restart),
        storage: reliability.storage.get(),
        interval: spec.interval,
    };
    let run = run(&question.job(&network), step, &conditions);
    let (setup, chips) = (&question.setup, f64::from(step.plan.degrees.chips()));
    let host = setup.node.host_power.get() / f64::from(setup.node.size);
    let wall = Watts::new(step.chip_power + host);
    let energy = wall.get() * setup.region.pue * chips * run.wall;
    let cost = setup.finance().capital.map(|capital: Capital| {
        let hour = tco::hourly(&capital, wall, &setup.region);
        Range::new(hour.total().get() * run.chip_hours, hour.sigma.hypot(step.sigma))
    });
    Some(RunAnswer {
        tokens: spec.tokens,
        steps: run.steps,
        days: Range::new(run.wall / 86_400.0, step.sigma),
        ideal_days: run.ideal / 86_400.0,
        checkpoint_s: run.checkpoint,
        checkpoint_interval_s: run.interval,
        mtbf_h: run.mtbf / 3600.0,
        failures: run.failures,
        goodput: run.goodput,
        chip_hours: run.chip_hours,
        energy_mwh: energy / 3.6e9,
        cost_usd: cost,
    })
}

fn notes(question: &Question) -> Vec<String> {
    let mut notes = question.setup.notes.clone();
    if let Some(chip) = &question.stack.borrowed {
        notes.push(format!("{} was fitted on {chip}: its figures are borrowed", question.stack.title));
    }
    notes.extend(question.model.left_out().into_iter().map(|what| format!("not counted: {what}")));
    notes
}

fn timeline(step: &Step) -> Vec<TimelineEvent> {
    let Some(timeline) = &step.timeline else { return Vec::new() };
    timeline
        .events
        .iter()
        .flatten()
        .map(|event| TimelineEvent {
            device: event.device,
            work: work(event.slot),
            chunk: event.slot.item.chunk,
            micro_batch: event.slot.item.micro,
            start_us: event.start * 1e6,
            end_us: event.end * 1e6,
        })
        .collect()
}

fn work(slot: Slot) -> &'static str {
    match (slot.item.work, slot.beside) {
        (_, Some(_)) => "forward+backward",
        (Work::Forward, None) => "forward",
        (Work::Backward, None) => "backward",
        (Work::Input, None) => "input",
        (Work::Weight, None) => "weight",
    }
}

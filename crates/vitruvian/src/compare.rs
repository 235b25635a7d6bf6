//! The best deployment on each chip, side by side.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, all, both};
use vitruvian_engine::{Meter, Replica, explain};
use vitruvian_model::{Model, Step, parameters};
use vitruvian_planner::census::KINDS;
use vitruvian_planner::search::evaluate;
use vitruvian_planner::space::Limits;
use vitruvian_planner::{
    Candidate, Census, Fall, Objective, Outcome, Precision, Question as Search, Row, Space, Targets, Verdict,
    Workload, search,
};

use crate::answer::{
    CandidateRow, ChipAnswer, Closest, CompareAnswer, FellCount, OperatorShare, Peak, ProfileNote, Question,
    Roofline, Search as SearchAnswer,
};
use crate::check;
use crate::deployment::{deployment, front_point, in_one_line};
use crate::operators::shares;
use crate::precision::{conversions, precisions};
use crate::profiles::profile_notes;
use crate::reasons::reasons;
use crate::setup::{Profiles, Setup, load_model};
use crate::study::{CompareStudy, Service};

/// Finds the best deployment of `study.count` chips of each kind and says which wins where, and why.
///
/// # Errors
/// Every mistake in the question, in a chip file or in a model configuration.
pub fn compare(study: &CompareStudy) -> Result<CompareAnswer, Diagnostics> {
    check::compare(study)?;
    let objective = objective(study)?;
    let profiles = Profiles::catalog()?;
    let setups = all(study.chips.iter().map(|chip| Setup::new(chip, &study.service, &profiles)));
    let (model, setups) = both(load_model(&study.service.model), setups)?;
    let asked = Asked {
        study,
        model: &model,
        objective,
        workload: workload(&study.service),
        targets: targets(study),
    };
    let chips = all(setups.iter().map(|setup| on_chip(&asked, setup)))?;
    let question = question(&asked);
    let reasons = reasons(&question, &chips);
    Ok(CompareAnswer { question, chips, reasons })
}

/// The question with its texts read.
struct Asked<'a> {
    study: &'a CompareStudy,
    model: &'a Model,
    objective: Objective,
    workload: Workload,
    targets: Targets,
}

/// The workload of a service.
pub fn workload(service: &Service) -> Workload {
    Workload { input: service.input_tokens, output: service.output_tokens, cached: service.cached_tokens }
}

fn targets(study: &CompareStudy) -> Targets {
    Targets { ttft: study.ttft, tpot: study.tpot }
}

fn objective(study: &CompareStudy) -> Result<Objective, Diagnostic> {
    let name = study.objective.as_deref().unwrap_or("throughput");
    name.parse().map_err(|message: String| Diagnostic::error("objective-unknown", message))
}

fn on_chip(asked: &Asked<'_>, setup: &Setup) -> Result<ChipAnswer, Diagnostics> {
    let precisions = precisions(&asked.study.service, asked.model, &setup.chip)?;
    let limits =
        Limits { max_sequences: setup.engine.max_sequences, batched_tokens: setup.engine.batched_tokens };
    let space = Space::whole(asked.model, asked.study.count, setup.node.size, precisions, limits);
    let network = setup.network();
    let question = Search {
        model: asked.model,
        chip: &setup.chip,
        node: &setup.node,
        costs: setup.costs(),
        network: &network,
        engine: &setup.engine,
        workload: asked.workload,
        targets: asked.targets,
        objective: asked.objective,
        finance: setup.finance(),
        space: &space,
        keep_all: asked.study.all,
    };
    let outcome = search(&question);
    Ok(chip_answer(setup, &question, &outcome))
}

fn chip_answer(setup: &Setup, question: &Search<'_>, outcome: &Outcome) -> ChipAnswer {
    let precisions = &question.space.precisions;
    let points =
        |front: &[(Candidate, _)]| front.iter().map(|(c, p)| front_point(c, p, precisions)).collect();
    let closest = if outcome.best.is_some() { None } else { nearest(question, &outcome.census) };
    let shown =
        outcome.best.map(|(candidate, _)| candidate).or(closest.as_ref().map(|(candidate, _)| *candidate));
    let parts = shown.map_or_else(Breakdown::default, |candidate| breakdown(setup, question, &candidate));
    let mut notes = setup.notes.clone();
    if let Some(candidate) = shown {
        notes.extend(conversions(&precisions[candidate.precision].plan, &setup.chip));
    }
    ChipAnswer {
        chip: setup.chip.name.clone(),
        title: setup.chip.title.clone(),
        extends: setup.extends.clone(),
        node: setup.node.title.clone(),
        engine: format!("{} {}", setup.engine.title, setup.engine.version),
        best: outcome.best.map(|(candidate, performance)| deployment(&candidate, &performance, question)),
        closest: closest.map(|(_, closest)| closest),
        front: points(&outcome.front),
        unbound_front: points(&outcome.unbound_front),
        search: search_answer(&outcome.census, &outcome.all, question),
        prefill: parts.prefill,
        decode: parts.decode,
        roofline: roofline(setup),
        profiles: parts.profiles,
        notes,
    }
}

/// The candidate that came closest to the targets (or to fitting), and what stops it.
pub(crate) fn nearest(question: &Search<'_>, census: &Census) -> Option<(Candidate, Closest)> {
    let precisions = &question.space.precisions;
    let over = |fall: &Fall| match fall {
        Fall::Ttft(time) => question.targets.ttft.map_or(f64::INFINITY, |most| *time / most),
        Fall::Tpot(time) => question.targets.tpot.map_or(f64::INFINITY, |most| *time / most),
        Fall::Saturated { load } => 1e3 * load,
        Fall::DoesNotFit { missing, .. } => 1e6 * missing.get(),
        Fall::DoesNotDivide(_) | Fall::Unsupported(_) | Fall::Dominated => f64::INFINITY,
    };
    let misses = census.nearest.iter().flatten();
    let miss = misses.min_by(|a, b| over(&a.fall).total_cmp(&over(&b.fall)))?;
    let mut meter = Meter::new(question.node, question.costs, question.network);
    let found = evaluate(question, &miss.candidate, &mut meter).ok();
    let closest = Closest {
        stops: stops(&miss.fall, question),
        candidate: in_one_line(&miss.candidate, precisions),
        deployment: found.map(|performance| deployment(&miss.candidate, &performance, question)),
    };
    Some((miss.candidate, closest))
}

/// What a candidate fell to, in words, with the figure and the target.
fn stops(fall: &Fall, question: &Search<'_>) -> String {
    let target = |time: Option<vitruvian_quantity::Seconds>| {
        time.map_or(String::new(), |t| format!(" against {t:.4} asked"))
    };
    match fall {
        Fall::DoesNotDivide(reason) | Fall::Unsupported(reason) => reason.clone(),
        Fall::DoesNotFit { missing, stage } => {
            format!("lacks {missing} on each rank of pipeline stage {stage}")
        }
        Fall::Saturated { load } => format!("prefill needs {load:.2} times what its steps can carry"),
        Fall::Ttft(time) => format!("TTFT {time:.4}{}", target(question.targets.ttft)),
        Fall::Tpot(time) => format!("TPOT {time:.4}{}", target(question.targets.tpot)),
        Fall::Dominated => "another candidate is as fast for users and gives more tokens per chip".to_owned(),
    }
}

/// Where the time of a candidate goes.
#[derive(Default)]
struct Breakdown {
    prefill: Vec<OperatorShare>,
    decode: Vec<OperatorShare>,
    profiles: Vec<ProfileNote>,
}

/// One prompt's prefill and one decode step of a candidate, by operator. A refusal leaves them empty: the search said it.
fn breakdown(setup: &Setup, question: &Search<'_>, candidate: &Candidate) -> Breakdown {
    let replica = Replica {
        model: question.model,
        plan: &question.space.precisions[candidate.precision].plan,
        layout: candidate.layout,
        engine: question.engine,
    };
    let mut meter = Meter::new(question.node, question.costs, question.network);
    let tokens = question.workload.new_tokens().min(candidate.chunk.max(1));
    let sequences = candidate.batch.div_ceil(candidate.layout.dp * candidate.layout.pp).max(1);
    let mut lines = |step: Step| explain(&replica, &step, &mut meter).unwrap_or_default();
    let prefill = lines(Step::prefill(1, tokens));
    let decode = lines(Step::decode(sequences, question.workload.mean_context()));
    Breakdown {
        profiles: profile_notes(&setup.profiles, prefill.iter().chain(&decode)),
        prefill: shares(&prefill, &meter),
        decode: shares(&decode, &meter),
    }
}

fn search_answer(census: &Census, all: &[Row], question: &Search<'_>) -> SearchAnswer {
    let precisions = &question.space.precisions;
    let fell = KINDS.iter().enumerate().filter(|(kind, _)| census.fallen[*kind] > 0).map(|(kind, reason)| {
        FellCount {
            reason: (*reason).to_owned(),
            count: census.fallen[kind],
            nearest: census.nearest[kind].as_ref().filter(|_| *reason != "dominated").map(|miss| {
                format!("{}: {}", in_one_line(&miss.candidate, precisions), stops(&miss.fall, question))
            }),
        }
    });
    SearchAnswer {
        candidates: census.total,
        front: census.front,
        fell: fell.collect(),
        all: all.iter().map(|row| candidate_row(row, precisions)).collect(),
    }
}

fn candidate_row(row: &Row, precisions: &[Precision]) -> CandidateRow {
    let performance = row.performance.as_ref();
    CandidateRow {
        layout: row.candidate.layout.to_string(),
        replicas: row.candidate.replicas,
        precision: precisions[row.candidate.precision].name.clone(),
        batch: row.candidate.batch,
        chunk: row.candidate.chunk,
        verdict: match &row.verdict {
            Verdict::Front => "front".to_owned(),
            Verdict::Fell(fall) => KINDS[fall.kind()].to_owned(),
        },
        ttft_ms: performance.map(|p| p.ttft.get() * 1e3),
        tpot_ms: performance.map(|p| p.tpot.get() * 1e3),
        output_tokens_per_s: performance.map(|p| p.output_per_s),
        energy_per_token_j: performance.map(|p| p.energy_per_token.get()),
        cost_per_million_output_usd: performance.and_then(|p| p.cost).map(|cost| cost.blended_output.get()),
    }
}

fn roofline(setup: &Setup) -> Roofline {
    let peaks = setup.chip.compute.matrix.supported().map(|(dtype, _)| Peak {
        dtype: dtype.name().to_owned(),
        flop_per_s: setup.chip.matrix_peak(dtype).get(),
    });
    Roofline { peaks: peaks.collect(), bandwidth_bytes_per_s: setup.chip.hbm.bandwidth.get() }
}

fn question(asked: &Asked<'_>) -> Question {
    let Asked { study, model, objective, workload, targets } = asked;
    Question {
        chips: study.count,
        ttft_ms: targets.ttft.map(|time| time.get() * 1e3),
        tpot_ms: targets.tpot.map(|time| time.get() * 1e3),
        objective: objective.to_string(),
        ..service_question(&study.service, model, workload)
    }
}

/// The parts of a question that every command shares.
pub fn service_question(service: &Service, model: &Model, workload: &Workload) -> Question {
    let counts = parameters(model);
    Question {
        model: model.name.clone(),
        parameters_total: counts.total,
        parameters_active: counts.active,
        input_tokens: workload.input,
        output_tokens: workload.output,
        cached_tokens: workload.cached_tokens(),
        chips: 1,
        ttft_ms: None,
        tpot_ms: None,
        objective: Objective::default().to_string(),
        fidelity: service.fidelity.clone().unwrap_or_else(|| "tile".to_owned()),
        region: service.region.clone().unwrap_or_else(|| "cn".to_owned()),
        left_out: model.left_out(),
    }
}

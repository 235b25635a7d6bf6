//! A candidate and its performance as an answer.

use vitruvian_planner::{Candidate, Performance, Precision, Question};
use vitruvian_quantity::{Money, Seconds};

use crate::answer::{Deployment, FrontPoint, Range};
use crate::precision::multiplied;

fn milliseconds(time: Seconds, sigma: f64) -> Range {
    Range::new(time.get() * 1e3, sigma)
}

/// Everything that a deployment delivers, with its spread.
pub(crate) fn deployment(
    candidate: &Candidate,
    performance: &Performance,
    question: &Question<'_>,
) -> Deployment {
    let (p, precision) = (performance, &question.space.precisions[candidate.precision]);
    let rate = |value: f64| Range::new(value, p.tpot_sigma);
    let money = |amount: Money| Range::new(amount.get(), p.cost_sigma);
    let decode_time = p.request_time - p.ttft;
    let request_sigma =
        (p.ttft.get() * p.ttft_sigma + decode_time.get() * p.tpot_sigma) / p.request_time.get();
    let gigabytes = |bytes: vitruvian_quantity::Bytes| bytes.in_unit("GB");
    let used = p.memory.weights + p.memory.activations + p.memory.runtime + p.cache_used;
    Deployment {
        layout: candidate.layout.to_string(),
        tp: candidate.layout.tp,
        pp: candidate.layout.pp,
        dp: candidate.layout.dp,
        ep: candidate.layout.ep,
        replicas: candidate.replicas,
        precision: precision.name.clone(),
        matrix_format: multiplied(&precision.plan, question.model, question.chip).name().to_owned(),
        batch: candidate.batch,
        chunk: candidate.chunk,
        ttft_ms: milliseconds(p.ttft, p.ttft_sigma),
        tpot_ms: milliseconds(p.tpot, p.tpot_sigma),
        request_time_s: Range::new(p.request_time.get(), request_sigma),
        requests_per_s: rate(p.requests_per_s),
        output_tokens_per_s: rate(p.output_per_s),
        output_tokens_per_s_per_chip: rate(p.output_per_s_chip),
        output_tokens_per_s_per_user: rate(p.output_per_s_user),
        input_tokens_per_s: rate(p.input_per_s),
        memory_used_gb: gigabytes(used),
        memory_free_gb: gigabytes(p.memory.capacity - used),
        weights_gb: gigabytes(p.memory.weights),
        cache_gb: gigabytes(p.cache_used),
        prefill_bound: p.prefill_bound.name().to_owned(),
        decode_bound: p.decode_bound.name().to_owned(),
        prefill_share: p.prefill_share,
        chip_power_w: Range::new(p.chip_power.get(), p.power_sigma),
        wall_power_w: Range::new(p.wall_power.get(), p.power_sigma),
        energy_per_token_j: Range::new(p.energy_per_token.get(), p.power_sigma.hypot(p.tpot_sigma)),
        cost_per_million_input_usd: p.cost.map(|cost| money(cost.input)),
        cost_per_million_output_usd: p.cost.map(|cost| money(cost.output)),
    }
}

/// One point of a Pareto front.
pub(crate) fn front_point(
    candidate: &Candidate,
    performance: &Performance,
    precisions: &[Precision],
) -> FrontPoint {
    FrontPoint {
        output_tokens_per_s_per_user: performance.output_per_s_user,
        output_tokens_per_s_per_chip: performance.output_per_s_chip,
        ttft_ms: performance.ttft.get() * 1e3,
        tpot_ms: performance.tpot.get() * 1e3,
        deployment: in_one_line(candidate, precisions),
    }
}

/// `4 × TP2, fp8-block, batch 96, chunk 8192`.
pub(crate) fn in_one_line(candidate: &Candidate, precisions: &[Precision]) -> String {
    let Candidate { layout, replicas, precision, batch, chunk } = candidate;
    let copies = if *replicas > 1 { format!("{replicas} × ") } else { String::new() };
    let precision = &precisions[*precision].name;
    if *batch == 0 {
        return format!("{copies}{layout}, {precision}");
    }
    format!("{copies}{layout}, {precision}, batch {batch}, chunk {chunk}")
}

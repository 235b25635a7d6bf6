//! The passes of one device: its chunks, priced, with what data-parallel sharding and offload add to each pass.

use vitruvian_cost::Refusal;
use vitruvian_engine::Meter;
use vitruvian_model::CollectiveKind;

use crate::book::{Priced, Prices};
use crate::job::Job;
use crate::plan::{Offload, Plan, Recompute, Schedule, Sharding};
use crate::price::{Pass, beside};
use crate::schedule::Durations;
use crate::stages::{Stage, of_device, stages};
use crate::traffic::{self, Traffic};
use crate::weights::Held;

/// One chunk of one device on one micro-batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Chunk {
    pub(crate) forward: Pass,
    /// Input gradient, with what is computed again before it.
    pub(crate) input: Pass,
    pub(crate) weight: Pass,
    /// Forward work done again, within `input`.
    pub(crate) again: Pass,
    pub(crate) held: Held,
    /// Bytes kept between the passes.
    pub(crate) kept: f64,
    pub(crate) layers: u32,
    pub(crate) last: bool,
    /// Seconds of the three passes, everything exposed.
    pub(crate) times: [f64; 3],
}

/// A device with its chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    pub(crate) chunks: Vec<Chunk>,
    pub(crate) held: Held,
    pub(crate) traffic: Traffic,
}

/// All devices of a pipeline.
///
/// # Errors
/// The chip cannot do one of the operators, with the reason.
pub(crate) fn devices(
    job: &Job<'_>,
    plan: &Plan,
    prices: &Prices,
    meter: &mut Meter<'_>,
) -> Result<Vec<Device>, Refusal> {
    let stages = stages(job.model, plan);
    let mut known: Vec<(&Stage, Chunk)> = Vec::new();
    let mut devices = Vec::with_capacity(plan.degrees.pp as usize);
    for device in 0..plan.degrees.pp {
        let own: Vec<&Stage> = of_device(plan, device).iter().map(|stage| &stages[*stage as usize]).collect();
        let layers: u32 = own.iter().map(|stage| stage.layers()).sum();
        let mut chunks = Vec::with_capacity(own.len());
        for stage in own {
            let again = again_share(plan, layers);
            let same = known.iter().find(|(other, _)| plan.recompute_layers.is_none() && *other == stage);
            let chunk = match same {
                Some((_, chunk)) => *chunk,
                None => chunk(job, plan, prices, stage, again, meter)?,
            };
            known.push((stage, chunk));
            chunks.push(chunk);
        }
        let held = chunks.iter().fold(Held::default(), |sum, chunk: &Chunk| sum.plus(chunk.held));
        devices.push(Device { traffic: traffic::once(job, plan, held, meter)?, held, chunks });
    }
    Ok(devices)
}

/// Share of a device's layers that are computed again whole.
fn again_share(plan: &Plan, layers: u32) -> f64 {
    match (plan.recompute, plan.recompute_layers) {
        (Recompute::Full, Some(some)) => (f64::from(some) / f64::from(layers.max(1))).min(1.0),
        _ => 1.0,
    }
}

fn chunk(
    job: &Job<'_>,
    plan: &Plan,
    prices: &Prices,
    stage: &Stage,
    again: f64,
    meter: &mut Meter<'_>,
) -> Result<Chunk, Refusal> {
    let mut sum = Priced::default();
    for (kind, count) in prices.kinds.iter().zip(&stage.counts) {
        sum = sum.plus(&kind.times(f64::from(*count)));
    }
    let kept = again * sum.kept.between + (1.0 - again) * sum.kept.whole;
    let again = sum.again.times(again);
    if stage.first {
        sum = sum.plus(&prices.embedding);
    }
    if stage.last {
        sum = sum.plus(&prices.head).plus(&prices.mtp);
    }
    let mut chunk = Chunk {
        forward: sum.forward,
        input: sum.input.plus(again),
        weight: sum.weight,
        again,
        held: sum.held,
        kept: kept + if stage.last { prices.mtp.kept.between } else { 0.0 },
        layers: stage.layers(),
        last: stage.last,
        times: [0.0; 3],
    };
    chunk.times = times(job, plan, prices, stage, &chunk, meter)?;
    Ok(chunk)
}

/// Seconds of forward, input- and weight-gradient pass.
fn times(
    job: &Job<'_>,
    plan: &Plan,
    prices: &Prices,
    stage: &Stage,
    chunk: &Chunk,
    meter: &mut Meter<'_>,
) -> Result<[f64; 3], Refusal> {
    let figures = &job.stack.figures;
    let mut times = [chunk.forward, chunk.input, chunk.weight].map(|pass| pass.time(plan.overlap, figures));
    if plan.sharding == Sharding::Parameters {
        let shards = layer_traffic(job, plan, prices, stage, meter)?;
        times[0] += added(job, plan.overlap.parameters, shards.parameters, times[0]);
        let both = shards.parameters + shards.gradients;
        times[1] += added(job, plan.overlap.gradients, both, times[1] + times[2]);
    }
    if plan.offload == Offload::Activations {
        let stream = chunk.kept / job.chip.host.bandwidth.get();
        times[0] += beside(stream, times[0], figures);
        times[1] += beside(stream, times[1] + times[2], figures);
    }
    Ok(times)
}

/// What an exchange adds to a computation: all of it, or what the overlap leaves.
pub(crate) fn added(job: &Job<'_>, overlapped: bool, exchange: f64, computation: f64) -> f64 {
    let share = if overlapped { job.stack.figures.data_overlap } else { 0.0 };
    exchange * (1.0 - share) + beside(exchange * share, computation, &job.stack.figures)
}

/// Exchanges of a stage's parameters, gathered and reduced a layer at a time (FSDP).
fn layer_traffic(
    job: &Job<'_>,
    plan: &Plan,
    prices: &Prices,
    stage: &Stage,
    meter: &mut Meter<'_>,
) -> Result<Traffic, Refusal> {
    let mut sum = Traffic::default();
    let ends = [(stage.first, prices.embedding.held), (stage.last, prices.head.held)];
    let layers = prices.kinds.iter().zip(&stage.counts).map(|(kind, count)| (*count, kind.held));
    let ends = ends.into_iter().map(|(has, held)| (u32::from(has), held));
    for (count, held) in layers.chain(ends).filter(|(count, _)| *count > 0) {
        let one = traffic::once(job, plan, held, meter)?;
        sum.gradients += one.gradients * f64::from(count);
        sum.parameters += one.parameters * f64::from(count);
    }
    Ok(sum)
}

/// Durations for the simulation of the pipeline.
///
/// # Errors
/// Never for exchanges; the signature is the meter's.
pub(crate) fn durations(
    job: &Job<'_>,
    plan: &Plan,
    devices: &[Device],
    stream: f64,
    meter: &mut Meter<'_>,
) -> Result<Durations, Refusal> {
    let both_ways = plan.schedule == Schedule::DualPipe;
    let all = |index: usize| {
        devices.iter().flat_map(move |d| d.chunks.iter().map(move |c| c.times[index])).collect()
    };
    let pair = devices.iter().flat_map(|device| pairs(job, plan, device)).collect();
    let send = send(job, plan, stream, meter)?;
    Ok(Durations {
        chunks: if both_ways { 2 } else { plan.chunks },
        forward: all(0),
        input: all(1),
        weight: all(2),
        pair,
        send: if plan.degrees.pp > 1 { send } else { 0.0 },
        blocking: !plan.overlap.pipeline,
        both_ways,
    })
}

/// The residual stream to the next stage: each TP rank sends its share, and without sequence parallelism the ranks gather
/// the whole again (arXiv 2104.04473, section 4.1).
fn send(job: &Job<'_>, plan: &Plan, stream: f64, meter: &mut Meter<'_>) -> Result<f64, Refusal> {
    let d = plan.degrees;
    let split = plan.sequence_parallel || d.tp == 1;
    let share = if split { stream } else { stream / f64::from(d.tp) };
    let (send, _) = traffic::price(job, CollectiveKind::SendReceive, d.stage_group(), share, meter)?;
    let gather = if split {
        0.0
    } else {
        traffic::price(job, CollectiveKind::AllGather, d.tp_group(), stream, meter)?.0
    };
    Ok(send + gather)
}

/// A forward and a backward pass beside each other: their kernels add up, and the expert exchange of each runs beside the
/// kernels of the other.
fn pairs(job: &Job<'_>, plan: &Plan, device: &Device) -> Vec<f64> {
    let figures = &job.stack.figures;
    let pair = |forward: &Chunk, backward: &Chunk| {
        let alone: f64 = forward.times[0] + backward.times[1] + backward.times[2];
        if !plan.overlap.experts {
            return alone;
        }
        let exchange = forward.forward.experts + backward.input.experts + backward.weight.experts;
        let kernels = alone - exchange;
        kernels + beside(exchange, kernels, figures)
    };
    let chunks = &device.chunks;
    (0..chunks.len()).map(|i| pair(&chunks[i], &chunks[chunks.len() - 1 - i])).collect()
}

//! What one rank of each device holds, what peaks and when.

use crate::book::Prices;
use crate::device::Device;
use crate::job::Job;
use crate::plan::{Offload, Plan, Recompute, Sharding};
use crate::schedule;
use crate::weights::States;

/// Bytes of one rank of a device at its peak.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// Device of the pipeline.
    pub device: u32,
    /// Parameters that the products read.
    pub parameters: f64,
    /// Accumulated gradients.
    pub gradients: f64,
    /// Master weights and moments.
    pub optimizer: f64,
    /// Activations kept for backward passes.
    pub activations: f64,
    /// Passes in flight, in chunks.
    pub in_flight: u32,
    /// What one layer's backward pass has live beside what was kept.
    pub working: f64,
    /// Logits and their gradients, and what the head keeps to make the gradient of its weights.
    pub logits: f64,
    /// Whole parameters and gradients of the layers at work, where both are sharded.
    pub gathered: f64,
    /// Context and communicators, outside of the allocator.
    pub runtime: f64,
    /// Allocator waste, and blocks of the optimizer that nothing freed is large enough for.
    pub slack: f64,
}

impl Memory {
    /// Tensors alone.
    pub fn allocated(&self) -> f64 {
        self.states() + self.activations + self.working + self.logits + self.gathered
    }

    /// What the allocator takes from the driver.
    pub fn reserved(&self) -> f64 {
        self.allocated() + self.slack
    }

    /// Everything.
    pub fn peak(&self) -> f64 {
        self.reserved() + self.runtime
    }

    /// What outlives a step.
    pub fn states(&self) -> f64 {
        self.parameters + self.gradients + self.optimizer
    }

    /// Names and bytes, in the order of a report.
    pub fn parts(&self) -> [(&'static str, f64); 9] {
        [
            ("parameters", self.parameters),
            ("gradients", self.gradients),
            ("optimizer", self.optimizer),
            ("activations", self.activations),
            ("working", self.working),
            ("logits", self.logits),
            ("gathered", self.gathered),
            ("runtime", self.runtime),
            ("allocator slack", self.slack),
        ]
    }

    /// The largest part.
    pub fn largest(&self) -> &'static str {
        let longest = self.parts().into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        longest.map_or("", |(name, _)| name)
    }

    /// The moment of the peak.
    pub fn moment(&self) -> &'static str {
        if self.logits > 0.0 {
            "loss of the first micro-batch"
        } else if self.activations > 0.0 {
            "first backward pass, all forwards of the warm-up in flight"
        } else {
            "optimizer"
        }
    }
}

/// The memory of every device.
pub(crate) fn memory(job: &Job<'_>, plan: &Plan, prices: &Prices, devices: &[Device]) -> Vec<Memory> {
    let micros = plan.micro_batches(job.global_batch).max(1);
    devices
        .iter()
        .enumerate()
        .map(|(index, device)| of_device(job, plan, prices, device, index as u32, micros))
        .collect()
}

fn of_device(
    job: &Job<'_>,
    plan: &Plan,
    prices: &Prices,
    device: &Device,
    index: u32,
    micros: u32,
) -> Memory {
    let figures = &job.stack.figures;
    let States { parameters, gradients, optimizer } = device.held.states(plan, job.states());
    let in_flight = schedule::in_flight(plan.schedule, plan.degrees.pp, plan.chunks, micros, index);
    let of_chunks = schedule::in_flight_of_chunks(plan.schedule, plan.degrees.pp, plan.chunks, micros, index);
    let kept: f64 = device.chunks.iter().zip(of_chunks).map(|(chunk, passes)| chunk.kept * passes).sum();
    let on_host = plan.offload == Offload::Activations;
    // Offloaded activations keep two micro-batches on the device: one on its way out, one on its way in.
    let here = if on_host { (2.0 / f64::from(in_flight.max(1))).min(1.0) } else { 1.0 };
    let activations = kept * here;
    let logits = if device.chunks.iter().any(|chunk| chunk.last) { loss(plan, prices) } else { 0.0 };
    let (working, gathered) = (working(plan, prices), gathered(job, plan, prices, device));
    // At the loss no layer works; while one does, the logits are gone.
    let (working, logits) = if logits > working { (0.0, logits) } else { (working, 0.0) };
    let tensors = parameters + gradients + optimizer + activations + working + logits + gathered;
    Memory {
        device: index,
        parameters,
        gradients,
        optimizer,
        activations,
        in_flight,
        working,
        logits,
        gathered,
        runtime: figures.runtime.get() + communicators(plan) * figures.communicator.get(),
        slack: figures.slack * tensors + figures.block * device.held.updated(plan),
    }
}

/// Groups of more than one rank: a communicator each.
fn communicators(plan: &Plan) -> f64 {
    let d = plan.degrees;
    [d.tp, d.cp, d.pp, d.cp * d.dp, d.ep].into_iter().filter(|ranks| *ranks > 1).count() as f64
}

/// Logits beside the inputs of the last norm, 2·s·b·h, and of the head, as much again (arXiv 2205.05198, section 4.3), the
/// latter gathered where sequence parallelism shares it out.
fn loss(plan: &Plan, prices: &Prices) -> f64 {
    prices.logits + prices.stream * (1.0 + gathering(plan))
}

/// Rows of a gathered input over those that a rank holds of the residual stream.
fn gathering(plan: &Plan) -> f64 {
    if plan.sequence_parallel { f64::from(plan.degrees.tp) } else { 1.0 }
}

/// One layer's backward pass: what was not kept of it, a tensor with its gradient, and gathered inputs.
fn working(plan: &Plan, prices: &Prices) -> f64 {
    let again = |kind: &crate::book::Priced| match plan.recompute {
        Recompute::None => 0.0,
        _ => kind.kept.whole - kind.kept.between,
    };
    let rebuilt = prices.kinds.iter().map(again).fold(0.0, f64::max);
    rebuilt + prices.widest + prices.stream * gathering(plan)
}

/// Two layers' parameters, or as many as the stack lets live; one layer's gradients and the buckets they leave through;
/// and the ends, which FSDP keeps whole through the pass.
fn gathered(job: &Job<'_>, plan: &Plan, prices: &Prices, device: &Device) -> f64 {
    if plan.sharding != Sharding::Parameters {
        return 0.0;
    }
    let each = job.states();
    let largest = prices.kinds.iter().map(|kind| kind.held.total()).fold(0.0, f64::max);
    let ends = if device.chunks.iter().any(|chunk| chunk.last) { prices.head.held.total() } else { 0.0 };
    let whole = (2.0 * largest + ends).max(job.stack.figures.live.min(device.held.total()));
    whole * each.parameter + largest.max(ends) * each.gradient + job.stack.figures.buckets.get()
}

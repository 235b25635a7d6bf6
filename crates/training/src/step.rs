//! One training step: how long, on what, and with how much memory.

use vitruvian_cost::Refusal;
use vitruvian_engine::Meter;

use crate::book::{Book, Prices};
use crate::device::{self, Device, added, durations};
use crate::job::Job;
use crate::memory::{self, Memory};
use crate::optimizer;
use crate::plan::{Plan, Schedule, Sharding};
use crate::price::{Pass, beside};
use crate::schedule::{Durations, Timeline, bubble, orders, simulate};

/// A step of a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// The plan.
    pub plan: Plan,
    /// Micro-batches of a copy.
    pub micro_batches: u32,
    /// Time of the step, in seconds.
    pub time: f64,
    /// Where the time of the busiest device goes.
    pub parts: Parts,
    /// Model FLOPs over what the peaks would do in the time.
    pub mfu: f64,
    /// The same of the operations executed, recomputation included.
    pub hfu: f64,
    /// Tokens a second of all chips.
    pub tokens_per_s: f64,
    /// Memory of each device.
    pub memory: Vec<Memory>,
    /// Mean power of a chip, in watts.
    pub chip_power: f64,
    /// Relative standard deviation of the time.
    pub sigma: f64,
    /// When each pass runs; none where the closed form answered.
    pub timeline: Option<Timeline>,
}

/// Seconds of a step on the busiest device.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Parts {
    /// Matrix products.
    pub products: f64,
    /// Attention cores.
    pub attention: f64,
    /// Element-wise kernels.
    pub vector: f64,
    /// Launches that the device waits for.
    pub launch: f64,
    /// Forward work done again, within the three above.
    pub again: f64,
    /// Exposed tensor- and context-parallel exchange.
    pub tensor: f64,
    /// Exposed expert exchange.
    pub experts: f64,
    /// Exposed gradient and parameter exchange.
    pub data: f64,
    /// Waiting for other stages, and sending to them.
    pub bubble: f64,
    /// Optimizer.
    pub optimizer: f64,
    /// Outside of kernels.
    pub host: f64,
}

impl Step {
    /// The fullest device.
    pub fn fullest(&self) -> Memory {
        let fullest = self.memory.iter().max_by(|a, b| a.peak().total_cmp(&b.peak()));
        fullest.copied().unwrap_or_default()
    }
}

/// How closely the pipeline is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// By closed form.
    Closed,
    /// Pass by pass.
    Simulated,
}

/// Prices steps of one job.
pub struct Pricer<'a, 'm> {
    job: Job<'a>,
    meter: &'m mut Meter<'a>,
    book: Book,
    flops: f64,
}

impl<'a, 'm> Pricer<'a, 'm> {
    /// A pricer that remembers nothing yet.
    pub fn new(job: Job<'a>, meter: &'m mut Meter<'a>) -> Self {
        Self { flops: job.model_flops(), job, meter, book: Book::default() }
    }

    /// The job.
    pub fn job(&self) -> &Job<'a> {
        &self.job
    }

    /// The step of a plan, which must have passed [`crate::check::plan`].
    ///
    /// # Errors
    /// The chip cannot do one of the operators, with the reason.
    pub fn step(&mut self, plan: &Plan, detail: Detail) -> Result<Step, Refusal> {
        let prices = self.book.prices(&self.job, plan, self.meter)?;
        let devices = device::devices(&self.job, plan, &prices, self.meter)?;
        let times = durations(&self.job, plan, &devices, prices.stream, self.meter)?;
        let micros = plan.micro_batches(self.job.global_batch).max(1);
        let pipeline = pipeline(plan, micros, &devices, &times, detail);
        Ok(self.sum_up(plan, &prices, &devices, micros, pipeline))
    }

    /// The memory of a plan's devices alone.
    ///
    /// # Errors
    /// The chip cannot do one of the operators, with the reason.
    pub fn memory(&mut self, plan: &Plan) -> Result<Vec<Memory>, Refusal> {
        let prices = self.book.prices(&self.job, plan, self.meter)?;
        let devices = device::devices(&self.job, plan, &prices, self.meter)?;
        Ok(memory::memory(&self.job, plan, &prices, &devices))
    }

    fn sum_up(
        &self,
        plan: &Plan,
        prices: &Prices,
        devices: &[Device],
        micros: u32,
        (pipeline, timeline): (f64, Option<Timeline>),
    ) -> Step {
        let (job, figures) = (&self.job, &self.job.stack.figures);
        let data = devices.iter().map(|device| exposed_traffic(job, plan, device)).fold(0.0, f64::max);
        let optimizer = devices.iter().map(|d| optimizer::time(job, plan, d.held)).fold(0.0, f64::max);
        let host = figures.step.get();
        let time = pipeline + data + optimizer + host;
        let inside = parts(job, plan, devices, micros, pipeline);
        let parts = Parts { data: inside.data + data, optimizer, host, ..inside };
        let chips = f64::from(plan.degrees.chips());
        let capacity = job.peak() * chips * time;
        let sums = sums(devices, f64::from(micros));
        let ranks = f64::from(plan.degrees.stage_ranks());
        let energy = sums.energy * ranks + devices.iter().map(|d| d.traffic.energy).sum::<f64>() * ranks;
        let power = job.chip.power.active_idle.get() + energy / (time * chips);
        let kernels = if sums.spread > 0.0 {
            sums.spread / (sums.device(figures) + sums.tensor + sums.experts)
        } else {
            0.0
        };
        Step {
            plan: plan.clone(),
            micro_batches: micros,
            mfu: self.flops / capacity,
            hfu: sums.flops * ranks / capacity,
            tokens_per_s: job.tokens() / time,
            memory: memory::memory(job, plan, prices, devices),
            chip_power: power.min(job.chip.power.cap.get()),
            sigma: figures.sigma.max(if job.stack.borrowed.is_some() {
                figures.sigma.hypot(kernels)
            } else {
                0.0
            }),
            time,
            parts,
            timeline,
        }
    }
}

/// Time of the passes of all micro-batches.
fn pipeline(
    plan: &Plan,
    micros: u32,
    devices: &[Device],
    times: &Durations,
    detail: Detail,
) -> (f64, Option<Timeline>) {
    let closed = || closed(plan, micros, devices, times);
    if detail == Detail::Closed {
        return (closed(), None);
    }
    let orders = orders(plan.schedule, plan.degrees.pp, plan.chunks, micros);
    match simulate(&orders, micros, times) {
        // The optimizer of ZB-2P starts on each device as it is done (arXiv 2401.10241, section 4): a step takes what the
        // longest device works, since the next one begins as late.
        Ok(timeline) if plan.schedule == Schedule::Zb2p => (timeline.longest_device(), Some(timeline)),
        Ok(timeline) => (timeline.makespan, Some(timeline)),
        Err(_) => (closed(), None),
    }
}

/// The slowest device at work for all micro-batches, and what the schedule leaves idle.
fn closed(plan: &Plan, micros: u32, devices: &[Device], times: &Durations) -> f64 {
    let work = |device: &Device| -> f64 {
        let sum: f64 = device.chunks.iter().map(|chunk| chunk.times.iter().sum::<f64>()).sum();
        if plan.schedule == Schedule::DualPipe { sum / 2.0 } else { sum }
    };
    let slowest = devices.iter().map(work).fold(0.0, f64::max);
    let count = devices.len() as f64;
    let chunks = f64::from(plan.chunks);
    let sends = if times.blocking && devices.len() > 1 { 2.0 * chunks * times.send } else { 0.0 };
    let m = f64::from(micros);
    let all: f64 = devices.iter().map(work).sum();
    if plan.schedule == Schedule::OneFOneB {
        let ramp = (all - slowest + 2.0 * (count - 1.0) * times.send * chunks) / chunks;
        return m * (slowest + sends) + ramp + sends * (count - 1.0) / chunks;
    }
    let mean = |index: usize| {
        let sum: f64 = devices.iter().flat_map(|d| d.chunks.iter().map(move |c| c.times[index])).sum();
        sum / count / if plan.schedule == Schedule::DualPipe { 2.0 } else { 1.0 }
    };
    let (f, w) = (mean(0), mean(2));
    let b = mean(1) + w;
    let pair =
        if times.pair.is_empty() { f + b } else { times.pair.iter().sum::<f64>() / times.pair.len() as f64 };
    let steady = if plan.schedule == Schedule::DualPipe { slowest.min(pair).max(pair) } else { slowest };
    m * (steady + sends) + bubble(plan.schedule, plan.degrees.pp, plan.chunks, [f, b, w], pair)
}

/// What gradients and parameters add to a step that shards no parameters: the last backward pass hides the former, the
/// first forward pass the latter.
fn exposed_traffic(job: &Job<'_>, plan: &Plan, device: &Device) -> f64 {
    if plan.sharding == Sharding::Parameters {
        return 0.0;
    }
    let of = |index: usize| device.chunks.iter().map(|chunk| chunk.times[index]).sum::<f64>();
    let layers = f64::from(device.chunks.iter().map(|chunk| chunk.layers).sum::<u32>().max(1));
    // The last layer's gradients and the first layer's parameters have nothing to hide behind.
    let window = 1.0 - 1.0 / layers;
    let traffic = device.traffic;
    added(job, plan.overlap.gradients, traffic.gradients, (of(1) + of(2)) * window)
        + added(job, plan.overlap.parameters, traffic.parameters, of(0) * window)
}

/// All passes of a device for one micro-batch.
fn passes(device: &Device) -> Pass {
    let sum = |sum: Pass, chunk: &crate::device::Chunk| {
        sum.plus(chunk.forward).plus(chunk.input).plus(chunk.weight)
    };
    device.chunks.iter().fold(Pass::default(), sum)
}

fn sums(devices: &[Device], micros: f64) -> Pass {
    devices.iter().fold(Pass::default(), |sum, device| sum.plus(passes(device))).times(micros)
}

fn parts(job: &Job<'_>, plan: &Plan, devices: &[Device], micros: u32, pipeline: f64) -> Parts {
    let work =
        |device: &Device| device.chunks.iter().map(|chunk| chunk.times.iter().sum::<f64>()).sum::<f64>();
    let Some(busiest) = devices.iter().max_by(|a, b| work(a).total_cmp(&work(b))) else {
        return Parts::default();
    };
    let m = f64::from(micros) / f64::from(plan.schedule.copies());
    let figures = &job.stack.figures;
    let sum = passes(busiest);
    let again = busiest.chunks.iter().fold(Pass::default(), |sum, chunk| sum.plus(chunk.again));
    let (device, tensor) = (sum.device(figures), sum.exposed(plan.overlap, figures));
    let both_ways = plan.schedule == Schedule::DualPipe && plan.overlap.experts;
    let experts = if both_ways { beside(sum.experts, device + tensor, figures) } else { sum.experts };
    // What sharded parameters and offloaded activations add to the passes.
    let added = (work(busiest) - device - tensor - sum.experts).max(0.0);
    Parts {
        products: sum.products * m,
        attention: sum.attention * m,
        vector: (sum.compute - sum.products - sum.attention) * m,
        launch: (device - sum.compute) * m,
        again: again.compute * m,
        tensor: tensor * m,
        experts: experts * m,
        data: added * m,
        bubble: (pipeline - (device + tensor + experts + added) * m).max(0.0),
        optimizer: 0.0,
        host: 0.0,
    }
}

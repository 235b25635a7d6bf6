//! The plans worth looking at.

use vitruvian_model::{Ffn, Mixer, Model};

use super::Census;
use crate::check;
use crate::job::Job;
use crate::plan::{Context, Degrees, Offload, Overlap, Plan, Recompute, Schedule, Sharding};
use crate::stack::Attention;

/// What a search may choose. A list of one entry fixes a choice; empty lists mean whatever makes sense.
#[derive(Clone, Debug, Default)]
pub struct Space {
    /// Chips, all of which are used.
    pub chips: u32,
    /// Tensor-parallel degrees.
    pub tp: Vec<u32>,
    /// Pipeline degrees.
    pub pp: Vec<u32>,
    /// Context-parallel degrees.
    pub cp: Vec<u32>,
    /// Expert-parallel degrees.
    pub ep: Vec<u32>,
    /// Chunks of a device.
    pub chunks: Vec<u32>,
    /// Sequences of a micro-batch.
    pub micro_batch: Vec<u32>,
    /// Schedules.
    pub schedules: Vec<Schedule>,
    /// Recomputations.
    pub recompute: Vec<Recompute>,
    /// Shardings.
    pub sharding: Vec<Sharding>,
    /// What lives on the host.
    pub offload: Offload,
    /// What is hidden.
    pub overlap: Overlap,
    /// How context-parallel ranks share attention.
    pub context: Context,
}

/// Largest micro-batch that is tried.
const MOST_SEQUENCES: u32 = 16;
/// Most chunks of a device that are tried.
const MOST_CHUNKS: u32 = 12;
/// Fewest tokens that a context-parallel rank is given.
const FEWEST_TOKENS: u32 = 4096;

impl Space {
    /// Every plan that divides.
    pub fn plans(&self, job: &Job<'_>, census: &mut Census) -> Vec<Plan> {
        let mut plans = Vec::new();
        for degrees in self.degrees(job, census) {
            for chunks in self.chunks_of(job.model, degrees) {
                for micro_batch in self.micro_batches(job, degrees) {
                    self.choices(job, degrees, chunks, micro_batch, census, &mut plans);
                }
            }
        }
        plans
    }

    fn choices(
        &self,
        job: &Job<'_>,
        degrees: Degrees,
        chunks: u32,
        micro_batch: u32,
        census: &mut Census,
        plans: &mut Vec<Plan>,
    ) {
        for schedule in self.schedules_of(degrees, chunks) {
            for sharding in self.shardings(degrees) {
                for recompute in self.recomputations(job) {
                    census.looked_at += 1;
                    let plan = Plan {
                        chunks,
                        micro_batch,
                        schedule,
                        recompute,
                        sharding,
                        context: self.context,
                        overlap: self.overlap,
                        offload: self.offload,
                        ..Plan::new(degrees)
                    };
                    match check::plan(job.model, &plan, job.sequence, job.global_batch) {
                        Ok(()) => plans.push(plan),
                        Err(faults) if faults.iter().any(|f| f.code == "batch" || f.code == "schedule") => {
                            census.batch += 1;
                        }
                        Err(_) => census.shape += 1,
                    }
                }
            }
        }
    }

    fn degrees(&self, job: &Job<'_>, census: &mut Census) -> Vec<Degrees> {
        let mut list = Vec::new();
        let depth = job.model.depth() as u32;
        let expert_degrees = self.expert_degrees(job.model);
        for tp in pick(&self.tp, || divisors(self.chips, job.node.size)) {
            if !heads_divide(job.model, tp) {
                census.looked_at += 1;
                census.shape += 1;
                continue;
            }
            for cp in pick(&self.cp, || contexts(job.sequence)) {
                for pp in pick(&self.pp, || divisors(self.chips / (tp * cp).max(1), depth)) {
                    let model_parallel = tp * cp * pp;
                    if model_parallel == 0 || !self.chips.is_multiple_of(model_parallel) {
                        continue;
                    }
                    let dp = self.chips / model_parallel;
                    let ranks = tp * cp * dp;
                    for ep in expert_degrees.iter().copied().filter(|ep| ranks.is_multiple_of(*ep)) {
                        let etp = if ep == 1 && job.model.has_experts() { tp } else { 1 };
                        list.push(Degrees { tp, cp, pp, dp, ep, etp });
                    }
                }
            }
        }
        list
    }

    fn expert_degrees(&self, model: &Model) -> Vec<u32> {
        let experts = model.kinds.iter().filter_map(|kind| match kind.ffn {
            Ffn::Moe(moe) => Some(moe.experts),
            _ => None,
        });
        let Some(experts) = experts.min() else { return pick(&self.ep, || vec![1]) };
        pick(&self.ep, || divisors(experts, experts))
    }

    fn chunks_of(&self, model: &Model, degrees: Degrees) -> Vec<u32> {
        let layers = model.depth() as u32 / degrees.pp.max(1);
        if degrees.pp == 1 {
            return vec![1];
        }
        pick(&self.chunks, || divisors(layers, MOST_CHUNKS))
    }

    fn micro_batches(&self, job: &Job<'_>, degrees: Degrees) -> Vec<u32> {
        let each = job.global_batch / degrees.dp.max(1);
        pick(&self.micro_batch, || divisors(each.max(1), MOST_SEQUENCES).into_iter().filter(|b| b.is_power_of_two()).collect())
    }

    fn schedules_of(&self, degrees: Degrees, chunks: u32) -> Vec<Schedule> {
        let all = if self.schedules.is_empty() { vec![Schedule::OneFOneB] } else { self.schedules.clone() };
        if degrees.pp == 1 || chunks > 1 {
            return vec![Schedule::OneFOneB];
        }
        all
    }

    fn shardings(&self, degrees: Degrees) -> Vec<Sharding> {
        pick(&self.sharding, || {
            if degrees.dp * degrees.cp == 1 {
                vec![Sharding::None]
            } else if degrees.pp == 1 {
                vec![Sharding::Optimizer, Sharding::Parameters]
            } else {
                vec![Sharding::Optimizer]
            }
        })
    }

    fn recomputations(&self, job: &Job<'_>) -> Vec<Recompute> {
        pick(&self.recompute, || {
            let mut all = vec![Recompute::None, Recompute::Elementwise, Recompute::Full];
            if job.stack.attention == Attention::Unfused {
                all.push(Recompute::Selective);
            }
            all
        })
    }
}

fn pick<T: Clone>(own: &[T], other: impl FnOnce() -> Vec<T>) -> Vec<T> {
    if own.is_empty() { other() } else { own.to_vec() }
}

/// Divisors of a value up to a limit.
fn divisors(value: u32, most: u32) -> Vec<u32> {
    (1..=most.min(value)).filter(|divisor| value.is_multiple_of(*divisor)).collect()
}

/// Powers of two that leave each rank enough tokens.
fn contexts(sequence: u32) -> Vec<u32> {
    let powers = std::iter::successors(Some(1_u32), |cp| cp.checked_mul(2));
    let enough = |cp: &u32| *cp == 1 || sequence / cp >= FEWEST_TOKENS;
    powers.take_while(enough).collect()
}

fn heads_divide(model: &Model, tp: u32) -> bool {
    model.kinds.iter().all(|kind| match &kind.mixer {
        Mixer::Attention(shape) => shape.heads.is_multiple_of(tp),
        Mixer::Mla(shape) => shape.heads.is_multiple_of(tp),
        Mixer::Compressed(shape) => shape.heads.is_multiple_of(tp),
        Mixer::Linear(shape) => shape.value_heads.is_multiple_of(tp),
        Mixer::None => true,
    })
}

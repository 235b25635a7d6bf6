//! From a replica under its engine to a pool: what its lanes may hold, and what its steps cost.

use vitruvian_cost::Refusal;
use vitruvian_engine::{Admission, Meter, Misfit, Replica, memory, sequence_bytes};
use vitruvian_model::mtp_weight_bytes;
use vitruvian_quantity::Bytes;

use crate::scheduler::Policy;
use crate::service::{Front, Limits, Pool, Role};
use crate::speculation::Speculation;
use crate::times::EngineTimes;

/// A pool of equal replicas, as an engine would be started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What the pool does.
    pub role: Role,
    /// Replicas.
    pub replicas: u32,
    /// Most tokens of a step; nothing for the engine's default.
    pub batched_tokens: Option<u32>,
    /// Most running sequences of a data-parallel group; nothing for the engine's default.
    pub sequences: Option<u32>,
    /// Whether prompts are looked up in what earlier ones left behind.
    pub prefix_cache: bool,
    /// The scheduler; nothing for the engine's own.
    pub policy: Option<Policy>,
    /// Speculative decoding.
    pub speculation: Option<Speculation>,
    /// Typical tokens of a sequence, at which the bytes of a block are taken where layers differ in what they keep.
    pub context: u32,
}

/// Why a pool cannot be.
#[derive(Clone, Debug, PartialEq)]
pub enum Unfit {
    /// Memory.
    Memory(Misfit),
    /// The chip cannot do an operator.
    Refused(Refusal),
}

impl From<Misfit> for Unfit {
    fn from(misfit: Misfit) -> Self {
        Self::Memory(misfit)
    }
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A pool of replicas whose steps `meter` costs.
///
/// # Errors
/// Weights leave no room for a cache, or the chip cannot do an operator of the draft model.
pub fn pool<'a>(replica: Replica<'a>, meter: Meter<'a>, options: &Options) -> Result<Pool<'a>, Unfit> {
    let limits = limits(&replica, &meter, options)?;
    let times = EngineTimes::new(replica, meter, options.speculation.as_ref())?;
    Ok(Pool {
        role: options.role,
        replicas: options.replicas,
        groups: replica.layout.dp,
        stages: replica.layout.pp,
        policy: options.policy.unwrap_or_else(|| Policy::of(replica.engine)),
        limits,
        speculation: options.speculation.clone(),
        times: Box::new(times),
    })
}

/// What a request spends outside of steps.
pub fn front(replica: &Replica<'_>) -> Front {
    let engine = replica.engine;
    let alone = replica.request_time(0) - engine.request_serial;
    Front { alone: alone.get(), each: engine.request_each.get(), serial: engine.request_serial.get() }
}

/// What one lane may hold. Pipeline slots share the memory of a rank evenly.
fn limits(replica: &Replica<'_>, meter: &Meter<'_>, options: &Options) -> Result<Limits, Misfit> {
    let engine = replica.engine;
    let batched_tokens = options.batched_tokens.unwrap_or(engine.batched_tokens).max(1);
    let memory = memory(replica, meter.chip(), batched_tokens)?;
    let drafts = match &options.speculation {
        Some(_) => mtp_weight_bytes(replica.model, replica.plan, replica.layout),
        None => Bytes::ZERO,
    };
    let (each, fixed) = block_bytes(replica, memory.stage, options.context);
    let cache = (memory.cache - drafts) / f64::from(replica.layout.pp);
    if cache <= each {
        let missing = each - cache;
        return Err(Misfit { missing, stage: memory.stage, weights: memory.weights, usable: memory.usable });
    }
    let slots = replica.layout.pp;
    let sequences = options.sequences.unwrap_or(engine.max_sequences).min(batched_tokens);
    Ok(Limits {
        batched_tokens,
        sequences: sequences.div_ceil(slots).max(1),
        block: engine.block.max(1),
        blocks: (cache / each) as u32,
        fixed_blocks: fixed,
        prefix_cache: options.prefix_cache,
        reserve: engine.admission == Admission::Reserve,
    })
}

/// Bytes of one more block of a sequence of about `context` tokens on a rank of `stage`, and the blocks' worth of what it
/// holds whatever its length.
///
/// Layers with a window stop growing, states never grow: the line through the first block and `context` is taken.
fn block_bytes(replica: &Replica<'_>, stage: u32, context: u32) -> (Bytes, u32) {
    let block = replica.engine.block.max(1);
    let blocks = context.div_ceil(block).max(2);
    let first = sequence_bytes(replica, stage, block);
    let whole = sequence_bytes(replica, stage, block * blocks);
    let each = (whole - first) / f64::from(blocks - 1);
    if each <= Bytes::ZERO {
        return (first.max(Bytes::new(1.0)), 0);
    }
    (each, ((first - each) / each).round().max(0.0) as u32)
}

//! What one rank holds, and how many sequences fit.

use vitruvian_hardware::Chip;
use vitruvian_model::{Step, activation_bytes, kv_bytes, weight_bytes};
use vitruvian_quantity::Bytes;

use crate::profile::Admission;
use crate::replica::Replica;

/// Memory of the fullest rank of a replica.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memory {
    /// What software sees of the device memory.
    pub capacity: Bytes,
    /// What the engine may take.
    pub usable: Bytes,
    /// Weights.
    pub weights: Bytes,
    /// Peak of live activations of one step.
    pub activations: Bytes,
    /// Context, communicators, graphs.
    pub runtime: Bytes,
    /// What is left for KV cache and recurrent state.
    pub cache: Bytes,
    /// Pipeline stage of the fullest rank.
    pub stage: u32,
}

/// A replica that cannot hold even one sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Misfit {
    /// How much is missing on the fullest rank.
    pub missing: Bytes,
    /// Pipeline stage of that rank.
    pub stage: u32,
    /// What its weights take.
    pub weights: Bytes,
    /// What the engine may take.
    pub usable: Bytes,
}

/// Memory of the fullest rank when a step processes at most `batched_tokens` tokens.
///
/// # Errors
/// Weights, activations and runtime alone exceed what the engine may take.
pub fn memory(replica: &Replica<'_>, chip: &Chip, batched_tokens: u32) -> Result<Memory, Misfit> {
    let mut tightest: Option<Memory> = None;
    for stage in 0..replica.layout.pp {
        let memory = stage_memory(replica, chip, batched_tokens, stage);
        if tightest.is_none_or(|other| memory.cache < other.cache) {
            tightest = Some(memory);
        }
    }
    let memory = tightest.unwrap_or_else(|| stage_memory(replica, chip, batched_tokens, 0));
    if memory.cache > Bytes::ZERO {
        return Ok(memory);
    }
    Err(Misfit {
        missing: Bytes::ZERO - memory.cache,
        stage: memory.stage,
        weights: memory.weights,
        usable: memory.usable,
    })
}

fn stage_memory(replica: &Replica<'_>, chip: &Chip, batched_tokens: u32, stage: u32) -> Memory {
    let Replica { model, plan, layout, engine } = replica;
    let usable = chip.hbm.capacity * engine.memory_fraction;
    let weights = weight_bytes(model, plan, *layout, stage);
    let activations = activation_bytes(model, plan, *layout, &Step::prefill(1, batched_tokens));
    let cache = usable - weights - activations - engine.runtime_reserve;
    Memory {
        capacity: chip.hbm.capacity,
        usable,
        weights,
        activations,
        runtime: engine.runtime_reserve,
        cache,
        stage,
    }
}

/// Bytes on one rank of `stage` for one sequence of `context` tokens, in whole blocks.
pub fn sequence_bytes(replica: &Replica<'_>, stage: u32, context: u32) -> Bytes {
    let context = context.next_multiple_of(replica.engine.block.max(1));
    kv_bytes(replica.model, replica.plan, replica.layout, stage, context)
}

/// Cache bytes that `sequences` running sequences of `input` + up to `output` tokens need on one rank of `stage`, with
/// room for the moments when more than the mean is held.
///
/// An engine that reserves needs the whole request for each. One that takes blocks as they come holds, at a random
/// moment, input + U(0, output) tokens of each: mean input + output/2, standard deviation output/√12. The demand is
/// taken three standard deviations of the sum above its mean, where preemption is rare.
pub fn cache_demand(replica: &Replica<'_>, stage: u32, sequences: u32, input: u32, output: u32) -> Bytes {
    let whole = sequence_bytes(replica, stage, input + output);
    if replica.engine.admission == Admission::Reserve {
        return whole * f64::from(sequences);
    }
    let at_input = sequence_bytes(replica, stage, input);
    let deviation = (whole - at_input) * (f64::from(sequences) / 12.0).sqrt();
    let mean = mean_demand(replica, stage, input, output) * f64::from(sequences);
    (mean + deviation * 3.0).min(whole * f64::from(sequences))
}

/// Cache bytes that one running sequence holds on average.
fn mean_demand(replica: &Replica<'_>, stage: u32, input: u32, output: u32) -> Bytes {
    match replica.engine.admission {
        Admission::Reserve => sequence_bytes(replica, stage, input + output),
        Admission::OnDemand => sequence_bytes(replica, stage, input + output / 2),
    }
}

/// Most sequences of a request's length that one data-parallel group runs at a time when it admits as long as there is
/// room; zero if not even one whole sequence fits.
pub fn most_sequences(replica: &Replica<'_>, memory: &Memory, input: u32, output: u32) -> u32 {
    if sequence_bytes(replica, memory.stage, input + output) > memory.cache {
        return 0;
    }
    let each = mean_demand(replica, memory.stage, input, output);
    ((memory.cache / each) as u32).clamp(1, replica.engine.max_sequences)
}

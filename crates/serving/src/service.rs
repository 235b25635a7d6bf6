//! What serves: pools of replicas, and how requests come to them.

use crate::routing::Routing;
use crate::scheduler::Policy;
use crate::speculation::Speculation;
use crate::times::StepTimes;
use crate::transfer::Transfer;

/// Pools of replicas behind one front end.
pub struct Service<'a> {
    /// One pool that does everything, or one that prefills and one that decodes.
    pub pools: Vec<Pool<'a>>,
    /// How a request finds its replica.
    pub routing: Routing,
    /// How caches move from prefill to decode.
    pub transfer: Transfer,
    /// Which side shows the first token.
    pub first_token: FirstToken,
    /// The front end of a replica.
    pub front: Front,
    /// Longest sequence that is served.
    pub context: u32,
    /// Seed of everything that is drawn.
    pub seed: u64,
}

/// What a request spends at the front end of a replica before it reaches the scheduler, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Front {
    /// Whatever else is there.
    pub alone: f64,
    /// For each request in flight.
    pub each: f64,
    /// In the process that takes one request after the other.
    pub serial: f64,
}

/// Equal replicas.
pub struct Pool<'a> {
    /// What they do.
    pub role: Role,
    /// How many.
    pub replicas: u32,
    /// Data-parallel attention groups of one replica; they step together.
    pub groups: u32,
    /// Pipeline stages, and micro-batches in flight.
    pub stages: u32,
    /// Its scheduler.
    pub policy: Policy,
    /// What it may hold.
    pub limits: Limits,
    /// Speculative decoding.
    pub speculation: Option<Speculation>,
    /// What its steps cost.
    pub times: Box<dyn StepTimes + 'a>,
}

/// What a pool does for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    #[default]
    Whole,
    /// Prompts.
    Prefill,
    /// Tokens after the first.
    Decode,
}

/// Which side of a disaggregated service shows the first token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstToken {
    /// Prefill: as soon as it is sampled.
    Prefill,
    /// Decode: once the cache has arrived (Dynamo, SGLang).
    #[default]
    Decode,
}

/// What one lane (a data-parallel group's pipeline slot) may hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Tokens of a step.
    pub batched_tokens: u32,
    /// Sequences that run.
    pub sequences: u32,
    /// Tokens of a KV block.
    pub block: u32,
    /// KV blocks.
    pub blocks: u32,
    /// Blocks of a sequence whatever its length: recurrent states.
    pub fixed_blocks: u32,
    /// Whether prompts are looked up in what earlier ones left behind.
    pub prefix_cache: bool,
    /// Whether blocks for the whole request are taken before it starts.
    pub reserve: bool,
}

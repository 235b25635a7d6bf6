//! What a serving engine adds to the device: its scheduler, its memory rules and its host time.

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText};
use vitruvian_quantity::{Bytes, Seconds};

use crate::exchange::ExchangeOverlap;

/// A serving engine of a named version.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineProfile {
    /// The name used on the command line: `"vllm-ascend"`.
    pub name: String,
    /// The name a person reads.
    pub title: String,
    /// The version that the figures describe.
    pub version: String,
    /// Makers of chips it runs on: `"nvidia"`, `"huawei"`, `"amd"`.
    pub vendors: Vec<String>,
    /// How prefill and decode share the device.
    pub scheduler: Scheduler,
    /// How KV blocks are taken.
    pub admission: Admission,
    /// Whether the host prepares the next step while the device runs this one.
    pub overlap: bool,
    /// Tokens of one KV block.
    pub block: u32,
    /// Share of device memory that the engine takes.
    pub memory_fraction: f64,
    /// Memory of the runtime inside that share: context, communicators, graphs.
    pub runtime_reserve: Bytes,
    /// Tokens that one step processes at most.
    pub batched_tokens: u32,
    /// Sequences that run at a time at most.
    pub max_sequences: u32,
    /// Captured decode batches: 1, 2, 4, then multiples of this.
    pub capture_step: u32,
    /// Largest captured decode batch.
    pub capture_max: u32,
    /// Largest step with prefill in it that runs from captured graphs, in tokens; zero if none does.
    pub capture_mixed: u32,
    /// Kernels that the engine folds into their neighbours.
    pub fuses: Vec<Fusion>,
    /// Ways to hide the exchange of tokens between experts that the engine has.
    pub exchange_overlaps: Vec<ExchangeOverlap>,
    /// The one of them that is switched on; none by default.
    pub exchange: Option<ExchangeOverlap>,
    /// Cores that kernels which exchange the tokens of prompts hold while others compute.
    pub exchange_cores: u32,
    /// Host time of one step, hidden behind the device where `overlap` holds.
    pub host_step: Seconds,
    /// Host time of one running sequence in one step, hidden likewise.
    pub host_sequence: Seconds,
    /// Time between two steps in which the device waits whatever overlaps.
    pub gap: Seconds,
    /// The same for each layer of experts: small kernels around them that the list of operators leaves out.
    pub gap_experts: Seconds,
    /// Time of attention over prompts, beyond what a single token takes, over that of the chip's own kernel.
    pub prompt_attention: f64,
    /// Host time to launch one kernel of a step that no captured graph serves.
    pub launch: Seconds,
    /// What a request spends outside of steps before its first token: HTTP, tokeniser, queues between processes.
    pub request: Seconds,
    /// The same for each request in flight.
    pub request_each: Seconds,
    /// What one request takes of the process that receives requests, one after the other.
    pub request_serial: Seconds,
    /// The same for each layer of experts: routing and permutation that the host prepares before a prompt's first step.
    pub request_experts: Seconds,
    /// Exponent of the power law by which tokens choose experts; zero for even shares.
    pub expert_skew: f64,
    /// Spread of TPOT that the engine's own differences add, relative.
    pub tpot_sigma: f64,
    /// Spread of TTFT that the engine's own differences add, relative.
    pub ttft_sigma: f64,
    /// Where each figure comes from: key, value as written, source, grade.
    pub figures: Vec<EngineFigure>,
}

/// One figure of an engine file and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFigure {
    /// Key in the file.
    pub key: &'static str,
    /// The source, with the reason for the value.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// How prefill and decode share the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheduler {
    /// Prefill chunks ride on decode steps (vLLM V1, SplitFuse).
    Mixed,
    /// A prefill step runs before the decode step and holds it up (SGLang, MindIE).
    PrefillFirst,
    /// The same with prompts that are never cut (vLLM V0).
    WholePrompts,
}

/// A kernel that an engine folds into a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fusion {
    /// Quantisation by the checkpoint's fixed per-tensor scales, into the norm or activation before the product.
    StaticQuantise,
    /// Norms after an all-reduce, into the all-reduce of captured steps.
    AllReduceNorm,
    /// Rotation, norms of heads and the cache write, into the attention kernel or one kernel before it.
    RopeCache,
    /// Shared experts of the routed ones' width and without a gate, as one more routed expert that every token takes.
    SharedExperts,
}

/// How KV blocks are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Admission {
    /// As tokens come; a full cache preempts.
    OnDemand,
    /// For the whole request, before it starts.
    Reserve,
}

#[derive(Deserialize)]
struct Sourced<T> {
    value: T,
    source: String,
    grade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineFile {
    title: String,
    version: String,
    vendors: Vec<String>,
    scheduler: Scheduler,
    admission: Admission,
    overlap: bool,
    block: Sourced<u32>,
    memory_fraction: Sourced<f64>,
    runtime_reserve: Sourced<Bytes>,
    batched_tokens: Sourced<u32>,
    max_sequences: Sourced<u32>,
    capture_step: Sourced<u32>,
    capture_max: Sourced<u32>,
    capture_mixed: Sourced<u32>,
    fuses: Sourced<Vec<Fusion>>,
    exchange_overlaps: Option<Sourced<Vec<ExchangeOverlap>>>,
    exchange_cores: Option<Sourced<u32>>,
    host_step: Sourced<Seconds>,
    host_sequence: Sourced<Seconds>,
    gap: Sourced<Seconds>,
    gap_experts: Sourced<Seconds>,
    prompt_attention: Sourced<f64>,
    launch: Sourced<Seconds>,
    request: Sourced<Seconds>,
    request_each: Sourced<Seconds>,
    request_serial: Sourced<Seconds>,
    request_experts: Sourced<Seconds>,
    expert_skew: Sourced<f64>,
    tpot_sigma: Sourced<f64>,
    ttft_sigma: Sourced<f64>,
}

/// Reads an engine file.
///
/// # Errors
/// A diagnostic at the first place that is not as it should be.
pub fn parse(name: &str, source: &SourceText) -> Result<EngineProfile, Diagnostic> {
    let file: EngineFile = toml::from_str(source.text()).map_err(|error| {
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("engine-file", format!("engine `{name}` cannot be read")).at(
            source,
            span,
            error.message(),
        )
    })?;
    Ok(file.into_profile(name))
}

impl EngineFile {
    fn into_profile(self, name: &str) -> EngineProfile {
        EngineProfile {
            name: name.to_owned(),
            figures: self.figures(),
            title: self.title,
            version: self.version,
            vendors: self.vendors,
            scheduler: self.scheduler,
            admission: self.admission,
            overlap: self.overlap,
            block: self.block.value,
            memory_fraction: self.memory_fraction.value,
            runtime_reserve: self.runtime_reserve.value,
            batched_tokens: self.batched_tokens.value,
            max_sequences: self.max_sequences.value,
            capture_step: self.capture_step.value,
            capture_max: self.capture_max.value,
            host_step: self.host_step.value,
            host_sequence: self.host_sequence.value,
            capture_mixed: self.capture_mixed.value,
            fuses: self.fuses.value,
            exchange_overlaps: self.exchange_overlaps.map_or_else(Vec::new, |own| own.value),
            exchange: None,
            exchange_cores: self.exchange_cores.map_or(0, |own| own.value),
            gap: self.gap.value,
            gap_experts: self.gap_experts.value,
            prompt_attention: self.prompt_attention.value,
            launch: self.launch.value,
            request: self.request.value,
            request_each: self.request_each.value,
            request_serial: self.request_serial.value,
            request_experts: self.request_experts.value,
            expert_skew: self.expert_skew.value,
            tpot_sigma: self.tpot_sigma.value,
            ttft_sigma: self.ttft_sigma.value,
        }
    }

    fn figures(&self) -> Vec<EngineFigure> {
        let optional = [
            self.exchange_overlaps.as_ref().map(|own| figure("exchange_overlaps", own)),
            self.exchange_cores.as_ref().map(|own| figure("exchange_cores", own)),
        ];
        let mut figures = vec![
            figure("block", &self.block),
            figure("memory_fraction", &self.memory_fraction),
            figure("runtime_reserve", &self.runtime_reserve),
            figure("batched_tokens", &self.batched_tokens),
            figure("max_sequences", &self.max_sequences),
            figure("capture_step", &self.capture_step),
            figure("capture_max", &self.capture_max),
            figure("host_step", &self.host_step),
            figure("host_sequence", &self.host_sequence),
            figure("capture_mixed", &self.capture_mixed),
            figure("fuses", &self.fuses),
            figure("gap", &self.gap),
            figure("gap_experts", &self.gap_experts),
            figure("prompt_attention", &self.prompt_attention),
            figure("launch", &self.launch),
            figure("request", &self.request),
            figure("request_each", &self.request_each),
            figure("request_serial", &self.request_serial),
            figure("request_experts", &self.request_experts),
            figure("expert_skew", &self.expert_skew),
            figure("tpot_sigma", &self.tpot_sigma),
            figure("ttft_sigma", &self.ttft_sigma),
        ];
        figures.extend(optional.into_iter().flatten());
        figures
    }
}

fn figure<T>(key: &'static str, sourced: &Sourced<T>) -> EngineFigure {
    EngineFigure { key, source: sourced.source.clone(), grade: sourced.grade.clone() }
}

impl EngineProfile {
    /// Rows of the captured decode graph that serves `sequences`; no padding beyond the largest capture.
    ///
    /// Captured sizes are 1, 2, 4 and every multiple of `capture_step` up to `capture_max`.
    pub fn captured(&self, sequences: u32) -> u32 {
        if sequences > self.capture_max {
            return sequences;
        }
        let small = [1, 2, 4].into_iter().find(|size| *size >= sequences);
        let multiple = sequences.next_multiple_of(self.capture_step.max(1));
        small.map_or(multiple, |size| size.min(multiple)).min(self.capture_max)
    }

    /// Host time of one step over `sequences` running sequences.
    pub fn host_time(&self, sequences: u32) -> Seconds {
        self.host_step + self.host_sequence * f64::from(sequences)
    }

    /// Time of a step whose device part and host part are known: the longer where they overlap, else their sum, and the
    /// gaps, on a model with so many layers of experts.
    pub fn step_time(&self, device: Seconds, host: Seconds, expert_layers: u32) -> Seconds {
        let gaps = self.gap + self.gap_experts * f64::from(expert_layers);
        gaps + if self.overlap { device.max(host) } else { device + host }
    }

    /// What a request spends outside of steps before its first token, with `clients` requests in flight, on a model with so
    /// many layers of experts. Requests that come faster than they are received wait besides: simulations count that.
    pub fn request_time(&self, clients: u32, expert_layers: u32) -> Seconds {
        self.request
            + self.request_serial
            + self.request_each * f64::from(clients)
            + self.request_experts * f64::from(expert_layers)
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog;

    #[test]
    fn decode_batches_are_padded_to_the_next_capture() {
        let vllm = catalog::engine("vllm").unwrap();
        let padded: Vec<u32> = [1, 2, 3, 5, 8, 9, 511, 513].iter().map(|n| vllm.captured(*n)).collect();
        assert_eq!(padded, [1, 2, 4, 8, 8, 16, 512, 513]);
    }
}

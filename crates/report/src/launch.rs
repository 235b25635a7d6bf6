//! What to start for a planned deployment: commands, configuration files, a manifest, and a benchmark that checks it.
//!
//! A [`Launch`] is plain data. [`files()`] turns it into texts; one file of this module an engine. Every option is one of
//! a named engine version ([`names`] lists them with the package that they were read from).

pub mod bench;
pub mod command;
pub mod kubernetes;
pub mod mindie;
pub mod names;
mod readme;
pub mod router;
pub mod sglang;
pub mod vllm;
pub mod vllm_ascend;
mod yaml;

use command::Command;

/// A deployment of one model, and the traffic that it was planned for.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// Name of the model, also its served name.
    pub model: String,
    /// Its parts: one aggregated service a kind of chip, or a prefill and a decode pool.
    pub parts: Vec<Part>,
    /// The traffic of the benchmark.
    pub traffic: Traffic,
    /// What was predicted, a line a figure.
    pub predicted: Vec<String>,
    /// What a reader must know before starting it.
    pub notes: Vec<String>,
}

/// Equal replicas on one kind of chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Name of its files and of its workload in the manifest: `"prefill-h20"`.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// The engine.
    pub engine: Engine,
    /// Name of the chip that a person reads.
    pub chip: String,
    /// Whose device plug-in hands out the chips.
    pub maker: Maker,
    /// Chips of one node.
    pub node_size: u32,
    /// Parallel degrees of one replica.
    pub degrees: Degrees,
    /// Replicas.
    pub replicas: u32,
    /// Running sequences of one data-parallel group at most.
    pub sequences: u32,
    /// Tokens of one step at most.
    pub step_tokens: u32,
    /// Tokens of a KV block.
    pub block: u32,
    /// Tokens of a request at most.
    pub context: u32,
    /// Share of device memory that the engine takes.
    pub memory_fraction: f64,
    /// How weights and cache are stored.
    pub format: Format,
    /// What hides the exchange of tokens between experts: `"single-batch"` or `"two-batch"`.
    pub exchange: Option<&'static str>,
    /// Degrees of the pool at the other end of the KV transfer, and how to reach it.
    pub peer: Option<Peer>,
}

/// What a part does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Whole requests.
    Whole,
    /// Prompts, whose cache it sends on.
    Prefill,
    /// Tokens after the first, from a cache that it receives.
    Decode,
}

/// The other pool of a disaggregated service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its parallel degrees.
    pub degrees: Degrees,
    /// Whether it runs the same engine.
    pub same_engine: bool,
}

/// Parallel degrees of one replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Degrees {
    /// Tensor parallel.
    pub tp: u32,
    /// Pipeline parallel.
    pub pp: u32,
    /// Data-parallel attention.
    pub dp: u32,
    /// Expert parallel.
    pub ep: u32,
}

/// An engine that launch files are written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// vLLM on GPUs.
    Vllm,
    /// SGLang.
    Sglang,
    /// vLLM with the Ascend plug-in.
    VllmAscend,
    /// MindIE.
    Mindie,
}

/// Whose chips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// NVIDIA.
    Nvidia,
    /// Huawei.
    Huawei,
    /// AMD.
    Amd,
}

/// How weights and cache are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Name of the precision: `"fp8-block"`.
    pub name: String,
    /// Whether the published checkpoint is stored so: then nothing has to be asked for.
    pub published: bool,
    /// Format of the KV cache: `"bf16"`, `"fp8"`.
    pub kv: String,
}

/// The requests of the benchmark.
#[derive(Clone, Debug, PartialEq)]
pub struct Traffic {
    /// Prompt tokens.
    pub input: u32,
    /// Of them, a prefix that all requests share.
    pub shared_prefix: u32,
    /// Generated tokens.
    pub output: u32,
    /// Requests per second.
    pub rate: f64,
    /// Targets in milliseconds.
    pub ttft_ms: Option<f64>,
    /// The same for the time per output token.
    pub tpot_ms: Option<f64>,
    /// The requests one by one, where they are of a trace; the lengths above are then means.
    pub recorded: Option<Recorded>,
}

/// Requests of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// Prompt tokens that one name of contents stands for.
    pub unit: u32,
    /// The requests in order of arrival.
    pub requests: Vec<Request>,
}

/// A request of a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Arrival in seconds.
    pub seconds: f64,
    /// Prompt tokens.
    pub input: u32,
    /// Generated tokens.
    pub output: u32,
    /// Names of the contents of its prompt, one a unit: equal names are equal tokens.
    pub contents: Vec<u64>,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name in the folder.
    pub name: String,
    /// What it says.
    pub text: String,
    /// Whether it is a script.
    pub executable: bool,
}

/// Everything needed to start `launch` and to check what was predicted.
pub fn files(launch: &Launch) -> Vec<File> {
    let mut files = vec![File::text("README.md", readme::readme(launch))];
    for part in &launch.parts {
        files.push(File::script(
            &format!("{}.sh", part.name),
            &heading(part, launch),
            &command(part, launch),
        ));
        if part.engine == Engine::Mindie {
            files.push(File::text(&format!("{}.config.json", part.name), mindie::config(part, launch)));
        }
    }
    files.extend(router::router(launch).map(|command| {
        File::script("router.sh", "Sends each request to a prefill and a decode instance.", &command)
    }));
    files.push(File::text("kubernetes.yaml", kubernetes::manifest(launch)));
    let what = "Sends the planned traffic, to hold the prediction against.";
    files.push(File::script("bench.sh", what, &bench::bench(launch)));
    files.extend(bench::trace(launch).map(|text| File::text("trace.jsonl", text)));
    files
}

/// The command that starts one replica of a part.
pub fn command(part: &Part, launch: &Launch) -> Command {
    match part.engine {
        Engine::Vllm => vllm::serve(part, launch),
        Engine::VllmAscend => vllm_ascend::serve(part, launch),
        Engine::Sglang => sglang::launch_server(part, launch),
        Engine::Mindie => mindie::start(part),
    }
}

fn heading(part: &Part, launch: &Launch) -> String {
    let what = match part.role {
        Role::Whole => "whole requests",
        Role::Prefill => "prefill",
        Role::Decode => "decode",
    };
    format!(
        "A replica (of {}) of {} for {what} on {} × {}; {}.",
        part.replicas,
        launch.model,
        part.degrees.chips(),
        part.chip,
        part.engine.release()
    )
}

impl Engine {
    /// The engine of a name of the catalog, if launch files can be written for it.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "vllm" => Some(Self::Vllm),
            "sglang" => Some(Self::Sglang),
            "vllm-ascend" => Some(Self::VllmAscend),
            "mindie" => Some(Self::Mindie),
            _ => None,
        }
    }

    /// Name in the catalog.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::VllmAscend => "vllm-ascend",
            Self::Mindie => "mindie",
        }
    }

    /// The version whose options are used.
    pub const fn release(self) -> &'static str {
        match self {
            Self::Vllm => "vLLM 0.24.0",
            Self::Sglang => "SGLang 0.5.10",
            Self::VllmAscend => "vLLM Ascend 0.18.0 with vLLM 0.18.0",
            Self::Mindie => "MindIE 2.1",
        }
    }
}

impl Degrees {
    /// Chips of one replica.
    pub const fn chips(self) -> u32 {
        self.tp * self.pp * self.dp
    }
}

impl Part {
    /// Nodes of one replica.
    pub fn nodes(&self) -> u32 {
        self.degrees.chips().div_ceil(self.node_size.max(1))
    }
}

impl File {
    fn text(name: &str, text: String) -> Self {
        Self { name: name.to_owned(), text, executable: false }
    }

    fn script(name: &str, what: &str, command: &Command) -> Self {
        let text = format!("#!/bin/sh\n# {what}\nset -eu\n{}\n", command.shell());
        Self { name: name.to_owned(), text, executable: true }
    }
}

#[cfg(test)]
mod tests;

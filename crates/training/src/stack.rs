//! What a training stack adds to the kernels: its attention, its host, what it hides and what it wastes.

mod file;

use vitruvian_model::{Operator, Scheme};
use vitruvian_quantity::{Bytes, Seconds};

pub use file::parse;

use crate::recipe::Recipe;

/// A training stack of a named version on one chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// The name used on the command line: `"mindspeed-llm"`.
    pub name: String,
    /// The name a person reads.
    pub title: String,
    /// The version that the figures describe.
    pub version: String,
    /// Makers of chips it runs on.
    pub vendors: Vec<String>,
    /// Chip whose measurements the figures were fitted on, if this one's were not.
    pub borrowed: Option<String>,
    /// Attention kernel.
    pub attention: Attention,
    /// How rows reach their experts.
    pub exchange: Exchange,
    /// Kernels of norms and activation functions.
    pub kernels: Kernels,
    /// What backward products do for inputs that tensor parallelism gathered.
    pub inputs: Inputs,
    /// How much of a layer full recomputation runs again.
    pub checkpoint: Checkpoint,
    /// The figures.
    pub figures: Figures,
    /// Where each figure comes from: key, source, grade.
    pub sources: Vec<[String; 3]>,
}

/// Attention kernel of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attention {
    /// Tiles that keep no scores; 2.5 times the forward products in the backward pass.
    Flash,
    /// Products, mask, softmax and dropout as kernels of their own (arXiv 2205.05198).
    Unfused,
}

impl std::str::FromStr for Attention {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "flash" => Ok(Self::Flash),
            "unfused" => Ok(Self::Unfused),
            other => Err(format!("there is no attention kernel `{other}`: use flash or unfused")),
        }
    }
}

/// How rows reach their experts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exchange {
    /// The library's all-to-all, each row once for each expert.
    AllToAll,
    /// Kernels that send a row once to each rank (`DeepEP`).
    Dispatch,
}

/// Kernels of norms and gated activation functions, as far as they decide what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kernels {
    /// One kernel each, by hand or by a compiler: the inputs are kept.
    #[default]
    Fused,
    /// Operation by operation. An RMS norm keeps its input widened to FP32 and the normalised rows in 16 bits, a gated
    /// activation also the activated gate (`LlamaRMSNorm` and `LlamaMLP` of transformers; `torch.nn.RMSNorm`).
    Eager,
}

/// What becomes of inputs that sequence parallelism gathers for a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inputs {
    /// Each rank keeps its share and gathers again in the backward pass (arXiv 2205.05198, section 4.2.2).
    #[default]
    Regathered,
    /// Autograd keeps the gathered tensor (`ColwiseParallel` of `PyTorch`).
    Kept,
}

/// How much of a layer full recomputation runs again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checkpoint {
    /// All of it, as a function with a backward pass of its own must (Megatron-LM's `CheckpointFunction`).
    #[default]
    Whole,
    /// Up to the last tensor that the backward pass reads: not the last product, whose output nothing reads
    /// (`torch.utils.checkpoint` without re-entry, `early_stop`).
    EarlyStop,
}

impl Figures {
    /// Bytes of an accumulated gradient under a recipe.
    pub fn gradient_bytes(&self, recipe: Recipe) -> f64 {
        if recipe == Recipe::Fp16 { self.gradient_fp16 } else { self.gradient }
    }

    /// Time of an operator in a long step over that of the kernel profile. Attention's own stands in its lines.
    pub fn of(&self, operator: &Operator) -> f64 {
        let product = |scheme: Scheme| {
            if scheme.activation().bits() == 8 { self.matrix_8 } else { self.matrix }
        };
        match operator {
            Operator::Gemm(gemm) => product(gemm.scheme),
            Operator::GroupedGemm(gemm) => product(gemm.scheme),
            Operator::PrefillAttention(_)
            | Operator::DecodeAttention(_)
            | Operator::MlaDecode(_)
            | Operator::LinearAttention(_)
            | Operator::Indexer(_) => 1.0,
            _ => self.vector,
        }
    }
}

/// Figures of a stack, in SI units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figures {
    /// Time of products over that of the kernel profile: clocks under sustained load, operands that are not random.
    pub matrix: f64,
    /// The same of 8-bit products.
    pub matrix_8: f64,
    /// Time of attention's forward kernel over that of the profile.
    pub attention: f64,
    /// Time of attention's backward kernel over that of its forward: 2.5 times the products at its own efficiency.
    pub attention_backward: f64,
    /// Time of element-wise work over that of the listed kernels: what a stack does not fuse.
    pub vector: f64,
    /// Time of exchanges over that of a benchmark.
    pub collective: f64,
    /// Host time of one kernel; what the device waits for where kernels are short.
    pub launch: Seconds,
    /// Time of a step outside of kernels.
    pub step: Seconds,
    /// Time of one exchange beyond the library's own: streams that wait for each other.
    pub exchange: Seconds,
    /// Share of tensor-parallel exchanges that runs beside products where the plan asks for it.
    pub tensor_overlap: f64,
    /// Share of gradient and parameter exchanges that runs beside computation where the plan asks for it.
    pub data_overlap: f64,
    /// Time that an exchange beside them adds to computations, as a share of the exchange.
    pub contention: f64,
    /// Bytes of an accumulated gradient.
    pub gradient: f64,
    /// The same of an FP16 recipe.
    pub gradient_fp16: f64,
    /// Share of dropped activations that dropout masks keep: one where the stack trains with dropout.
    pub dropout: f64,
    /// Memory outside of the allocator: context and loaded kernels.
    pub runtime: Bytes,
    /// Buffers of one communicator, outside of the allocator.
    pub communicator: Bytes,
    /// Allocator waste over the tensors: cached and cut blocks.
    pub slack: f64,
    /// Bytes a parameter that the optimizer takes in one block, too large for any block that was freed.
    pub block: f64,
    /// Buckets of ZeRO-3 through which gradients are reduced.
    pub buckets: Bytes,
    /// Parameters that ZeRO-3 keeps gathered at once, where they are more than two layers.
    pub live: f64,
    /// Bytes of a logit alive at the loss.
    pub logits: f64,
    /// The same where ranks share the vocabulary.
    pub logits_split: f64,
    /// Spread of step time that stacks of one name show, relative.
    pub sigma: f64,
}

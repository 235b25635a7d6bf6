//! Language models as lists of operators.
//!
//! A Hugging Face `config.json` becomes a [`Model`]; a model, a [`Layout`] and a [`Step`] become the [`Task`]s that one
//! rank executes. Nothing here knows a chip or a time.

pub mod catalog;
mod config;
mod family;
pub mod ffn;
mod flops;
pub mod layout;
pub mod memory;
pub mod mixer;
pub mod model;
mod nearest;
pub mod operator;
pub mod parameters;
pub mod quant;
pub mod scheme;
pub mod step;
mod tasks;
pub mod validate;
pub mod weights;

pub use config::{read_config, read_config_beside};
pub use ffn::Ffn;
pub use flops::model_flops;
pub use layout::Layout;
pub use memory::{
    activation_bytes, kv_bytes, kv_bytes_per_token, mtp_weight_bytes, state_bytes_per_sequence, weight_bytes,
};
pub use mixer::{Cache, Mixer};
pub use model::{Layer, Model, Mtp, Vision};
pub use operator::{
    Collective, CollectiveKind, DecodeAttention, Embedding, Gemm, Group, GroupedGemm, Imbalance, Indexer,
    LinearAttention, LinearKind, MlaDecode, Operator, PrefillAttention, Sampling, Task, VectorKind, VectorOp,
};
pub use parameters::{Parameters, parameters};
pub use quant::QuantPlan;
pub use scheme::{Scheme, Sparsity};
pub use step::{Decode, Prefill, Step};
pub use tasks::{draft_tasks, tasks};
pub use validate::{LayoutError, validate, validate_blocks};
pub use weights::{Module, Split, Weight};

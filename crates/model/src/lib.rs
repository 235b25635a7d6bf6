//! Language models as lists of operators.
//!
//! A Hugging Face `config.json` becomes a [`Model`]; a model, a [`Layout`] and a [`Step`] become the [`Task`]s that one
//! rank executes. Nothing here knows a chip or a time.

pub mod layout;
pub mod operator;
pub mod scheme;
pub mod step;

pub use layout::Layout;
pub use operator::{
    Collective, CollectiveKind, DecodeAttention, Embedding, Gemm, Group, GroupedGemm, Imbalance, Indexer,
    LinearAttention, LinearKind, MlaDecode, Operator, PrefillAttention, Sampling, Task, VectorKind, VectorOp,
};
pub use scheme::{Scheme, Sparsity};
pub use step::{Decode, Prefill, Step};

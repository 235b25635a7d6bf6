//! What a row means: one file an operator family.

pub mod attention;
pub mod formats;
pub mod gemm;
pub mod grouped_gemm;
pub mod linear;
pub mod mla;
pub mod quantise;

use vitruvian_model::Operator;
use vitruvian_quantity::Seconds;

use crate::exchange::{self, Exchange};
use crate::measurement::{Measurement, Slot};
use crate::table::{Row, Sheet};

/// What a table measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Dense products.
    Gemm,
    /// Up and down projections of experts, apart.
    GroupedGemm,
    /// Whole expert layers: two grouped products and what stands between them.
    Moe,
    /// Attention of new tokens, one row a shape.
    PrefillAttention,
    /// Attention over a cache, one row a shape.
    DecodeAttention,
    /// Latent attention over a cache.
    MlaDecode,
    /// Context and generation attention of aiconfigurator.
    Attention,
    /// Latent attention, and the index of a sparse one, of aiconfigurator.
    Latent,
    /// Linear attention of aiconfigurator.
    LinearAttention,
    /// Run-time quantisation of activations.
    Quantise,
    /// Collectives of a communication library.
    Collectives,
    /// All-reduce kernels of a serving engine.
    AllReduce,
    /// Expert dispatch and combine kernels.
    Experts,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// It measures operators that we model.
    Point(Box<Measurement>),
    /// It measures a collective.
    Exchange(Exchange),
    /// It does not, for this reason.
    Skip(&'static str),
}

/// Columns that tell a kind of table, first match wins.
const SIGNS: &[(Kind, &[&str])] = &[
    (Kind::Collectives, &["nccl_dtype", "num_gpus", "message_size"]),
    (Kind::AllReduce, &["allreduce_dtype", "num_gpus", "message_size"]),
    (Kind::Experts, &["comm_backend", "phase", "ep_size", "num_tokens"]),
    (Kind::GroupedGemm, &["up_proj_us", "down_proj_us"]),
    (Kind::Moe, &["num_tokens", "inter_size", "topk"]),
    (Kind::Quantise, &["quant_dtype", "m", "k"]),
    (Kind::Gemm, &["m", "n", "k"]),
    (Kind::Attention, &["attn_dtype", "isl", "step", "num_key_value_heads"]),
    (Kind::Latent, &["mla_dtype", "num_heads", "isl", "step"]),
    (Kind::LinearAttention, &["num_k_heads", "head_k_dim", "phase"]),
    (Kind::PrefillAttention, &["heads", "kv_heads", "seq_len"]),
    (Kind::DecodeAttention, &["heads", "kv_heads", "kv_len"]),
    (Kind::MlaDecode, &["batch_size", "kv_len"]),
];

impl Kind {
    /// The kind that a table's columns make it.
    pub fn of(sheet: &Sheet) -> Option<Self> {
        SIGNS.iter().find(|(_, columns)| sheet.has(columns)).map(|(kind, _)| *kind)
    }

    /// Says what columns would have made it a table.
    pub(crate) fn unknown(sheet: &Sheet) -> String {
        let known: Vec<String> = SIGNS.iter().map(|(_, columns)| columns.join(" ")).collect();
        format!(
            "columns {} make no table of operator times: expected one of {}",
            sheet.columns.join(","),
            known.join("; ")
        )
    }

    /// Reads one row.
    ///
    /// # Errors
    /// A sentence on the cell that is not what its column asks for.
    pub fn read(self, row: &Row) -> Result<Reading, String> {
        match self {
            Self::Gemm => gemm::read(row),
            Self::GroupedGemm => grouped_gemm::projections(row),
            Self::Moe => grouped_gemm::layer(row),
            Self::PrefillAttention => attention::prefill(row),
            Self::DecodeAttention => attention::decode(row),
            Self::Attention => attention::aiconfigurator(row),
            Self::MlaDecode => mla::decode(row),
            Self::Latent => mla::aiconfigurator(row),
            Self::LinearAttention => linear::read(row),
            Self::Quantise => quantise::read(row),
            Self::Collectives => exchange::read::library(row),
            Self::AllReduce => exchange::read::all_reduce(row),
            Self::Experts => exchange::read::experts(row),
        }
    }
}

/// A measurement of operators at this row.
pub(crate) fn point(
    row: &Row,
    slot: Slot,
    operators: Vec<Operator>,
    time: Seconds,
    shape: String,
) -> Reading {
    let (software, line) = (row.software(), row.line.number);
    Reading::Point(Box::new(Measurement { slot, operators, time, shape, software, line }))
}

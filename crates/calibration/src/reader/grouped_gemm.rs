//! Rows of expert layers.

use vitruvian_cost::{Family, Precision};
use vitruvian_model::operator::{GroupedGemm, Imbalance, VectorKind, VectorOp};
use vitruvian_model::{Operator, Scheme, Sparsity};
use vitruvian_quantity::Dtype;

use super::{Reading, formats, gemm, point};
use crate::measurement::Slot;
use crate::table::Row;

/// `up_proj_us` (gate and up in one product) and `down_proj_us` of balanced experts in block FP8 (InferSim).
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn projections(row: &Row) -> Result<Reading, String> {
    let (hidden, inter) = (row.count("hidden_size")?, row.count("intermediate_size")?);
    let (experts, local) = (row.count("num_experts")?, row.count("num_local_experts")?);
    // DeepGEMM's benchmark draws each expert's rows within 30 % of `tokens_per_expert` and rounds down: of one row a
    // expert half of the experts get none, and the measured time halves.
    let product = GroupedGemm {
        tokens: row.count("tokens_per_expert")?,
        topk: experts,
        experts,
        local_experts: local,
        n: 2 * inter,
        k: hidden,
        scheme: Scheme::Fp8Block,
        sparsity: Sparsity::Dense,
        imbalance: Imbalance::Spread(300),
    };
    let operators = vec![
        Operator::GroupedGemm(product),
        Operator::GroupedGemm(GroupedGemm { n: hidden, k: inter, ..product }),
    ];
    let time = row.time("up_proj_us", 1e-6)? + row.time("down_proj_us", 1e-6)?;
    let slot = Slot { family: Family::GroupedGemm, precision: Precision::Scheme(Scheme::Fp8Block) };
    Ok(point(row, slot, operators, time, format!("experts={experts} hidden={hidden} inter={inter}")))
}

/// Gate and up, activation, down: dtype, tokens, hidden and inner width, experts, topk and their spread over ranks.
///
/// # Errors
/// A cell that is not what its column asks for.
pub fn layer(row: &Row) -> Result<Reading, String> {
    let word = row.text(if row.has("dtype") { "dtype" } else { "moe_dtype" })?;
    let Some(scheme) = formats::scheme(word) else {
        return Ok(Reading::Skip("a number format that is not modelled"));
    };
    let (tokens, topk) = (row.count("num_tokens")?, row.count("topk")?);
    let (hidden, inter, experts) =
        (row.count("hidden_size")?, row.count("inter_size")?, row.count("num_experts")?);
    let ep = row.count(if row.has("ep_size") { "ep_size" } else { "moe_ep_size" })?.max(1);
    let tp = if row.has("moe_tp_size") { row.count("moe_tp_size")?.max(1) } else { 1 };
    let (inner, local) = (inter / tp, experts / ep);
    let imbalance = imbalance(row)?;
    if ep > 1 && matches!(imbalance, Imbalance::PowerLaw(_)) {
        return Ok(Reading::Skip("the most loaded rank of a skewed draw, whose load is not stated"));
    }
    let sparsity = Sparsity::Dense;
    let up = GroupedGemm {
        tokens,
        topk,
        experts,
        local_experts: local,
        n: 2 * inner,
        k: hidden,
        scheme,
        sparsity,
        imbalance,
    };
    let down = GroupedGemm { n: hidden, k: inner, ..up };
    let rows = up.rows().ceil() as u32;
    let gate = VectorOp { kind: VectorKind::GatedActivation, rows, width: inner, dtype: Dtype::Bf16 };
    let mut operators = vec![Operator::GroupedGemm(up), Operator::Vector(gate), Operator::GroupedGemm(down)];
    if scheme == Scheme::W8A8Dynamic {
        operators.insert(2, gemm::quantisation(rows, inner));
        operators.insert(0, gemm::quantisation(rows, hidden));
    }
    let slot = Slot { family: Family::GroupedGemm, precision: Precision::Scheme(scheme) };
    let shape = format!("experts={experts} hidden={hidden} inter={inter} topk={topk}");
    Ok(point(row, slot, operators, row.latency()?, shape))
}

/// aiconfigurator's `balanced` or `power_law_1.01`; uniform draws where a table does not say.
fn imbalance(row: &Row) -> Result<Imbalance, String> {
    if !row.has("distribution") {
        return Ok(Imbalance::Uniform);
    }
    let word = row.text("distribution")?;
    if word == "balanced" {
        return Ok(Imbalance::Balanced);
    }
    let exponent =
        word.strip_prefix("power_law_").and_then(|rest| rest.split('_').next()?.parse::<f64>().ok());
    let exponent =
        exponent.ok_or_else(|| format!("`distribution` is `{word}`, not `balanced` or `power_law_A`"))?;
    Ok(Imbalance::PowerLaw((exponent * 1000.0).round() as u16))
}

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
        inner: inter,
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

/// Hidden (or latent) and inner width of experts without a gate: Nemotron 3 Nano, Super and Ultra, whose `config.json` has
/// `mlp_hidden_act` "relu2".
const UNGATED: [[u32; 2]; 3] = [[2688, 1856], [1024, 2688], [2048, 5120]];

/// Experts, hidden and inner width of DeepSeek-V3, whose router takes four groups of eight: balanced tokens fall on half of the
/// experts of the layer (6 TB/s by all of their weights), and in the end all on the same four.
const LIMITED: [u32; 3] = [256, 7168, 2048];

/// Whether a table times the model's own layer, activation included; older ones call the kernel with a gate whatever the
/// model.
fn of_layer(row: &Row) -> bool {
    row.text("kernel_source").is_ok_and(|kernel| kernel.contains("experts"))
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
    if [experts, hidden, inter] == LIMITED && row.has("framework") && imbalance == Imbalance::Balanced {
        return Ok(Reading::Skip("a router limited to groups of experts, on a draw that ignores groups"));
    }
    let gated = !(UNGATED.contains(&[hidden, inter]) && of_layer(row));
    let sparsity = Sparsity::Dense;
    let up = GroupedGemm {
        tokens,
        topk,
        experts,
        local_experts: local,
        n: if gated { 2 * inner } else { inner },
        k: hidden,
        inner,
        scheme,
        sparsity,
        imbalance,
    };
    let down = GroupedGemm { n: hidden, k: inner, ..up };
    let operators = if row.has("framework") { fused(up, down, row) } else { plain(up, down) };
    let slot = Slot { family: Family::GroupedGemm, precision: Precision::Scheme(scheme) };
    let shape = format!("experts={experts} hidden={hidden} inter={inter} topk={topk}");
    Ok(point(row, slot, operators, row.latency()?, shape))
}

/// Both products and what stands between them, over the rows of this rank (vllm-ascend).
fn plain(up: GroupedGemm, down: GroupedGemm) -> Vec<Operator> {
    let rows = up.rows().ceil() as u32;
    let gate = vector(VectorKind::GatedActivation, rows, down.k);
    if up.scheme != Scheme::W8A8Dynamic {
        return vec![Operator::GroupedGemm(up), gate, Operator::GroupedGemm(down)];
    }
    let quantise = |width| gemm::quantisation(rows, width);
    vec![quantise(up.k), Operator::GroupedGemm(up), gate, quantise(down.k), Operator::GroupedGemm(down)]
}

/// Whether a fused layer works on the pairs of this rank alone (FlashInfer), not on those of all ranks.
fn on_own_pairs(row: &Row) -> bool {
    row.text("kernel_source").is_ok_and(|kernel| kernel.contains("flashinfer"))
}

/// A fused layer (vLLM, SGLang). On its own pairs it sums them into every token. Otherwise what stands between and after the
/// products runs over the pairs of all ranks, and the products write zeros to those that are not this rank's.
fn fused(up: GroupedGemm, down: GroupedGemm, row: &Row) -> Vec<Operator> {
    let own = on_own_pairs(row);
    let pairs = if own { up.rows().ceil() as u32 } else { up.tokens * up.topk };
    let summed = if own { pairs.max(up.tokens) } else { pairs };
    let mut operators = vec![
        Operator::GroupedGemm(up),
        vector(activation(&up), pairs, down.k),
        Operator::GroupedGemm(down),
        vector(VectorKind::Unpermute, summed, down.n),
    ];
    if of_layer(row) {
        // The sum is copied to the layer's output.
        operators.push(vector(VectorKind::Permute, up.tokens, down.n));
    }
    if of_layer(row) && up.topk == 1 {
        // Llama 4 weighs what goes in.
        operators.push(vector(VectorKind::Permute, up.tokens, down.n));
    }
    if matches!(up.scheme, Scheme::Fp8Block | Scheme::Fp8Tensor) {
        operators.extend([gemm::quantisation(up.tokens, up.k), gemm::quantisation(pairs, down.k)]);
    }
    if !own && up.local_experts < up.experts {
        operators.push(zeros(&up, &down));
    }
    operators
}

/// Tiles of zeros for experts of other ranks, 64 columns wide up to 64 tokens and 128 beyond: a block each, written, not
/// read.
fn zeros(up: &GroupedGemm, down: &GroupedGemm) -> Operator {
    let others = GroupedGemm { local_experts: up.experts - up.local_experts, ..*up };
    let (hit, rows) = (others.experts_hit(), others.rows());
    let columns = f64::from(up.n + down.n);
    let wide = if up.tokens <= 64 { 64.0 } else { 128.0 };
    let blocks = hit * (rows / hit / 128.0).ceil() * columns / wide;
    // Half of a copy.
    let width = rows * columns / blocks / 2.0;
    vector(VectorKind::Permute, blocks.ceil() as u32, width.ceil() as u32)
}

fn activation(up: &GroupedGemm) -> VectorKind {
    if up.n == up.inner { VectorKind::Activation } else { VectorKind::GatedActivation }
}

fn vector(kind: VectorKind, rows: u32, width: u32) -> Operator {
    Operator::Vector(VectorOp { kind, rows, width, dtype: Dtype::Bf16 })
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

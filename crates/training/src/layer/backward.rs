//! The backward kernels of a forward line.

use vitruvian_model::{Gemm, Operator, Scheme, VectorKind, VectorOp};

use super::{Line, Setting};

/// Products of attention's backward pass over those of its forward pass: five of the same size against two
/// (arXiv 2205.14135).
const ATTENTION: f64 = 2.5;

/// Appends what the gradients of a forward line cost.
pub(super) fn push(setting: &Setting<'_>, line: &Line, input: &mut Vec<Line>, weight: &mut Vec<Line>) {
    match line.operator {
        // One product, or one an expert: \[k, rows\] · \[rows, n\] for the weights.
        Operator::Gemm(gemm) if gemm.batch == 1 || line.name.starts_with("experts") => {
            let scheme = setting.recipe.weight_gradient(gemm.scheme);
            input.push(of(line, Operator::Gemm(Gemm { n: gemm.k, k: gemm.n, ..gemm })));
            weight.push(of(line, Operator::Gemm(Gemm { m: gemm.k, k: gemm.m, scheme, ..gemm })));
            input.extend(cast(setting, line, f64::from(gemm.m) * f64::from(gemm.batch), gemm.n, gemm.scheme));
        }
        // Both operands are activations: two input gradients.
        Operator::Gemm(gemm) => {
            input.push(of(line, Operator::Gemm(Gemm { n: gemm.k, k: gemm.n, ..gemm })));
            input.push(of(line, Operator::Gemm(Gemm { m: gemm.k, k: gemm.m, ..gemm })));
        }
        Operator::PrefillAttention(_)
        | Operator::MlaDecode(_)
        | Operator::DecodeAttention(_)
        | Operator::LinearAttention(_)
        | Operator::Indexer(_) => {
            let slower = setting.stack.figures.attention_backward / ATTENTION;
            input.push(line.at(ATTENTION).slower(slower));
        }
        Operator::Vector(vector) if passes(vector.kind) > 0.0 => input.push(line.at(passes(vector.kind))),
        // Rows of gradients are read and added into the table.
        Operator::Embedding(_) => weight.push(line.at(2.0)),
        Operator::Vector(_) | Operator::GroupedGemm(_) | Operator::Sampling(_) | Operator::Collective(_) => {}
    }
}

fn of(line: &Line, operator: Operator) -> Line {
    Line { operator, ..*line }
}

/// The cast of an output gradient before 8-bit products.
fn cast(setting: &Setting<'_>, line: &Line, rows: f64, width: u32, scheme: Scheme) -> Option<Line> {
    let dtype = setting.quant.activation();
    let vector = VectorOp { kind: VectorKind::Quantise, rows: rows.ceil() as u32, width, dtype };
    let cast = Line { name: "quantise", operator: Operator::Vector(vector), ..*line };
    (scheme.activation().bits() == 8).then_some(cast)
}

/// Reads and writes of a backward kernel over those of its forward kernel ([`VectorKind`] lists the latter).
fn passes(kind: VectorKind) -> f64 {
    match kind {
        // dy and x in, dx out, of 2; a gate's product and a weighted sum likewise.
        VectorKind::Norm | VectorKind::Activation | VectorKind::Unpermute => 3.0 / 2.0,
        // dy and both inputs in, both gradients out, of 3.
        VectorKind::GatedActivation | VectorKind::Gate => 5.0 / 3.0,
        // A norm after a sum: dy, x and the residual's gradient in, dx out, of 4.
        VectorKind::AddNorm | VectorKind::Rope | VectorKind::TopK | VectorKind::Permute => 1.0,
        VectorKind::Add | VectorKind::Quantise | VectorKind::CacheWrite => 0.0,
    }
}

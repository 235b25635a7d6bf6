//! Rotary embedding of half-split rows: (x₁, x₂) → (x₁·cos − x₂·sin, x₂·cos + x₁·sin) (arXiv 2104.09864).

use super::frame::{Plan, Stream, build, pitch};
use super::{RowKernel, RowShape};
use crate::isa::{Type, VectorOp};
use crate::kernels::lanes::{Span, binary, recast};
use crate::machine::Machine;

/// Rotates each row; cos and sin are fp32, half a row wide, one row for each row of x. Half a row must be whole blocks.
///
/// # Errors
/// If a row does not fit UB.
pub fn rope(machine: &Machine, shape: RowShape) -> RowKernel {
    let RowShape { rows, width, ty } = shape;
    let half = width / 2;
    let wide = pitch(Type::F32, half);
    let angle = |name| Stream { name, ty: Type::F32, width: half };
    let plan = Plan {
        name: format!("rope {rows}x{width} {}", ty.name()),
        rows,
        inputs: vec![Stream { name: "x", ty, width }, angle("cos"), angle("sin")],
        constants: Vec::new(),
        outputs: vec![Stream { name: "y", ty, width }],
        scratch_row: 0,
        scratch: 5 * wide,
        flops: f64::from(rows) * f64::from(width) * 3.0,
    };
    build(machine, &plan, |b, frame| {
        let [first, second, a, c, out] =
            [0, 1, 2, 3, 4].map(|i| Span::new(frame.scratch + i * wide, Type::F32));
        for r in 0..frame.rows {
            let x = Span::new(frame.inputs[0].address + r * pitch(ty, width), ty);
            let y = Span::new(frame.outputs[0].address + r * pitch(ty, width), ty);
            let [cos, sin] = [1, 2].map(|i| Span::new(frame.inputs[i].address + r * wide, Type::F32));
            recast(b, first, x, half);
            recast(b, second, x.skip(half), half);
            binary(b, VectorOp::Mul, a, (first, cos), half);
            binary(b, VectorOp::Mul, c, (second, sin), half);
            binary(b, VectorOp::Sub, out, (a, c), half);
            recast(b, y, out, half);
            binary(b, VectorOp::Mul, a, (second, cos), half);
            binary(b, VectorOp::Mul, c, (first, sin), half);
            binary(b, VectorOp::Add, out, (a, c), half);
            recast(b, y.skip(half), out, half);
        }
    })
}

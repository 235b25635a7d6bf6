//! y = g / (1 + e^(−g)) · u: SwiGLU's gate (arXiv 2002.05202).

use super::frame::{Plan, Stream, build, pitch};
use super::{RowKernel, RowShape};
use crate::isa::{Type, VectorOp};
use crate::kernels::lanes::{Span, binary, recast, scalar, unary};
use crate::machine::Machine;

/// Gate and up projection to one activation; `shape.width` is that of the output.
///
/// # Errors
/// If a row does not fit UB.
pub fn swiglu(machine: &Machine, shape: RowShape) -> RowKernel {
    let RowShape { rows, width, ty } = shape;
    let wide = pitch(Type::F32, width);
    let stream = |name| Stream { name, ty, width };
    let plan = Plan {
        name: format!("swiglu {rows}x{width} {}", ty.name()),
        rows,
        inputs: vec![stream("gate"), stream("up")],
        constants: Vec::new(),
        outputs: vec![stream("y")],
        scratch_row: 0,
        scratch: 3 * wide,
        flops: f64::from(rows) * f64::from(width) * 5.0,
    };
    build(machine, &plan, |b, frame| {
        let [gate, up, exp] = [0, 1, 2].map(|i| Span::new(frame.scratch + i * wide, Type::F32));
        for r in 0..frame.rows {
            let row = |span: Span| Span::new(span.address + r * pitch(ty, width), ty);
            recast(b, gate, row(frame.inputs[0]), width);
            recast(b, up, row(frame.inputs[1]), width);
            scalar(b, VectorOp::Muls, exp, gate, -1.0, width);
            unary(b, VectorOp::Exp, exp, exp, width);
            scalar(b, VectorOp::Adds, exp, exp, 1.0, width);
            binary(b, VectorOp::Div, gate, (gate, exp), width);
            binary(b, VectorOp::Mul, gate, (gate, up), width);
            recast(b, row(frame.outputs[0]), gate, width);
        }
    })
}

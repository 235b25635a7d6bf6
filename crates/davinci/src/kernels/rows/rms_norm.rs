//! y = x / √(mean(x²) + ε) · γ, row by row (arXiv 1910.07467).

use super::frame::{Plan, Stream, build, pitch};
use super::{RowKernel, RowShape};
use crate::isa::{Type, VectorOp};
use crate::kernels::lanes::{Span, binary, fill, recast, reduce, scalar, unary, with_block};
use crate::machine::Machine;

/// RMSNorm of each row; γ is fp32.
///
/// # Errors
/// If a row does not fit UB.
pub fn rms_norm(machine: &Machine, shape: RowShape, epsilon: f32) -> RowKernel {
    let RowShape { rows, width, ty } = shape;
    let wide = pitch(Type::F32, width);
    let plan = Plan {
        name: format!("rms_norm {rows}x{width} {}", ty.name()),
        rows,
        inputs: vec![Stream { name: "x", ty, width }],
        constants: vec![Stream { name: "gamma", ty: Type::F32, width }],
        outputs: vec![Stream { name: "y", ty, width }],
        scratch_row: wide + 40,
        scratch: wide + 1024 + width.div_ceil(64) * 8,
        flops: f64::from(rows) * f64::from(width) * 4.0,
    };
    build(machine, &plan, |b, frame| {
        let square = Span::new(frame.scratch, Type::F32);
        let row = |r: u32| Span::new(frame.scratch + (1 + r) * wide, Type::F32);
        let values = row(frame.room);
        let blocks = Span::new(values.address + (frame.room * 4).next_multiple_of(32), Type::F32);
        let partial = Span::new(blocks.address + frame.room.next_multiple_of(8) * 32, Type::F32);
        for r in 0..frame.rows {
            recast(b, row(r), Span::new(frame.inputs[0].address + r * pitch(ty, width), ty), width);
            binary(b, VectorOp::Mul, square, (row(r), row(r)), width);
            reduce(b, VectorOp::Cadd, values.skip(r), square, partial, width);
        }
        scalar(b, VectorOp::Muls, values, values, 1.0 / width as f32, frame.rows);
        scalar(b, VectorOp::Adds, values, values, epsilon, frame.rows);
        unary(b, VectorOp::Sqrt, values, values, frame.rows);
        fill(b, blocks, values, frame.rows);
        for r in 0..frame.rows {
            with_block(b, VectorOp::Div, row(r), (row(r), blocks.skip(8 * r)), width);
            binary(b, VectorOp::Mul, row(r), (row(r), frame.constants[0]), width);
            recast(b, Span::new(frame.outputs[0].address + r * pitch(ty, width), ty), row(r), width);
        }
    })
}

//! Sums of an int8 product back to numbers: y = sum · row scale · column scale.

use super::frame::{Plan, Stream, build, pitch};
use super::{RowKernel, RowShape};
use crate::isa::{Type, VectorOp};
use crate::kernels::lanes::{Span, binary, convert, recast, with_block};
use crate::machine::Machine;

/// Rows of int32 `sums` to the type of `shape`, with an fp32 scale a column, and one a row in `row_scales` (each in a
/// 32-byte block of its own, as [`super::quantise`] writes them).
///
/// # Errors
/// If a row does not fit UB.
pub fn dequantise(machine: &Machine, shape: RowShape) -> RowKernel {
    let RowShape { rows, width, ty } = shape;
    let (wide, narrow) = (pitch(Type::F32, width), pitch(ty, width));
    let plan = Plan {
        name: format!("dequantise {rows}x{width} {}", ty.name()),
        rows,
        inputs: vec![
            Stream { name: "sums", ty: Type::S32, width },
            Stream { name: "row_scales", ty: Type::F32, width: 8 },
        ],
        constants: vec![Stream { name: "column_scales", ty: Type::F32, width }],
        outputs: vec![Stream { name: "y", ty, width }],
        scratch_row: wide,
        scratch: 0,
        flops: f64::from(rows) * f64::from(width) * 2.0,
    };
    build(machine, &plan, |b, frame| {
        for r in 0..frame.rows {
            let row = Span::new(frame.scratch + r * wide, Type::F32);
            convert(b, row, Span::new(frame.inputs[0].address + r * wide, Type::S32), width);
            with_block(b, VectorOp::Mul, row, (row, frame.inputs[1].skip(8 * r)), width);
            binary(b, VectorOp::Mul, row, (row, frame.constants[0]), width);
            recast(b, Span::new(frame.outputs[0].address + r * narrow, ty), row, width);
        }
    })
}

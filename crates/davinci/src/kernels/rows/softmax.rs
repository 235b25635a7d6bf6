//! softmax(x)ᵢ = e^(xᵢ − max) / Σ e^(xⱼ − max), row by row.

use super::frame::{Plan, Stream, build, pitch};
use super::{RowKernel, RowShape};
use crate::isa::{Type, VectorOp};
use crate::kernels::lanes::{Span, fill, recast, reduce, unary, with_block};
use crate::machine::Machine;

/// Softmax of each row.
///
/// # Errors
/// If a row does not fit UB.
pub fn softmax(machine: &Machine, shape: RowShape) -> RowKernel {
    let RowShape { rows, width, ty } = shape;
    let wide = pitch(Type::F32, width);
    let plan = Plan {
        name: format!("softmax {rows}x{width} {}", ty.name()),
        rows,
        inputs: vec![Stream { name: "x", ty, width }],
        constants: Vec::new(),
        outputs: vec![Stream { name: "y", ty, width }],
        scratch_row: wide + 40,
        scratch: 512 + width.div_ceil(64) * 8 + 256,
        flops: f64::from(rows) * f64::from(width) * 5.0,
    };
    build(machine, &plan, |b, frame| {
        let work = Span::new(frame.scratch, Type::F32);
        let values = Span::new(frame.scratch + frame.room * wide, Type::F32);
        let blocks = Span::new(values.address + (frame.room * 4).next_multiple_of(32), Type::F32);
        let partial = Span::new(blocks.address + frame.room.next_multiple_of(8) * 32, Type::F32);
        let row = |r: u32| Span::new(work.address + r * wide, Type::F32);
        for r in 0..frame.rows {
            let source = Span::new(frame.inputs[0].address + r * pitch(ty, width), ty);
            recast(b, row(r), source, width);
            reduce(b, VectorOp::Cmax, values.skip(r), row(r), partial, width);
        }
        fill(b, blocks, values, frame.rows);
        for r in 0..frame.rows {
            with_block(b, VectorOp::Sub, row(r), (row(r), blocks.skip(8 * r)), width);
            unary(b, VectorOp::Exp, row(r), row(r), width);
            reduce(b, VectorOp::Cadd, values.skip(r), row(r), partial, width);
        }
        fill(b, blocks, values, frame.rows);
        for r in 0..frame.rows {
            with_block(b, VectorOp::Div, row(r), (row(r), blocks.skip(8 * r)), width);
            let target = Span::new(frame.outputs[0].address + r * pitch(ty, width), ty);
            recast(b, target, row(r), width);
        }
    })
}

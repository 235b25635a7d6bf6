//! Dynamic quantisation to int8: scale = max|x| / 127, q = round(x / scale), row by row.

use super::frame::{Plan, Stream, build, pitch};
use super::{RowKernel, RowShape};
use crate::isa::{Type, VectorOp};
use crate::kernels::lanes::{Span, convert, fill, recast, reduce, scalar, unary, with_block};
use crate::machine::Machine;

/// Rows to int8, with one fp32 scale a row in `scales` (each in a 32-byte block of its own).
///
/// # Errors
/// If a row does not fit UB.
pub fn quantise(machine: &Machine, shape: RowShape) -> RowKernel {
    let RowShape { rows, width, ty } = shape;
    let wide = pitch(Type::F32, width);
    let plan = Plan {
        name: format!("quantise {rows}x{width} {}", ty.name()),
        rows,
        inputs: vec![Stream { name: "x", ty, width }],
        constants: Vec::new(),
        outputs: vec![
            Stream { name: "q", ty: Type::S8, width },
            Stream { name: "scales", ty: Type::F32, width: 8 },
        ],
        scratch_row: wide + 40,
        scratch: 2 * wide + 1280 + width.div_ceil(64) * 8,
        flops: f64::from(rows) * f64::from(width) * 4.0,
    };
    build(machine, &plan, |b, frame| {
        let magnitude = Span::new(frame.scratch, Type::F32);
        let whole = Span::new(frame.scratch + wide, Type::S32);
        let row = |r: u32| Span::new(frame.scratch + (2 + r) * wide, Type::F32);
        let values = row(frame.room);
        let blocks = Span::new(values.address + (frame.room * 4).next_multiple_of(32), Type::F32);
        let partial = Span::new(blocks.address + frame.room.next_multiple_of(8) * 32, Type::F32);
        for r in 0..frame.rows {
            recast(b, row(r), Span::new(frame.inputs[0].address + r * pitch(ty, width), ty), width);
            unary(b, VectorOp::Abs, magnitude, row(r), width);
            reduce(b, VectorOp::Cmax, values.skip(r), magnitude, partial, width);
        }
        scalar(b, VectorOp::Maxs, values, values, f32::MIN_POSITIVE, frame.rows);
        scalar(b, VectorOp::Muls, values, values, 1.0 / 127.0, frame.rows);
        // A broadcast writes eight blocks at a time, more than the output has room for.
        fill(b, blocks, values, frame.rows);
        scalar(b, VectorOp::Adds, frame.outputs[1], blocks, 0.0, 8 * frame.rows);
        for r in 0..frame.rows {
            with_block(b, VectorOp::Div, row(r), (row(r), blocks.skip(8 * r)), width);
            // The hardware has no direct way: fp32 rounds to int32, which fp16 holds exactly up to 127.
            let half = Span::new(magnitude.address, Type::F16);
            convert(b, whole, row(r), width);
            convert(b, half, whole, width);
            convert(
                b,
                Span::new(frame.outputs[0].address + r * pitch(Type::S8, width), Type::S8),
                half,
                width,
            );
        }
    })
}

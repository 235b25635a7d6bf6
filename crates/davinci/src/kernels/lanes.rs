//! Vector instructions over so many elements: whole repeats, and a masked one for the rest.

use crate::isa::{Address, Condition, Instruction, Mask, Space, Strides, Type, Vector, VectorOp};
use crate::program::{ProgramBuilder, at};

/// The repeats that one instruction can run.
const MOST_REPEATS: u32 = 255;

/// Elements of UB, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) address: u32,
    pub(super) ty: Type,
}

impl Span {
    pub(super) const fn new(address: u32, ty: Type) -> Self {
        Self { address, ty }
    }

    /// The span that starts `elements` later.
    pub(super) fn skip(self, elements: u32) -> Self {
        Self { address: self.address + self.ty.bytes(elements), ..self }
    }

    fn at(self) -> Address {
        at(Space::Ub, self.address)
    }
}

/// A vector instruction with everything at its default.
pub(super) fn vector(op: VectorOp, dst: Span, src0: Span, src1: Span) -> Vector {
    let ty = if op == VectorOp::Dup { dst.ty } else { src0.ty };
    Vector {
        op,
        ty,
        to: dst.ty,
        condition: Condition::Lt,
        dst: dst.at(),
        src0: src0.at(),
        src1: src1.at(),
        scalar: 0.0,
        repeat: 1,
        mask: Mask::All,
        strides: Strides::UNIT,
    }
}

/// Runs an instruction over `elements`; sources with a repeat stride of zero stay where they are.
pub(super) fn over(b: &mut ProgramBuilder, base: Vector, elements: u32) {
    let lanes = base.lanes();
    let (mut repeats, rest) = (elements / lanes, elements % lanes);
    let mut done = 0;
    while repeats > 0 {
        let now = repeats.min(MOST_REPEATS);
        b.push(Instruction::Vector(Vector { repeat: now, ..advanced(base, done) }));
        done += now;
        repeats -= now;
    }
    if rest > 0 {
        b.push(Instruction::Vector(Vector { repeat: 1, mask: Mask::First(rest), ..advanced(base, done) }));
    }
}

/// The instruction `repeats` further on.
fn advanced(base: Vector, repeats: u32) -> Vector {
    // The narrow side of a conversion fills part of a block row a repeat: its repeat stride says how much.
    let step = |stride: u16| u64::from(repeats) * u64::from(stride) * 32;
    Vector {
        dst: base.dst.plus(step(base.strides.dst_repeat)),
        src0: base.src0.plus(step(base.strides.src0_repeat)),
        src1: base.src1.plus(step(base.strides.src1_repeat)),
        ..base
    }
}

pub(super) fn unary(b: &mut ProgramBuilder, op: VectorOp, dst: Span, src: Span, elements: u32) {
    over(b, vector(op, dst, src, src), elements);
}

pub(super) fn binary(b: &mut ProgramBuilder, op: VectorOp, dst: Span, (x, y): (Span, Span), elements: u32) {
    over(b, vector(op, dst, x, y), elements);
}

pub(super) fn scalar(b: &mut ProgramBuilder, op: VectorOp, dst: Span, src: Span, value: f32, elements: u32) {
    over(b, Vector { scalar: value, ..vector(op, dst, src, src) }, elements);
}

/// Conversion: both sides advance by the elements of a repeat of the wider type.
pub(super) fn convert(b: &mut ProgramBuilder, dst: Span, src: Span, elements: u32) {
    let base = vector(VectorOp::Conv, dst, src, src);
    let blocks = |ty: Type| (base.lanes() * ty.bits() / 256) as u16;
    let strides = Strides { dst_repeat: blocks(dst.ty), src0_repeat: blocks(src.ty), ..Strides::UNIT };
    over(b, Vector { strides, ..base }, elements);
}

/// A row combined with one value that fills a block: `block` stays where it is.
pub(super) fn with_block(
    b: &mut ProgramBuilder,
    op: VectorOp,
    dst: Span,
    (row, block): (Span, Span),
    elements: u32,
) {
    let strides = Strides { src1_block: 0, src1_repeat: 0, ..Strides::UNIT };
    over(b, Vector { strides, ..vector(op, dst, row, block) }, elements);
}

/// One value out of a row: each repeat to one, then those to one. `partial` holds a value for every 64 elements.
pub(super) fn reduce(
    b: &mut ProgramBuilder,
    op: VectorOp,
    dst: Span,
    row: Span,
    partial: Span,
    elements: u32,
) {
    let lanes = row.ty.lanes();
    let count = elements.div_ceil(lanes);
    if count == 1 {
        return one(b, op, dst, row, elements);
    }
    let (whole, rest) = (elements / lanes, elements % lanes);
    for first in (0..whole).step_by(MOST_REPEATS as usize) {
        let repeat = (whole - first).min(MOST_REPEATS);
        let base = vector(op, partial.skip(first), row.skip(first * lanes), row);
        b.push(Instruction::Vector(Vector { repeat, ..base }));
    }
    if rest > 0 {
        one(b, op, partial.skip(whole), row.skip(whole * lanes), rest);
    }
    let next = partial.skip(count.next_multiple_of(8));
    reduce(b, op, dst, partial, next, count);
}

fn one(b: &mut ProgramBuilder, op: VectorOp, dst: Span, row: Span, elements: u32) {
    let base = vector(op, dst, row, row);
    let mask = if elements == row.ty.lanes() { Mask::All } else { Mask::First(elements) };
    b.push(Instruction::Vector(Vector { mask, ..base }));
}

/// Each of `elements` values fills a block of its own.
pub(super) fn broadcast(b: &mut ProgramBuilder, dst: Span, src: Span, elements: u32) {
    let repeat = elements.div_ceil(8);
    let base = vector(VectorOp::Brcb, dst, src, src);
    b.push(Instruction::Vector(Vector { repeat, ..base }));
}

/// One value a row becomes one block a row. A broadcast reads values by eight, so the last eight are filled up first.
pub(super) fn fill(b: &mut ProgramBuilder, blocks: Span, values: Span, rows: u32) {
    let used = rows % 8;
    if used > 0 {
        let last = values.skip(rows / 8 * 8);
        let mask = Mask::Bits(0xff & !((1 << used) - 1));
        b.push(Instruction::Vector(Vector { mask, scalar: 1.0, ..vector(VectorOp::Dup, last, last, last) }));
    }
    broadcast(b, blocks, values, rows);
}

/// A conversion, or a copy where the types are the same.
pub(super) fn recast(b: &mut ProgramBuilder, dst: Span, src: Span, elements: u32) {
    if dst.ty == src.ty {
        scalar(b, VectorOp::Adds, dst, src, 0.0, elements);
    } else {
        convert(b, dst, src, elements);
    }
}

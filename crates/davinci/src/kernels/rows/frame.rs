//! What all row kernels share: rows dealt to the vector cores, two halves of UB, flags.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::isa::{Address, Burst, Instruction, Move, Pipe, Space, Type};
use crate::kernel::{CoreKind, Kernel, Role};
use crate::kernels::lanes::Span;
use crate::machine::{Design, Machine};
use crate::program::{Program, ProgramBuilder, at};

/// One tensor of rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    pub(super) name: &'static str,
    pub(super) ty: Type,
    /// Elements a row.
    pub(super) width: u32,
}

/// What a row kernel moves, and the UB it computes in.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) rows: u32,
    pub(super) inputs: Vec<Stream>,
    /// One row each, loaded once.
    pub(super) constants: Vec<Stream>,
    pub(super) outputs: Vec<Stream>,
    /// Bytes of scratch a row, and for all rows together.
    pub(super) scratch_row: u32,
    pub(super) scratch: u32,
    /// Operations, for rates.
    pub(super) flops: f64,
}

/// UB during one block of rows.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) rows: u32,
    pub(super) inputs: Vec<Span>,
    pub(super) constants: Vec<Span>,
    pub(super) outputs: Vec<Span>,
    pub(super) scratch: u32,
    /// Rows that the layout has room for.
    pub(super) room: u32,
}

/// Bytes from one row to the next in UB.
pub(super) fn pitch(ty: Type, width: u32) -> u32 {
    ty.bytes(width).next_multiple_of(32)
}

fn pitches(streams: &[Stream]) -> u32 {
    streams.iter().map(|stream| pitch(stream.ty, stream.width)).sum()
}

/// Builds the kernel: `body` emits the vector instructions of a block.
pub(super) fn build(
    machine: &Machine,
    plan: &Plan,
    body: impl Fn(&mut ProgramBuilder, &Frame),
) -> Result<Kernel, Diagnostics> {
    let mut kernel = Kernel { name: plan.name.clone(), flops: plan.flops, ..Kernel::default() };
    let mut place = |stream: &Stream, rows: u32, role| {
        kernel.place(stream.name, u64::from(rows) * u64::from(stream.ty.bytes(stream.width)), role)
    };
    let inputs: Vec<u64> = plan.inputs.iter().map(|stream| place(stream, plan.rows, Role::Input)).collect();
    let constants: Vec<u64> = plan.constants.iter().map(|stream| place(stream, 1, Role::Input)).collect();
    let outputs: Vec<u64> =
        plan.outputs.iter().map(|stream| place(stream, plan.rows, Role::Output)).collect();
    let coupled = machine.core.design == Design::Coupled;
    let cores = if coupled { machine.cube_cores } else { machine.vector_cores }.min(plan.rows);
    let room = room(machine, plan, plan.rows.div_ceil(cores))?;
    let addresses = Addresses { inputs, constants, outputs };
    for core in 0..cores {
        let group = if coupled { core } else { core / machine.core.vector_per_cube.max(1) };
        let kind = if coupled { CoreKind::Coupled } else { CoreKind::Vector };
        kernel.add_core(kind, group, program(plan, &addresses, room, (core, cores), &body));
    }
    Ok(kernel)
}

struct Addresses {
    inputs: Vec<u64>,
    constants: Vec<u64>,
    outputs: Vec<u64>,
}

/// Rows of a block: constants + scratch + rows · (2·(in + out) + scratch a row) ≤ UB.
fn room(machine: &Machine, plan: &Plan, share: u32) -> Result<u32, Diagnostics> {
    let row = 2 * (pitches(&plan.inputs) + pitches(&plan.outputs)) + plan.scratch_row;
    let fixed = u64::from(pitches(&plan.constants) + plan.scratch);
    let rows = machine.bytes(Space::Ub).saturating_sub(fixed) / u64::from(row.max(1));
    if rows == 0 {
        let message = format!(
            "{}: one row needs {} bytes of UB, there are {}",
            plan.name,
            fixed + u64::from(row),
            machine.bytes(Space::Ub)
        );
        return Err(Diagnostics(vec![Diagnostic::error("kernel-ub", message)]));
    }
    Ok((rows as u32).min(share))
}

fn program(
    plan: &Plan,
    addresses: &Addresses,
    room: u32,
    (core, cores): (u32, u32),
    body: &impl Fn(&mut ProgramBuilder, &Frame),
) -> Program {
    let mut b = ProgramBuilder::default();
    let constants = load_constants(&mut b, plan, addresses);
    for half in 0..2 {
        b.set(Pipe::V, Pipe::Mte2, half).set(Pipe::Mte3, Pipe::V, half);
    }
    let blocks = plan.rows.div_ceil(room);
    for (turn, block) in (core..blocks).step_by(cores as usize).enumerate() {
        let first = block * room;
        let half = (turn % 2) as u32;
        let frame = frame(plan, &constants, room, half, room.min(plan.rows - first));
        emit(&mut b, plan, addresses, (&frame, first, half as u8), body);
    }
    for half in 0..2 {
        b.wait(Pipe::V, Pipe::Mte2, half).wait(Pipe::Mte3, Pipe::V, half);
    }
    b.finish()
}

fn emit(
    b: &mut ProgramBuilder,
    plan: &Plan,
    addresses: &Addresses,
    (frame, first, half): (&Frame, u32, u8),
    body: &impl Fn(&mut ProgramBuilder, &Frame),
) {
    b.wait(Pipe::V, Pipe::Mte2, half);
    for ((stream, span), gm) in plan.inputs.iter().zip(&frame.inputs).zip(&addresses.inputs) {
        b.push(copy(Move::GmToUb, stream, *span, *gm, (first, frame.rows)));
    }
    b.order(Pipe::Mte2, Pipe::V, half).wait(Pipe::Mte3, Pipe::V, half);
    body(b, frame);
    b.set(Pipe::V, Pipe::Mte2, half).order(Pipe::V, Pipe::Mte3, half);
    for ((stream, span), gm) in plan.outputs.iter().zip(&frame.outputs).zip(&addresses.outputs) {
        b.push(copy(Move::UbToGm, stream, *span, *gm, (first, frame.rows)));
    }
    b.set(Pipe::Mte3, Pipe::V, half);
}

fn load_constants(b: &mut ProgramBuilder, plan: &Plan, addresses: &Addresses) -> Vec<Span> {
    let mut address = 0;
    let mut spans = Vec::new();
    for (stream, gm) in plan.constants.iter().zip(&addresses.constants) {
        let span = Span::new(address, stream.ty);
        b.push(copy(Move::GmToUb, stream, span, *gm, (0, 1)));
        address += pitch(stream.ty, stream.width);
        spans.push(span);
    }
    if !spans.is_empty() {
        b.order(Pipe::Mte2, Pipe::V, 2);
    }
    spans
}

fn frame(plan: &Plan, constants: &[Span], room: u32, half: u32, rows: u32) -> Frame {
    let bytes = room * (pitches(&plan.inputs) + pitches(&plan.outputs));
    let start = pitches(&plan.constants) + half * bytes;
    let mut address = start;
    let mut take = |stream: &Stream| {
        let span = Span::new(address, stream.ty);
        address += room * pitch(stream.ty, stream.width);
        span
    };
    let inputs = plan.inputs.iter().map(&mut take).collect();
    let outputs = plan.outputs.iter().map(&mut take).collect();
    let scratch = pitches(&plan.constants) + 2 * bytes;
    Frame { rows, inputs, constants: constants.to_vec(), outputs, scratch, room }
}

fn copy(route: Move, stream: &Stream, span: Span, gm: u64, (first, rows): (u32, u32)) -> Instruction {
    let bytes = stream.ty.bytes(stream.width);
    let gm = Address::at(Space::Gm, gm + u64::from(first) * u64::from(bytes));
    let ub = at(Space::Ub, span.address);
    let pitch = pitch(stream.ty, stream.width);
    let loads = route == Move::GmToUb;
    let (dst, src) = if loads { (ub, gm) } else { (gm, ub) };
    let (src_pitch, dst_pitch) = if loads { (bytes, pitch) } else { (pitch, bytes) };
    Instruction::Burst(Burst { route, dst, src, count: rows, bytes, src_pitch, dst_pitch, atomic: false })
}

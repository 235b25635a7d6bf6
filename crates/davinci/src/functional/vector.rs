//! The vector unit: lanes of UB, one 256-byte repeat after the other.

use super::access::Access;
use super::fault::FaultKind;
use super::number::{self, round};
use crate::isa::{Address, Condition, Strides, Type, Vector, VectorOp};

pub(super) fn run(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let sources = [v.src0, v.src1];
    sources.into_iter().take(v.op.sources()).try_for_each(|address| access.align(address))?;
    // A whole reduction writes one element, so its destination need only be aligned to one.
    if !matches!(v.op, VectorOp::Cadd | VectorOp::Cmax | VectorOp::Cmin) {
        access.align(v.dst)?;
    }
    if v.ty == Type::Bf16 && v.op != VectorOp::Conv || v.ty == Type::S4 {
        return Err(FaultKind::Illegal {
            reason: format!("the vector unit has no {} arithmetic", v.ty.name()),
        });
    }
    match v.op {
        VectorOp::Cadd | VectorOp::Cmax | VectorOp::Cmin => whole_reduction(access, v),
        VectorOp::Cgadd | VectorOp::Cgmax | VectorOp::Cgmin => block_reduction(access, v),
        VectorOp::Cpadd => pair_sums(access, v),
        VectorOp::Cmp => compare(access, v),
        VectorOp::Sel => select(access, v),
        VectorOp::Gather => gather(access, v),
        VectorOp::Brcb => broadcast(access, v),
        VectorOp::Reduce => pack(access, v),
        VectorOp::MergeSort => merge(access, v),
        _ => lanewise(access, v),
    }
}

/// Address of a lane: repeat and block strides count 32-byte blocks.
fn lane_address(base: Address, ty: Type, strides: (u16, u16), repeat: u32, lane: u32) -> Address {
    let byte = lane * ty.bits() / 8;
    let (block, within) = (byte / 32, byte % 32);
    let blocks = u64::from(repeat) * u64::from(strides.1) + u64::from(block) * u64::from(strides.0);
    base.plus(blocks * 32 + u64::from(within))
}

fn dst_strides(s: Strides) -> (u16, u16) {
    (s.dst_block, s.dst_repeat)
}

fn src_strides(s: Strides, which: usize) -> (u16, u16) {
    if which == 0 { (s.src0_block, s.src0_repeat) } else { (s.src1_block, s.src1_repeat) }
}

/// Runs of lanes that are written and lie in one block: first lane and how many.
fn runs(v: &Vector, repeat: u32, per_block: u32) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for lane in (0..v.lanes()).filter(|&lane| v.writes(repeat, lane)) {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == lane && !lane.is_multiple_of(per_block) => *count += 1,
            _ => runs.push((lane, 1)),
        }
    }
    runs
}

/// Lanes of one run of a source.
fn source(
    access: &mut Access<'_, '_>,
    v: &Vector,
    which: usize,
    repeat: u32,
    run: (u32, u32),
) -> Result<Vec<f64>, FaultKind> {
    let base = if which == 0 { v.src0 } else { v.src1 };
    let address = lane_address(base, v.ty, src_strides(v.strides, which), repeat, run.0);
    Ok(number::decode(v.ty, access.read(address, v.ty.bytes(run.1))?))
}

fn lanewise(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let per_block = 256 / v.wide().bits();
    for repeat in 0..v.repeats() {
        for run in runs(v, repeat, per_block) {
            let empty = vec![0.0; run.1 as usize];
            let a = if v.op.sources() > 0 { source(access, v, 0, repeat, run)? } else { empty.clone() };
            let b = if v.op.sources() > 1 { source(access, v, 1, repeat, run)? } else { empty };
            let dst = lane_address(v.dst, v.to, dst_strides(v.strides), repeat, run.0);
            let old = if v.op == VectorOp::Axpy {
                number::decode(v.to, access.read(dst, v.to.bytes(run.1))?)
            } else {
                Vec::new()
            };
            let values: Vec<f64> = a
                .iter()
                .zip(&b)
                .enumerate()
                .map(|(lane, (&a, &b))| lane_value(v, a, b, old.get(lane).copied().unwrap_or(0.0)))
                .collect();
            access.write(dst, &number::encode(v.to, &values))?;
        }
    }
    Ok(())
}

/// What one lane becomes. The scalar is rounded to the type first; the result is rounded when it is written.
fn lane_value(v: &Vector, a: f64, b: f64, old: f64) -> f64 {
    let scalar = round(v.ty, f64::from(v.scalar));
    match v.op {
        VectorOp::Add => a + b,
        VectorOp::Sub => a - b,
        VectorOp::Mul => a * b,
        VectorOp::Div => a / b,
        VectorOp::Max => a.max(b),
        VectorOp::Min => a.min(b),
        VectorOp::And => bits(v.ty, a, b, |a, b| a & b),
        VectorOp::Or => bits(v.ty, a, b, |a, b| a | b),
        VectorOp::Not => bits(v.ty, a, a, |a, _| !a),
        VectorOp::Adds => a + scalar,
        VectorOp::Muls => a * scalar,
        VectorOp::Maxs => a.max(scalar),
        VectorOp::Mins => a.min(scalar),
        VectorOp::Axpy => old + round(v.ty, a * scalar),
        VectorOp::Relu => a.max(0.0),
        VectorOp::Lrelu => {
            if a < 0.0 {
                a * scalar
            } else {
                a
            }
        }
        VectorOp::Abs => a.abs(),
        VectorOp::Exp => a.exp(),
        VectorOp::Ln => a.ln(),
        VectorOp::Sqrt => a.sqrt(),
        VectorOp::Rsqrt => 1.0 / a.sqrt(),
        VectorOp::Rec => 1.0 / a,
        VectorOp::Dup => scalar,
        _ => a,
    }
}

/// A bitwise operation on the encodings.
fn bits(ty: Type, a: f64, b: f64, op: impl Fn(u8, u8) -> u8) -> f64 {
    let (a, b) = (number::encode(ty, &[a]), number::encode(ty, &[b]));
    let mixed: Vec<u8> = a.iter().zip(&b).map(|(&a, &b)| op(a, b)).collect();
    number::decode(ty, &mixed).first().copied().unwrap_or(0.0)
}

/// The written lanes of a repeat, in order.
fn active(access: &mut Access<'_, '_>, v: &Vector, repeat: u32) -> Result<Vec<(u32, f64)>, FaultKind> {
    let mut lanes = Vec::new();
    for run in runs(v, repeat, 256 / v.wide().bits()) {
        let values = source(access, v, 0, repeat, run)?;
        lanes.extend(values.into_iter().enumerate().map(|(index, value)| (run.0 + index as u32, value)));
    }
    Ok(lanes)
}

/// Neighbours are combined until one value is left, each step rounded to the type.
fn tree(v: &Vector, mut values: Vec<f64>) -> f64 {
    while values.len() > 1 {
        values = values
            .chunks(2)
            .map(|pair| if pair.len() == 2 { combine(v, pair[0], pair[1]) } else { pair[0] })
            .collect();
    }
    values.first().copied().unwrap_or(0.0)
}

fn combine(v: &Vector, a: f64, b: f64) -> f64 {
    match v.op {
        VectorOp::Cmax | VectorOp::Cgmax => a.max(b),
        VectorOp::Cmin | VectorOp::Cgmin => a.min(b),
        _ => round(v.ty, a + b),
    }
}

/// One element a repeat; `dst_repeat` counts elements.
fn whole_reduction(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    for repeat in 0..v.repeats() {
        let values = active(access, v, repeat)?.into_iter().map(|(_, value)| value).collect();
        let dst = v.dst.plus(u64::from(repeat * reduced_stride(v, 1)) * u64::from(v.ty.bytes(1)));
        access.write(dst, &number::encode(v.ty, &[tree(v, values)]))?;
    }
    Ok(())
}

/// Elements from one repeat's results to the next: packed unless a stride is given.
fn reduced_stride(v: &Vector, packed: u32) -> u32 {
    if v.strides.dst_repeat == Strides::UNIT.dst_repeat { packed } else { u32::from(v.strides.dst_repeat) }
}

/// Eight elements a repeat, one for each block.
fn block_reduction(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let per_block = 256 / v.ty.bits();
    for repeat in 0..v.repeats() {
        let lanes = active(access, v, repeat)?;
        let block = |index: u32| {
            let values: Vec<f64> =
                lanes.iter().filter(|(lane, _)| lane / per_block == index).map(|(_, value)| *value).collect();
            (!values.is_empty()).then(|| tree(v, values))
        };
        let results: Vec<f64> = (0..8).map_while(block).collect();
        let dst = v.dst.plus(u64::from(repeat * reduced_stride(v, 8)) * u64::from(v.ty.bytes(1)));
        access.write(dst, &number::encode(v.ty, &results))?;
    }
    Ok(())
}

fn pair_sums(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    for repeat in 0..v.repeats() {
        let values: Vec<f64> = active(access, v, repeat)?.into_iter().map(|(_, value)| value).collect();
        let sums: Vec<f64> = values.chunks(2).map(|pair| pair.iter().sum()).collect();
        let dst = v.dst.plus(u64::from(repeat) * u64::from(v.ty.bytes(v.lanes() / 2)));
        access.write(dst, &number::encode(v.ty, &sums))?;
    }
    Ok(())
}

/// One bit a lane, the first lane lowest; bits of lanes that are masked out are zero.
fn compare(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let per_block = 256 / v.ty.bits();
    for repeat in 0..v.repeats() {
        let mut packed = vec![0u8; v.lanes() as usize / 8];
        for run in runs(v, repeat, per_block) {
            let (a, b) = (source(access, v, 0, repeat, run)?, source(access, v, 1, repeat, run)?);
            for (lane, (a, b)) in (run.0..).zip(a.iter().zip(&b)) {
                packed[lane as usize / 8] |= u8::from(holds(v.condition, *a, *b)) << (lane % 8);
            }
        }
        access.write(v.dst.plus(u64::from(repeat) * packed.len() as u64), &packed)?;
    }
    Ok(())
}

fn holds(condition: Condition, a: f64, b: f64) -> bool {
    match condition {
        Condition::Lt => a < b,
        Condition::Le => a <= b,
        Condition::Gt => a > b,
        Condition::Ge => a >= b,
        Condition::Eq => a == b,
        Condition::Ne => a != b,
    }
}

fn select(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let bytes = v.lanes() / 8;
    for repeat in 0..v.repeats() {
        let mask = access.read(v.src1.plus(u64::from(repeat * bytes)), bytes)?.to_vec();
        for run in runs(v, repeat, 256 / v.ty.bits()) {
            let values = source(access, v, 0, repeat, run)?;
            let picked = (run.0..).zip(values).map(|(lane, value)| {
                let set = mask[lane as usize / 8] >> (lane % 8) & 1 == 1;
                if set { value } else { f64::from(v.scalar) }
            });
            let picked: Vec<f64> = picked.collect();
            let dst = lane_address(v.dst, v.ty, dst_strides(v.strides), repeat, run.0);
            access.write(dst, &number::encode(v.ty, &picked))?;
        }
    }
    Ok(())
}

fn gather(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    for repeat in 0..v.repeats() {
        for lane in (0..v.lanes()).filter(|&lane| v.writes(repeat, lane)) {
            let at = v.src1.plus(u64::from(repeat * v.lanes() + lane) * 4);
            let offset = number::decode(Type::U32, access.read(at, 4)?)[0] as u64;
            let value = access.read(v.src0.plus(offset), v.ty.bytes(1))?.to_vec();
            access.write(lane_address(v.dst, v.ty, dst_strides(v.strides), repeat, lane), &value)?;
        }
    }
    Ok(())
}

/// Each repeat takes the next eight elements of the source.
fn broadcast(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let (size, per_block) = (v.ty.bytes(1), 256 / v.ty.bits());
    for repeat in 0..v.repeats() {
        let values = access.read(v.src0.plus(u64::from(repeat * 8 * size)), 8 * size)?.to_vec();
        for (block, element) in values.chunks(size as usize).enumerate() {
            let dst = lane_address(v.dst, v.ty, dst_strides(v.strides), repeat, block as u32 * per_block);
            access.write(dst, &element.repeat(per_block as usize))?;
        }
    }
    Ok(())
}

/// Pattern 1 and 2: even or odd of pairs; 3 to 6: first to fourth of four. Results are packed over all repeats.
fn pack(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let pattern = v.scalar as u32;
    let (period, phase) = if pattern <= 2 { (2, pattern.saturating_sub(1)) } else { (4, pattern - 3) };
    let mut packed = Vec::new();
    for repeat in 0..v.repeats() {
        let lanes = active(access, v, repeat)?;
        packed.extend(lanes.into_iter().filter(|(lane, _)| lane % period == phase).map(|(_, value)| value));
    }
    access.write(v.dst, &number::encode(v.ty, &packed))
}

/// Four runs of `repeat` pairs of (fp32 score, u32 index), each descending, become one. Equal scores keep their order.
fn merge(access: &mut Access<'_, '_>, v: &Vector) -> Result<(), FaultKind> {
    let bytes = access.read(v.src0, 4 * 8 * v.repeat)?.to_vec();
    let mut pairs: Vec<&[u8]> = bytes.chunks(8).collect();
    let score = |pair: &[u8]| f32::from_le_bytes([pair[0], pair[1], pair[2], pair[3]]);
    pairs.sort_by(|a, b| score(b).total_cmp(&score(a)));
    access.write(v.dst, &pairs.concat())
}

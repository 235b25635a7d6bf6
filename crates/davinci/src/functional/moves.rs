//! Moves between memories: bytes go through unchanged, and so does the knowledge of which were ever written.

use super::access::Access;
use super::fault::FaultKind;
use super::number;
use crate::isa::{Address, Burst, FractalLoad, Nd2Nz, Side, Space, Type};

pub(super) fn burst(access: &mut Access<'_, '_>, burst: &Burst) -> Result<(), FaultKind> {
    access.align(burst.src)?;
    access.align(burst.dst)?;
    for index in 0..u64::from(burst.count) {
        let src = burst.src.plus(index * u64::from(burst.src_pitch));
        let dst = burst.dst.plus(index * u64::from(burst.dst_pitch));
        if burst.dst.space == Space::Gm {
            let bytes = access.read(src, burst.bytes)?.to_vec();
            let bytes = if burst.atomic { added(access, dst, &bytes)? } else { bytes };
            access.write(dst, &bytes)?;
        } else {
            let (bytes, written) = access.peek(src, burst.bytes)?;
            let (bytes, written) = (bytes.to_vec(), written.to_vec());
            access.pass_on(dst, &bytes, &written)?;
        }
    }
    Ok(())
}

/// fp32 values added to those in GM, where never-written GM counts as zero.
pub(super) fn added(access: &mut Access<'_, '_>, dst: Address, bytes: &[u8]) -> Result<Vec<u8>, FaultKind> {
    let (old, _) = access.peek(dst, bytes.len() as u32)?;
    let old = number::decode(Type::F32, old);
    let sums: Vec<f64> =
        old.iter().zip(number::decode(Type::F32, bytes)).map(|(old, new)| old + new).collect();
    Ok(number::encode(Type::F32, &sums))
}

/// Row-major to NZ. Columns are filled with zeros up to a whole fractal row; rows beyond `rows` are not touched.
pub(super) fn nd2nz(access: &mut Access<'_, '_>, nd2nz: &Nd2Nz) -> Result<(), FaultKind> {
    access.align(nd2nz.dst)?;
    let length = nd2nz.ty.bytes(nd2nz.cols);
    let padded = length.next_multiple_of(32) as usize;
    for row in 0..nd2nz.rows {
        let src = nd2nz.src.plus(u64::from(row) * u64::from(nd2nz.src_pitch));
        let (bytes, written) = access.peek(src, length)?;
        let (mut bytes, mut written) = (bytes.to_vec(), written.to_vec());
        bytes.resize(padded, 0);
        written.resize(padded, true);
        for (column, (bytes, written)) in bytes.chunks(32).zip(written.chunks(32)).enumerate() {
            let offset = (column as u64 * u64::from(nd2nz.dst_rows) + u64::from(row)) * 32;
            access.pass_on(nd2nz.dst.plus(offset), bytes, written)?;
        }
    }
    Ok(())
}

pub(super) fn fractal(access: &mut Access<'_, '_>, load: &FractalLoad) -> Result<(), FaultKind> {
    access.align(load.src)?;
    access.align(load.dst)?;
    whole_fractals(load)?;
    if load.side == Side::SparseB {
        copy_index(access, load)?;
    }
    if load.transpose { transposed(access, load) } else { straight(access, load) }
}

fn whole_fractals(load: &FractalLoad) -> Result<(), FaultKind> {
    let whole = load.rows.is_multiple_of(16) && load.cols.is_multiple_of(load.ty.fractal_depth());
    if whole {
        return Ok(());
    }
    let reason =
        format!("{} x {} is not whole fractals of 16 x {}", load.rows, load.cols, load.ty.fractal_depth());
    Err(FaultKind::Illegal { reason })
}

/// Bytes from one 32-byte row of the operand's fractals to where it belongs.
fn target(load: &FractalLoad, row: u32, column: u32) -> u64 {
    let columns = u64::from(load.cols / load.ty.fractal_depth());
    let (row, column) = (u64::from(row), u64::from(column));
    match load.side {
        Side::A => (row / 16 * columns + column) * 512 + row % 16 * 32,
        Side::B | Side::SparseB => (column * u64::from(load.rows) + row) * 32,
    }
}

fn straight(access: &mut Access<'_, '_>, load: &FractalLoad) -> Result<(), FaultKind> {
    for column in 0..load.cols / load.ty.fractal_depth() {
        let src = load.src.plus(u64::from(column) * u64::from(load.src_rows) * 32);
        let (bytes, written) = access.peek(src, load.rows * 32)?;
        let (bytes, written) = (bytes.to_vec(), written.to_vec());
        for first in (0..load.rows).step_by(16) {
            let from = first as usize * 32..(first as usize + 16) * 32;
            let dst = load.dst.plus(target(load, first, column));
            access.pass_on(dst, &bytes[from.clone()], &written[from])?;
        }
    }
    Ok(())
}

/// Element (r, k) of the operand is element (k, r) of the NZ matrix in L1.
fn transposed(access: &mut Access<'_, '_>, load: &FractalLoad) -> Result<(), FaultKind> {
    if load.ty == Type::S4 {
        return Err(FaultKind::Illegal { reason: "4-bit operands cannot be transposed on load".to_owned() });
    }
    let (depth, size) = (load.ty.fractal_depth(), load.ty.bytes(1));
    for group in 0..load.rows.div_ceil(depth) {
        let src = load.src.plus(u64::from(group * load.src_rows) * 32);
        let (bytes, written) = access.peek(src, load.cols * 32)?;
        let (bytes, written) = (bytes.to_vec(), written.to_vec());
        for row in group * depth..load.rows.min((group + 1) * depth) {
            for column in 0..load.cols / depth {
                let element = |k: u32| ((column * depth + k) * 32 + row % depth * size) as usize;
                let picked: Vec<usize> =
                    (0..depth).flat_map(|k| element(k)..element(k) + size as usize).collect();
                let out: Vec<u8> = picked.iter().map(|&index| bytes[index]).collect();
                let known: Vec<bool> = picked.iter().map(|&index| written[index]).collect();
                access.pass_on(load.dst.plus(target(load, row, column)), &out, &known)?;
            }
        }
    }
    Ok(())
}

/// Two bits for each kept element, in the order of the operand in L0B.
fn copy_index(access: &mut Access<'_, '_>, load: &FractalLoad) -> Result<(), FaultKind> {
    let length = load.rows * load.cols / 4;
    let index = access.read(load.index, length)?.to_vec();
    let start = load.dst.offset as usize / 4;
    access.core.sparse_index[start..start + index.len()].copy_from_slice(&index);
    Ok(())
}

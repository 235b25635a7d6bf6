//! The cube and FixPipe.

use super::access::Access;
use super::fault::FaultKind;
use super::moves::added;
use super::number;
use crate::isa::{Accumulate, Address, Fixpipe, Layout, Mmad, Quant, Type};

/// Extents of a product, padded to fractals.
#[derive(Clone, Copy, Debug)]
struct Extents {
    /// Rows, columns and depth that count.
    m: usize,
    n: usize,
    k: usize,
    /// The same as they lie in the buffers.
    rows: usize,
    columns: usize,
    depth: usize,
    /// Elements of a fractal row.
    fractal: usize,
}

pub(super) fn mmad(access: &mut Access<'_, '_>, mmad: &Mmad) -> Result<(), FaultKind> {
    [mmad.dst, mmad.a, mmad.b].into_iter().try_for_each(|address| access.align(address))?;
    let fractal = mmad.ty.fractal_depth();
    let extents = Extents {
        m: mmad.m as usize,
        n: mmad.n as usize,
        k: mmad.k as usize,
        rows: mmad.m.next_multiple_of(16) as usize,
        columns: mmad.n.next_multiple_of(16) as usize,
        depth: mmad.k.next_multiple_of(fractal) as usize,
        fractal: fractal as usize,
    };
    match (mmad.ty.accumulator(), mmad.sparse) {
        (Type::S32, false) => integer(access, mmad, extents),
        (Type::S32, true) => sparse(access, mmad, extents),
        (_, true) => Err(FaultKind::Illegal { reason: "mmad_sparse multiplies s8 only".to_owned() }),
        _ => float(access, mmad, extents),
    }
}

/// Bytes of an operand: A as ⌈M/16⌉ bands of fractals, B as K/c0 columns of N rows.
fn operand(
    access: &mut Access<'_, '_>,
    address: Address,
    ty: Type,
    used: &[(usize, usize)],
) -> Result<(), FaultKind> {
    for &(start, length) in used {
        access.read(address.plus((start * ty.bits() as usize / 8) as u64), ty.bytes(length as u32))?;
    }
    Ok(())
}

/// Element ranges of A that the product uses: rows below m, columns below k.
fn used_a(e: Extents) -> Vec<(usize, usize)> {
    let bands = (0..e.m).step_by(16);
    let full = e.k / e.fractal * e.fractal == e.k;
    bands
        .flat_map(|first| {
            let rows = (e.m - first).min(16);
            (0..e.k.div_ceil(e.fractal)).flat_map(move |column| {
                let base = (first / 16 * (e.depth / e.fractal) + column) * 16 * e.fractal;
                row_ranges(
                    base,
                    rows,
                    e.fractal,
                    if full { e.fractal } else { (e.k - column * e.fractal).min(e.fractal) },
                )
            })
        })
        .collect()
}

fn used_b(e: Extents, k: usize) -> Vec<(usize, usize)> {
    (0..k.div_ceil(e.fractal))
        .flat_map(|column| {
            let base = column * e.columns * e.fractal;
            row_ranges(base, e.n, e.fractal, (k - column * e.fractal).min(e.fractal))
        })
        .collect()
}

/// Whole rows are one range; cut rows are one range each.
fn row_ranges(base: usize, rows: usize, pitch: usize, length: usize) -> Vec<(usize, usize)> {
    if length == pitch {
        vec![(base, rows * pitch)]
    } else {
        (0..rows).map(|row| (base + row * pitch, length)).collect()
    }
}

/// A as row-major fp32 m × depth, zero beyond k.
fn left<T: Copy + Default>(values: &[T], e: Extents) -> Vec<T> {
    let mut out = vec![T::default(); e.m * e.depth];
    for row in 0..e.m {
        for k in 0..e.k {
            let from = (row / 16 * (e.depth / e.fractal) + k / e.fractal) * 16 * e.fractal
                + row % 16 * e.fractal
                + k % e.fractal;
            out[row * e.depth + k] = values[from];
        }
    }
    out
}

/// B as row-major depth × n, zero beyond k.
fn right<T: Copy + Default>(values: &[T], e: Extents, k: usize) -> Vec<T> {
    let mut out = vec![T::default(); e.depth * e.n];
    for k in 0..k {
        let base = k / e.fractal * e.columns * e.fractal + k % e.fractal;
        for column in 0..e.n {
            out[k * e.n + column] = values[base + column * e.fractal];
        }
    }
    out
}

/// Place of an accumulator element.
fn place(e: Extents, row: usize, column: usize) -> usize {
    column / 16 * e.rows * 16 + row * 16 + column % 16
}

/// Accumulator as row-major m × n of 4-byte words.
fn start(access: &mut Access<'_, '_>, mmad: &Mmad, e: Extents) -> Result<Vec<u32>, FaultKind> {
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    match mmad.accumulate {
        Accumulate::Init => Ok(vec![0; e.m * e.n]),
        Accumulate::Bias(bias) => {
            let row: Vec<u32> = access.read(bias, 4 * mmad.n)?.chunks(4).map(word).collect();
            Ok(row.repeat(e.m))
        }
        Accumulate::Add => {
            let mut out = vec![0; e.m * e.n];
            for first in (0..e.n).step_by(16) {
                let band = mmad.dst.plus((place(e, 0, first) * 4) as u64);
                let bytes = access.read(band, (e.m * 64) as u32)?;
                for row in 0..e.m {
                    for column in first..e.n.min(first + 16) {
                        let from = (row * 16 + column - first) * 4;
                        out[row * e.n + column] = word(&bytes[from..from + 4]);
                    }
                }
            }
            Ok(out)
        }
    }
}

/// Writes the accumulator back, whole 16-column rows at a time; padding columns are written too.
fn finish(access: &mut Access<'_, '_>, mmad: &Mmad, e: Extents, words: &[u32]) -> Result<(), FaultKind> {
    for first in (0..e.n).step_by(16) {
        let mut band = vec![0u8; e.m * 64];
        for row in 0..e.m {
            for column in first..e.n.min(first + 16) {
                let to = (row * 16 + column - first) * 4;
                band[to..to + 4].copy_from_slice(&words[row * e.n + column].to_le_bytes());
            }
        }
        access.write(mmad.dst.plus((place(e, 0, first) * 4) as u64), &band)?;
    }
    Ok(())
}

fn operands(
    access: &mut Access<'_, '_>,
    mmad: &Mmad,
    e: Extents,
    b_depth: usize,
) -> Result<(Vec<u8>, Vec<u8>), FaultKind> {
    operand(access, mmad.a, mmad.ty, &used_a(e))?;
    let stored = b_depth.next_multiple_of(e.fractal);
    operand(access, mmad.b, mmad.ty, &used_b(e, b_depth))?;
    let a = access.peek(mmad.a, mmad.ty.bytes((e.rows * e.depth) as u32))?.0.to_vec();
    let b = access.peek(mmad.b, mmad.ty.bytes((e.columns * stored) as u32))?.0.to_vec();
    Ok((a, b))
}

fn float(access: &mut Access<'_, '_>, mmad: &Mmad, e: Extents) -> Result<(), FaultKind> {
    let (a, b) = operands(access, mmad, e, e.k)?;
    let a = left(&number::operand(mmad.ty, &a), e);
    let b = right(&number::operand(mmad.ty, &b), e, e.k);
    let mut c: Vec<f32> = start(access, mmad, e)?.into_iter().map(f32::from_bits).collect();
    let mut sum = vec![0f32; e.n];
    for (row, acc) in c.chunks_exact_mut(e.n).enumerate() {
        for first in (0..e.depth).step_by(e.fractal) {
            sum.fill(0.0);
            for k in first..first + e.fractal {
                add_scaled(&mut sum, a[row * e.depth + k], &b[k * e.n..(k + 1) * e.n]);
            }
            acc.iter_mut().zip(&sum).for_each(|(acc, sum)| *acc += sum);
        }
    }
    let words: Vec<u32> = c.into_iter().map(f32::to_bits).collect();
    finish(access, mmad, e, &words)
}

fn add_scaled(sum: &mut [f32], scale: f32, row: &[f32]) {
    sum.iter_mut().zip(row).for_each(|(sum, b)| *sum += scale * b);
}

fn integer(access: &mut Access<'_, '_>, mmad: &Mmad, e: Extents) -> Result<(), FaultKind> {
    let (a, b) = operands(access, mmad, e, e.k)?;
    let a = left(&number::integers(mmad.ty, &a), e);
    let b = right(&number::integers(mmad.ty, &b), e, e.k);
    let mut c: Vec<i32> = start(access, mmad, e)?.into_iter().map(|word| word as i32).collect();
    for (row, acc) in c.chunks_exact_mut(e.n).enumerate() {
        for k in 0..e.k {
            let scale = a[row * e.depth + k];
            let row = &b[k * e.n..(k + 1) * e.n];
            acc.iter_mut().zip(row).for_each(|(acc, b)| *acc = acc.wrapping_add(scale.wrapping_mul(*b)));
        }
    }
    let words: Vec<u32> = c.into_iter().map(|value| value as u32).collect();
    finish(access, mmad, e, &words)
}

/// B holds two of every four k: kept element j of column n stands for k = 4·(j/2) + index(j).
fn sparse(access: &mut Access<'_, '_>, mmad: &Mmad, e: Extents) -> Result<(), FaultKind> {
    let kept = e.k / 2;
    let (a, b) = operands(access, mmad, e, kept)?;
    let a = left(&number::integers(mmad.ty, &a), e);
    let b = number::integers(mmad.ty, &b);
    let base = mmad.b.offset as usize;
    let mut c: Vec<i32> = start(access, mmad, e)?.into_iter().map(|word| word as i32).collect();
    for column in 0..e.n {
        for j in 0..kept {
            let at = j / e.fractal * e.columns * e.fractal + column * e.fractal + j % e.fractal;
            let index = usize::from(access.core.sparse_index[(base + at) / 4] >> (2 * ((base + at) % 4)) & 3);
            let k = j / 2 * 4 + index;
            for row in 0..e.m {
                let product = a[row * e.depth + k].wrapping_mul(b[at]);
                c[row * e.n + column] = c[row * e.n + column].wrapping_add(product);
            }
        }
    }
    let words: Vec<u32> = c.into_iter().map(|value| value as u32).collect();
    finish(access, mmad, e, &words)
}

/// L0C to GM or L1: scale, ReLU, conversion, in this order.
pub(super) fn fixpipe(access: &mut Access<'_, '_>, x: &Fixpipe) -> Result<(), FaultKind> {
    access.align(x.src)?;
    access.align(x.dst)?;
    let scales = scales(access, x)?;
    for row in 0..x.m {
        let values = accumulator_row(access, x, row)?;
        let values: Vec<f64> =
            values.iter().zip(&scales).map(|(value, scale)| finished(x, *value, *scale)).collect();
        store_row(access, x, row, &values)?;
    }
    Ok(())
}

fn scales(access: &mut Access<'_, '_>, x: &Fixpipe) -> Result<Vec<f64>, FaultKind> {
    match x.quant {
        Quant::None => Ok(vec![1.0; x.n as usize]),
        Quant::Scalar(scale) => Ok(vec![f64::from(scale); x.n as usize]),
        Quant::Vector(address) => Ok(number::decode(Type::F32, access.read(address, 4 * x.n)?)),
    }
}

fn accumulator_row(access: &mut Access<'_, '_>, x: &Fixpipe, row: u32) -> Result<Vec<f64>, FaultKind> {
    let mut values = Vec::with_capacity(x.n as usize);
    for first in (0..x.n).step_by(16) {
        let offset = (u64::from(first) * u64::from(x.src_rows) + u64::from(row) * 16) * 4;
        let bytes = access.read(x.src.plus(offset), 4 * (x.n - first).min(16))?;
        values.extend(number::decode(x.from, bytes));
    }
    Ok(values)
}

/// The scale multiplies in fp32.
fn finished(x: &Fixpipe, value: f64, scale: f64) -> f64 {
    let scaled = if x.quant == Quant::None {
        value
    } else {
        number::round(Type::F32, number::round(Type::F32, value) * scale)
    };
    if x.relu { scaled.max(0.0) } else { scaled }
}

fn store_row(access: &mut Access<'_, '_>, x: &Fixpipe, row: u32, values: &[f64]) -> Result<(), FaultKind> {
    match x.layout {
        Layout::Nd => {
            let dst = x.dst.plus(u64::from(row) * u64::from(x.dst_pitch));
            let bytes = number::encode(x.ty, values);
            let bytes = if x.atomic { added(access, dst, &bytes)? } else { bytes };
            access.write(dst, &bytes)
        }
        Layout::Nz => {
            let depth = x.ty.fractal_depth() as usize;
            for (column, part) in values.chunks(depth).enumerate() {
                let offset = (column as u64 * u64::from(x.dst_pitch) + u64::from(row)) * 32;
                access.write(x.dst.plus(offset), &number::encode(x.ty, part))?;
            }
            Ok(())
        }
    }
}

//! Patches of a feature map on their way from L1 to L0A or L0B.

use super::access::Access;
use super::fault::FaultKind;
use super::number;
use crate::isa::{Img2col, Space, Type};

/// Bytes of one group of channels of a pixel.
const GROUP: usize = 32;

/// Bytes, and whether each was ever written.
type Known = (Vec<u8>, Vec<bool>);

pub(super) fn run(access: &mut Access<'_, '_>, load: &Img2col) -> Result<(), FaultKind> {
    access.align(load.src)?;
    access.align(load.dst)?;
    if let Some(reason) = illegal(load) {
        return Err(FaultKind::Illegal { reason: reason.to_owned() });
    }
    let columns = load.k / load.ty.fractal_depth();
    if load.dst.space == Space::L0a { left(access, load, columns) } else { right(access, load, columns) }
}

/// Why an instruction is none.
fn illegal(load: &Img2col) -> Option<&'static str> {
    let (p, c0) = (&load.patches, load.ty.fractal_depth());
    let whole = |sizes: &[u32], unit: u32| sizes.iter().all(|size| size.is_multiple_of(unit));
    let rules = [
        ([p.kernel, p.stride, p.dilation].concat().contains(&0), "a kernel, stride or dilation of zero"),
        (
            !whole(&[p.channels, load.k_start, load.k], c0),
            "channels and columns are whole groups of 32 bytes",
        ),
        (!whole(&[load.m_start, load.m], 16), "patches are loaded in sixteens"),
        (load.ty == Type::S4 && load.dst.space == Space::L0b, "4-bit patches cannot be transposed on load"),
    ];
    let broken = rules.into_iter().find(|(broken, _)| *broken).map(|(_, reason)| reason);
    broken.or_else(|| {
        let outside =
            load.m_start >= p.rows().saturating_mul(p.columns()) || load.k_start + load.k > p.depth();
        outside.then_some("the block lies outside the matrix of patches")
    })
}

/// zZ order: bands of 16 patches, fractal by fractal.
fn left(access: &mut Access<'_, '_>, load: &Img2col, columns: u32) -> Result<(), FaultKind> {
    for band in 0..load.m / 16 {
        for column in 0..columns {
            let (bytes, written) = gather(access, load, band * 16..(band + 1) * 16, column)?;
            let offset = u64::from(band * columns + column) * 512;
            access.pass_on(load.dst.plus(offset), &bytes, &written)?;
        }
    }
    Ok(())
}

/// nZ order with the patches along the depth: each square of c0 × c0 elements is transposed.
fn right(access: &mut Access<'_, '_>, load: &Img2col, columns: u32) -> Result<(), FaultKind> {
    let (c0, size) = (load.ty.fractal_depth(), load.ty.bytes(1) as usize);
    let rows = u64::from(load.k.next_multiple_of(16));
    for step in 0..load.m / c0 {
        for column in 0..columns {
            let (bytes, written) = gather(access, load, step * c0..(step + 1) * c0, column)?;
            let picked: Vec<usize> = (0..GROUP / size)
                .flat_map(|n| (0..c0 as usize).map(move |k| k * GROUP + n * size))
                .flat_map(|start| start..start + size)
                .collect();
            let out: Vec<u8> = picked.iter().map(|&index| bytes[index]).collect();
            let known: Vec<bool> = picked.iter().map(|&index| written[index]).collect();
            let row = u64::from(step) * rows + u64::from(column * c0);
            access.pass_on(load.dst.plus(row * GROUP as u64), &out, &known)?;
        }
    }
    Ok(())
}

/// One group of columns of some patches of the block, one behind the other. Nothing is known past the last patch.
fn gather(
    access: &mut Access<'_, '_>,
    load: &Img2col,
    patches: std::ops::Range<u32>,
    column: u32,
) -> Result<Known, FaultKind> {
    let p = &load.patches;
    let c0 = load.ty.fractal_depth();
    let (last, padding) =
        (p.rows() * p.columns(), number::encode(load.ty, &vec![f64::from(p.value); c0 as usize]));
    let (mut bytes, mut written) = (Vec::new(), Vec::new());
    for patch in patches.map(|patch| load.m_start + patch) {
        let (group, pixel) = p.source(patch, load.k_start / c0 + column);
        match pixel {
            _ if patch >= last => {
                bytes.extend([0; GROUP]);
                written.extend([false; GROUP]);
            }
            None => {
                bytes.extend(&padding);
                written.extend([true; GROUP]);
            }
            Some((y, x)) => {
                let offset =
                    (u64::from(group * p.height + y) * u64::from(p.width) + u64::from(x)) * GROUP as u64;
                let (found, known) = access.peek(load.src.plus(offset), GROUP as u32)?;
                bytes.extend(found);
                written.extend(known);
            }
        }
    }
    Ok((bytes, written))
}

//! The tensors that stand for a quantised weight: names, types and shapes before, bytes after it is quantised.

use rayon::prelude::*;

use super::{Recipe, Style};
use crate::checkpoint::{Kind, Weight};
use crate::{Granularity, Grid, Quantised, ScaleFormat, Symmetry};

/// A tensor of the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its whole name.
    pub name: String,
    /// Type of its elements.
    pub kind: Kind,
    /// Extents.
    pub shape: Vec<usize>,
}

impl Part {
    /// Bytes of its elements.
    pub fn bytes(&self) -> u64 {
        let (together, bytes) = self.kind.block();
        (self.shape.iter().product::<usize>() / together * bytes) as u64
    }
}

/// What a part holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A byte a code.
    Bytes,
    /// Two codes of 4 bits a byte, the first in the low half.
    Halves,
    /// Codes with `2^(bits − 1)` added in words of 32 bits.
    Words,
    /// Scales as they are stored.
    Scales,
    /// Zero points in words of 32 bits, packed along the output.
    Zeros,
    /// Zero points as 32-bit floats.
    Offsets,
    /// Rows and columns.
    Shape,
    /// The scale of the whole tensor.
    Global,
}

/// Whether integers are packed into words: where activations stay as they are (compressed-tensors' `pack-quantized`).
pub(super) fn is_packed(recipe: &Recipe) -> bool {
    recipe.scheme.grid.is_integer() && recipe.activations == super::Activations::Plain
}

/// The parts of a weight.
pub(super) fn parts(style: Style, weight: &Weight, recipe: &Recipe) -> Vec<Part> {
    contents(style, weight, recipe).into_iter().map(|(part, _)| part).collect()
}

/// The parts of a weight with their bytes.
pub(super) fn encoded(
    style: Style,
    weight: &Weight,
    recipe: &Recipe,
    quantised: &Quantised,
) -> Vec<(Part, Vec<u8>)> {
    let of = |(part, content): (Part, Content)| {
        let bytes = bytes(content, part.kind, quantised);
        (part, bytes)
    };
    contents(style, weight, recipe).into_iter().map(of).collect()
}

fn contents(style: Style, weight: &Weight, recipe: &Recipe) -> Vec<(Part, Content)> {
    let (rows, cols) = (weight.rows, weight.cols);
    let part = |end: &str, kind, shape: &[usize], content| {
        (Part { name: format!("{}.{end}", weight.module), kind, shape: shape.to_vec() }, content)
    };
    let scheme = &recipe.scheme;
    let (down, across) =
        scheme.granularity.shape(rows, cols).map_or((1, 1), |shape| (shape.down, shape.across));
    let scales = if scheme.granularity == Granularity::Tensor { vec![1] } else { vec![down, across] };
    let words = (cols * scheme.grid.bits() as usize).div_ceil(32);
    let scale = part(scale_name(style), scale_kind(scheme.scales), &scales, Content::Scales);
    let mut found = match scheme.grid {
        Grid::E2m1 => {
            vec![scale, part("weight_packed", Kind::U8, &[rows, cols.div_ceil(2)], Content::Halves)]
        }
        _ if style == Style::CompressedTensors && is_packed(recipe) => vec![
            scale,
            part("weight_packed", Kind::I32, &[rows, words], Content::Words),
            part("weight_shape", Kind::I64, &[2], Content::Shape),
        ],
        grid => vec![scale, part("weight", Kind::Grid(grid), &[rows, cols], Content::Bytes)],
    };
    if style == Style::ModelSlim {
        found.push(part("weight_offset", Kind::F32, &scales, Content::Offsets));
    } else if scheme.symmetry == Symmetry::Asymmetric {
        let zeros = (down * scheme.grid.bits() as usize).div_ceil(32);
        found.push(part("weight_zero_point", Kind::I32, &[zeros, across], Content::Zeros));
    }
    if scheme.scales == ScaleFormat::E4m3 {
        found.push(part("weight_global_scale", Kind::F32, &[1], Content::Global));
    }
    found
}

const fn scale_name(style: Style) -> &'static str {
    match style {
        Style::Fp8Block => "weight_scale_inv",
        Style::CompressedTensors | Style::ModelSlim => "weight_scale",
    }
}

const fn scale_kind(format: ScaleFormat) -> Kind {
    match format {
        ScaleFormat::Unit | ScaleFormat::F32 => Kind::F32,
        ScaleFormat::Bf16 => Kind::Grid(Grid::Bf16),
        // Exponents are stored in plain bytes.
        ScaleFormat::E8m0 | ScaleFormat::E8m0Nearest => Kind::U8,
        ScaleFormat::E4m3 => Kind::Grid(Grid::E4m3),
    }
}

fn bytes(content: Content, kind: Kind, quantised: &Quantised) -> Vec<u8> {
    let grid = quantised.scheme.grid;
    let across = quantised.shape().across;
    match content {
        Content::Bytes => quantised.codes.clone(),
        Content::Halves => halves(quantised),
        Content::Words => {
            let line = word_bytes(quantised.cols, grid);
            let mut packed = vec![0; quantised.rows * line];
            let lines = quantised.codes.par_chunks_exact(quantised.cols);
            lines.zip(packed.par_chunks_exact_mut(line)).for_each(|(line, out)| pack(line, grid, out));
            packed
        }
        Content::Scales => {
            quantised.scales.iter().flat_map(|scale| stored(scale.scale, kind, quantised)).collect()
        }
        Content::Zeros => {
            let zeros: Vec<u8> = quantised.scales.iter().map(|scale| grid.encode(scale.zero) as u8).collect();
            let column =
                |column: usize| zeros.iter().skip(column).step_by(across).copied().collect::<Vec<u8>>();
            let columns = (0..across).map(|index| words(&column(index), grid));
            transposed(&columns.collect::<Vec<_>>())
        }
        Content::Offsets => quantised.scales.iter().flat_map(|scale| scale.zero.to_le_bytes()).collect(),
        Content::Shape => {
            [quantised.rows, quantised.cols].iter().flat_map(|side| (*side as u64).to_le_bytes()).collect()
        }
        Content::Global => quantised.global.to_le_bytes().to_vec(),
    }
}

/// A row of odd length ends with an empty half.
fn halves(quantised: &Quantised) -> Vec<u8> {
    let across = quantised.cols.div_ceil(2);
    let mut bytes = vec![0; quantised.rows * across];
    let lines = quantised.codes.par_chunks_exact(quantised.cols);
    lines.zip(bytes.par_chunks_exact_mut(across)).for_each(|(line, out)| {
        let (pairs, last) = line.as_chunks::<2>();
        for (pair, byte) in pairs.iter().zip(&mut *out) {
            *byte = pair[0] & 15 | pair[1] << 4;
        }
        if let ([code], Some(byte)) = (last, out.last_mut()) {
            *byte = code & 15;
        }
    });
    bytes
}

/// Bytes of the words that hold some codes.
fn word_bytes(codes: usize, grid: Grid) -> usize {
    4 * codes.div_ceil(32 / grid.bits() as usize)
}

/// Codes in words of their own.
fn words(codes: &[u8], grid: Grid) -> Vec<u8> {
    let mut bytes = vec![0; word_bytes(codes.len(), grid)];
    pack(codes, grid, &mut bytes);
    bytes
}

/// Puts codes in words, the first in the lowest bits, with half the range added so that none is negative.
fn pack(codes: &[u8], grid: Grid, words: &mut [u8]) {
    let bits = grid.bits();
    let (mask, middle) = (0xff >> (8 - bits), 1 << (bits - 1));
    for (run, out) in codes.chunks(32 / bits as usize).zip(words.as_chunks_mut::<4>().0) {
        let place = |(index, code): (usize, &u8)| {
            u32::from(code.wrapping_add(middle) & mask) << (bits * index as u32)
        };
        let word: u32 = run.iter().enumerate().map(place).fold(0, |word, part| word | part);
        *out = word.to_le_bytes();
    }
}

/// Columns of words as rows of words.
fn transposed(columns: &[Vec<u8>]) -> Vec<u8> {
    let down = columns.first().map_or(0, |column| column.len() / 4);
    (0..down)
        .flat_map(|word| {
            columns.iter().flat_map(move |column| column[4 * word..4 * word + 4].iter().copied())
        })
        .collect()
}

/// A scale in its stored form.
fn stored(scale: f32, kind: Kind, quantised: &Quantised) -> Vec<u8> {
    match kind {
        Kind::Grid(Grid::Bf16) => Grid::Bf16.encode(scale).to_le_bytes().to_vec(),
        Kind::Grid(grid) => vec![grid.encode(scale * quantised.global) as u8],
        Kind::U8 => vec![(scale.to_bits() >> 23) as u8],
        _ => scale.to_le_bytes().to_vec(),
    }
}

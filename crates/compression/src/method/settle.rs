//! What the sweep makes of a column: zero, a rounded weight, or the weight itself.

use crate::format::{Shape, scales_of};
use crate::{Granularity, Matrix, Quantised, Scale, Scheme};

use super::Pattern;
use super::pattern::lowest;
use super::rounding::{ClipSearch, clipped_scales};
use super::sweep::{Block, Settle};

/// Prunes, rounds, or both.
pub(super) struct Rule<'a> {
    /// Which weights stay.
    pub pattern: Option<Pattern>,
    /// Whether a weight goes, for the columns of the current block, column after column.
    pub mask: Vec<bool>,
    /// Onto which grid.
    pub rounding: Option<Rounding<'a>>,
}

impl Settle for Rule<'_> {
    fn settle(&mut self, block: &Block<'_>, index: usize, settled: &mut [f32]) {
        if let Some(pattern) = self.pattern {
            self.choose(block, index, pattern);
        }
        settled.copy_from_slice(block.column(index));
        if self.pattern.is_some() {
            let gone = &self.mask[index * block.rows..(index + 1) * block.rows];
            settled.iter_mut().zip(gone).filter(|(_, gone)| **gone).for_each(|(weight, _)| *weight = 0.0);
        }
        if let Some(rounding) = &mut self.rounding {
            rounding.round(block, index, settled);
        }
    }
}

impl Rule<'_> {
    /// Marks what goes where a block or a run begins: the lowest `w² / U_ii²`, what settling them at zero costs.
    fn choose(&mut self, block: &Block<'_>, index: usize, pattern: Pattern) {
        let score = |column: usize, row: usize| (block.column(column)[row] / block.pivots[column]).powi(2);
        if index == 0 {
            self.mask = vec![false; block.rows * block.width];
        }
        match pattern {
            Pattern::Unstructured { sparsity } if index == 0 => {
                let scores: Vec<f32> = (0..block.width)
                    .flat_map(|column| (0..block.rows).map(move |row| score(column, row)))
                    .collect();
                let gone = (scores.len() as f64 * f64::from(sparsity)) as usize;
                lowest(&scores, gone).into_iter().for_each(|at| self.mask[at] = true);
            }
            Pattern::Kept { kept, of } if index.is_multiple_of(of) => {
                for row in 0..block.rows {
                    let scores: Vec<f32> = (index..index + of).map(|column| score(column, row)).collect();
                    for place in lowest(&scores, of - kept) {
                        self.mask[(index + place) * block.rows + row] = true;
                    }
                }
            }
            _ => {}
        }
    }
}

/// Bytes of a code.
fn code_bytes(scheme: &Scheme) -> usize {
    scheme.grid.bits().div_ceil(8) as usize
}

/// Rounds columns and remembers their codes.
pub(super) struct Rounding<'a> {
    pub scheme: Scheme,
    pub shape: Shape,
    pub scales: Vec<Scale>,
    /// In the given order of columns, as [`Quantised::codes`].
    pub codes: Vec<u8>,
    /// What stored scales are multiplied by.
    pub global: f32,
    /// Given column of each swept one.
    pub order: &'a [usize],
    /// Whether a group's scales are chosen when the sweep comes to it.
    pub running: bool,
    pub clip: Option<ClipSearch>,
}

impl<'a> Rounding<'a> {
    /// With scales of all weights, before the sweep.
    pub(super) fn new(
        weights: &Matrix,
        scheme: &Scheme,
        clip: Option<ClipSearch>,
        order: &'a [usize],
    ) -> Result<Self, String> {
        let scales = match clip {
            Some(search) => clipped_scales(weights, scheme, search)?,
            None => scales_of(weights, scheme)?,
        };
        let absmax = weights.data.iter().fold(0.0f32, |most, weight| most.max(weight.abs()));
        Ok(Self {
            scheme: *scheme,
            shape: scheme.granularity.shape(weights.rows, weights.cols)?,
            scales,
            codes: vec![0; weights.data.len() * code_bytes(scheme)],
            global: scheme.global(absmax),
            order,
            running: false,
            clip,
        })
    }

    fn round(&mut self, block: &Block<'_>, index: usize, settled: &mut [f32]) {
        if let (true, Granularity::Group(size)) = (self.running, self.scheme.granularity)
            && index.is_multiple_of(size)
        {
            self.renew(block, index, size);
        }
        let col = self.order[block.start + index];
        let bytes = code_bytes(&self.scheme);
        for (row, weight) in settled.iter_mut().enumerate() {
            let scale = self.scales[self.shape.index(row, col)];
            let rounded = scale.quantise(self.scheme.grid, *weight);
            let code = self.scheme.grid.encode(rounded).to_le_bytes();
            let at = (row * self.order.len() + col) * bytes;
            self.codes[at..at + bytes].copy_from_slice(&code[..bytes]);
            *weight = scale.dequantise(rounded);
        }
    }

    /// Scales of a group from its current weights.
    fn renew(&mut self, block: &Block<'_>, index: usize, size: usize) {
        let group = Matrix::from_fn(block.rows, size, |row, col| block.column(index + col)[row]);
        let channel = Scheme { granularity: Granularity::Channel, ..self.scheme };
        let search = self.clip.unwrap_or(ClipSearch { steps: 1, ..ClipSearch::default() });
        // A group that is not finite keeps the scales of the range before the sweep.
        let Ok(found) = clipped_scales(&group, &channel, search) else { return };
        for (row, scale) in found.into_iter().enumerate() {
            self.scales[self.shape.index(row, block.start + index)] = scale;
        }
    }

    pub(super) fn finish(self, rows: usize, cols: usize) -> Quantised {
        Quantised {
            scheme: self.scheme,
            rows,
            cols,
            codes: self.codes,
            scales: self.scales,
            global: self.global,
        }
    }
}

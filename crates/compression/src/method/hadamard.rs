//! Hadamard matrices: rotations that spread outliers over all channels (QuaRot, arXiv 2404.00456).
//!
//! An orthogonal Q between a layer and what feeds it changes nothing: `X·Wᵀ = (X·Q)·(W·Q)ᵀ`. Sylvester's construction doubles
//! a matrix, `[[H, H], [H, −H]]`; where a width has an odd factor, Paley's construction gives the core (order q + 1 for a prime
//! q = 4k + 3, order 2(q + 1) for a prime q = 4k + 1).

use crate::Matrix;

/// A Hadamard matrix of some width, divided by √width, with a random sign for each row.
#[derive(Clone, Debug, PartialEq)]
pub struct Hadamard {
    /// Of order `width / 2^k`, entries ±1; 1 × 1 where the width is a power of two.
    core: Matrix,
    signs: Vec<f32>,
}

impl Hadamard {
    /// The matrix of a width; a seed chooses the signs, and none makes them all positive.
    ///
    /// # Errors
    /// A width that neither construction reaches.
    pub fn new(width: usize, seed: Option<u64>) -> Result<Self, String> {
        let core = (0..=width.checked_ilog2().unwrap_or(0))
            .map(|doublings| (width, 1 << doublings))
            .filter(|(width, factor)| width.is_multiple_of(*factor))
            .find_map(|(width, factor)| core(width / factor))
            .ok_or_else(|| format!("no Hadamard matrix of width {width} is known here"))?;
        let mut state = seed.unwrap_or(0);
        let mut sign = || if seed.is_some() && splitmix(&mut state) & 1 == 1 { -1.0 } else { 1.0 };
        let signs = (0..width).map(|_| sign()).collect();
        Ok(Self { core, signs })
    }

    /// Rows and columns.
    pub fn width(&self) -> usize {
        self.signs.len()
    }

    /// `row ← row·Q`, Q = diag(signs)·H/√n.
    pub fn turn(&self, row: &mut [f32]) {
        row.iter_mut().zip(&self.signs).for_each(|(value, sign)| *value *= sign);
        self.transform(row);
    }

    /// `row ← row·Qᵀ`.
    pub fn turn_back(&self, row: &mut [f32]) {
        self.transform_transposed(row);
        row.iter_mut().zip(&self.signs).for_each(|(value, sign)| *value *= sign);
    }

    /// Turns each run of `width` values in each row: `W·Q`, or a block-diagonal Q for a row of several runs (heads).
    pub fn turn_rows(&self, matrix: &mut Matrix) {
        matrix.data.chunks_exact_mut(self.width()).for_each(|run| self.turn(run));
    }

    /// `Qᵀ·W` for each run of `width` rows: what a layer must do to its output so that its readers see it turned.
    pub fn turn_outputs(&self, matrix: &mut Matrix) {
        let mut turned = crate::algebra::transpose(matrix);
        self.turn_rows(&mut turned);
        *matrix = crate::algebra::transpose(&turned);
    }

    /// H is `core ⊗ Sylvester`: butterflies within runs, then the core across them.
    fn transform(&self, row: &mut [f32]) {
        self.apply(row, |i, j| self.core.at(i, j));
    }

    fn transform_transposed(&self, row: &mut [f32]) {
        self.apply(row, |i, j| self.core.at(j, i));
    }

    fn apply(&self, row: &mut [f32], core: impl Fn(usize, usize) -> f32) {
        let (order, run) = (self.core.rows, row.len() / self.core.rows);
        row.chunks_exact_mut(run).for_each(butterflies);
        if order > 1 {
            let before = row.to_vec();
            for (col, out) in row.chunks_exact_mut(run).enumerate() {
                out.fill(0.0);
                for (index, part) in before.chunks_exact(run).enumerate() {
                    let sign = core(index, col);
                    out.iter_mut().zip(part).for_each(|(out, value)| *out += sign * value);
                }
            }
        }
        let norm = 1.0 / (row.len() as f32).sqrt();
        row.iter_mut().for_each(|value| *value *= norm);
    }
}

/// Sylvester's transform of a power of two of values, not normalised.
fn butterflies(run: &mut [f32]) {
    let mut half = 1;
    while half < run.len() {
        for pair in run.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

/// SplitMix64 (Steele and others, 2014): enough for signs.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A Hadamard matrix by one of Paley's constructions, or of order 1.
fn core(order: usize) -> Option<Matrix> {
    if order == 1 {
        return Some(Matrix::from_fn(1, 1, |_, _| 1.0));
    }
    if !order.is_multiple_of(4) {
        return None;
    }
    let first = order - 1;
    if is_prime(first) && first % 4 == 3 {
        return Some(paley_one(first));
    }
    let second = order / 2 - 1;
    (is_prime(second) && second % 4 == 1).then(|| paley_two(second))
}

fn is_prime(n: usize) -> bool {
    n > 1 && (2..=n.isqrt()).all(|d| !n.is_multiple_of(d))
}

/// 1 for a square modulo q, −1 for another number, 0 for 0.
fn character(q: usize) -> Vec<f32> {
    let mut values = vec![-1.0; q];
    (1..q).for_each(|x| values[x * x % q] = 1.0);
    values[0] = 0.0;
    values
}

/// `S`: a border of ones around `χ(i − j)`; antisymmetric for q = 4k + 3, symmetric for 4k + 1.
fn bordered(q: usize, row: usize, col: usize, chi: &[f32]) -> f32 {
    match (row, col) {
        (0, 0) => 0.0,
        (0, _) => 1.0,
        (_, 0) if q % 4 == 3 => -1.0,
        (_, 0) => 1.0,
        _ => chi[(q + row - col) % q],
    }
}

/// `1 + S`, order q + 1.
fn paley_one(q: usize) -> Matrix {
    let chi = character(q);
    Matrix::from_fn(q + 1, q + 1, |row, col| bordered(q, row, col, &chi) + f32::from(u8::from(row == col)))
}

/// Each 0 of the symmetric S becomes `[[1, −1], [−1, −1]]` and each ±1 becomes `±[[1, 1], [1, −1]]`, order 2(q + 1).
fn paley_two(q: usize) -> Matrix {
    let chi = character(q);
    Matrix::from_fn(2 * (q + 1), 2 * (q + 1), |row, col| {
        let entry = bordered(q, row / 2, col / 2, &chi);
        match (row % 2, col % 2) {
            (0, 0) if entry == 0.0 => 1.0,
            (_, _) if entry == 0.0 => -1.0,
            (1, 1) => -entry,
            _ => entry,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{Hadamard, core};

    /// H·Hᵀ = n·1 for every core that real widths need: 12 (384, 1536), 20 (5120), 28 (3584, 14336), 108 (13824), 140 (8960),
    /// 148 (18944).
    #[test]
    fn rows_of_a_core_are_orthogonal() {
        for order in [1, 12, 20, 28, 36, 108, 140, 148] {
            let h = core(order).unwrap_or_else(|| panic!("{order}"));
            assert!(h.data.iter().all(|entry| entry.abs() == 1.0), "{order}");
            for a in 0..order {
                for b in 0..a {
                    let dot: f32 = h.row(a).iter().zip(h.row(b)).map(|(a, b)| a * b).sum();
                    assert_eq!(dot, 0.0, "{order}: rows {a} and {b}");
                }
            }
        }
    }

    #[test]
    fn turning_back_undoes_a_turn_and_keeps_the_length() {
        for width in [64, 384, 1536, 3584] {
            let q = Hadamard::new(width, Some(7)).unwrap();
            let start: Vec<f32> = (0..width).map(|i| (i as f32 * 0.31).sin()).collect();
            let mut row = start.clone();
            q.turn(&mut row);
            let length = |row: &[f32]| row.iter().map(|v| v * v).sum::<f32>();
            assert!((length(&row) / length(&start) - 1.0).abs() < 1e-4);
            q.turn_back(&mut row);
            assert!(row.iter().zip(&start).all(|(a, b)| (a - b).abs() < 1e-4), "{width}");
        }
    }

    #[test]
    fn one_loud_channel_becomes_equal_shares() {
        let q = Hadamard::new(256, None).unwrap();
        let mut row = vec![0.0; 256];
        row[9] = 16.0;
        q.turn(&mut row);
        // 16 / √256 = 1 in every channel.
        assert!(row.iter().all(|value| (value.abs() - 1.0).abs() < 1e-6));
    }

    #[test]
    fn a_width_out_of_reach_is_named() {
        assert!(Hadamard::new(1118, None).unwrap_err().contains("1118"));
    }
}

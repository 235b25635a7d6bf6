//! Matrix products on parts of row-major data.
//!
//! nalgebra hands a product of views with any strides to `matrixmultiply`, whose kernels pack and vectorise; a row-major
//! matrix is a view with strides (columns, 1), its transpose one with strides (1, columns).

use nalgebra::{Dyn, MatrixView, MatrixViewMut, RealField};

use crate::Matrix;

/// A rectangle of row-major data.
#[derive(Clone, Copy)]
pub(crate) struct Part<'a, T> {
    /// From its first element.
    pub data: &'a [T],
    pub rows: usize,
    pub cols: usize,
    /// Elements from one row to the next.
    pub stride: usize,
}

type View<'a, T> = MatrixView<'a, T, Dyn, Dyn, Dyn, Dyn>;

impl<'a, T: RealField> Part<'a, T> {
    fn view(self) -> View<'a, T> {
        View::from_slice_with_strides(self.data, self.rows, self.cols, self.stride, 1)
    }

    fn transposed(self) -> View<'a, T> {
        View::from_slice_with_strides(self.data, self.cols, self.rows, 1, self.stride)
    }
}

/// `C ← beta·C + alpha·A·B` or `A·Bᵀ`, C being rows of `stride` elements from the start of a slice.
pub(crate) fn multiply_into<T: RealField + Copy>(
    c: (&mut [T], usize),
    alpha: T,
    a: Part<'_, T>,
    b: (Part<'_, T>, Turn),
    beta: T,
) {
    let right = if b.1 == Turn::Transposed { b.0.transposed() } else { b.0.view() };
    let (rows, cols) = (a.rows, right.ncols());
    if rows.min(cols).min(a.cols) <= THIN {
        return multiply_thin(c, alpha, (a, right), beta);
    }
    let view = MatrixViewMut::<T, Dyn, Dyn, Dyn, Dyn>::from_slice_with_strides_mut;
    view(c.0, rows, cols, c.1, 1).gemm(alpha, &a.view(), &right, beta);
}

/// Extents up to which nalgebra multiplies by itself, which in 0.34 reads beyond views that are not by columns.
const THIN: usize = 5;

fn multiply_thin<T: RealField + Copy>(
    (c, stride): (&mut [T], usize),
    alpha: T,
    (a, b): (Part<'_, T>, View<'_, T>),
    beta: T,
) {
    for row in 0..a.rows {
        let left = &a.data[row * a.stride..row * a.stride + a.cols];
        for col in 0..b.ncols() {
            let sum = left.iter().enumerate().fold(T::zero(), |sum, (k, &value)| sum + value * b[(k, col)]);
            let out = &mut c[row * stride + col];
            *out = alpha * sum + if beta == T::zero() { T::zero() } else { beta * *out };
        }
    }
}

/// Whether the right factor is transposed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Plain,
    Transposed,
}

fn whole(matrix: &Matrix) -> Part<'_, f32> {
    Part { data: &matrix.data, rows: matrix.rows, cols: matrix.cols, stride: matrix.cols }
}

/// What a linear layer computes: `X·Wᵀ`, tokens × inputs by outputs × inputs.
pub fn linear(inputs: &Matrix, weights: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(inputs.rows, weights.rows);
    let stride = out.cols;
    multiply_into((&mut out.data, stride), 1.0, whole(inputs), (whole(weights), Turn::Transposed), 0.0);
    out
}

/// Columns of a Gram matrix that one product computes.
const STRIP: usize = 256;

/// `G ← G + XᵀX`, the lower half by products and the upper by symmetry.
pub fn add_gram(gram: &mut Matrix, inputs: &Matrix) {
    let width = inputs.cols;
    let turned = transpose(inputs);
    for start in (0..width).step_by(STRIP) {
        let own = STRIP.min(width - start);
        let rows = |from: usize, count: usize| Part {
            data: &turned.data[from * turned.cols..],
            rows: count,
            cols: turned.cols,
            stride: turned.cols,
        };
        let out = &mut gram.data[start * width + start..];
        multiply_into(
            (out, width),
            1.0,
            rows(start, width - start),
            (rows(start, own), Turn::Transposed),
            1.0,
        );
    }
    mirror(gram);
}

/// Copies the lower triangle to the upper.
fn mirror(square: &mut Matrix) {
    for row in 0..square.rows {
        for col in 0..row {
            square.data[col * square.cols + row] = square.data[row * square.cols + col];
        }
    }
}

/// The transpose.
pub(crate) fn transpose(matrix: &Matrix) -> Matrix {
    Matrix::from_fn(matrix.cols, matrix.rows, |row, col| matrix.at(col, row))
}

/// `A·B`.
pub(crate) fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(a.rows, b.cols);
    let stride = out.cols;
    multiply_into((&mut out.data, stride), 1.0, whole(a), (whole(b), Turn::Plain), 0.0);
    out
}

#[cfg(test)]
mod tests {
    use super::{add_gram, linear};
    use crate::Matrix;

    fn wave(rows: usize, cols: usize) -> Matrix {
        Matrix::from_fn(rows, cols, |row, col| ((row * cols + col) as f32 * 0.7).sin())
    }

    #[test]
    fn products_agree_with_their_definition() {
        let (x, w) = (wave(7, 19), wave(11, 19));
        let out = linear(&x, &w);
        // y_ij = Σ_k x_ik·w_jk.
        for (row, col) in [(0, 0), (6, 10), (3, 4)] {
            let sum: f32 = (0..19).map(|k| x.at(row, k) * w.at(col, k)).sum();
            assert!((out.at(row, col) - sum).abs() < 1e-5);
        }
    }

    #[test]
    fn a_gram_matrix_is_a_sum_over_tokens_and_symmetric() {
        let x = wave(9, 600);
        let mut gram = Matrix::zeros(600, 600);
        add_gram(&mut gram, &x);
        add_gram(&mut gram, &x);
        for (row, col) in [(0, 0), (599, 3), (300, 310), (2, 580)] {
            let sum: f32 = (0..9).map(|t| 2.0 * x.at(t, row) * x.at(t, col)).sum();
            assert!((gram.at(row, col) - sum).abs() < 1e-4);
            assert_eq!(gram.at(row, col), gram.at(col, row));
        }
    }
}

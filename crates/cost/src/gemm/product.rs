//! A product, dense or by expert, as a search over tiles sees it.

use vitruvian_model::Scheme;
use vitruvian_model::operator::Gemm;

use crate::execution::Execution;
use crate::work::{OUTPUT_BYTES, activation_bytes};

/// Heights of tiles that any library has.
pub(crate) const HEIGHTS: [u32; 7] = [8, 16, 32, 64, 128, 192, 256];

/// One product, or several of one shape that share a launch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Product {
    /// Rows that share one weight matrix.
    pub(crate) rows: f64,
    /// Columns of one weight matrix.
    pub(crate) columns: u32,
    /// Depth of one weight matrix.
    pub(crate) depth: u32,
    /// Weight matrices that are read (expected number).
    pub(crate) matrices: f64,
    /// Number of row tiles over all matrices by height, in the order of [`HEIGHTS`].
    pub(crate) row_tiles: [f64; HEIGHTS.len()],
    /// Bytes of one element as the matrix unit multiplies it.
    pub(crate) element: f64,
    /// Bytes of the weights as stored, of the activations, and of the outputs.
    pub(crate) bytes: Bytes,
}

/// Compulsory bytes of a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes {
    /// Weights as stored.
    pub(crate) weights: f64,
    /// Activations as multiplied.
    pub(crate) activations: f64,
    /// Outputs.
    pub(crate) outputs: f64,
    /// Activations in 16 bits that are gone through for their largest value before they are quantised.
    pub(crate) scanned: f64,
}

impl Product {
    /// `batch` times ⌈m/h⌉ tiles of height h.
    pub(crate) fn dense(op: &Gemm, execution: &Execution) -> Self {
        let batch = f64::from(op.batch);
        let row_tiles = HEIGHTS.map(|height| batch * f64::from(op.m.div_ceil(height)));
        let all = batch * f64::from(op.m);
        let mut product = Self::of([op.m.into(), all, batch], [op.n, op.k], row_tiles, execution);
        if matches!(op.scheme, Scheme::Fp8Tensor | Scheme::W8A8Dynamic) {
            product.bytes.scanned = all * f64::from(op.k) * OUTPUT_BYTES;
        }
        product
    }

    /// From rows a matrix, rows in all and matrices; columns and depth; and row tiles by height.
    pub(crate) fn of(
        [rows, all, matrices]: [f64; 3],
        [columns, depth]: [u32; 2],
        row_tiles: [f64; HEIGHTS.len()],
        execution: &Execution,
    ) -> Self {
        let (n, k) = (f64::from(columns), f64::from(depth));
        let element = activation_bytes(execution);
        let bytes = Bytes {
            weights: matrices * n * k * execution.weight_read,
            activations: all * k * element,
            outputs: all * n * OUTPUT_BYTES,
            scanned: 0.0,
        };
        Self { rows, columns, depth, matrices, row_tiles, element, bytes }
    }

    /// Rows over all matrices.
    pub(crate) fn all_rows(&self) -> f64 {
        self.bytes.outputs / (f64::from(self.columns) * OUTPUT_BYTES)
    }
}

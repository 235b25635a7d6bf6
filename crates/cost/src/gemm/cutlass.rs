//! FP8 and INT8 kernels of CUTLASS 3 on Hopper, as vLLM and SGLang launch them: tiles by rows and columns alone
//! (`sm90_fp8_dispatch`), warp-specialised and persistent. `docs/cost/gemm.md` says what was seen of each effect.

use super::kernel::ceiling;
use super::library::{H16, H64, H128, Tile};

/// What these kernels do that others do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cutlass {
    /// Row tiles that form a cluster and share weights: their number is rounded up to whole clusters.
    cluster: f64,
    /// How many times as long as others rows beyond the matrix take on the operand path.
    beyond: f64,
}

/// Widest matrix that swaps its operands up to 64 rows: 16 rows a tile instead of 64.
const SWAPPED: u32 = 1280;
/// Of more than 16 rows. Chosen with the residuals of 129 to 256 rows in view: times fall in a straight line to where a
/// cluster's rows are full, and 513 rows take as long as 1024. One row takes as long as sixteen.
const BEYOND: f64 = 4.0;

/// The tile for so many rows and columns.
pub(super) const fn tiles(rows: u32, columns: u32) -> &'static [Tile] {
    match rows {
        0..=16 => &[(H16, 64)],
        17..=64 if columns <= SWAPPED => &[(H16, 64)],
        17..=64 => &[(H64, 64)],
        65..=128 => &[(H64, 128)],
        _ => &[(H128, 128)],
    }
}

impl Cutlass {
    /// The kernel for so many rows.
    pub(super) const fn of(rows: u32) -> Self {
        Self { cluster: if rows > 64 { 2.0 } else { 1.0 }, beyond: if rows > 16 { BEYOND } else { 0.0 } }
    }

    /// Row tiles in whole clusters.
    pub(super) fn clustered(&self, row_tiles: f64) -> f64 {
        self.cluster * ceiling(row_tiles / self.cluster)
    }

    /// Time that all cores together need for rows beyond the matrix, from the time that one row takes on the path of one core.
    pub(super) fn beyond(&self, rows: f64, row: f64, cores: f64) -> f64 {
        self.beyond * rows * row / cores
    }

    /// Time of a core while a share of the chip is busy, over its time when all of it is. `sustained` is the share of the stated
    /// peak that all cores keep up under the power cap; one alone reaches the peak.
    pub(super) fn throttled(sustained: f64, busy: f64) -> f64 {
        sustained / (sustained + (1.0 - sustained).max(0.0) * (1.0 - busy).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_not_cut() {
        // 257 rows are three tiles of 128, and two clusters of two.
        assert_eq!(Cutlass::of(257).clustered(3.0), 4.0);
        assert_eq!(Cutlass::of(64).clustered(3.0), 3.0);
    }

    #[test]
    fn a_lone_core_reaches_the_peak() {
        // Half of the peak sustained: alone twice as fast, with half of the chip busy 0.75 of the peak.
        assert_eq!(Cutlass::throttled(0.5, 0.0), 0.5);
        assert_eq!(Cutlass::throttled(0.5, 0.5), 0.5 / 0.75);
        assert_eq!(Cutlass::throttled(0.5, 3.0), 1.0);
    }
}

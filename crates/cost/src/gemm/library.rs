//! The tiles that a vendor's library has, and may choose from.

use vitruvian_hardware::{Architecture, Chip};
use vitruvian_model::Scheme;
use vitruvian_model::operator::{Gemm, GroupedGemm};

use super::cutlass::{self, Cutlass};
use super::product::Product;
use super::triton;
use super::waves::{self, Grid};
use crate::execution::Execution;

/// One tile of the output: the index of its height in [`super::product::HEIGHTS`], and its columns.
pub(crate) type Tile = (usize, u32);

/// How a library settles on one of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// By measuring, or by a table that was measured: the fastest.
    Fastest,
    /// By arithmetic: the fewest waves, then the fullest last one (`DeepGEMM`).
    FewestWaves,
    /// The same, and where one wave is enough, a tile wider than registers hold if it fills the wave better (`DeepGEMM` 2).
    FewestWavesOrWide,
}

/// Which of its two rules a release of `DeepGEMM` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dispatch {
    /// That of version 1.
    Older,
    /// That of version 2.
    Newer,
}

/// How far a library splits the depth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Splits {
    /// Most waves that the parts of all tiles make.
    pub(crate) waves: f64,
    /// Whether there are three, six, twelve or twenty-four parts too, beside powers of two.
    pub(crate) thirds: bool,
}

impl Splits {
    /// No more than two waves, in powers of two.
    const HALVES: Self = Self { waves: 2.0, thirds: false };
    /// cuBLAS on Ampere. Chosen with the residuals of A100 in view.
    const THIRDS: Self = Self { waves: 6.0, thirds: true };

    /// The next number of parts after this one.
    pub(crate) fn next(self, parts: f64) -> f64 {
        match self.thirds && parts > 1.0 {
            false => 2.0 * parts,
            true if (parts as u32).is_power_of_two() => 1.5 * parts,
            true => parts / 3.0 * 4.0,
        }
    }
}

/// What a library can do with a product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Library {
    /// Tiles it has kernels for.
    pub(crate) tiles: &'static [Tile],
    /// How it chooses one.
    pub(crate) choice: Choice,
    /// How it splits the depth between cores, where it does.
    pub(crate) splits: Option<Splits>,
    /// Rows of a tile's longer side whose latency others hide: a warpgroup of asynchronous `wgmma` works on 64 while the
    /// rest of the tile is in flight. Zero where the step's latency adds up (synchronous `mma.sync`).
    pub(crate) warpgroup: f64,
    /// Row tiles of one matrix that are in flight together and share its weights; the next ones come a whole matrix later.
    pub(crate) group: f64,
    /// Columns of the widest tile whose sums stay in registers; those of a wider one go out and back at every step.
    pub(crate) registers: u32,
    /// Bytes of depth that a pipeline stage holds.
    pub(crate) stage: f64,
    /// How many times as long operands take on their way to a core.
    pub(crate) detour: f64,
    /// Whether the epilogue of a tile runs beside the main loop of the next one on its core.
    pub(crate) alternate: bool,
    /// What the kernels of CUTLASS 3 do beside, where it is them that run.
    pub(crate) cutlass: Option<Cutlass>,
}

/// One swizzled row of shared memory, in bytes.
pub(super) const SWIZZLED_ROW: f64 = 128.0;
/// Depth of a stage of cuBLAS's kernels on Ampere, in bytes: 32 elements of 16 bits (`128x256_32x3` in their names).
const HALF_ROW: f64 = 64.0;

impl Library {
    /// With the one tile that the library's rule names for a product, where it has a rule.
    pub(crate) fn settled(self, product: &Product, chip: &Chip) -> Self {
        let ruled = match self.choice {
            Choice::Fastest => None,
            Choice::FewestWaves => waves::chosen(self.tiles, &Grid::of(product, chip)),
            Choice::FewestWavesOrWide => waves::chosen_or_wide(self.tiles, WIDE, &Grid::of(product, chip)),
        };
        Self { tiles: ruled.map_or(self.tiles, std::slice::from_ref), ..self }
    }

    /// Row tiles that all share weights, operands in full width.
    const fn plain(tiles: &'static [Tile], choice: Choice, splits: Option<Splits>, warpgroup: f64) -> Self {
        Self {
            tiles,
            choice,
            splits,
            warpgroup,
            group: f64::INFINITY,
            registers: u32::MAX,
            stage: SWIZZLED_ROW,
            detour: 1.0,
            alternate: false,
            cutlass: None,
        }
    }
}

const H8: usize = 0;
pub(super) const H16: usize = 1;
pub(super) const H32: usize = 2;
pub(super) const H64: usize = 3;
pub(super) const H128: usize = 4;
const H192: usize = 5;
const H256: usize = 6;

/// cuBLAS and CUTLASS on Hopper: `wgmma` takes 64 rows of one operand and 8 to 256 columns of the other, and either
/// operand may be the one with 64 rows (swap AB).
const WGMMA: &[Tile] = &[
    (H8, 64),
    (H8, 128),
    (H16, 64),
    (H16, 128),
    (H32, 64),
    (H32, 128),
    (H64, 8),
    (H64, 16),
    (H64, 32),
    (H64, 64),
    (H64, 128),
    (H64, 192),
    (H64, 256),
    (H128, 16),
    (H128, 32),
    (H128, 64),
    (H128, 128),
    (H128, 192),
    (H128, 256),
    (H192, 64),
    (H192, 128),
    (H256, 64),
    (H256, 128),
];

/// cuBLAS on Ampere: `mma.sync` tiles of CUTLASS 2.
const MMA_SYNC: &[Tile] = &[
    (H16, 64),
    (H16, 128),
    (H32, 64),
    (H32, 128),
    (H64, 16),
    (H64, 32),
    (H64, 64),
    (H64, 128),
    (H64, 256),
    (H128, 32),
    (H128, 64),
    (H128, 128),
    (H128, 256),
    (H256, 64),
    (H256, 128),
];

/// DeepGEMM: 64, 128 or 256 rows, never swapped; columns in steps of 8 up to 128, then 144 and 160, and no more than 128
/// beside 256 rows (`get_best_configs`).
const DEEP_GEMM: &[Tile] = &deep_gemm_tiles();

const fn deep_gemm_tiles() -> [Tile; 49] {
    let mut tiles = [(H64, 0); 49];
    let mut index = 0;
    while index < tiles.len() {
        let column = index % 17;
        let columns = if column < 15 { 16 + 8 * column } else { 16 * (column - 6) };
        tiles[index] = ([H64, H128, H256][index / 17], columns as u32);
        index += 1;
    }
    tiles
}

/// DeepGEMM 2: columns in steps of 16 up to 160. Recalled and inferred from times, as the wide tiles below
/// (`docs/cost/gemm.md`).
const DEEP_GEMM_2: &[Tile] = &deep_gemm_2();

const fn deep_gemm_2() -> [Tile; 28] {
    let mut tiles = [(H64, 0); 28];
    let mut index = 0;
    while index < tiles.len() {
        tiles[index] = ([H64, H128, H256][index / 10], 16 * (index % 10 + 1) as u32);
        index += 1;
    }
    tiles
}

/// Tiles of `DeepGEMM` 2 whose sums, two for each element, are taken not to fit registers.
const WIDE: &[Tile] = &[(H128, 192), (H128, 256)];
/// Columns of the widest tile whose sums registers hold.
const REGISTERS: u32 = 160;

/// The library that multiplies dense rows on this chip, by the given rule where that is `DeepGEMM`.
///
/// Kernels that convert weights as they go multiply with `mma.sync` (Marlin).
pub(crate) fn of(execution: &Execution, op: &Gemm, chip: &Chip, dispatch: Dispatch) -> Library {
    if execution.dequantise.is_some() {
        return Library::plain(MMA_SYNC, Choice::Fastest, Some(Splits::HALVES), 0.0);
    }
    let asynchronous = matches!(chip.architecture, Architecture::Hopper | Architecture::Blackwell);
    let warpgroup = warpgroup(chip.architecture);
    match op.scheme {
        _ if !asynchronous => {
            let plain = Library::plain(MMA_SYNC, Choice::Fastest, Some(Splits::THIRDS), warpgroup);
            Library { stage: HALF_ROW, ..plain }
        }
        Scheme::Fp8Block | Scheme::Mxfp8 => deep_gemm(chip, dispatch),
        Scheme::Fp8Tensor | Scheme::W8A8Static | Scheme::W8A8Dynamic => {
            let plain = Library::plain(cutlass::tiles(op.m, op.n), Choice::Fastest, None, warpgroup);
            Library { alternate: op.m > 128, cutlass: Some(Cutlass::of(op.m)), ..plain }
        }
        _ => Library::plain(WGMMA, Choice::Fastest, Some(Splits::HALVES), warpgroup),
    }
}

/// `DeepGEMM`'s kernels, dense or grouped.
pub(crate) fn deep_gemm(chip: &Chip, dispatch: Dispatch) -> Library {
    let (tiles, choice) = match dispatch {
        Dispatch::Older => (DEEP_GEMM, Choice::FewestWaves),
        Dispatch::Newer => (DEEP_GEMM_2, Choice::FewestWavesOrWide),
    };
    let plain = Library::plain(tiles, choice, None, warpgroup(chip.architecture));
    Library { registers: REGISTERS, alternate: dispatch == Dispatch::Newer, ..plain }
}

/// Triton's fused expert kernel.
pub(crate) fn triton(chip: &Chip, op: &GroupedGemm) -> Library {
    let triton::Configuration { tiles, group, stage } = triton::configuration(chip, op);
    let plain = Library::plain(tiles, Choice::Fastest, None, warpgroup(chip.architecture));
    Library { group, stage, detour: triton::detour(op), ..plain }
}

const fn warpgroup(architecture: Architecture) -> f64 {
    match architecture {
        Architecture::Hopper | Architecture::Blackwell => 64.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_up_by_halves_and_thirds() {
        let parts = |splits: Splits| {
            std::iter::successors(Some(1.0), move |parts| Some(splits.next(*parts)))
                .take(6)
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(Splits::HALVES), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
        assert_eq!(parts(Splits::THIRDS), [1.0, 2.0, 3.0, 4.0, 6.0, 8.0]);
    }
}

//! The tile that `DeepGEMM` computes with (`get_best_configs`): fewest waves, then the fullest last wave.

use vitruvian_hardware::Chip;

use super::library::Tile;
use super::product::{HEIGHTS, Product};

/// What the rule knows of a product: rows and columns of one weight matrix, how many matrices share the launch, and the
/// cores.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) rows: u32,
    pub(crate) columns: u32,
    pub(crate) groups: u32,
    pub(crate) cores: u32,
}

/// The tile with the fewest waves; of those the one whose last wave is fullest; of those the one that wastes least.
pub(crate) fn chosen<'a>(tiles: &'a [Tile], grid: &Grid) -> Option<&'a Tile> {
    let mut best: Option<(&Tile, u32, u32)> = None;
    for tile in tiles {
        let (waves, last) = grid.waves(*tile);
        let better = best.is_none_or(|(other, fewest, fullest)| {
            waves < fewest
                || waves == fewest && (last > fullest || last == fullest && wastes_less(*tile, *other))
        });
        if better {
            best = Some((tile, waves, last));
        }
    }
    best.map(|(tile, ..)| tile)
}

/// The tile of [`chosen`], or a wider one where one wave is enough for either and the wider fills it better, or with another
/// height and less than a quarter of its rows beyond the matrix [`NEARLY`] as well. Inferred from times (`docs/cost/gemm.md`).
pub(crate) fn chosen_or_wide<'a>(tiles: &'a [Tile], wide: &'a [Tile], grid: &Grid) -> Option<&'a Tile> {
    let chosen = chosen(tiles, grid)?;
    let (waves, last) = grid.waves(*chosen);
    let fits = |tile: &&Tile| {
        let (fewest, fullest) = grid.waves(**tile);
        let within = grid.fills(HEIGHTS[tile.0]) && tile.1 <= grid.columns;
        let nearly = NEARLY[1] * fullest >= NEARLY[0] * last;
        fewest == 1 && (fullest > last || nearly && tile.0 != chosen.0 && within)
    };
    let fullest = wide.iter().filter(fits).max_by_key(|tile| grid.waves(**tile).1);
    if waves == 1 { fullest.or(Some(chosen)) } else { Some(chosen) }
}

/// 15/16: with 120 tiles instead of 128 the wide tile is taken, with 104 instead of 112 it is not.
const NEARLY: [u32; 2] = [15, 16];

/// Of tiles with equal waves: the smaller where they differ in one side, the wider where they differ in both.
fn wastes_less(tile: Tile, other: Tile) -> bool {
    match (tile.0 == other.0, tile.1 == other.1) {
        (true, _) => tile.1 < other.1,
        (false, true) => tile.0 < other.0,
        (false, false) => tile.1 > other.1,
    }
}

impl Grid {
    pub(crate) fn of(product: &Product, chip: &Chip) -> Self {
        Self {
            rows: (product.rows.ceil() as u32).max(1),
            columns: product.columns,
            groups: (product.matrices.ceil() as u32).max(1),
            cores: chip.compute.cores,
        }
    }

    /// Whether more than three quarters of the rows of such tiles are rows of the matrix.
    const fn fills(&self, height: u32) -> bool {
        4 * self.rows > 3 * height * self.rows.div_ceil(height)
    }

    /// Waves over the cores, and tiles of the last one.
    fn waves(&self, (height, columns): Tile) -> (u32, u32) {
        let tiles = self.rows.div_ceil(HEIGHTS[height]) * self.columns.div_ceil(columns) * self.groups;
        let last = tiles % self.cores;
        (tiles.div_ceil(self.cores), if last == 0 { self.cores } else { last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MENU: [Tile; 4] = [(3, 64), (3, 128), (4, 64), (4, 128)];

    #[test]
    fn fewest_waves_come_first() {
        // 256 rows by 1024 columns on 16 cores: 64 tiles of 64 by 64 are four waves, 16 of 128 by 128 are one.
        let grid = Grid { rows: 256, columns: 1024, groups: 1, cores: 16 };
        assert_eq!(chosen(&MENU, &grid), Some(&(4, 128)));
    }

    #[test]
    fn then_the_fullest_last_wave() {
        // One wave whatever the tile; 64 by 64 makes 16 tiles of it, 64 by 128 and 128 by 64 make 8.
        let grid = Grid { rows: 128, columns: 512, groups: 1, cores: 64 };
        assert_eq!(chosen(&MENU, &grid), Some(&(3, 64)));
    }

    #[test]
    fn a_wide_tile_is_taken_for_one_wave_only() {
        // 256 rows on 132 cores: 16384 columns are 128 tiles of 256 by 128, and as many of 128 by 256.
        let grid = Grid { rows: 256, columns: 16384, groups: 1, cores: 132 };
        assert_eq!(chosen_or_wide(&[(6, 128)], &[(4, 256)], &grid), Some(&(4, 256)));
        // Twice the columns are two waves either way.
        let grid = Grid { columns: 32768, ..grid };
        assert_eq!(chosen_or_wide(&[(6, 128)], &[(4, 256)], &grid), Some(&(6, 128)));
    }

    #[test]
    fn a_wide_tile_need_not_fill_the_wave_quite_as_well() {
        let of = |rows| Grid { rows, columns: 2048, groups: 1, cores: 132 };
        // 1793 rows by 2048 columns: 8 by 16 tiles of 256 by 128, 15 by 8 of 128 by 256. 1537 rows: 112 and 104.
        assert_eq!(chosen_or_wide(&[(6, 128)], &[(4, 256)], &of(1793)), Some(&(4, 256)));
        assert_eq!(chosen_or_wide(&[(6, 128)], &[(4, 256)], &of(1537)), Some(&(6, 128)));
        // 192 of 256 rows by 16384 columns are too few for two wide rows of tiles, 193 are not.
        let of = |rows| Grid { rows, columns: 16384, groups: 1, cores: 132 };
        assert_eq!(chosen_or_wide(&[(6, 128)], &[(4, 256)], &of(192)), Some(&(6, 128)));
        assert_eq!(chosen_or_wide(&[(6, 128)], &[(4, 256)], &of(193)), Some(&(4, 256)));
    }

    #[test]
    fn then_the_smaller_of_two_that_differ_in_height() {
        // 64 rows fill one tile of either height: eight tiles of 64 columns.
        let grid = Grid { rows: 64, columns: 512, groups: 1, cores: 8 };
        assert_eq!(chosen(&[(4, 64), (3, 64)], &grid), Some(&(3, 64)));
    }
}

//! Tilings worth a look.

use crate::isa::{Space, Type};
use crate::kernels::gemm::{GemmProblem, GemmTiling, Image};
use crate::machine::Machine;

/// What the search may choose from.
#[derive(Clone, Debug, PartialEq)]
pub struct Menu {
    /// Rows of a block; those above the padded M are left out, M itself is added if small.
    pub m: Vec<u32>,
    /// Columns of a block.
    pub n: Vec<u32>,
    /// Parts of K.
    pub split_k: Vec<u32>,
    /// Widths of a band of block columns; zero stands for as many as keep B of the band in half of L2.
    pub swizzle: Vec<u32>,
    /// Rows from which bands are narrower than N; fewer are walked along all of N.
    pub banded_rows: u32,
    /// Rows from which blocks that make whole rounds of all cores are tried besides.
    pub even_rows: u32,
    /// What products of a few rows are cut into, whatever the cores.
    pub few_rows: Option<FewRows>,
    /// How many of the best by closed form are simulated.
    pub simulate: usize,
}

/// Up to `rows` rows and from `columns` columns on, blocks are `n` wide even if that leaves cores idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FewRows {
    /// Most rows.
    pub rows: u32,
    /// Fewest columns.
    pub columns: u32,
    /// Columns of a block.
    pub n: u32,
}

impl Menu {
    /// What a kernel engineer would try.
    pub fn full() -> Self {
        Self {
            m: vec![16, 32, 48, 64, 96, 128, 160, 192, 256, 384, 512],
            n: vec![16, 32, 48, 64, 96, 128, 160, 192, 256, 384, 512],
            split_k: vec![1, 2, 3, 4, 6, 8, 12],
            swizzle: vec![0, 3, 4, 6],
            banded_rows: 0,
            even_rows: u32::MAX,
            few_rows: None,
            simulate: 6,
        }
    }

    /// What a vendor library's matmul chooses from: power-of-two blocks, K whole, blocks walked along N. The rule for a few
    /// rows shows in measured times: at M ≤ 8, N = 1024 runs at the port rate of four cores, N = 2048 of eight. So does the one
    /// for bands: from M = 256 to 512, weights that do not fit L2 come from memory more than once. And so does the one for
    /// even blocks: from M = 1024 on, 2²⁰ elements of C take the time of two rounds on 24 cores, where 64 blocks of 128 × 128 take three.
    pub fn library() -> Self {
        Self {
            m: vec![16, 32, 64, 128, 256],
            n: vec![16, 32, 64, 128, 256, 512],
            split_k: vec![1],
            swizzle: vec![0],
            banded_rows: 1024,
            even_rows: 1024,
            few_rows: Some(FewRows { rows: 8, columns: 1024, n: 256 }),
            simulate: 3,
        }
    }

    /// What it chooses from where blocks go on to the vector cores: powers of two only, for those pay by the row.
    pub fn library_before_vectors() -> Self {
        Self { even_rows: u32::MAX, ..Self::library() }
    }
}

/// All tilings of a menu, legal or not. Steps and chunks are as deep as halves of L0 and L1 allow.
pub fn candidates(machine: &Machine, problem: &GemmProblem, menu: &Menu) -> Vec<GemmTiling> {
    let mut found = Vec::new();
    for (m, n) in blocks(machine, problem, menu) {
        for &split_k in menu.split_k.iter().filter(|&&split| split == 1 || problem.k / split >= 256) {
            for &swizzle in &menu.swizzle {
                let swizzle = band(menu, problem, swizzle);
                found.extend(fitted(machine, problem, Blocks { m, n, split_k, swizzle }));
            }
        }
    }
    found
}

/// Rows and columns of a block: all pairs of the menu, and even cuts of one axis for each size of the other.
fn blocks(machine: &Machine, problem: &GemmProblem, menu: &Menu) -> Vec<(u32, u32)> {
    let (rows, columns) = (rows(menu, problem), columns(menu, problem));
    let mut blocks: Vec<_> = rows.iter().flat_map(|&m| columns.iter().map(move |&n| (m, n))).collect();
    if problem.m >= menu.even_rows {
        let last = |sizes: &[u32]| sizes.last().copied().unwrap_or(16);
        let (tallest, widest) = (last(&rows), last(&columns));
        blocks.extend(rows.iter().map(|&m| (m, even(machine, problem.n, widest, (m, problem.m)))));
        blocks.extend(columns.iter().map(|&n| (even(machine, problem.m, tallest, (n, problem.n)), n)));
        blocks.sort_unstable();
        blocks.dedup();
    }
    blocks
}

/// The largest even part of an axis that fits L0C with a size on the other axis, `(size, extent)`, and makes whole rounds of all
/// cores with the blocks there.
fn even(machine: &Machine, extent: u32, largest: u32, (size, other): (u32, u32)) -> u32 {
    let (cores, across) = (machine.cube_cores, other.div_ceil(size));
    let whole = (1..cores).find(|parts| (parts * across).is_multiple_of(cores)).unwrap_or(cores);
    let fits = machine.bytes(Space::L0c) / 4 / u64::from(size.next_multiple_of(16));
    let parts = extent.div_ceil(largest.min(fits as u32).max(16)).next_multiple_of(whole);
    extent.div_ceil(parts).next_multiple_of(16)
}

/// The width of a band, as large as can be where there are few rows.
fn band(menu: &Menu, problem: &GemmProblem, width: u32) -> u32 {
    if problem.m < menu.banded_rows { u32::MAX } else { width }
}

/// Rows of a block; those of a convolution are rows of output pixels.
fn rows(menu: &Menu, problem: &GemmProblem) -> Vec<u32> {
    let mut rows = sizes(&menu.m, problem.m);
    if let Some(image) = problem.image {
        rows = rows.into_iter().map(|m| image.block_rows(m)).collect();
        rows.dedup();
    }
    rows
}

/// Columns of a block.
fn columns(menu: &Menu, problem: &GemmProblem) -> Vec<u32> {
    let few = menu.few_rows.filter(|few| problem.m <= few.rows && problem.n >= few.columns);
    few.map_or_else(|| sizes(&menu.n, problem.n), |few| vec![few.n])
}

/// Sizes up to the padded extent; the padded extent itself stands for all larger ones.
fn sizes(menu: &[u32], extent: u32) -> Vec<u32> {
    let padded = extent.next_multiple_of(16);
    let mut sizes: Vec<u32> = menu.iter().map(|&size| size.min(padded)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

#[derive(Clone, Copy, Debug)]
struct Blocks {
    m: u32,
    n: u32,
    split_k: u32,
    swizzle: u32,
}

/// The deepest steps and chunks for a block, with one accumulator, and with two where they fit.
fn fitted(machine: &Machine, problem: &GemmProblem, blocks: Blocks) -> Vec<GemmTiling> {
    let Blocks { m, n, split_k, swizzle } = blocks;
    let Some((k_l1, k_l0)) = depths(machine, problem, m, n) else { return Vec::new() };
    let swizzle =
        if swizzle == 0 { widest_band(machine, problem, n) } else { swizzle.min(problem.n.div_ceil(n)) };
    let buffers = if 8 * u64::from(m) * u64::from(n) <= machine.bytes(Space::L0c) { 2 } else { 1 };
    vec![GemmTiling { m, n, k_l1, k_l0, l0c_buffers: buffers, split_k, swizzle }]
}

/// Depth of a chunk and of a step.
fn depths(machine: &Machine, problem: &GemmProblem, m: u32, n: u32) -> Option<(u32, u32)> {
    if let Some(image) = problem.image {
        return patch_depths(machine, problem, image, m, n);
    }
    let k_l0 = step_depth(machine, problem, m, n)?;
    Some((chunk_depth(machine, problem, m, n, k_l0), k_l0))
}

/// The largest power-of-two number of fractals whose operands fit half of L0A and half of L0B.
fn step_depth(machine: &Machine, problem: &GemmProblem, m: u32, n: u32) -> Option<u32> {
    let ty = problem.ty;
    let padded = problem.k.next_multiple_of(ty.fractal_depth());
    let depths = (0..7).rev().map(|power| ty.fractal_depth() << power);
    depths.filter(|&k| k < 2 * padded).find(|&k| k <= deepest_step(machine, ty, m, n))
}

/// The depth whose operands fill half of L0A or half of L0B.
fn deepest_step(machine: &Machine, ty: Type, m: u32, n: u32) -> u32 {
    let fits = |space: Space, rows: u32| machine.bytes(space) * 4 / u64::from(rows * ty.bits());
    fits(Space::L0a, m).min(fits(Space::L0b, n)) as u32
}

/// The deepest chunk that fits half of L1: whole lines of GM if possible, at most four lines.
fn chunk_depth(machine: &Machine, problem: &GemmProblem, m: u32, n: u32, k_l0: u32) -> u32 {
    let line = line(machine, problem.ty).next_multiple_of(k_l0);
    let row = u64::from((m + n) * problem.ty.bits()).div_ceil(8);
    let room = (machine.bytes(Space::L1) / 2 / row) as u32;
    let wanted = if room >= line { room / line * line } else { room / k_l0 * k_l0 };
    wanted.min(4 * line).min(problem.k.next_multiple_of(k_l0)).max(k_l0)
}

/// Elements of a line of GM.
fn line(machine: &Machine, ty: Type) -> u32 {
    machine.core.line * 8 / ty.bits()
}

/// Chunks are groups of channels, as many as fit half of L1 and, in depth, four lines of weights; all chunks of a block, and
/// all steps of a chunk, are about equal.
fn patch_depths(
    machine: &Machine,
    problem: &GemmProblem,
    image: Image,
    m: u32,
    n: u32,
) -> Option<(u32, u32)> {
    let (ty, unit, groups) = (problem.ty, image.group_depth(problem.ty), image.groups(problem.ty));
    let group = u64::from(image.band_bytes(m)) + u64::from(n) * u64::from(unit) * u64::from(ty.bits()) / 8;
    let room = u32::try_from(machine.bytes(Space::L1) / 2 / group).ok()?;
    let most = room.min((4 * line(machine, ty) / unit).max(1)).min(groups);
    let step = deepest_step(machine, ty, m, n) / ty.fractal_depth();
    if most == 0 || step == 0 {
        return None;
    }
    let chunk = groups.div_ceil(groups.div_ceil(most)) * unit;
    let fractals = chunk / ty.fractal_depth();
    Some((chunk, fractals.div_ceil(fractals.div_ceil(step)) * ty.fractal_depth()))
}

/// Block columns whose B takes at most half of L2.
fn widest_band(machine: &Machine, problem: &GemmProblem, n: u32) -> u32 {
    let column = u64::from(problem.ty.bytes(n)) * u64::from(problem.k);
    let columns = problem.n.div_ceil(n);
    let fits = (machine.shared.l2_capacity / 2 / column.max(1)).max(1) as u32;
    columns.div_ceil(columns.div_ceil(fits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::CoreTiming;

    #[test]
    fn even_blocks_make_whole_rounds() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let machine = Machine::new(&chip, CoreTiming::of(chip.architecture).unwrap()).unwrap();
        let square = GemmProblem::new(1024, 1024, 4096, Type::Bf16);
        // Eight rows of blocks make whole rounds of 24 with three, six … columns; 128 × 256 is the largest block that fits L0C.
        assert_eq!(even(&machine, 1024, 512, (128, 1024)), 176);
        let menu = Menu::library();
        assert!(blocks(&machine, &square, &menu).contains(&(128, 176)));
        assert!(!blocks(&machine, &GemmProblem { m: 1008, ..square }, &menu).contains(&(128, 176)));
    }
}

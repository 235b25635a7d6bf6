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
            few_rows: None,
            simulate: 6,
        }
    }

    /// What a vendor library's matmul chooses from: power-of-two blocks, K whole, blocks walked along N. The rule for a few
    /// rows shows in measured times: at M ≤ 8, N = 1024 runs at the port rate of four cores, N = 2048 of eight. So does the one
    /// for bands: from M = 256 to 512, weights that do not fit L2 come from memory more than once.
    pub fn library() -> Self {
        Self {
            m: vec![16, 32, 64, 128, 256],
            n: vec![16, 32, 64, 128, 256, 512],
            split_k: vec![1],
            swizzle: vec![0],
            banded_rows: 1024,
            few_rows: Some(FewRows { rows: 8, columns: 1024, n: 256 }),
            simulate: 3,
        }
    }
}

/// All tilings of a menu, legal or not. Steps and chunks are as deep as halves of L0 and L1 allow.
pub fn candidates(machine: &Machine, problem: &GemmProblem, menu: &Menu) -> Vec<GemmTiling> {
    let mut found = Vec::new();
    for m in rows(menu, problem) {
        for n in columns(menu, problem) {
            for &split_k in menu.split_k.iter().filter(|&&split| split == 1 || problem.k / split >= 256) {
                for &swizzle in &menu.swizzle {
                    let swizzle = band(menu, problem, swizzle);
                    found.extend(fitted(machine, problem, Blocks { m, n, split_k, swizzle }));
                }
            }
        }
    }
    found
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
    let group = u64::from(image.band_bytes(m)) + u64::from(n) * u64::from(unit * ty.bits()) / 8;
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

//! Rounding column by column, each error handed to the columns still to come: GPTQ (arXiv 2210.17323).

use crate::forward::InputStatistics;
use crate::{Granularity, Matrix, Quantised, Scheme};

use super::rounding::ClipSearch;
use super::settle::{Rounding, Rule};
use super::sweep::{factor, sweep};

/// How GPTQ walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gptq {
    /// Columns between two large updates.
    pub block: usize,
    /// Share of the mean diagonal added to the diagonal of the Hessian.
    pub damping: f32,
    /// In which order columns are settled.
    pub order: Order,
    /// When the scales of a group are chosen.
    pub scales: GroupScales,
    /// If scales are searched rather than taken from the range.
    pub clip: Option<ClipSearch>,
}

/// In which order columns are settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From left to right.
    Given,
    /// Loudest input channel first ("act-order"); scales belong to groups of the given order, so that kernels need no index.
    Loudest,
}

/// When the scales of a group are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupScales {
    /// From the weights before the sweep, as llm-compressor does.
    Before,
    /// From the weights as the sweep finds them when it comes to the group, as the first code did. Needs the given order.
    Running,
}

impl Default for Gptq {
    fn default() -> Self {
        Self { block: 128, damping: 0.01, order: Order::Given, scales: GroupScales::Before, clip: None }
    }
}

/// Quantises a matrix by GPTQ, sweeping it in its own memory.
///
/// # Errors
/// Statistics without a Gram matrix or of another width; a Hessian that damping does not make positive definite; a shape that
/// the scheme does not divide; running scales in another order than the given one.
pub fn gptq(
    weights: Matrix,
    inputs: &InputStatistics,
    scheme: &Scheme,
    how: Gptq,
) -> Result<Quantised, String> {
    inputs.check(weights.cols)?;
    if how.scales == GroupScales::Running && how.order == Order::Loudest {
        return Err("running scales need the columns in their given order".to_owned());
    }
    let order = order(inputs, how.order);
    let mut rounding = Rounding::new(&weights, scheme, how.clip, &order)?;
    rounding.running = how.scales == GroupScales::Running;
    let u = factor(inputs, &order, how.damping)?;
    let mut swept = permuted(weights, &order);
    let mut rule = Rule { pattern: None, mask: Vec::new(), rounding: Some(rounding) };
    sweep(&mut swept, &u, block_width(how.block, scheme), &mut rule);
    rule.rounding.map(|done| done.finish(swept.rows, swept.cols)).ok_or_else(String::new)
}

/// Blocks end where groups end, so that a group's scales are chosen on weights that are all up to date.
fn block_width(block: usize, scheme: &Scheme) -> usize {
    match scheme.granularity {
        Granularity::Group(size) => block.max(1).next_multiple_of(size),
        _ => block.max(1),
    }
}

/// Columns in the order in which they are settled.
fn order(inputs: &InputStatistics, order: Order) -> Vec<usize> {
    let mut columns: Vec<usize> = (0..inputs.width()).collect();
    if order == Order::Loudest {
        columns.sort_by(|&a, &b| inputs.energy[b].total_cmp(&inputs.energy[a]));
    }
    columns
}

/// Columns in another order, row by row in the memory that they have.
fn permuted(mut weights: Matrix, order: &[usize]) -> Matrix {
    let mut given = vec![0.0; weights.cols];
    for row in 0..weights.rows {
        given.copy_from_slice(weights.row(row));
        weights.row_mut(row).iter_mut().zip(order).for_each(|(weight, &col)| *weight = given[col]);
    }
    weights
}

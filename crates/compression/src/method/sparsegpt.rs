//! Pruning column by column, each error handed to the columns still to come: SparseGPT (arXiv 2301.00774).

use crate::forward::InputStatistics;
use crate::{Matrix, Quantised, Scheme};

use super::Pattern;
use super::settle::{Rounding, Rule};
use super::sweep::{factor, sweep};

/// How SparseGPT walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SparseGpt {
    /// Columns among which an unstructured mask is chosen, and between two large updates.
    pub block: usize,
    /// Share of the mean diagonal added to the diagonal of the Hessian.
    pub damping: f32,
}

impl Default for SparseGpt {
    fn default() -> Self {
        Self { block: 128, damping: 0.01 }
    }
}

/// Prunes a matrix and moves what it keeps.
///
/// # Errors
/// Statistics without a Gram matrix or of another width; a Hessian that damping does not make positive definite; rows that
/// are no whole number of runs.
pub fn sparsegpt(
    weights: &mut Matrix,
    inputs: &InputStatistics,
    pattern: Pattern,
    how: SparseGpt,
) -> Result<(), String> {
    let mut rule = Rule { pattern: Some(pattern), mask: Vec::new(), rounding: None };
    walk(weights, inputs, how, &mut rule)
}

/// Prunes and rounds what it keeps in one sweep, so that later columns make up for both (section 3.5 of the paper).
///
/// # Errors
/// As [`sparsegpt`], and a shape that the scheme does not divide.
pub fn sparsegpt_rounded(
    mut weights: Matrix,
    inputs: &InputStatistics,
    pattern: Pattern,
    scheme: &Scheme,
    how: SparseGpt,
) -> Result<Quantised, String> {
    let order: Vec<usize> = (0..weights.cols).collect();
    let rounding = Rounding::new(&weights, scheme, None, &order)?;
    let mut rule = Rule { pattern: Some(pattern), mask: Vec::new(), rounding: Some(rounding) };
    walk(&mut weights, inputs, how, &mut rule)?;
    rule.rounding.map(|done| done.finish(weights.rows, weights.cols)).ok_or_else(String::new)
}

fn walk(
    weights: &mut Matrix,
    inputs: &InputStatistics,
    how: SparseGpt,
    rule: &mut Rule<'_>,
) -> Result<(), String> {
    let pattern = rule.pattern.unwrap_or(Pattern::Unstructured { sparsity: 0.0 });
    pattern.check(weights.cols)?;
    inputs.check(weights.cols)?;
    let order: Vec<usize> = (0..weights.cols).collect();
    let u = factor(inputs, &order, how.damping)?;
    let block = match pattern {
        Pattern::Kept { of, .. } => how.block.max(1).next_multiple_of(of),
        Pattern::Unstructured { .. } => how.block.max(1),
    };
    sweep(weights, &u, block, rule);
    Ok(())
}

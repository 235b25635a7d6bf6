//! Estimates remembered by operator.

use rustc_hash::FxHashMap;
use vitruvian_model::Operator;

use crate::costs::Costs;
use crate::estimate::Estimate;
use crate::refusal::Refusal;

/// Remembers what was asked before of one chip, set of profiles and fidelity.
#[derive(Clone, Debug)]
pub struct Memo<'a> {
    costs: Costs<'a>,
    known: FxHashMap<Operator, Estimate>,
}

impl<'a> Memo<'a> {
    /// Empty.
    pub fn new(costs: Costs<'a>) -> Self {
        Self { costs, known: FxHashMap::default() }
    }

    /// What it answers from.
    pub const fn costs(&self) -> &Costs<'a> {
        &self.costs
    }

    /// As [`Costs::estimate`], calculated once an operator.
    ///
    /// # Errors
    /// [`Refusal`] where the chip does not execute the operator.
    pub fn estimate(&mut self, operator: &Operator) -> Result<Estimate, Refusal> {
        if let Some(estimate) = self.known.get(operator) {
            return Ok(*estimate);
        }
        let estimate = self.costs.estimate(operator)?;
        self.known.insert(*operator, estimate);
        Ok(estimate)
    }
}

//! Operators whose parameters are asked for many times: what no parameter changes is worked out once.

use vitruvian_hardware::Chip;
use vitruvian_model::Operator;
use vitruvian_quantity::Seconds;

use crate::costs::Costs;
use crate::family::Family;
use crate::precision::Precision;
use crate::refusal::Refusal;
use crate::{gemm, grouped_gemm};

/// An operator on one chip, ready to be timed with other parameters.
#[derive(Clone, Copy, Debug)]
pub struct Prepared(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Gemm(Precision, gemm::Prepared),
    GroupedGemm(Precision, grouped_gemm::Prepared),
    Other(Operator),
}

impl Prepared {
    /// What no parameter changes of this operator.
    ///
    /// # Errors
    /// [`Refusal`] where the chip does not execute the operator.
    pub fn of(operator: &Operator, chip: &Chip) -> Result<Self, Refusal> {
        let (_, precision) = Family::of(operator).ok_or(Refusal::Collective)?;
        Ok(Self(match operator {
            Operator::Gemm(op) => Kind::Gemm(precision, gemm::Prepared::of(op, chip)?),
            Operator::GroupedGemm(op) => Kind::GroupedGemm(precision, grouped_gemm::Prepared::of(op, chip)?),
            _ => Kind::Other(*operator),
        }))
    }

    /// The tile model's time under the cap that was measured: [`Costs::estimate`] before a lower cap stretches it.
    ///
    /// # Errors
    /// [`Refusal`] where the chip does not execute the operator.
    pub fn time(&self, costs: &Costs) -> Result<Seconds, Refusal> {
        let (on, of) = (&costs.machine(), costs.profiles);
        Ok(match &self.0 {
            Kind::Gemm(precision, product) => of.gemm.ask(*precision, |p| product.seconds(on, p)),
            Kind::GroupedGemm(precision, product) => {
                of.grouped_gemm.ask(*precision, |p| product.seconds(on, p))
            }
            Kind::Other(operator) => costs.tile(operator)?.0.time,
        })
    }
}

//! The cost of any operator on one chip.

use vitruvian_hardware::Chip;
use vitruvian_model::Operator;

use crate::estimate::Estimate;
use crate::family::Family;
use crate::profile::ProfileSet;
use crate::refusal::Refusal;
use crate::residual::{Correction, Residuals};
use crate::timing::{Machine, Residency, Timing};
use crate::{
    decode_attention, energy, gemm, grouped_gemm, indexer, linear_attention, mla_decode, prefill_attention,
    roofline, vector,
};

/// How closely a kernel is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Fidelity {
    /// Peaks and bandwidth only.
    Roofline,
    /// Tiles, waves and fitted profiles.
    #[default]
    Tile,
    /// The tile model times a residual interpolated from an imported table; without one, the tile model.
    Measured,
}

impl Fidelity {
    /// All fidelities, coarsest first.
    pub const ALL: [Self; 3] = [Self::Roofline, Self::Tile, Self::Measured];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Roofline => "roofline",
            Self::Tile => "tile",
            Self::Measured => "measured",
        }
    }
}

/// What an estimate depends on besides the operator.
#[derive(Clone, Copy, Debug)]
pub struct Costs<'a> {
    /// The chip.
    pub chip: &'a Chip,
    /// Its fitted profiles.
    pub profiles: &'a ProfileSet,
    /// How closely kernels are looked at.
    pub fidelity: Fidelity,
    /// What caches hold when a kernel starts: [`Residency::Cold`] in a deployment.
    pub residency: Residency,
    /// Residuals of an imported table, for [`Fidelity::Measured`].
    pub residuals: Option<&'a Residuals>,
}

/// A roofline has no fitted error: it is a bound. Mean error of raw rooflines over open GEMM tables (`methods` 4.4).
const ROOFLINE_SIGMA: f64 = 0.4;

impl<'a> Costs<'a> {
    /// Costs in a deployment.
    pub const fn new(chip: &'a Chip, profiles: &'a ProfileSet, fidelity: Fidelity) -> Self {
        Self { chip, profiles, fidelity, residency: Residency::Cold, residuals: None }
    }

    /// Time, work, energy and bound of one operator.
    ///
    /// The activations of a scheme that quantises at run time arrive quantised: the kernel that does it is a
    /// [`vitruvian_model::operator::VectorKind::Quantise`] of its own.
    ///
    /// # Errors
    /// [`Refusal`] where the chip does not execute the operator.
    pub fn estimate(&self, operator: &Operator) -> Result<Estimate, Refusal> {
        let (timing, sigma) = match self.fidelity {
            Fidelity::Roofline => (roofline::estimate(operator, &self.machine())?, ROOFLINE_SIGMA),
            Fidelity::Tile => self.tile(operator)?,
            Fidelity::Measured => self.measured(operator)?,
        };
        let Timing { time, work, bound, choice, .. } = timing;
        Ok(Estimate { time, work, energy: energy::above_idle(self.chip, &timing), bound, choice, sigma })
    }

    fn machine(&self) -> Machine<'a> {
        Machine { chip: self.chip, residency: self.residency }
    }

    /// The tile model's time, corrected where the imported table reaches.
    fn measured(&self, operator: &Operator) -> Result<(Timing, f64), Refusal> {
        let (timing, sigma) = self.tile(operator)?;
        let correction = self.residuals.map_or(Correction::NONE, |residuals| residuals.at(operator));
        let time = timing.time * correction.log_ratio.exp();
        Ok((Timing { time, ..timing }, correction.sigma(sigma)))
    }

    /// The family's cost function on its profile, and the profile's sigma.
    fn tile(&self, operator: &Operator) -> Result<(Timing, f64), Refusal> {
        let (on, profiles) = (&self.machine(), self.profiles);
        let (_, precision) = Family::of(operator).ok_or(Refusal::Collective)?;
        Ok(match operator {
            Operator::Gemm(op) => {
                let (parameters, sigma) = profiles.gemm.at(precision);
                (gemm::estimate(op, on, parameters)?, sigma)
            }
            Operator::GroupedGemm(op) => {
                let (parameters, sigma) = profiles.grouped_gemm.at(precision);
                (grouped_gemm::estimate(op, on, parameters)?, sigma)
            }
            Operator::PrefillAttention(op) => {
                let (parameters, sigma) = profiles.prefill_attention.at(precision);
                (prefill_attention::estimate(op, on, parameters)?, sigma)
            }
            Operator::DecodeAttention(op) => {
                let (parameters, sigma) = profiles.decode_attention.at(precision);
                (decode_attention::estimate(op, on, parameters)?, sigma)
            }
            Operator::MlaDecode(op) => {
                let (parameters, sigma) = profiles.mla_decode.at(precision);
                (mla_decode::estimate(op, on, parameters)?, sigma)
            }
            Operator::Indexer(op) => {
                let (parameters, sigma) = profiles.indexer.at(precision);
                (indexer::estimate(op, on, parameters)?, sigma)
            }
            Operator::LinearAttention(op) => {
                let (parameters, sigma) = profiles.linear_attention.at(precision);
                (linear_attention::estimate(op, on, parameters)?, sigma)
            }
            Operator::Vector(op) => {
                let (parameters, sigma) = profiles.vector.at(precision);
                (vector::estimate(op, on, parameters), sigma)
            }
            Operator::Embedding(op) => {
                let (parameters, sigma) = profiles.vector.at(precision);
                (vector::embedding(op, on, parameters), sigma)
            }
            Operator::Sampling(op) => {
                let (parameters, sigma) = profiles.vector.at(precision);
                (vector::sampling(op, on, parameters), sigma)
            }
            Operator::Collective(_) => return Err(Refusal::Collective),
        })
    }
}

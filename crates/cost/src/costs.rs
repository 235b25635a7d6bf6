//! The cost of any operator on one chip.

use vitruvian_hardware::Chip;
use vitruvian_model::Operator;
use vitruvian_quantity::Seconds;

use crate::estimate::{Bound, Estimate, Work};
use crate::family::Family;
use crate::profile::{Basis, ProfileSet};
use crate::refusal::Refusal;
use crate::residual::{Correction, Residuals};
use crate::timing::{Machine, Residency, Timing};
use crate::{
    decode_attention, energy, gemm, grouped_gemm, indexer, linear_attention, mla_decode, prefill_attention,
    roofline, simulated, vector,
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
    /// Kernels run on the cycle-level Da Vinci core; where none is written, the tile model.
    Simulated,
}

impl Fidelity {
    /// All fidelities, coarsest first.
    pub const ALL: [Self; 4] = [Self::Roofline, Self::Tile, Self::Measured, Self::Simulated];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Roofline => "roofline",
            Self::Tile => "tile",
            Self::Measured => "measured",
            Self::Simulated => "simulated",
        }
    }

    /// Whether a chip can be looked at so closely: only a Da Vinci core is simulated.
    pub fn fits(self, chip: &Chip) -> bool {
        self != Self::Simulated || simulated::core(chip).is_some()
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
const ROOFLINE: Basis = Basis { sigma: 0.4, cap: None };

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
        let (timing, basis) = match self.fidelity {
            Fidelity::Roofline => (roofline::estimate(operator, &self.machine())?, ROOFLINE),
            Fidelity::Tile => self.tile(operator)?,
            Fidelity::Measured => self.measured(operator)?,
            Fidelity::Simulated => self.simulated(operator)?,
        };
        let Timing { work, bound, choice, .. } = timing;
        let (time, energy) = energy::within_cap(self.chip, &timing, basis.cap);
        let (uncapped, floor) = (timing.time, energy::floor(self.chip, &timing, basis.cap));
        Ok(Estimate { time, uncapped, floor, work, energy, bound, choice, sigma: basis.sigma })
    }

    pub(crate) fn machine(&self) -> Machine<'a> {
        Machine { chip: self.chip, residency: self.residency }
    }

    /// The tile model's time, corrected where the imported table reaches.
    fn measured(&self, operator: &Operator) -> Result<(Timing, Basis), Refusal> {
        let (timing, basis) = self.tile(operator)?;
        let correction = self.residuals.map_or(Correction::NONE, |residuals| residuals.at(operator));
        let time = timing.time * correction.log_ratio.exp();
        Ok((Timing { time, ..timing }, Basis { sigma: correction.sigma(basis.sigma), ..basis }))
    }

    /// The simulated core's time and traffic, with the launch of the stack. Power and what has no kernel are the tile model's.
    fn simulated(&self, operator: &Operator) -> Result<(Timing, Basis), Refusal> {
        let (timing, basis) = self.tile(operator)?;
        let Some(run) = simulated::run(operator, &self.machine()) else { return Ok((timing, basis)) };
        let (_, precision) = Family::of(operator).ok_or(Refusal::Collective)?;
        let launch = match operator {
            Operator::GroupedGemm(_) => {
                self.profiles.grouped_gemm.profile(precision).parameters.launch * 1e-6
            }
            Operator::PrefillAttention(_) => {
                self.profiles.prefill_attention.profile(precision).parameters.launch * 1e-6
            }
            Operator::DecodeAttention(_) => {
                self.profiles.decode_attention.profile(precision).parameters.launch * 1e-6
            }
            _ => self.chip.compute.launch.get(),
        };
        let time = run.device + Seconds::new(launch);
        let bound = if launch > run.device.get() { Bound::Launch } else { run.bound };
        let work = Work { hbm: run.hbm, l2: run.l2, ..timing.work };
        Ok((
            Timing { time, work, bound, ..timing },
            Basis { sigma: run.sigma.unwrap_or(basis.sigma), ..basis },
        ))
    }

    /// The family's cost function on its profile.
    pub(crate) fn tile(&self, operator: &Operator) -> Result<(Timing, Basis), Refusal> {
        let (on, of) = (&self.machine(), self.profiles);
        let (_, precision) = Family::of(operator).ok_or(Refusal::Collective)?;
        match operator {
            Operator::Gemm(op) => of.gemm.answer(precision, |p| gemm::estimate(op, on, p)),
            Operator::GroupedGemm(op) => {
                of.grouped_gemm.answer(precision, |p| grouped_gemm::estimate(op, on, p))
            }
            Operator::PrefillAttention(op) => {
                of.prefill_attention.answer(precision, |p| prefill_attention::estimate(op, on, p))
            }
            Operator::DecodeAttention(op) => {
                of.decode_attention.answer(precision, |p| decode_attention::estimate(op, on, p))
            }
            Operator::MlaDecode(op) => of.mla_decode.answer(precision, |p| mla_decode::estimate(op, on, p)),
            Operator::Indexer(op) => of.indexer.answer(precision, |p| indexer::estimate(op, on, p)),
            Operator::LinearAttention(op) => {
                of.linear_attention.answer(precision, |p| linear_attention::estimate(op, on, p))
            }
            Operator::Vector(op) => of.vector.answer(precision, |p| Ok(vector::estimate(op, on, p))),
            Operator::Embedding(op) => of.vector.answer(precision, |p| Ok(vector::embedding(op, on, p))),
            Operator::Sampling(op) => of.vector.answer(precision, |p| Ok(vector::sampling(op, on, p))),
            Operator::Collective(_) => Err(Refusal::Collective),
        }
    }
}

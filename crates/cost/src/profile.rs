//! Fitted profiles: the parameters of one family on one chip in one precision, and how far to trust them.

pub mod file;
pub mod library;
pub mod lineage;

use vitruvian_diagnostics::Diagnostics;
use vitruvian_quantity::Watts;

use crate::decode_attention::DecodeAttentionParameters;
use crate::family::Family;
use crate::gemm::GemmParameters;
use crate::grouped_gemm::GroupedGemmParameters;
use crate::indexer::IndexerParameters;
use crate::linear_attention::LinearAttentionParameters;
use crate::mla_decode::MlaDecodeParameters;
use crate::parameters::Parameters;
use crate::precision::Precision;
use crate::prefill_attention::PrefillAttentionParameters;
use crate::timing::{Residency, Timing};
use crate::vector::VectorParameters;

pub use library::Library;

/// The parameters of one family on one chip, in one precision, under one software stack.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile<P> {
    /// Name of the chip it was fitted on: `"h20"`; `"generic"` for a prior.
    pub chip: String,
    /// Operator family.
    pub family: Family,
    /// Number formats.
    pub precision: Precision,
    /// Whose kernels were measured.
    pub stack: Stack,
    /// Fitted values.
    pub parameters: P,
    /// Standard deviation of the logarithm of time, for shapes outside the fitted families.
    pub sigma: f64,
    /// Measured points it was fitted on; zero for a prior.
    pub points: u32,
    /// Errors on the fitted points.
    pub in_fit: Option<Errors>,
    /// Errors on points of shape families left out of the fit.
    pub held_out: Option<Errors>,
    /// What caches held when the kernels were measured; a table that does not say is taken to be measured alike.
    pub residency: Residency,
    /// Power cap of the package that was measured: its throttling is in the parameters.
    pub cap: Option<Watts>,
    /// Where the measurements come from.
    pub source: String,
    /// Where the profile comes from, if not from this chip and precision.
    pub borrowed_from: Option<Borrowed>,
}

/// Whose kernels were measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// Library or engine: `"vllm-ascend"`.
    pub software: String,
    /// Its version as the source states it.
    pub version: String,
}

/// Absolute relative errors of predicted against measured time.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// Mean.
    pub mean: f64,
    /// Median.
    pub median: f64,
    /// Ninetieth percentile.
    pub p90: f64,
    /// Share of measured times between the claimed P10 and P90, where sigma comes from other rows than the judged ones.
    #[serde(default)]
    pub within: Option<f64>,
}

/// Where a profile was taken from for want of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Borrowed {
    /// The chip it was fitted on.
    pub chip: String,
    /// The precision it was fitted in.
    pub precision: Precision,
    /// What the transfer adds to sigma, in quadrature (`catalog/profiles/lineage.toml`).
    pub widening: f64,
}

impl<P> Profile<P> {
    /// The same profile with other parameters.
    pub fn with<Q>(&self, parameters: Q) -> Profile<Q> {
        Profile {
            chip: self.chip.clone(),
            family: self.family,
            precision: self.precision,
            stack: self.stack.clone(),
            parameters,
            sigma: self.sigma,
            points: self.points,
            in_fit: self.in_fit,
            held_out: self.held_out,
            residency: self.residency,
            cap: self.cap,
            source: self.source.clone(),
            borrowed_from: self.borrowed_from.clone(),
        }
    }
}

/// What a time rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Basis {
    /// Standard deviation of the logarithm of time, widened by what was borrowed.
    pub sigma: f64,
    /// Power cap of the package that was measured; nothing for a prior.
    pub cap: Option<Watts>,
}

/// The profiles of one family on one chip: every precision answers, borrowed where it must be.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<P> {
    profiles: Vec<Profile<P>>,
    slots: Vec<Slot>,
}

/// Which profile answers for a precision.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slot {
    profile: usize,
    sigma: f64,
    widening: f64,
    borrowed: bool,
}

impl<P: Parameters> Table<P> {
    /// A time by the parameters that answer for a precision of this family, and what it rests on.
    ///
    /// # Errors
    /// Those of the cost function.
    pub fn answer<E>(
        &self,
        precision: Precision,
        time: impl FnOnce(&P) -> Result<Timing, E>,
    ) -> Result<(Timing, Basis), E> {
        let slot = self.slot(precision);
        let profile = &self.profiles[slot.profile];
        Ok((time(&profile.parameters)?, Basis { sigma: slot.sigma, cap: profile.cap }))
    }

    /// What a function makes of the parameters that answer for a precision.
    pub(crate) fn ask<T>(&self, precision: Precision, of: impl FnOnce(&P) -> T) -> T {
        of(&self.profiles[self.slot(precision).profile].parameters)
    }

    /// The profile that answers for a precision, with what was borrowed and the widened sigma.
    pub fn profile(&self, precision: Precision) -> Profile<P> {
        let slot = self.slot(precision);
        let fitted = &self.profiles[slot.profile];
        let borrowed =
            Borrowed { chip: fitted.chip.clone(), precision: fitted.precision, widening: slot.widening };
        let mut profile = fitted.with(fitted.parameters);
        profile.sigma = slot.sigma;
        profile.borrowed_from = slot.borrowed.then_some(borrowed);
        profile
    }

    /// The profile behind a precision as it was fitted, wherever it was.
    pub fn fitted(&self, precision: Precision) -> &Profile<P> {
        &self.profiles[self.slot(precision).profile]
    }

    /// Puts a profile in place for its precision alone.
    pub fn place(&mut self, profile: Profile<P>) {
        let index = profile.precision.slot().min(self.slots.len() - 1);
        let borrowed = false;
        self.slots[index] =
            Slot { profile: self.profiles.len(), sigma: profile.sigma, widening: 0.0, borrowed };
        self.profiles.push(profile);
    }

    /// Changes the parameters that answer for a precision, and for all that borrow them: a fit's trial values.
    pub fn set(&mut self, precision: Precision, parameters: P) {
        let slot = self.slot(precision);
        self.profiles[slot.profile].parameters = parameters;
    }

    /// The chip's own profiles, in the order they stand in.
    pub fn own<'a>(&'a self, chip: &'a str) -> impl Iterator<Item = &'a Profile<P>> + 'a {
        self.profiles.iter().filter(move |profile| profile.chip == chip)
    }

    /// A precision of another kind of family falls on some slot of this one: slots are complete by construction.
    fn slot(&self, precision: Precision) -> Slot {
        self.slots[precision.slot().min(self.slots.len() - 1)]
    }
}

/// All profiles of one chip.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileSet {
    /// Name of the chip it answers for.
    pub chip: String,
    /// Dense matrix products.
    pub gemm: Table<GemmParameters>,
    /// Expert matrix products.
    pub grouped_gemm: Table<GroupedGemmParameters>,
    /// Attention of new tokens.
    pub prefill_attention: Table<PrefillAttentionParameters>,
    /// Attention over a KV cache.
    pub decode_attention: Table<DecodeAttentionParameters>,
    /// Weight-absorbed latent attention.
    pub mla_decode: Table<MlaDecodeParameters>,
    /// Index scores of sparse attention.
    pub indexer: Table<IndexerParameters>,
    /// Linear attention and state-space mixers.
    pub linear_attention: Table<LinearAttentionParameters>,
    /// Vector work, embedding look-up and sampling.
    pub vector: Table<VectorParameters>,
}

/// Does the same with the table of a family, whichever its type.
macro_rules! with_table {
    ($family:expr, ($($borrow:tt)+), $table:ident => $body:expr) => {
        match $family {
            Family::Gemm => with_table!(($($borrow)+).gemm, $table => $body),
            Family::GroupedGemm => with_table!(($($borrow)+).grouped_gemm, $table => $body),
            Family::PrefillAttention => with_table!(($($borrow)+).prefill_attention, $table => $body),
            Family::DecodeAttention => with_table!(($($borrow)+).decode_attention, $table => $body),
            Family::MlaDecode => with_table!(($($borrow)+).mla_decode, $table => $body),
            Family::Indexer => with_table!(($($borrow)+).indexer, $table => $body),
            Family::LinearAttention => with_table!(($($borrow)+).linear_attention, $table => $body),
            Family::Vector => with_table!(($($borrow)+).vector, $table => $body),
        }
    };
    (($($borrow:tt)+).$field:ident, $table:ident => $body:expr) => {{
        let $table = $($borrow)+.$field;
        $body
    }};
}

impl ProfileSet {
    /// The profile that answers for a family and precision, its parameters as plain values.
    pub fn profile(&self, family: Family, precision: Precision) -> Profile<Vec<f64>> {
        with_table!(family, (&self), table => {
            let profile = table.profile(precision);
            profile.with(profile.parameters.values())
        })
    }

    /// What caches held when the profile behind a family and precision was measured.
    pub fn residency(&self, family: Family, precision: Precision) -> Residency {
        with_table!(family, (&self), table => table.fitted(precision).residency)
    }

    /// The sigma of the profile that answers for a family and precision.
    pub fn sigma(&self, family: Family, precision: Precision) -> f64 {
        with_table!(family, (&self), table => table.slot(precision).sigma)
    }

    /// Gives the profile that answers for a family and precision other values: a fit's trial.
    pub fn set(&mut self, family: Family, precision: Precision, values: &[f64]) {
        with_table!(family, (&mut self), table => table.set(precision, Parameters::from_values(values)));
    }

    /// Puts a profile in place for its family and precision.
    pub fn place(&mut self, profile: &Profile<Vec<f64>>) {
        with_table!(profile.family, (&mut self), table => table.place(profile.with(Parameters::from_values(&profile.parameters))));
    }
}

/// What a library or a profile file answers where it can: a value, or every mistake in the file.
pub type Checked<T> = Result<T, Diagnostics>;

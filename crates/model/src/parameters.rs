//! How many parameters a model has.

use crate::model::Model;
use crate::weights::{Module, Weight};

/// Parameter counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Parameters of each [`Module`], in the order of [`Module::ALL`]; a tied LM head counts under embedding.
    pub by_module: [u64; Module::ALL.len()],
    /// All of them: language model and vision tower, without MTP modules.
    pub total: u64,
    /// Those that one token is multiplied with: chosen experts and LM head included, the embedding row and the vision
    /// tower not (DeepSeek-V3: 36.6 B).
    pub active: u64,
    /// Those of the MTP modules, without the embedding and head they share.
    pub mtp: u64,
}

/// Counts the parameters of a model; none if one count does not fit 64 bits.
pub fn checked_parameters(model: &Model) -> Option<Parameters> {
    let mut count = Counter::default();
    model.first_weights(&mut |weight| count.add(&weight, 1));
    for (layer, copies) in model.kinds_in(0..model.depth()) {
        model.layer_weights(layer, &mut |weight| count.add(&weight, copies));
    }
    model.last_weights(&mut |weight| count.add(&weight, 1));
    let mut mtp = Counter::default();
    if let Some(module) = &model.mtp {
        model.mtp_weights(module, &mut |weight| mtp.add(&weight, module.modules));
    }
    count.finish(mtp.total)
}

/// Counts the parameters of a model. Readers refuse models whose counts overflow, for which this is all zeros.
pub fn parameters(model: &Model) -> Parameters {
    checked_parameters(model).unwrap_or_default()
}

#[derive(Default)]
struct Counter {
    by_module: [u128; Module::ALL.len()],
    total: u128,
    active: u128,
}

impl Counter {
    fn add(&mut self, weight: &Weight, copies: u32) {
        let all = weight.parameters.saturating_mul(copies.into());
        let module = &mut self.by_module[weight.module as usize];
        *module = module.saturating_add(all);
        self.total = self.total.saturating_add(all);
        self.active = self.active.saturating_add(weight.active.saturating_mul(copies.into()));
    }

    fn finish(self, mtp: u128) -> Option<Parameters> {
        let mut by_module = [0; Module::ALL.len()];
        for (out, count) in by_module.iter_mut().zip(self.by_module) {
            *out = u64::try_from(count).ok()?;
        }
        let narrow = |count: u128| u64::try_from(count).ok();
        Some(Parameters {
            by_module,
            total: narrow(self.total)?,
            active: narrow(self.active)?,
            mtp: narrow(mtp)?,
        })
    }
}

//! Parameters of one rank, and the bytes kept of them.

use vitruvian_model::{Layer, Layout, Model, Split, Weight};

use crate::plan::{Degrees, Offload, Plan, Sharding};
use crate::recipe::StateBytes;

/// Parameters of one rank: those that every data-parallel copy has, and those of routed experts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Held {
    /// Sliced by TP, the same on all data- and context-parallel ranks.
    pub dense: f64,
    /// Sliced by EP and ETP, the same on EDP ranks.
    pub experts: f64,
}

/// Bytes of one rank by what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct States {
    /// Copies that the products read.
    pub parameters: f64,
    /// Accumulated gradients.
    pub gradients: f64,
    /// Master copies and moments.
    pub optimizer: f64,
}

impl Held {
    fn add(&mut self, weight: &Weight, degrees: Degrees) {
        let all = weight.parameters as f64;
        if weight.split == Split::Experts {
            self.experts += all / f64::from(degrees.ep * degrees.etp);
        } else {
            let layout = Layout { tp: degrees.tp, ..Layout::ONE };
            self.dense += all * weight.split.share(layout);
        }
    }

    /// Of a layer.
    pub fn of_layer(model: &Model, layer: &Layer, degrees: Degrees) -> Self {
        let mut held = Self::default();
        model.layer_weights(layer, &mut |weight| held.add(&weight, degrees));
        held
    }

    /// Of the embedding.
    pub fn of_embedding(model: &Model, degrees: Degrees) -> Self {
        let mut held = Self::default();
        model.first_weights(&mut |weight| held.add(&weight, degrees));
        held
    }

    /// Of what follows the last layer; a tied head on another stage than the embedding is a copy of it.
    pub fn of_head(model: &Model, degrees: Degrees) -> Self {
        let mut held = Self::default();
        let apart = model.tied && degrees.pp > 1;
        model.last_weights(&mut |weight| {
            let weight = if apart { Weight { parameters: weight.active, ..weight } } else { weight };
            held.add(&weight, degrees);
        });
        held
    }

    /// Of the modules that predict further tokens.
    pub fn of_mtp(model: &Model, degrees: Degrees) -> Self {
        let mut held = Self::default();
        if let Some(mtp) = &model.mtp {
            model.mtp_weights(mtp, &mut |weight| held.add(&weight, degrees));
            held = held.times(f64::from(mtp.modules));
        }
        held
    }

    /// Several of them.
    #[must_use]
    pub fn times(self, count: f64) -> Self {
        Self { dense: self.dense * count, experts: self.experts * count }
    }

    /// Together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { dense: self.dense + other.dense, experts: self.experts + other.experts }
    }

    /// All of them.
    pub fn total(self) -> f64 {
        self.dense + self.experts
    }

    /// What one rank updates: a share of each where the optimizer is sharded. The two directions of `DualPipe` hold every
    /// stage twice in a pipeline, copies that must be updated alike and so share the optimizer as data-parallel ones do.
    pub fn updated(self, plan: &Plan) -> f64 {
        if plan.sharding == Sharding::None {
            return self.total();
        }
        let (d, copies) = (plan.degrees, plan.schedule.copies());
        self.dense / f64::from(copies * d.cp * d.dp) + self.experts / f64::from(copies * d.edp())
    }

    /// Bytes kept under a plan (arXiv 1910.02054): ZeRO-1 shares out the optimizer, ZeRO-2 gradients too, ZeRO-3 all.
    /// Experts are shared out over EDP ranks only.
    pub fn states(self, plan: &Plan, each: StateBytes) -> States {
        let shared = self.updated(plan);
        let held = |from: Sharding| if plan.sharding >= from { shared } else { self.total() };
        let on_host = plan.offload == Offload::Optimizer;
        States {
            parameters: each.parameter * held(Sharding::Parameters),
            gradients: each.gradient * held(Sharding::Gradients),
            optimizer: if on_host { 0.0 } else { each.optimizer * held(Sharding::Optimizer) },
        }
    }
}

impl States {
    /// All of them.
    pub fn total(self) -> f64 {
        self.parameters + self.gradients + self.optimizer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    /// arXiv 1910.02054, section 3: 16Ψ; 4Ψ + 12Ψ/N; 2Ψ + 14Ψ/N; 16Ψ/N.
    #[test]
    fn zero_shares_out_what_it_says() {
        let held = Held { dense: 1e9, experts: 0.0 };
        let bytes = |sharding| {
            let plan = Plan { sharding, ..Plan::new(Degrees { dp: 64, ..Degrees::ONE }) };
            held.states(&plan, Recipe::Bf16.states(2.0)).total() / 1e9
        };
        assert_eq!(bytes(Sharding::None), 16.0);
        assert_eq!(bytes(Sharding::Optimizer), 4.0 + 12.0 / 64.0);
        assert_eq!(bytes(Sharding::Gradients), 2.0 + 14.0 / 64.0);
        assert_eq!(bytes(Sharding::Parameters), 16.0 / 64.0);
    }

    #[test]
    fn experts_are_shared_out_over_their_own_copies() {
        let model = vitruvian_model::catalog::model("mixtral-8x7b").unwrap();
        let degrees = Degrees { dp: 16, ep: 8, ..Degrees::ONE };
        let held = Held::of_layer(&model, &model.kinds[0], degrees);
        // One expert of three 4096 × 14336 matrices a rank; two copies of it among 16 ranks.
        assert_eq!(held.experts, 3.0 * 4096.0 * 14336.0);
        let plan = Plan::new(degrees);
        assert_eq!(held.updated(&plan), held.dense / 16.0 + held.experts / 2.0);
        // Both directions of DualPipe: 32 copies of the one, 4 of the other.
        let both_ways = Plan { schedule: crate::Schedule::DualPipe, ..plan };
        assert_eq!(held.updated(&both_ways), held.dense / 32.0 + held.experts / 4.0);
    }
}

//! What is trained, on what, with what.

use vitruvian_hardware::{Chip, Node};
use vitruvian_model::{Model, QuantPlan, Step, model_flops};
use vitruvian_network::Network;

use crate::layer::Setting;
use crate::plan::Plan;
use crate::recipe::{Recipe, StateBytes};
use crate::stack::Stack;

/// A training job: everything but how it is spread.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The model.
    pub model: &'a Model,
    /// The chip.
    pub chip: &'a Chip,
    /// The node it sits in.
    pub node: &'a Node,
    /// The links.
    pub network: &'a Network<'a>,
    /// The training stack.
    pub stack: &'a Stack,
    /// Precision recipe.
    pub recipe: Recipe,
    /// Formats of its products.
    pub quant: &'a QuantPlan,
    /// Tokens of a sequence.
    pub sequence: u32,
    /// Sequences of a step.
    pub global_batch: u32,
    /// Whether routing is forced to be even.
    pub balanced: bool,
    /// Whether the upper halves of the master weights are the weights themselves.
    pub reuse_master: bool,
}

impl<'a> Job<'a> {
    /// The setting of its layers under a plan.
    pub fn setting(&self, plan: &Plan) -> Setting<'a> {
        let setting = Setting::new(self.model, self.recipe, self.quant, self.stack, plan, self.sequence);
        Setting { balanced: self.balanced, ..setting }
    }

    /// Bytes kept of each parameter.
    pub fn states(&self) -> StateBytes {
        let own = self.recipe.states(self.stack.figures.gradient_bytes(self.recipe));
        if self.reuse_master { own.with_reused_master() } else { own }
    }

    /// Tokens of a step.
    pub fn tokens(&self) -> f64 {
        f64::from(self.global_batch) * f64::from(self.sequence)
    }

    /// Operations that the mathematics of a step needs: three times the forward pass, causal pairs exactly.
    pub fn model_flops(&self) -> f64 {
        let step = Step::prefill(1, self.sequence);
        let sampled = step.prefill.map(|p| vitruvian_model::Prefill { sampled: self.sequence, ..p });
        let step = Step { prefill: sampled, ..step };
        3.0 * model_flops(self.model, &step).get() * f64::from(self.global_batch)
    }

    /// Matrix peak of the products' format, in operations a second.
    pub fn peak(&self) -> f64 {
        let scheme = self.quant.attention;
        let sparsity = vitruvian_model::Sparsity::Dense;
        let multiply = vitruvian_cost::execution::of(scheme, sparsity, self.chip).map(|e| e.multiply);
        let dtype = multiply.unwrap_or(self.quant.activation());
        self.chip.matrix_peak(dtype).get()
    }
}

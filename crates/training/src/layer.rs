//! What one rank computes, exchanges and keeps for one layer and micro-batch: forward, input gradient, weight gradient
//! and what is computed again.

mod attention;
mod backward;
mod exchange;
mod experts;
mod forward;
mod kept;

use vitruvian_model::{Ffn, Layer, Model, Operator, QuantPlan};

use crate::plan::{Context, Degrees, Plan, Recompute};
use crate::recipe::Recipe;
use crate::stack::{Checkpoint, Stack};

pub(crate) use kept::Kept;

/// What the work of a layer depends on.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The model.
    pub model: &'a Model,
    /// Precision recipe.
    pub recipe: Recipe,
    /// Formats of its products.
    pub quant: &'a QuantPlan,
    /// The training stack.
    pub stack: &'a Stack,
    /// Parallel degrees.
    pub degrees: Degrees,
    /// Whether norms and residuals are shared out over the TP ranks.
    pub sequence_parallel: bool,
    /// How context-parallel ranks share attention.
    pub context: Context,
    /// What is computed again.
    pub recompute: Recompute,
    /// Sequences of a micro-batch.
    pub micro_batch: u32,
    /// Tokens of a sequence.
    pub sequence: u32,
    /// Whether routing is forced to be even, as benchmarks do.
    pub balanced: bool,
}

/// Where a line spends its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// The device's own units.
    Compute,
    /// Tensor-parallel exchange that products wait for.
    Tensor,
    /// Tensor-parallel exchange that runs beside the products of the same pass.
    TensorBeside,
    /// Context-parallel exchange that runs beside attention.
    ContextBeside,
    /// Context-parallel exchange that attention waits for.
    Context,
    /// Rows to their experts and back.
    Experts,
}

/// One line of a pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Name in reports.
    pub name: &'static str,
    /// What is computed or exchanged.
    pub operator: Operator,
    /// How often.
    pub count: u32,
    /// Time over that of the operator: a backward kernel in forward kernels, a slower kernel than the profile's.
    pub factor: f64,
    /// Work over that of the operator: products, bytes and the energy of both.
    pub work: f64,
    /// Where it spends its time.
    pub lane: Lane,
}

/// The passes of one layer on one micro-batch.
#[derive(Clone, Debug, Default)]
pub struct Passes {
    /// Forward.
    pub forward: Vec<Line>,
    /// Gradient of the inputs.
    pub input: Vec<Line>,
    /// Gradient of the weights.
    pub weight: Vec<Line>,
    /// Forward work done again before the backward pass.
    pub again: Vec<Line>,
    /// What is kept between the passes.
    pub(crate) kept: Kept,
}

impl Line {
    /// Device work, once.
    pub(crate) fn compute(name: &'static str, operator: Operator) -> Self {
        Self { name, operator, count: 1, factor: 1.0, work: 1.0, lane: Lane::Compute }
    }

    /// Several times the work, in as many times the time.
    pub(crate) fn at(self, share: f64) -> Self {
        Self { factor: self.factor * share, work: self.work * share, ..self }
    }

    /// The same work by a slower kernel.
    pub(crate) fn slower(self, factor: f64) -> Self {
        Self { factor: self.factor * factor, ..self }
    }
}

impl<'a> Setting<'a> {
    /// The setting of a plan.
    pub fn new(
        model: &'a Model,
        recipe: Recipe,
        quant: &'a QuantPlan,
        stack: &'a Stack,
        plan: &Plan,
        sequence: u32,
    ) -> Self {
        Self {
            model,
            recipe,
            quant,
            stack,
            degrees: plan.degrees,
            sequence_parallel: plan.sequence_parallel && plan.degrees.tp > 1,
            context: plan.context,
            recompute: plan.recompute,
            micro_batch: plan.micro_batch,
            sequence,
            balanced: false,
        }
    }

    /// Tokens of a micro-batch on one rank.
    pub fn tokens(&self) -> u32 {
        self.micro_batch.saturating_mul(self.sequence.div_ceil(self.degrees.cp))
    }

    /// Tokens of a micro-batch on one rank where norms and residuals are: a share under sequence parallelism.
    pub fn resident_tokens(&self) -> u32 {
        if self.sequence_parallel { self.tokens().div_ceil(self.degrees.tp) } else { self.tokens() }
    }

    /// Bytes of `tokens` rows of the residual stream.
    pub fn row_bytes(&self, tokens: u32) -> u64 {
        let element = u64::from(self.quant.activation().bits() / 8);
        u64::from(tokens) * u64::from(self.model.hidden) * u64::from(self.model.streams) * element
    }
}

/// The passes of one layer.
pub fn passes(setting: &Setting<'_>, layer: &Layer) -> Passes {
    let mut forward = forward::lines(setting, layer);
    let mut input = Vec::new();
    let mut weight = Vec::new();
    for line in forward.iter().rev() {
        backward::push(setting, line, &mut input, &mut weight);
    }
    exchange::backward(setting, layer, &mut input, &mut weight);
    let kept = kept::of(setting, &forward);
    exchange::forward(setting, layer, &mut forward);
    if let Ffn::Moe(moe) = &layer.ffn {
        forward.extend(experts::exchange(setting, moe));
        input.extend(experts::exchange(setting, moe));
    }
    let again = again(setting, &forward);
    Passes { forward, input, weight, again, kept }
}

/// The passes of forward lines that are no layer: nothing is computed again.
pub(crate) fn backward_of(setting: &Setting<'_>, forward: Vec<Line>) -> Passes {
    let (mut input, mut weight) = (Vec::new(), Vec::new());
    for line in forward.iter().rev() {
        backward::push(setting, line, &mut input, &mut weight);
    }
    Passes { forward, input, weight, ..Passes::default() }
}

/// What the backward pass computes again before it starts.
fn again(setting: &Setting<'_>, forward: &[Line]) -> Vec<Line> {
    let share = |line: &Line| match setting.recompute {
        Recompute::None => 0.0,
        Recompute::Selective => f64::from(u8::from(attention::is_unfused_core(line.name))),
        Recompute::Elementwise => f64::from(u8::from(matches!(line.operator, Operator::Vector(_)))),
        Recompute::UpProjection => {
            let again = matches!(line.operator, Operator::Vector(_)) || kept::WIDENS.contains(&line.name);
            f64::from(u8::from(again))
        }
        Recompute::EverySecond => match line.operator {
            Operator::PrefillAttention(_) | Operator::MlaDecode(_) | Operator::LinearAttention(_) => 0.0,
            Operator::Gemm(_) => 1.0 - kept::kept_share(line.name, forward),
            _ => 1.0,
        },
        Recompute::Full if setting.stack.checkpoint == Checkpoint::EarlyStop => {
            f64::from(u8::from(line.name != "down_proj"))
        }
        Recompute::Full => 1.0,
    };
    forward.iter().map(|line| line.at(share(line))).filter(|line| line.factor > 0.0).collect()
}

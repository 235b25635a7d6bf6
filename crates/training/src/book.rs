//! Prices of layers and ends, remembered by what they depend on.

use std::rc::Rc;

use rustc_hash::FxHashMap;
use vitruvian_cost::Refusal;
use vitruvian_engine::Meter;
use vitruvian_model::{Ffn, Mixer};

use crate::ends;
use crate::job::Job;
use crate::layer::{Kept, Passes, Setting, passes};
use crate::plan::{Context, Degrees, Plan, Recompute};
use crate::price::Pass;
use crate::weights::Held;

/// One layer, or one end, on one micro-batch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Priced {
    pub(crate) forward: Pass,
    pub(crate) input: Pass,
    pub(crate) weight: Pass,
    pub(crate) again: Pass,
    pub(crate) kept: Kept,
    pub(crate) held: Held,
}

/// All that stages of one setting are made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prices {
    /// By kind of layer.
    pub(crate) kinds: Vec<Priced>,
    pub(crate) embedding: Priced,
    pub(crate) head: Priced,
    /// All MTP modules with their heads; nothing without.
    pub(crate) mtp: Priced,
    /// Logits alive at the loss, in bytes.
    pub(crate) logits: f64,
    /// Largest inner tensor of a layer's backward pass, in bytes.
    pub(crate) widest: f64,
    /// The residual stream of a micro-batch on one rank, in bytes.
    pub(crate) stream: f64,
}

/// What prices depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    degrees: Degrees,
    micro_batch: u32,
    sequence_parallel: bool,
    context: Context,
    recompute: Recompute,
}

/// Remembers the prices of one job.
#[derive(Debug, Default)]
pub(crate) struct Book {
    known: FxHashMap<Key, Rc<Prices>>,
}

impl Book {
    /// The prices of a plan.
    ///
    /// # Errors
    /// The chip cannot do one of the operators, with the reason.
    pub(crate) fn prices(
        &mut self,
        job: &Job<'_>,
        plan: &Plan,
        meter: &mut Meter<'_>,
    ) -> Result<Rc<Prices>, Refusal> {
        let key = key(job, plan);
        if let Some(prices) = self.known.get(&key) {
            return Ok(Rc::clone(prices));
        }
        let prices = Rc::new(price(job, plan, meter)?);
        self.known.insert(key, Rc::clone(&prices));
        Ok(prices)
    }
}

/// Layers do not see stages, and see data-parallel copies only where experts are spread over them.
fn key(job: &Job<'_>, plan: &Plan) -> Key {
    let d = plan.degrees;
    let experts = job.model.has_experts();
    let degrees = Degrees { pp: 1, dp: 1, ep: if experts { d.ep } else { 1 }, ..d };
    let recompute = plan.recompute;
    Key {
        degrees,
        micro_batch: plan.micro_batch,
        sequence_parallel: plan.sequence_parallel,
        context: plan.context,
        recompute,
    }
}

fn price(job: &Job<'_>, plan: &Plan, meter: &mut Meter<'_>) -> Result<Prices, Refusal> {
    let setting = &job.setting(plan);
    let (model, degrees) = (job.model, plan.degrees);
    let kinds = model
        .kinds
        .iter()
        .map(|layer| priced(setting, &passes(setting, layer), Held::of_layer(model, layer, degrees), meter))
        .collect::<Result<Vec<_>, _>>()?;
    let head = priced(setting, &ends::head(setting), Held::of_head(model, degrees), meter)?;
    Ok(Prices {
        embedding: priced(setting, &ends::embedding(setting), Held::of_embedding(model, degrees), meter)?,
        mtp: mtp(setting, &head, meter)?,
        logits: ends::logits_bytes(setting),
        widest: widest(setting),
        stream: setting.row_bytes(setting.resident_tokens()) as f64,
        kinds,
        head,
    })
}

fn priced(
    setting: &Setting<'_>,
    passes: &Passes,
    held: Held,
    meter: &mut Meter<'_>,
) -> Result<Priced, Refusal> {
    let figures = &setting.stack.figures;
    Ok(Priced {
        forward: Pass::of(&passes.forward, meter, figures)?,
        input: Pass::of(&passes.input, meter, figures)?,
        weight: Pass::of(&passes.weight, meter, figures)?,
        again: Pass::of(&passes.again, meter, figures)?,
        kept: passes.kept,
        held,
    })
}

/// MTP modules: projection, layers, and a head each, which they share with the model.
fn mtp(setting: &Setting<'_>, head: &Priced, meter: &mut Meter<'_>) -> Result<Priced, Refusal> {
    let Some(mtp) = &setting.model.mtp else { return Ok(Priced::default()) };
    let nothing = Held::default();
    let mut sum = priced(setting, &ends::mtp_projection(setting), nothing, meter)?
        .plus(&Priced { held: nothing, ..*head });
    for layer in &mtp.layers {
        sum = sum.plus(&priced(setting, &passes(setting, layer), nothing, meter)?);
    }
    Ok(Priced { held: Held::of_mtp(setting.model, setting.degrees), ..sum.times(f64::from(mtp.modules)) })
}

/// Bytes of the widest pair of a tensor and its gradient inside a layer.
fn widest(setting: &Setting<'_>) -> f64 {
    let element = f64::from(setting.quant.activation().bits() / 8);
    let tokens = f64::from(setting.tokens());
    let tp = f64::from(setting.degrees.tp);
    let of = |layer: &vitruvian_model::Layer| {
        let mixer = match &layer.mixer {
            Mixer::Attention(shape) => (shape.q_width() + shape.kv_width()) as f64 * tokens / tp,
            Mixer::Mla(shape) => 2.0 * shape.q_width() as f64 * tokens / tp,
            _ => 3.0 * f64::from(setting.model.hidden) * tokens / tp,
        };
        let ffn = match &layer.ffn {
            Ffn::Dense(dense) => f64::from(dense.activation.projections() * dense.width) * tokens / tp,
            Ffn::Moe(moe) => {
                let rows = f64::from(setting.resident_tokens()) * f64::from(moe.topk);
                rows * f64::from(setting.model.hidden.max(moe.activation.projections() * moe.width))
            }
            Ffn::None => 0.0,
        };
        mixer.max(ffn)
    };
    2.0 * element * setting.model.kinds.iter().map(of).fold(0.0, f64::max)
}

impl Priced {
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let kept = |a: Kept, b: Kept| Kept {
            between: a.between + b.between,
            whole: a.whole + b.whole,
            input: a.input + b.input,
        };
        Self {
            forward: self.forward.plus(other.forward),
            input: self.input.plus(other.input),
            weight: self.weight.plus(other.weight),
            again: self.again.plus(other.again),
            kept: kept(self.kept, other.kept),
            held: self.held.plus(other.held),
        }
    }

    pub(crate) fn times(&self, count: f64) -> Self {
        let kept = Kept {
            between: self.kept.between * count,
            whole: self.kept.whole * count,
            input: self.kept.input * count,
        };
        Self {
            forward: self.forward.times(count),
            input: self.input.times(count),
            weight: self.weight.times(count),
            again: self.again.times(count),
            kept,
            held: self.held.times(count),
        }
    }
}

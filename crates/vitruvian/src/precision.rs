//! Which precisions a comparison considers on a chip.

use vitruvian_cost::execution;
use vitruvian_diagnostics::Diagnostic;
use vitruvian_hardware::Chip;
use vitruvian_model::{Model, QuantPlan, Scheme, Sparsity};
use vitruvian_planner::Precision;
use vitruvian_quantity::Dtype;

use crate::study::Service;

/// The precisions that the question names, else those the chip suggests: the checkpoint's own, 16 bits, and the 8-bit
/// scheme that the chip multiplies natively.
///
/// # Errors
/// A precision, cache format or sparsity that does not exist, or that the chip cannot run, with the reason.
pub(crate) fn precisions(
    service: &Service,
    model: &Model,
    chip: &Chip,
) -> Result<Vec<Precision>, Diagnostic> {
    let options = Options::new(service)?;
    if service.precisions.is_empty() {
        return suggested(model, chip).into_iter().map(|plan| options.finish(plan, model, chip)).collect();
    }
    let named = service.precisions.iter().map(|name| options.finish(named(name, model)?, model, chip));
    named.collect()
}

/// What the question says of cache, attention and sparsity.
struct Options {
    kv: Option<Dtype>,
    attend: Option<Dtype>,
    sparsity: Sparsity,
}

impl Options {
    fn new(service: &Service) -> Result<Self, Diagnostic> {
        let kv = service.kv.as_deref().map(str::parse::<Dtype>).transpose();
        let kv = kv.map_err(|message| Diagnostic::error("kv-unknown", message))?;
        let attend = service.attention.as_deref().map(str::parse::<Dtype>).transpose();
        let attend = attend.map_err(|message| Diagnostic::error("attention-unknown", message))?;
        let sparsity = service.sparsity.as_deref().unwrap_or("dense").parse();
        let sparsity = sparsity.map_err(|message: String| Diagnostic::error("sparsity-unknown", message))?;
        Ok(Self { kv, attend, sparsity })
    }

    fn finish(&self, plan: QuantPlan, model: &Model, chip: &Chip) -> Result<Precision, Diagnostic> {
        let plan = self.kv.map_or(plan, |kv| plan.with_kv(kv)).with_sparsity(self.sparsity);
        let plan = self.attend.map_or(plan, |attend| plan.with_attend(attend));
        runnable(&plan, chip)?;
        Ok(Precision { name: name(&plan, model, self), plan })
    }
}

fn named(name: &str, model: &Model) -> Result<QuantPlan, Diagnostic> {
    if name == "published" {
        return Ok(model.default_plan());
    }
    let scheme: Scheme = name.parse().map_err(|message: String| {
        Diagnostic::error("precision-unknown", message).help("or `published` for the checkpoint's own")
    })?;
    Ok(QuantPlan::uniform(scheme))
}

/// The checkpoint's own plan, then 16 bits, then 8 bits; without repeats and without what the chip cannot run.
fn suggested(model: &Model, chip: &Chip) -> Vec<QuantPlan> {
    let half = if chip.compute.matrix.supports(Dtype::Bf16) { Scheme::Bf16 } else { Scheme::Fp16 };
    let eight = if chip.compute.matrix.supports(Dtype::Fp8) { Scheme::Fp8Block } else { Scheme::W8A8Dynamic };
    let own = model.published.is_some().then(|| model.default_plan());
    let mut plans: Vec<QuantPlan> = Vec::new();
    for plan in own.into_iter().chain([QuantPlan::uniform(half), QuantPlan::uniform(eight)]) {
        if !plans.contains(&plan) && runnable(&plan, chip).is_ok() {
            plans.push(plan);
        }
    }
    plans
}

/// Every scheme of a plan must have an execution on the chip.
fn runnable(plan: &QuantPlan, chip: &Chip) -> Result<(), Diagnostic> {
    for scheme in schemes(plan) {
        execution::of(scheme, Sparsity::Dense, chip).map_err(|refusal| refused(&refusal, chip))?;
    }
    execution::of(plan.dense_ffn, plan.sparsity, chip).map_err(|refusal| refused(&refusal, chip))?;
    Ok(())
}

fn refused(refusal: &vitruvian_cost::Refusal, chip: &Chip) -> Diagnostic {
    let formats: Vec<&str> = chip.compute.matrix.supported().map(|(dtype, _)| dtype.name()).collect();
    Diagnostic::error("precision-chip", refusal.to_string()).help(format!(
        "the matrix unit of {} multiplies {}",
        chip.title,
        formats.join(", ")
    ))
}

fn schemes(plan: &QuantPlan) -> [Scheme; 5] {
    [plan.attention, plan.dense_ffn, plan.experts, plan.shared_experts, plan.lm_head]
}

/// Format in which the matrix unit multiplies most of the model: its experts, if it has any, else its dense layers.
pub(crate) fn multiplied(plan: &QuantPlan, model: &Model, chip: &Chip) -> Dtype {
    let scheme = if model.has_experts() { plan.experts } else { plan.dense_ffn };
    execution::of(scheme, plan.sparsity, chip).map_or(Dtype::Bf16, |execution| execution.multiply)
}

/// What a chip does instead where it cannot multiply a format, one line a scheme.
pub fn conversions(plan: &QuantPlan, chip: &Chip) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for scheme in schemes(plan) {
        let Ok(execution) = execution::of(scheme, plan.sparsity, chip) else { continue };
        let Some(note) = execution.note else { continue };
        let line = format!("{scheme} on {}: {note}", chip.title);
        if !notes.contains(&line) {
            notes.push(line);
        }
    }
    notes
}

fn name(plan: &QuantPlan, model: &Model, options: &Options) -> String {
    let mut name = plan.dense_ffn.name().to_owned();
    if plan.experts != plan.dense_ffn && model.has_experts() {
        name = format!("{} experts, {} rest", plan.experts, plan.attention);
    } else if plan.attention != plan.dense_ffn {
        name = format!("{} FFN, {} attention", plan.dense_ffn, plan.attention);
    }
    if plan.kv != Dtype::Bf16 || options.kv.is_some() {
        name = format!("{name}, KV {}", plan.kv);
    }
    if plan.attend.bytes() < 2.0 {
        name = format!("{name}, attention {}", plan.attend);
    }
    if plan.sparsity != Sparsity::Dense {
        name = format!("{name}, {}", plan.sparsity);
    }
    name
}

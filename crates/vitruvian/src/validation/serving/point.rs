//! What a measured point ran: names of the table to values of the catalog.

use vitruvian_model::{Layout, Model, QuantPlan, Scheme, catalog as models, read_config, validate};
use vitruvian_planner::Workload;
use vitruvian_quantity::Dtype;
use vitruvian_serving::Role;

use super::Known;
use super::table::{Point, Workers};
use crate::setup::Setup;
use crate::study::{Input, Service};

/// One deployment as it was measured.
pub(super) struct Case {
    pub(super) model: Model,
    pub(super) plan: QuantPlan,
    pub(super) workload: Workload,
    /// Workers that do everything; or those that prefill, then those that decode.
    pub(super) sides: Vec<Side>,
    batch: u32,
}

/// Equal workers.
pub(super) struct Side {
    pub(super) role: Role,
    pub(super) setup: Setup,
    pub(super) layout: Layout,
    pub(super) workers: u32,
}

impl Case {
    /// Finds everything by name.
    ///
    /// # Errors
    /// The reason why the point cannot be predicted, the same words for the same reason.
    pub(super) fn new(point: &Point, known: &Known<'_>) -> Result<Self, String> {
        let decoders = point.decoders;
        if point.workers.count == 0 || decoders.is_some_and(|workers| workers.count == 0) || point.batch == 0
        {
            return Err(
                "prefill and decode on separate chips, whose numbers the table does not give".to_owned()
            );
        }
        let model = model(&point.model, known)?;
        let sides = match &decoders {
            None => vec![side(Role::Whole, &point.workers, point, &model, known)?],
            Some(decoders) => vec![
                side(Role::Prefill, &point.workers, point, &model, known)?,
                side(Role::Decode, decoders, point, &model, known)?,
            ],
        };
        let workload = Workload { input: point.isl, output: point.osl, cached: 0 };
        Ok(Self { plan: plan(point, &model), model, workload, sides, batch: point.batch })
    }

    /// Requests in flight: of aggregated points the table counts those of one data-parallel attention group.
    pub(super) fn clients(&self) -> u32 {
        match &self.sides[..] {
            [whole] => self.batch * whole.layout.dp,
            _ => self.batch,
        }
    }

    /// The workers that do everything, or those that decode.
    pub(super) fn last(&self) -> &Side {
        &self.sides[self.sides.len() - 1]
    }
}

fn side(
    role: Role,
    workers: &Workers,
    point: &Point,
    model: &Model,
    known: &Known<'_>,
) -> Result<Side, String> {
    let layout = layout(workers, model);
    validate(model, layout).map_err(|error| error.to_string())?;
    let chip = Input::Name(point.system.replace('_', "-"));
    let service = Service { engine: Some(engine_name(&point.backend).to_owned()), ..Service::default() };
    let setup = Setup::new(&chip, &service, &known.profiles).map_err(|error| error.to_string())?;
    Ok(Side { role, setup, layout, workers: workers.count })
}

/// The layout of the attention layers, from that of the experts where the table leaves it out: experts over more ranks
/// than the tensor-parallel group are shared by groups that each attend to sequences of their own.
fn layout(workers: &Workers, model: &Model) -> Layout {
    let expert_ranks = if model.has_experts() { workers.moe_tp * workers.ep } else { 1 };
    let dp = workers.dp.max(expert_ranks / workers.tp);
    Layout { tp: workers.tp, pp: workers.pp, dp, ep: workers.ep, cp: 1 }
}

/// A configuration at hand wins over the catalog.
fn model(path: &str, known: &Known<'_>) -> Result<Model, String> {
    match (known.configuration)(path) {
        Some(source) => read_config(&source).map_err(|error| error.to_string()),
        None => models::by_path(path).ok_or_else(|| format!("no model {path} in the catalog")),
    }
}

fn engine_name(backend: &str) -> &str {
    if backend == "trtllm" { "tensorrt-llm" } else { backend }
}

/// The checkpoint's own formats; for a 16-bit checkpoint those that the table names. Per-tensor FP8 of such a model is
/// `ModelOpt`'s checkpoint, whose `hf_quant_config.json` asks for FP8 keys and values.
fn plan(point: &Point, model: &Model) -> QuantPlan {
    if model.published.is_some() {
        return model.default_plan();
    }
    let dense = scheme(&point.gemm);
    let kv = if dense == Scheme::Fp8Tensor { Dtype::Fp8 } else { Dtype::Bf16 };
    QuantPlan { experts: scheme(&point.moe), ..QuantPlan::uniform(dense) }.with_kv(kv)
}

fn scheme(mode: &str) -> Scheme {
    match mode {
        "fp8" => Scheme::Fp8Tensor,
        "fp8_block" => Scheme::Fp8Block,
        "nvfp4" => Scheme::Nvfp4,
        "int8_wo" => Scheme::W8A16,
        "int4_wo" => Scheme::W4A16,
        _ => Scheme::Bf16,
    }
}

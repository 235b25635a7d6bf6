//! What a measured point ran: names of the table to values of the catalog.

use vitruvian_model::{Layout, Model, QuantPlan, Scheme, catalog as models, read_config, validate};
use vitruvian_planner::Workload;
use vitruvian_quantity::Dtype;

use super::Known;
use super::table::Point;
use crate::setup::Setup;
use crate::study::{Input, Service};

/// One deployment as it was measured.
pub(super) struct Case {
    pub(super) setup: Setup,
    pub(super) model: Model,
    pub(super) plan: QuantPlan,
    pub(super) layout: Layout,
    pub(super) workload: Workload,
    batch: u32,
}

impl Case {
    /// Finds everything by name.
    ///
    /// # Errors
    /// The reason why the point cannot be predicted, the same words for the same reason.
    pub(super) fn new(point: &Point, known: &Known<'_>) -> Result<Self, String> {
        if !point.aggregated {
            return Err("prefill and decode on separate chips".to_owned());
        }
        let model = model(&point.model, known)?;
        let layout = layout(point, &model);
        validate(&model, layout).map_err(|error| error.to_string())?;
        let chip = Input::Name(point.system.replace('_', "-"));
        let service = Service { engine: Some(engine_name(&point.backend).to_owned()), ..Service::default() };
        let setup = Setup::new(&chip, &service, &known.profiles).map_err(|error| error.to_string())?;
        let workload = Workload { input: point.isl, output: point.osl, cached: 0 };
        Ok(Self { plan: plan(point, &model), setup, model, layout, workload, batch: point.batch })
    }

    /// Requests in flight: the table counts those of one data-parallel attention group.
    pub(super) fn clients(&self) -> u32 {
        self.batch * self.layout.dp
    }
}

/// The layout of the attention layers, from that of the experts where the table leaves it out: experts over more ranks
/// than the tensor-parallel group are shared by groups that each attend to sequences of their own.
fn layout(point: &Point, model: &Model) -> Layout {
    let expert_ranks = if model.has_experts() { point.moe_tp * point.ep } else { 1 };
    let dp = point.dp.max(expert_ranks / point.tp);
    Layout { tp: point.tp, pp: point.pp, dp, ep: point.ep, cp: 1 }
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

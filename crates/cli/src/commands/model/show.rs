//! `vitruvian model show`: parameters, caches and layers.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_model::weights::Module;
use vitruvian_model::{
    Layout, Model, Parameters, kv_bytes_per_token, parameters, state_bytes_per_sequence, weight_bytes,
};
use vitruvian_quantity::Bytes;
use vitruvian_report::{Block, Cell, Column, Page, Table};

use super::ShowArgs;
use super::describe::{ffn, mixer};
use crate::answer::Answer;
use crate::inputs;

/// What `--format json` gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    name: String,
    family: String,
    parameters_total: u64,
    parameters_active: u64,
    parameters_mtp: u64,
    kv_bytes_per_token: f64,
    state_bytes_per_sequence: f64,
    weight_bytes: f64,
    weights: &'static str,
    kv_cache: &'static str,
    hidden: u32,
    vocab: u32,
    layers: usize,
    max_context: u32,
    layer_kinds: Vec<LayerKind>,
    modules: Vec<ModuleSize>,
    left_out: Vec<String>,
}

/// Layers that are alike.
#[derive(Debug, Serialize, JsonSchema)]
struct LayerKind {
    count: u32,
    mixer: String,
    ffn: String,
}

/// The parameters of one class of modules.
#[derive(Debug, Serialize, JsonSchema)]
struct ModuleSize {
    module: &'static str,
    parameters: u64,
}

pub(super) fn run(arguments: &ShowArgs) -> Result<Answer, Diagnostics> {
    let shown = shown(&inputs::model(&arguments.model)?);
    let tables = [sizes(&shown), layers(&shown), modules(&shown)];
    let page = Page {
        title: shown.name.clone(),
        subtitle: shown.family.clone(),
        blocks: tables.map(Block::Table).to_vec(),
        summary: shown
            .left_out
            .iter()
            .map(|what| format!("Left out of the time of a step: {what}."))
            .collect(),
        ..Page::default()
    };
    Ok(Answer::new(page, &shown))
}

fn shown(model: &Model) -> Shown {
    let parameters = parameters(model);
    let plan = model.default_plan();
    Shown {
        name: model.name.clone(),
        family: model.family.clone(),
        parameters_total: parameters.total,
        parameters_active: parameters.active,
        parameters_mtp: parameters.mtp,
        kv_bytes_per_token: kv_bytes_per_token(model, &plan, Layout::ONE).get(),
        state_bytes_per_sequence: state_bytes_per_sequence(model, &plan, Layout::ONE).get(),
        weight_bytes: weight_bytes(model, &plan, Layout::ONE, 0).get(),
        weights: main_scheme(model, &parameters),
        kv_cache: plan.kv.name(),
        hidden: model.hidden,
        vocab: model.vocab,
        layers: model.depth(),
        max_context: model.max_context,
        layer_kinds: layer_kinds(model),
        modules: module_sizes(&parameters),
        left_out: model.left_out(),
    }
}

/// The scheme in which most parameters are published.
fn main_scheme(model: &Model, parameters: &Parameters) -> &'static str {
    let largest = Module::ALL.into_iter().zip(parameters.by_module).max_by_key(|(_, count)| *count);
    largest.map_or("", |(module, _)| model.default_plan().scheme(module).name())
}

fn layer_kinds(model: &Model) -> Vec<LayerKind> {
    let kinds = model.kinds_in(0..model.depth());
    kinds
        .map(|(layer, count)| LayerKind { count, mixer: mixer(&layer.mixer), ffn: ffn(&layer.ffn) })
        .collect()
}

fn module_sizes(parameters: &Parameters) -> Vec<ModuleSize> {
    let sizes = Module::ALL.into_iter().zip(parameters.by_module);
    let sizes = sizes.filter(|(_, parameters)| *parameters > 0);
    sizes.map(|(module, parameters)| ModuleSize { module: module.name(), parameters }).collect()
}

fn sizes(shown: &Shown) -> Table {
    let mut table = Table::new([Column::name("size"), Column::text("")]);
    let mut billions = |name: &str, count: u64| table.metric(name, "B", [Cell::number(count as f64 / 1e9)]);
    billions("parameters", shown.parameters_total);
    billions("active parameters of a token", shown.parameters_active);
    if shown.parameters_mtp > 0 {
        billions("parameters of MTP modules", shown.parameters_mtp);
    }
    let weights = format!("weights as published ({})", shown.weights);
    table.metric(&weights, "GB", [Cell::number(Bytes::new(shown.weight_bytes).in_unit("GB"))]);
    let cache = format!("KV cache of a token ({})", shown.kv_cache);
    table.metric(&cache, "B", [Cell::integer(shown.kv_bytes_per_token.round() as i64)]);
    if shown.state_bytes_per_sequence > 0.0 {
        let state = Bytes::new(shown.state_bytes_per_sequence).in_unit("MB");
        table.metric("state of a sequence", "MB", [Cell::number(state)]);
    }
    let mut count = |name: &str, unit: &str, count: u32| table.metric(name, unit, [Cell::integer(count)]);
    count("hidden width", "", shown.hidden);
    count("vocabulary", "tokens", shown.vocab);
    count("longest context", "tokens", shown.max_context);
    table
}

fn layers(shown: &Shown) -> Table {
    let columns = [Column::number("layers", ""), Column::text("mixer"), Column::text("feed-forward")];
    let mut table = Table::new(columns);
    for kind in &shown.layer_kinds {
        table.row([Cell::integer(kind.count), Cell::text(&kind.mixer), Cell::text(&kind.ffn)]);
    }
    table
}

fn modules(shown: &Shown) -> Table {
    let columns = [Column::name("parameters of"), Column::number("count", "B"), Column::number("share", "")];
    let mut table = Table::new(columns);
    for size in &shown.modules {
        let share = size.parameters as f64 / shown.parameters_total as f64;
        table.row([Cell::text(size.module), Cell::number(size.parameters as f64 / 1e9), Cell::share(share)]);
    }
    table
}

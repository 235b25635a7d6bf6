//! `vitruvian model list`: one line a model.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_model::{Layout, Model, catalog, kv_bytes_per_token, parameters};
use vitruvian_report::{Cell, Column, Table};

use crate::answer::Answer;

/// The main figures of a model, as `--format json` gives them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Line {
    name: String,
    family: String,
    parameters_total: u64,
    parameters_active: u64,
    layers: usize,
    kv_bytes_per_token: f64,
    max_context: u32,
}

pub(super) fn run() -> Result<Answer, Diagnostics> {
    let models: Vec<Model> = catalog::names().map(catalog::model).collect::<Result<_, _>>()?;
    let lines: Vec<Line> = models.iter().map(line).collect();
    Ok(Answer::table(table(&lines), &lines))
}

fn line(model: &Model) -> Line {
    let parameters = parameters(model);
    Line {
        name: model.name.clone(),
        family: model.family.clone(),
        parameters_total: parameters.total,
        parameters_active: parameters.active,
        layers: model.depth(),
        kv_bytes_per_token: kv_bytes_per_token(model, &model.default_plan(), Layout::ONE).get(),
        max_context: model.max_context,
    }
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new([
        Column::name("model"),
        Column::text("family"),
        Column::number("parameters", "B"),
        Column::number("active", "B"),
        Column::number("layers", ""),
        Column::number("KV cache", "kB/token"),
        Column::number("context", "tokens"),
    ]);
    for line in lines {
        table.row([
            Cell::text(&line.name),
            Cell::text(&line.family),
            Cell::number(line.parameters_total as f64 / 1e9),
            Cell::number(line.parameters_active as f64 / 1e9),
            Cell::count(line.layers),
            Cell::number(line.kv_bytes_per_token / 1e3),
            Cell::integer(line.max_context),
        ]);
    }
    table.note("Active parameters are those that one token is multiplied with: chosen experts and LM head, no embedding.");
    table.note("Any config.json or folder that holds one does as well: vitruvian model show FOLDER");
    table
}

//! `vitruvian chip diff`: where two chips differ.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_diagnostics::{Diagnostics, both};
use vitruvian_hardware::{Chip, Difference, Figure, diff};
use vitruvian_report::{Cell, Column, Table};

use super::DiffArgs;
use crate::answer::Answer;
use crate::inputs;

/// One figure in which the chips differ; `null` where a chip has none.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    key: String,
    from: Option<String>,
    to: Option<String>,
    /// `to` over `from`, where both are numbers.
    ratio: Option<f64>,
}

pub(super) fn run(arguments: &DiffArgs) -> Result<Answer, Diagnostics> {
    let (from, to) = both(inputs::chip(&arguments.from), inputs::chip(&arguments.to))?;
    let shown = shown(&from.chip, &to.chip);
    let doubts = from.warnings.into_iter().chain(to.warnings).collect();
    Ok(Answer { doubts, ..Answer::table(table(&from.chip, &to.chip, &shown), &shown) })
}

fn shown(from: &Chip, to: &Chip) -> Vec<Shown> {
    let value = |figure: Option<Figure>| figure.map(|figure| figure.value);
    let shown = |one: Difference| Shown {
        key: one.key,
        from: value(one.left),
        to: value(one.right),
        ratio: one.ratio,
    };
    diff(from, to).into_iter().map(shown).collect()
}

fn table(from: &Chip, to: &Chip, differences: &[Shown]) -> Table {
    let ratio = Column::number("ratio", "");
    let mut table =
        Table::new([Column::name("figure"), Column::text(&from.name), Column::text(&to.name), ratio]);
    let value = |value: &Option<String>| Cell::text(value.as_deref().unwrap_or("–"));
    for difference in differences {
        let ratio = difference.ratio.into();
        table.row([Cell::text(&difference.key), value(&difference.from), value(&difference.to), ratio]);
    }
    if differences.is_empty() {
        table.note("No figure differs.");
    }
    table
}

//! `vitruvian chip diff`: where two chips differ.

use serde::Serialize;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::Chip;
use vitruvian_report::{Cell, Column, Table};

use super::DiffArgs;
use crate::answer::Answer;
use crate::inputs;

/// One figure in which the chips differ; `null` where a chip has none.
#[derive(Debug, Serialize)]
struct Difference {
    key: String,
    from: Option<String>,
    to: Option<String>,
}

pub(super) fn run(arguments: &DiffArgs) -> Result<Answer, Diagnostics> {
    let (from, to) = both(inputs::chip(&arguments.from), inputs::chip(&arguments.to))?;
    let differences = differences(&from.chip, &to.chip);
    let doubts = from.warnings.into_iter().chain(to.warnings).collect();
    let table = table(&from.chip, &to.chip, &differences);
    Ok(Answer { doubts, ..Answer::table(table, &differences) })
}

/// Both, or the faults of both.
fn both<T>(one: Result<T, Diagnostics>, other: Result<T, Diagnostics>) -> Result<(T, T), Diagnostics> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => Err(Diagnostics(
            [one.err(), other.err()].into_iter().flatten().flat_map(|faults| faults.0).collect(),
        )),
    }
}

/// In the order of the first chip's figures, then what only the second has.
fn differences(from: &Chip, to: &Chip) -> Vec<Difference> {
    let value = |chip: &Chip, key: &str| {
        chip.figures.iter().find(|figure| figure.key == key).map(|f| f.value.clone())
    };
    let new = to.figures.iter().filter(|figure| value(from, &figure.key).is_none());
    let keys = from.figures.iter().chain(new).map(|figure| figure.key.clone());
    let all = keys.map(|key| Difference { from: value(from, &key), to: value(to, &key), key });
    all.filter(|difference| difference.from != difference.to).collect()
}

fn table(from: &Chip, to: &Chip, differences: &[Difference]) -> Table {
    let mut table = Table::new([Column::name("figure"), Column::text(&from.name), Column::text(&to.name)]);
    let shown = |value: &Option<String>| Cell::text(value.as_deref().unwrap_or("–"));
    for difference in differences {
        table.row([Cell::text(&difference.key), shown(&difference.from), shown(&difference.to)]);
    }
    if differences.is_empty() {
        table.note("No figure differs.");
    }
    table
}

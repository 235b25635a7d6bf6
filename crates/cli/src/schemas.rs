//! JSON Schemas of what `--format json` prints.

use schemars::{Schema, schema_for};

use crate::commands::{chip, model};

/// Name and schema of the answer of each command; `docs/schema/` is generated from them.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("compare", schema_for!(vitruvian::CompareAnswer)),
        ("estimate", schema_for!(vitruvian::EstimateAnswer)),
        ("chip-list", schema_for!(Vec<chip::list::Line>)),
        ("chip-show", schema_for!(chip::show::Shown)),
        ("chip-diff", schema_for!(Vec<chip::diff::Difference>)),
        ("model-list", schema_for!(Vec<model::list::Line>)),
        ("model-show", schema_for!(model::show::Shown)),
    ]
}

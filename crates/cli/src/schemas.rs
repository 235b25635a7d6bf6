//! JSON Schemas of what `--format json` prints, and of the files that a user writes.

use schemars::{Schema, schema_for};
use vitruvian_hardware::schema::{chip_schema, node_schema};

use crate::commands::{calibrate, chip, kernel, model};

/// Name and schema of the answer of each command and of each kind of file; `docs/schema/` is generated from them.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("compare", schema_for!(vitruvian::CompareAnswer)),
        ("estimate", schema_for!(vitruvian::EstimateAnswer)),
        ("plan", schema_for!(vitruvian::PlanAnswer)),
        ("simulate", schema_for!(vitruvian::SimulateAnswer)),
        ("chip-list", schema_for!(Vec<chip::list::Line>)),
        ("chip-show", schema_for!(chip::show::Shown)),
        ("chip-diff", schema_for!(Vec<chip::diff::Shown>)),
        ("kernel", schema_for!(kernel::Shown)),
        ("model-list", schema_for!(Vec<model::list::Line>)),
        ("model-show", schema_for!(model::show::Shown)),
        ("validate-operators", schema_for!(vitruvian_calibration::Report)),
        ("validate-serving", schema_for!(vitruvian::validation::ServingReport)),
        ("calibrate", schema_for!(Vec<calibrate::Shown>)),
        ("chip-file", Schema::try_from(chip_schema()).unwrap_or_default()),
        ("node-file", Schema::try_from(node_schema()).unwrap_or_default()),
    ]
}

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
        ("train", schema_for!(vitruvian::TrainAnswer)),
        ("compress", schema_for!(vitruvian::compress::answer::CompressAnswer)),
        ("cost-die", schema_for!(vitruvian::die::DieAnswer)),
        ("cost-serve", schema_for!(vitruvian::ownership::ServeAnswers)),
        ("cost-train", schema_for!(vitruvian::ownership::TrainCostAnswer)),
        ("cost-rent", schema_for!(vitruvian::ownership::RentAnswer)),
        ("fleet-plan", schema_for!(vitruvian::FleetAnswer)),
        ("fleet-file", Schema::try_from(vitruvian::fleet::json_schema()).unwrap_or_default()),
        ("export-control-check", schema_for!(vitruvian::export_control::CheckAnswer)),
        ("export-control-chips", schema_for!(vitruvian::export_control::ChipsAnswer)),
        ("export-control-timeline", schema_for!(vitruvian::export_control::TimelineAnswer)),
        ("export-control-rules", schema_for!(vitruvian::export_control::RulesAnswer)),
        ("export-control-memory", schema_for!(vitruvian::export_control::MemoryAnswer)),
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

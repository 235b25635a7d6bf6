//! Arguments that say which deployment a question is about.

use clap::Args;
use vitruvian::EstimateStudy;
use vitruvian::study::{Degrees, Phase};
use vitruvian_diagnostics::{Diagnostics, both};

use super::service::ServiceArgs;
use crate::inputs;

/// A chip, a service and one replica of it.
#[derive(Debug, Args)]
pub(crate) struct ReplicaArgs {
    /// Chip: a name of the catalog (`chip list`) or a TOML file
    #[arg(long, default_value = "h20", value_name = "CHIP")]
    chip: String,
    #[command(flatten)]
    service: ServiceArgs,
    /// Tensor-parallel degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    tp: u32,
    /// Pipeline-parallel degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    pp: u32,
    /// Data-parallel attention degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    dp: u32,
    /// Expert-parallel degree
    #[arg(long, default_value_t = 1, value_name = "N")]
    ep: u32,
    /// Running sequences of the replica
    #[arg(long, default_value_t = 8, value_name = "SEQUENCES")]
    batch: u32,
    /// Most tokens of one step; without it, the engine's default
    #[arg(long, value_name = "TOKENS")]
    chunk: Option<u32>,
}

impl ReplicaArgs {
    /// The deployment asked for, its files read.
    pub(crate) fn study(&self, phase: Phase) -> Result<EstimateStudy, Diagnostics> {
        let (chip, service) = both(inputs::chip_input(&self.chip), self.service.service())?;
        Ok(EstimateStudy {
            chip,
            service,
            layout: Degrees { tp: self.tp, pp: self.pp, dp: self.dp, ep: self.ep },
            batch: self.batch,
            chunk: self.chunk,
            phase,
        })
    }
}

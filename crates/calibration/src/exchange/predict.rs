//! Predictions of measured collectives.

use vitruvian_hardware::{Chip, Node};
use vitruvian_model::CollectiveKind;
use vitruvian_network::{CollectiveEstimate, CollectiveProfile, Network};

use super::{Exchange, Path};
use crate::score::{Pair, Z90};
use crate::table::Table;
use crate::validate::Row;

/// The profile with nothing but what a benchmark could call.
pub(super) fn along(profile: &CollectiveProfile, path: Path) -> CollectiveProfile {
    match path {
        Path::Library => profile.for_engine(None),
        Path::Engine(engine) => profile.for_engine(Some(engine.name())),
        Path::LowLatency => with_largest(profile, u64::MAX),
        Path::Normal => with_largest(profile, 0),
    }
}

/// Low-latency expert kernels up to this size, whatever their buffers.
fn with_largest(profile: &CollectiveProfile, largest: u64) -> CollectiveProfile {
    let mut profile = profile.clone();
    profile.experts.largest = largest;
    profile
}

/// What each exchange is predicted to take; `None` for expert kernels that the profile does not have.
pub(super) fn estimates<'a>(
    chip: &Chip,
    node: &Node,
    profile: &CollectiveProfile,
    exchanges: &[&'a Exchange],
) -> Vec<(&'a Exchange, CollectiveEstimate)> {
    let mut paths: Vec<Path> = exchanges.iter().map(|exchange| exchange.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let answer = |path: Path| {
        let profile = along(profile, path);
        let network = Network::new(chip, node, &profile);
        let own = exchanges.iter().filter(|exchange| exchange.path == path);
        own.map(|exchange| (*exchange, network.collective(&exchange.collective))).collect::<Vec<_>>()
    };
    paths.into_iter().flat_map(answer).collect()
}

/// Predicted against measured.
pub(super) fn pair((exchange, estimate): &(&Exchange, CollectiveEstimate)) -> Pair {
    Pair { predicted: estimate.time.get(), measured: exchange.time.get(), sigma: estimate.sigma }
}

/// The collectives of the tables as rows of a report, in the order of their kernels.
pub fn rows(chip: &Chip, node: &Node, profile: &CollectiveProfile, tables: &[Table]) -> Vec<Row> {
    let of_table = |table: &Table| {
        let exchanges: Vec<&Exchange> = table.exchanges.iter().collect();
        let answered = estimates(chip, node, profile, &exchanges);
        answered.iter().map(|answered| row(&table.name, answered)).collect::<Vec<_>>()
    };
    tables.iter().flat_map(of_table).collect()
}

fn row(table: &str, answered: &(&Exchange, CollectiveEstimate)) -> Row {
    let (exchange, estimate) = answered;
    let Pair { predicted, measured, sigma } = pair(answered);
    let spread = (Z90 * sigma).exp();
    let collective = &exchange.collective;
    Row {
        table: table.to_owned(),
        line: exchange.line,
        family: family(collective.kind),
        precision: exchange.path.name().to_owned(),
        shape: format!("{} ranks, {} bytes, {}", collective.group.size, collective.bytes, estimate.algorithm),
        measured_us: measured * 1e6,
        predicted_us: predicted * 1e6,
        p10_us: predicted * 1e6 / spread,
        p90_us: predicted * 1e6 * spread,
        error_pct: 100.0 * (predicted / measured - 1.0),
        bound: estimate.bound.name(),
    }
}

/// The name of a pattern in reports.
pub(super) const fn family(kind: CollectiveKind) -> &'static str {
    match kind {
        CollectiveKind::AllReduce => "all-reduce",
        CollectiveKind::AllGather => "all-gather",
        CollectiveKind::ReduceScatter => "reduce-scatter",
        CollectiveKind::AllToAll => "all-to-all",
        CollectiveKind::Dispatch { .. } => "expert dispatch",
        CollectiveKind::Combine { .. } => "expert combine",
        CollectiveKind::SendReceive => "send-receive",
    }
}

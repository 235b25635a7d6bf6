//! Ways to serve each demand on each chip: the best deployments that meet its service level, from the planner's search.

use vitruvian_planner::space::Limits;
use vitruvian_planner::{Candidate, Objective, Outcome, Performance, Question, Space, search};

use super::spec::{DemandSpec, SupplySpec};
use crate::compare::nearest;
use crate::deployment::in_one_line;
use crate::precision::precisions;

/// A deployment that meets the service level of a demand on a chip.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) demand: usize,
    pub(super) chip: usize,
    pub(super) nodes: u32,
    pub(super) performance: Performance,
    /// The deployment in one line.
    pub(super) text: String,
}

/// A pair of demand and chip without a deployment, and why.
#[derive(Clone, Debug)]
pub(super) struct Unserved {
    pub(super) demand: usize,
    pub(super) chip: usize,
    pub(super) why: String,
}

/// Nodes of one deployment at most.
const MOST_NODES: u32 = 8;
/// Deployments kept of one demand on one chip.
const MOST_KEPT: usize = 3;
/// A deployment that is better by less than this is no other.
const SAME: f64 = 0.01;

/// All deployments that are worth a choice, and the pairs that have none.
pub(super) fn columns(demands: &[DemandSpec], supplies: &[SupplySpec]) -> (Vec<Found>, Vec<Unserved>) {
    let (mut found, mut unserved) = (Vec::new(), Vec::new());
    for (d, demand) in demands.iter().enumerate() {
        for &c in &demand.chips {
            match pair(demand, &supplies[c]) {
                Ok(ways) => found.extend(ways.into_iter().map(|way| Found { demand: d, chip: c, ..way })),
                Err(why) => unserved.push(Unserved { demand: d, chip: c, why }),
            }
        }
    }
    (found, unserved)
}

/// Deployments of the fewest nodes that meet the service level, and of twice as many where experts can spread further.
fn pair(demand: &DemandSpec, supply: &SupplySpec) -> Result<Vec<Found>, String> {
    let mut nodes = 1;
    let mut why = String::new();
    while nodes <= MOST_NODES {
        match of_size(demand, supply, nodes)? {
            Ok(mut ways) => {
                if demand.model.has_experts() && nodes * 2 <= MOST_NODES {
                    ways.extend(of_size(demand, supply, nodes * 2)?.unwrap_or_default());
                }
                return Ok(worth_a_choice(ways));
            }
            Err(stops) => why = stops,
        }
        nodes *= 2;
    }
    Err(why)
}

type Ways = Result<Vec<Found>, String>;

/// The best deployments of a number of nodes, or what stops the nearest one; outside, what rules the chip out.
fn of_size(demand: &DemandSpec, supply: &SupplySpec, nodes: u32) -> Result<Ways, String> {
    let setup = &supply.setup;
    let precisions =
        precisions(&demand.service, &demand.model, &setup.chip).map_err(|fault| fault.message)?;
    let limits =
        Limits { max_sequences: setup.engine.max_sequences, batched_tokens: setup.engine.batched_tokens };
    let chips = nodes * setup.node.size;
    let space = Space::whole(&demand.model, chips, setup.node.size, precisions, limits);
    let network = setup.network();
    let question = Question {
        model: &demand.model,
        chip: &setup.chip,
        node: &setup.node,
        costs: setup.costs(),
        network: &network,
        engine: &setup.engine,
        workload: demand.workload,
        targets: demand.targets,
        objective: Objective::Throughput,
        finance: setup.finance(),
        space: &space,
        keep_all: false,
    };
    let Outcome { lean, census, .. } = search(&question);
    if lean.is_empty() {
        let stops = nearest(&question, &census).map(|(_, closest)| {
            format!("closest is {} on {chips} chips: {}", closest.candidate, closest.stops)
        });
        return Ok(Err(stops.unwrap_or_else(|| "no layout divides the model".to_owned())));
    }
    let way = |(candidate, performance): (Candidate, Performance)| Found {
        demand: 0,
        chip: 0,
        nodes,
        text: in_one_line(&candidate, &space.precisions),
        performance,
    };
    Ok(Ok(lean.into_iter().map(way).collect()))
}

/// Drops what another beats in requests a node and requests a watt without being larger.
fn worth_a_choice(mut ways: Vec<Found>) -> Vec<Found> {
    let per_node = |way: &Found| way.performance.requests_per_s / f64::from(way.nodes);
    let per_watt = |way: &Found| per_node(way) / way.chip_power();
    ways.sort_by(|a, b| per_node(b).total_cmp(&per_node(a)).then(a.nodes.cmp(&b.nodes)));
    let mut kept: Vec<Found> = Vec::new();
    for way in ways {
        let beaten = kept.iter().any(|other| {
            other.nodes <= way.nodes
                && per_node(other) * (1.0 + SAME) >= per_node(&way)
                && per_watt(other) * (1.0 + SAME) >= per_watt(&way)
        });
        if !beaten && kept.len() < MOST_KEPT {
            kept.push(way);
        }
    }
    kept
}

impl Found {
    /// Watts of one chip at the wall.
    fn chip_power(&self) -> f64 {
        self.performance.wall_power.get()
    }
}

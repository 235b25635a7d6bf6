//! A scenario's load, request by request: clients that send a number of requests each, one after the other. A burst is as many
//! clients as requests.

use vitruvian_engine::{Meter, Replica};
use vitruvian_planner::Fall;
use vitruvian_serving::deploy::{self, Options, Unfit};
use vitruvian_serving::workload::{Arrivals, Lengths, Workload};
use vitruvian_serving::{FirstToken, Halt, Level, Measures, Routing, Service, Transfer, measures, simulate};

use super::scenario::Scenario;

/// Simulates the load.
///
/// # Errors
/// The deployment does not fit, or the chip cannot do an operator.
pub(super) fn run(scenario: &Scenario, replica: &Replica<'_>, rounds: u32) -> Result<Measures, Fall> {
    let network = scenario.setup.network();
    let meter = Meter::new(&scenario.setup.node, scenario.setup.costs(), &network);
    let options = Options {
        replicas: 1,
        batched_tokens: Some(scenario.chunk),
        sequences: scenario.running,
        context: scenario.workload.mean_context(),
        speculation: scenario.speculation.clone(),
        ..Options::default()
    };
    let mut service = Service {
        pools: vec![deploy::pool(*replica, meter, &options).map_err(unfit)?],
        routing: Routing::LeastLoaded,
        transfer: Transfer::default(),
        first_token: FirstToken::Decode,
        front: deploy::front(replica),
        context: u32::MAX,
        seed: 0,
    };
    let requests = traffic(scenario, rounds).draw();
    let outcome = simulate(&mut service, &requests).map_err(|halt| match halt {
        Halt::Refused(refusal) => Fall::Unsupported(refusal.to_string()),
        other => Fall::Unsupported(format!("{other:?}")),
    })?;
    Ok(measures(&outcome, &requests, &Level::default(), 0))
}

fn unfit(unfit: Unfit) -> Fall {
    match unfit {
        Unfit::Memory(misfit) => Fall::DoesNotFit { missing: misfit.missing, stage: misfit.stage },
        Unfit::Refused(refusal) => Fall::Unsupported(refusal.to_string()),
    }
}

fn traffic(scenario: &Scenario, rounds: u32) -> Workload {
    let (input, output) = (scenario.workload.input, scenario.workload.output.max(1));
    Workload {
        requests: scenario.sequences * rounds,
        arrivals: Arrivals::Closed { clients: scenario.sequences, think: 0.0 },
        lengths: Lengths::Fixed { input, output },
        sharing: None,
        seed: 0,
    }
}

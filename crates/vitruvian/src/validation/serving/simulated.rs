//! A measured point simulated request by request: clients of a closed loop, each sending its next request when its last one
//! is answered.

use vitruvian_cost::Bound;
use vitruvian_engine::{EngineProfile, Meter, Replica, step_cost};
use vitruvian_model::Step;
use vitruvian_network::Network;
use vitruvian_serving::deploy::{self, Options, Unfit};
use vitruvian_serving::workload::{Arrivals, Lengths, Workload};
use vitruvian_serving::{FirstToken, Halt, Level, Measures, Pool, Routing, Service, measures, simulate};

use super::point::{Case, Side};
use crate::simulate::way;

/// What the clients of a point saw.
pub(super) struct Seen {
    /// Mean seconds to the first token.
    pub(super) ttft: f64,
    /// Mean seconds per token after the first.
    pub(super) tpot: f64,
    /// Relative spread of both.
    pub(super) ttft_sigma: f64,
    pub(super) tpot_sigma: f64,
    /// What bounds a decode step.
    pub(super) bound: Bound,
}

/// Requests that each client sends: the benchmarks behind the table send ten times the concurrency.
const ROUNDS: u32 = 10;
/// Those benchmarks draw lengths evenly between this share of ISL and OSL and the whole (`--random-range-ratio`).
const RANGE: f64 = 0.8;

pub(super) fn run(case: &Case) -> Result<Seen, String> {
    let networks: Vec<Network<'_>> = case.sides.iter().map(|side| side.setup.network()).collect();
    let found = means(case, &networks, None)?;
    Ok(Seen { ttft: found.ttft.mean, tpot: found.tpot.mean, ..worth(case, &networks)? })
}

/// What the clients see, under the engine of each side or one with other figures.
pub(super) fn means(
    case: &Case,
    networks: &[Network<'_>],
    engine: Option<&EngineProfile>,
) -> Result<Measures, String> {
    let replica =
        |side| Replica { engine: engine.unwrap_or(case.replica(side).engine), ..case.replica(side) };
    let pools =
        case.sides.iter().zip(networks).map(|(side, network)| pool(case, side, replica(side), network));
    let (from, to) = (0, case.sides.len() - 1);
    let front = deploy::front(&replica(&case.sides[from]));
    let mut service = Service {
        pools: pools.collect::<Result<_, _>>()?,
        routing: Routing::LeastLoaded,
        transfer: if from == to {
            vitruvian_serving::Transfer::default()
        } else {
            let end = |at: usize| {
                (&case.sides[at].setup, &networks[at], case.sides[at].layout, case.sides[at].workers)
            };
            way(&case.model, &case.plan, end(from), end(to))
        },
        first_token: FirstToken::Decode,
        front,
        context: u32::MAX,
        seed: 0,
    };
    let requests = traffic(case).draw();
    let outcome = simulate(&mut service, &requests).map_err(|halt| match halt {
        Halt::Refused(refusal) => refusal.to_string(),
        other => format!("{other:?}"),
    })?;
    let found = measures(&outcome, &requests, &Level::default(), 0);
    if found.finished < found.requests {
        return Err("a request does not fit".to_owned());
    }
    Ok(found)
}

fn traffic(case: &Case) -> Workload {
    let (input, output) = (case.workload.input, case.workload.output);
    Workload {
        requests: case.clients() * ROUNDS,
        arrivals: Arrivals::Closed { clients: case.clients(), think: 0.0 },
        lengths: Lengths::Uniform { input, output, ratio: RANGE },
        sharing: None,
        seed: 0,
    }
}

fn pool<'a>(
    case: &'a Case,
    side: &'a Side,
    replica: Replica<'a>,
    network: &'a Network<'a>,
) -> Result<Pool<'a>, String> {
    let meter = Meter::new(&side.setup.node, side.setup.costs(), network);
    let options = Options {
        role: side.role,
        replicas: side.workers,
        context: case.workload.mean_context(),
        ..Options::default()
    };
    deploy::pool(replica, meter, &options).map_err(|unfit| match unfit {
        Unfit::Memory(misfit) => {
            format!("does not fit: {} too much on each rank of stage {}", misfit.missing, misfit.stage)
        }
        Unfit::Refused(refusal) => refusal.to_string(),
    })
}

/// Spreads and bound: of a decode step at the mean context, and of one prompt.
fn worth(case: &Case, networks: &[Network<'_>]) -> Result<Seen, String> {
    let cost = |index: usize, step: Step| {
        let side = &case.sides[index];
        let mut meter = Meter::new(&side.setup.node, side.setup.costs(), &networks[index]);
        step_cost(&case.replica(side), &step, &mut meter).map_err(|refusal| refusal.to_string())
    };
    let last = case.sides.len() - 1;
    let (prefill, decode) = (&case.sides[0], &case.sides[last]);
    let groups = decode.layout.dp * decode.layout.pp * decode.workers;
    let token =
        cost(last, Step::decode(case.clients().div_ceil(groups).max(1), case.workload.mean_context()))?;
    let most = prefill.setup.engine.batched_tokens;
    let prompt = cost(0, Step::prefill(1, case.workload.input.min(most)))?;
    Ok(Seen {
        ttft: 0.0,
        tpot: 0.0,
        ttft_sigma: prompt.sigma.hypot(prefill.setup.engine.ttft_sigma),
        tpot_sigma: token.sigma.hypot(decode.setup.engine.tpot_sigma),
        bound: token.bound(),
    })
}

impl Case {
    /// A replica of one side.
    pub(super) fn replica<'a>(&'a self, side: &'a Side) -> Replica<'a> {
        Replica { model: &self.model, plan: &self.plan, layout: side.layout, engine: &side.setup.engine }
    }
}

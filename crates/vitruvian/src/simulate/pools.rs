//! From a study's pools to pools of replicas whose steps the engine costs.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, all};
use vitruvian_engine::{Meter, Replica};
use vitruvian_model::{
    Collective, CollectiveKind, Group, Layout, Model, QuantPlan, kv_bytes_per_token,
    state_bytes_per_sequence, validate,
};
use vitruvian_network::Network;
use vitruvian_planner::space::Limits;
use vitruvian_planner::{Objective, Precision, Question as Search, Space, Targets, Workload, search};
use vitruvian_serving::deploy::{self, Options, Unfit};
use vitruvian_serving::scheduler::{MindIe, Sglang};
use vitruvian_serving::{Front, Policy, Pool, Requests, Role, Speculation, Transfer};

use super::study::{PoolStudy, RoleName, SimulateStudy};
use crate::precision::precisions;
use crate::setup::{Profiles, Setup};
use crate::study::{Degrees, Service};

/// A pool with its names looked up.
pub(super) struct Prepared {
    pub(super) role: RoleName,
    pub(super) setup: Setup,
    pub(super) precision: Precision,
    pub(super) layout: Layout,
    pub(super) replicas: u32,
}

pub(super) fn prepare(
    study: &SimulateStudy,
    model: &Model,
    requests: &Requests,
    profiles: &Profiles,
) -> Result<Vec<Prepared>, Diagnostics> {
    roles(&study.pools)?;
    all(study.pools.iter().map(|pool| one(pool, study, model, requests, profiles)))
}

/// One pool that does everything, or one of each kind.
fn roles(pools: &[PoolStudy]) -> Result<(), Diagnostic> {
    let count = |role| pools.iter().filter(|pool| pool.role == role).count();
    match [count(RoleName::Whole), count(RoleName::Prefill), count(RoleName::Decode)] {
        [1, 0, 0] | [0, 1, 1] => Ok(()),
        _ => Err(Diagnostic::error(
            "pools",
            "a service has one pool that does everything, or one that prefills and one that decodes",
        )
        .help("give --chip, or both --prefill and --decode")),
    }
}

fn one(
    pool: &PoolStudy,
    study: &SimulateStudy,
    model: &Model,
    requests: &Requests,
    profiles: &Profiles,
) -> Result<Prepared, Diagnostics> {
    let own = |own: &Option<String>, shared: &Option<String>| own.clone().or_else(|| shared.clone());
    let service = Service {
        engine: own(&pool.engine, &study.service.engine),
        precisions: pool.precision.clone().map_or_else(|| study.service.precisions.clone(), |own| vec![own]),
        ..study.service.clone()
    };
    let mut setup = Setup::new(&pool.chip, &service, profiles)?;
    if let Some(skew) = study.expert_skew {
        setup.engine.expert_skew = skew;
    }
    let precision = precisions(&service, model, &setup.chip)?.remove(0);
    let (layout, replicas) = match pool.layout {
        Some(degrees) => asked(degrees, pool.chips, model)?,
        None => best(pool, model, requests, &setup, &precision)?,
    };
    Ok(Prepared { role: pool.role, setup, precision, layout, replicas })
}

fn asked(degrees: Degrees, chips: u32, model: &Model) -> Result<(Layout, u32), Diagnostic> {
    let layout = Layout { tp: degrees.tp, pp: degrees.pp, dp: degrees.dp, ep: degrees.ep, cp: 1 };
    validate(model, layout).map_err(|error| {
        Diagnostic::error("layout", format!("{layout} does not divide {}: {error}", model.name))
            .help("choose degrees that divide the heads, experts and layers; `model show` lists them")
    })?;
    if !chips.is_multiple_of(layout.chips()) {
        let message =
            format!("{chips} chips are no whole number of replicas of {layout} ({} chips)", layout.chips());
        return Err(Diagnostic::error("layout", message).help("change --chips or the degrees"));
    }
    Ok((layout, chips / layout.chips()))
}

/// The layout of most throughput at the mean lengths, by the closed form of the steady state.
fn best(
    pool: &PoolStudy,
    model: &Model,
    requests: &Requests,
    setup: &Setup,
    precision: &Precision,
) -> Result<(Layout, u32), Diagnostic> {
    let (input, output) = requests.mean_lengths();
    let engine = &setup.engine;
    let limits = Limits { max_sequences: engine.max_sequences, batched_tokens: engine.batched_tokens };
    let space = Space::whole(model, pool.chips, setup.node.size, vec![precision.clone()], limits);
    let network = setup.network();
    let outcome = search(&Search {
        model,
        chip: &setup.chip,
        node: &setup.node,
        costs: setup.costs(),
        network: &network,
        engine,
        workload: Workload { input: input.round() as u32, output: output.round() as u32, cached: 0 },
        targets: Targets::default(),
        objective: Objective::default(),
        finance: setup.finance(),
        space: &space,
        keep_all: false,
    });
    outcome.best.map(|(candidate, _)| (candidate.layout, candidate.replicas)).ok_or_else(|| {
        let message =
            format!("no layout of {} on {} × {} holds a request", model.name, pool.chips, setup.chip.title);
        Diagnostic::error("does-not-fit", message)
            .help("use more chips or a smaller precision; `compare` says what each layout lacks")
    })
}

fn replica<'a>(pool: &'a Prepared, model: &'a Model) -> Replica<'a> {
    Replica { model, plan: &pool.precision.plan, layout: pool.layout, engine: &pool.setup.engine }
}

pub(super) fn pools<'a>(
    study: &SimulateStudy,
    model: &'a Model,
    requests: &Requests,
    prepared: &'a [Prepared],
    networks: &'a [Network<'a>],
) -> Result<Vec<Pool<'a>>, Diagnostics> {
    let speculation = study.speculation.as_deref().map(str::parse::<Speculation>).transpose();
    let speculation = speculation.map_err(|message| Diagnostic::error("speculation", message))?;
    let policy = study.scheduler.as_deref().map(policy).transpose()?;
    let (input, output) = requests.mean_lengths();
    let pools = prepared.iter().zip(networks).map(|(pool, network)| {
        let meter = Meter::new(&pool.setup.node, pool.setup.costs(), network);
        let options = Options {
            role: role(pool.role),
            replicas: pool.replicas,
            batched_tokens: study.chunk,
            sequences: study.max_sequences,
            prefix_cache: !study.no_prefix_cache,
            policy,
            speculation: speculation.clone().filter(|_| pool.role != RoleName::Prefill),
            context: (input + output / 2.0) as u32,
        };
        deploy::pool(replica(pool, model), meter, &options)
            .map_err(|unfit| unfits(&unfit, pool, model).into())
    });
    all(pools)
}

fn role(name: RoleName) -> Role {
    match name {
        RoleName::Whole => Role::Whole,
        RoleName::Prefill => Role::Prefill,
        RoleName::Decode => Role::Decode,
    }
}

fn policy(name: &str) -> Result<Policy, Diagnostic> {
    match name {
        "vllm" => Ok(Policy::Vllm),
        "vllm-v0" => Ok(Policy::VllmV0),
        "sglang" => Ok(Policy::Sglang(Sglang::default())),
        "mindie" => Ok(Policy::MindIe(MindIe::default())),
        other => Err(Diagnostic::error("scheduler-unknown", format!("there is no scheduler `{other}`"))
            .help("use vllm, vllm-v0, sglang or mindie")),
    }
}

fn unfits(unfit: &Unfit, pool: &Prepared, model: &Model) -> Diagnostic {
    let (layout, chip) = (pool.layout, &pool.setup.chip.title);
    match unfit {
        Unfit::Memory(misfit) => Diagnostic::error(
            "does-not-fit",
            format!(
                "{} does not fit {layout} on {chip}: {} too much on each rank of pipeline stage {}",
                model.name, misfit.missing, misfit.stage
            ),
        )
        .help("use more chips a replica or a smaller precision"),
        Unfit::Refused(refusal) => Diagnostic::error("unsupported", refusal.to_string()),
    }
}

/// Seconds at the front end: those of the pool that takes prompts.
pub(super) fn front(model: &Model, prepared: &[Prepared]) -> Front {
    let entry = prepared.iter().find(|pool| pool.role != RoleName::Decode);
    entry.map_or(Front::default(), |pool| deploy::front(&replica(pool, model)))
}

/// A message long enough that its time is all wire.
const PROBE: u64 = 1 << 30;

/// The way between the pools of a study; none within one pool.
pub(super) fn transfer(
    study: &SimulateStudy,
    model: &Model,
    prepared: &[Prepared],
    networks: &[Network<'_>],
) -> Transfer {
    let side = |role| {
        let found = prepared.iter().zip(networks).find(|(pool, _)| pool.role == role);
        found.map(|(pool, network)| (&pool.setup, network, pool.layout, pool.replicas, &pool.precision.plan))
    };
    let (Some(from), Some(to)) = (side(RoleName::Prefill), side(RoleName::Decode)) else {
        return Transfer::default();
    };
    let end = |(setup, network, layout, replicas, _)| (setup, network, layout, replicas);
    let transfer = way(model, to.4, end(from), end(to));
    if study.whole_transfer { Transfer { layers: 1, ..transfer } } else { transfer }
}

/// One side of a transfer: chip and node, their network, layout of a replica, number of replicas.
pub(crate) type End<'a> = (&'a Setup, &'a Network<'a>, Layout, u32);

/// The way from a prefill to a decode replica: each rank sends its share to a rank of the other side, over the links of the
/// node that both fit in, else over their NICs; the slower side sets the pace. Layers leave as they are computed.
pub(crate) fn way(model: &Model, plan: &QuantPlan, from: End<'_>, to: End<'_>) -> Transfer {
    let chips = |(_, _, layout, replicas): End<'_>| layout.chips() * replicas;
    let node = from.0.node.size;
    let together = from.0.chip.name == to.0.chip.name && chips(from) + chips(to) <= node;
    let stride = if together { 1 } else { node.max(to.0.node.size) };
    let ends = [from, to].map(|(_, network, layout, _)| {
        let group = Group { size: 2, stride };
        let send = network.collective(&Collective { kind: CollectiveKind::SendReceive, group, bytes: PROBE });
        (PROBE as f64 / send.wire.get() * f64::from(layout.chips()), send.latency.get())
    });
    Transfer {
        latency: ends[0].1.max(ends[1].1),
        bandwidth: ends[0].0.min(ends[1].0),
        token: kv_bytes_per_token(model, plan, Layout::ONE).get(),
        fixed: state_bytes_per_sequence(model, plan, Layout::ONE).get(),
        layers: model.depth() as u32,
    }
}

#[cfg(test)]
mod tests {
    use vitruvian_model::{Scheme, catalog};

    use super::*;
    use crate::study::Input;

    /// Bytes per second of one rank between chips of these kinds, so many of each side, four to a replica.
    fn rate(from: &str, to: &str, chips: u32) -> f64 {
        let profiles = Profiles::catalog().unwrap();
        let setup =
            |name: &str| Setup::new(&Input::Name(name.into()), &Service::default(), &profiles).unwrap();
        let (from, to) = (setup(from), setup(to));
        let layout = Layout { tp: 4, ..Layout::ONE };
        let (here, there) = (from.network(), to.network());
        let model = catalog::model("qwen3-32b").unwrap();
        let plan = QuantPlan::uniform(Scheme::Bf16);
        let replicas = chips / 4;
        let way = way(&model, &plan, (&from, &here, layout, replicas), (&to, &there, layout, replicas));
        // 64 layers of 2 · 8 heads · 128 values of 2 bytes.
        assert_eq!(way.token, 64.0 * 2.0 * 8.0 * 128.0 * 2.0);
        way.bandwidth / 4.0
    }

    #[test]
    fn a_pair_of_910b_has_one_link_inside_a_node_and_one_roce_port_between() {
        let inside = rate("ascend-910b2", "ascend-910b2", 4);
        let between = rate("ascend-910b2", "ascend-910b2", 8);
        // 18.5 GB/s of a link and 24.5 GB/s of a port (catalog/nodes/atlas-800t-a2.toml), less what the protocol costs.
        assert!(inside > 0.6 * 18.5e9 && inside <= 18.5e9, "{inside}");
        assert!(between > 0.6 * 24.5e9 && between <= 24.5e9, "{between}");
    }

    #[test]
    fn the_slower_side_sets_the_pace() {
        let (mixed, alike) = (rate("h20", "ascend-910b2", 4), rate("h20", "h20", 8));
        let roce = rate("ascend-910b2", "ascend-910b2", 8);
        assert!((mixed / roce - 1.0).abs() < 1e-9, "{mixed} {roce}");
        assert!(alike > mixed);
    }
}

//! A plan as something to launch.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::Vendor;
use vitruvian_planner::plan::{Plan, Pool, Shape};
use vitruvian_quantity::Dtype;
use vitruvian_report::launch::{Degrees, Engine, Format, Launch, Maker, Part, Peer, Role, Traffic};

use super::Asked;
use super::pairing::FOREIGN;

/// What to start for a plan, and traffic of `rate` requests per second to check it with.
///
/// # Errors
/// No launch files are known for one of the engines.
pub(super) fn launch(
    asked: &Asked<'_>,
    plan: &Plan,
    rate: f64,
    predicted: Vec<String>,
) -> Result<Launch, Diagnostics> {
    let engines: Vec<Engine> = plan.pools.iter().map(|pool| engine(asked, pool)).collect::<Result<_, _>>()?;
    let split = matches!(plan.shape, Shape::Disaggregated(..));
    let mut parts = Vec::new();
    for (index, pool) in plan.pools.iter().enumerate() {
        let role = if split { [Role::Prefill, Role::Decode][index.min(1)] } else { Role::Whole };
        let peer = split.then(|| Peer {
            degrees: degrees(&plan.pools[1 - index.min(1)]),
            same_engine: engines[0] == engines[1],
        });
        parts.push(Part { peer, ..part(asked, pool, role, engines[index]) });
    }
    let notes = notes(asked, plan, &engines);
    Ok(Launch {
        model: asked.model.name.clone(),
        parts,
        traffic: traffic(asked, plan, rate),
        predicted,
        notes,
    })
}

fn engine(asked: &Asked<'_>, pool: &Pool) -> Result<Engine, Diagnostic> {
    let engine = &asked.setups[pool.kind].engine;
    Engine::named(&engine.name).ok_or_else(|| {
        Diagnostic::error("emit-engine", format!("no launch files are known for {}", engine.title))
            .help("use vllm, sglang, vllm-ascend or mindie, or leave --emit out")
    })
}

fn part(asked: &Asked<'_>, pool: &Pool, role: Role, engine: Engine) -> Part {
    let (setup, candidate) = (&asked.setups[pool.kind], &pool.candidate);
    let precision = &asked.spaces[pool.kind].precisions[candidate.precision];
    let name = match role {
        Role::Whole => format!("serve-{}", setup.chip.name),
        Role::Prefill => format!("prefill-{}", setup.chip.name),
        Role::Decode => format!("decode-{}", setup.chip.name),
    };
    Part {
        name,
        role,
        engine,
        chip: setup.chip.title.clone(),
        maker: match setup.chip.vendor {
            Vendor::Huawei => Maker::Huawei,
            Vendor::Amd => Maker::Amd,
            Vendor::Nvidia | Vendor::Other => Maker::Nvidia,
        },
        node_size: setup.node.size,
        degrees: degrees(pool),
        replicas: candidate.replicas,
        sequences: candidate.batch.div_ceil(candidate.layout.dp.max(1)),
        step_tokens: candidate.chunk,
        block: setup.engine.block,
        context: context(asked),
        memory_fraction: setup.engine.memory_fraction,
        format: Format {
            name: precision.name.clone(),
            published: asked.model.published.is_some() && precision.plan == asked.model.default_plan(),
            kv: if precision.plan.kv == Dtype::Fp8 { "fp8" } else { precision.plan.kv.name() }.to_owned(),
        },
        exchange: setup.engine.exchange.map(vitruvian_engine::ExchangeOverlap::name),
        peer: None,
    }
}

/// The longest request in whole blocks of 128, the largest block of any engine.
fn context(asked: &Asked<'_>) -> u32 {
    asked.longest.next_multiple_of(128)
}

fn degrees(pool: &Pool) -> Degrees {
    let layout = pool.candidate.layout;
    Degrees { tp: layout.tp, pp: layout.pp, dp: layout.dp, ep: layout.ep }
}

fn traffic(asked: &Asked<'_>, plan: &Plan, rate: f64) -> Traffic {
    let milliseconds = |time: vitruvian_quantity::Seconds| (time.get() * 1e6).round() / 1e3;
    Traffic {
        input: asked.workload.input,
        shared_prefix: asked.workload.cached_tokens(),
        output: asked.workload.output,
        rate,
        ttft_ms: asked.targets.ttft.map(milliseconds),
        tpot_ms: asked.targets.tpot.map(milliseconds),
        recorded: asked.traffic.recorded(rate, plan.request_time(&asked.workload).get() * rate),
    }
}

fn notes(asked: &Asked<'_>, plan: &Plan, engines: &[Engine]) -> Vec<String> {
    let mut notes = Vec::new();
    for pool in &plan.pools {
        let precision = &asked.spaces[pool.kind].precisions[pool.candidate.precision];
        let line = format!(
            "{} is planned in {}: `MODEL` must name a checkpoint that the engine can serve so",
            asked.setups[pool.kind].chip.title, precision.name
        );
        if !notes.contains(&line) {
            notes.push(line);
        }
    }
    if engines.windows(2).any(|pair| pair[0] != pair[1]) && plan.transfer.is_some() {
        notes.push(FOREIGN.to_owned());
    }
    notes
}

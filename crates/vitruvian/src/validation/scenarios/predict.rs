//! What a scenario's deployment is predicted to do.

use vitruvian_cost::Refusal;
use vitruvian_engine::{Meter, Replica, StepCost, step_cost};
use vitruvian_model::{Decode, Step};
use vitruvian_planner::{Fall, Loop, burst, closed_loop};
use vitruvian_quantity::Seconds;
use vitruvian_serving::{Draft, Speculation};

use super::load;
use super::scenario::{Load, Metric, Scenario};

/// A predicted metric with its relative spread.
pub(super) struct Value {
    pub(super) metric: Metric,
    pub(super) predicted: f64,
    pub(super) sigma: f64,
}

/// Every metric that the load has.
pub(super) fn predict(scenario: &Scenario) -> Result<Vec<Value>, Fall> {
    let network = scenario.setup.network();
    let mut meter = Meter::new(&scenario.setup.node, scenario.setup.costs(), &network);
    let replica = Replica {
        model: &scenario.model,
        plan: &scenario.plan,
        layout: scenario.layout,
        engine: &scenario.setup.engine,
    };
    match scenario.load {
        Load::Prefill => prefill(scenario, &replica, &mut meter),
        Load::Decode => decode(scenario, &replica, &mut meter),
        Load::Closed => closed(scenario, &replica, &mut meter),
        Load::Burst => at_once(scenario, &replica, &mut meter),
    }
}

fn prefill(scenario: &Scenario, replica: &Replica<'_>, meter: &mut Meter<'_>) -> Result<Vec<Value>, Fall> {
    let step = Step::prefill(scenario.sequences, scenario.workload.input);
    let cost = cost(replica, &step, meter)?;
    let tokens = f64::from(step.tokens());
    let sigma = cost.sigma.hypot(replica.engine.ttft_sigma);
    Ok(vec![per_chip(Metric::PrefillThroughputPerChip, scenario, &cost, tokens, sigma)])
}

fn decode(scenario: &Scenario, replica: &Replica<'_>, meter: &mut Meter<'_>) -> Result<Vec<Value>, Fall> {
    let groups = scenario.layout.dp * scenario.layout.pp;
    let each = scenario.sequences.div_ceil(groups);
    let drafts = scenario.speculation.as_ref().map(Draft::new);
    let queries = drafts.as_ref().map_or(1, Draft::queries);
    let decode = Decode { sequences: each, context: scenario.workload.mean_context(), queries };
    let mut cost = cost(replica, &Step { decode: Some(decode), ..Step::default() }, meter)?;
    if let Some(draft) = &drafts {
        let drafting =
            draft.cost(replica, each, decode.context, meter).map_err(|refusal| unsupported(&refusal))?;
        cost.latency += Seconds::new(drafting.latency);
        cost.interval += Seconds::new(drafting.latency);
    }
    let gained = scenario.speculation.as_ref().map_or(1.0, Speculation::tokens_per_step);
    let sigma = cost.sigma.hypot(replica.engine.tpot_sigma);
    Ok(vec![
        per_chip(Metric::DecodeThroughputPerChip, scenario, &cost, f64::from(each) * gained, sigma),
        Value { metric: Metric::Tpot, predicted: cost.latency.get() * 1e3 / gained, sigma },
    ])
}

fn cost(replica: &Replica<'_>, step: &Step, meter: &mut Meter<'_>) -> Result<StepCost, Fall> {
    step_cost(replica, step, meter).map_err(|refusal| unsupported(&refusal))
}

fn unsupported(refusal: &Refusal) -> Fall {
    Fall::Unsupported(refusal.to_string())
}

/// Tokens of one data-parallel group in one interval, over all chips.
fn per_chip(metric: Metric, scenario: &Scenario, cost: &StepCost, tokens: f64, sigma: f64) -> Value {
    let all = tokens * f64::from(scenario.layout.dp);
    let predicted = all / cost.interval.get() / f64::from(scenario.layout.chips());
    Value { metric, predicted, sigma }
}

fn closed(scenario: &Scenario, replica: &Replica<'_>, meter: &mut Meter<'_>) -> Result<Vec<Value>, Fall> {
    let load = Loop { clients: scenario.sequences, rounds: scenario.rounds };
    let workload = &scenario.workload;
    let state = closed_loop(replica, workload, load, scenario.chunk, meter)?;
    values(scenario, replica, scenario.rounds, state.ttft_sigma, state.tpot_sigma)
}

fn at_once(scenario: &Scenario, replica: &Replica<'_>, meter: &mut Meter<'_>) -> Result<Vec<Value>, Fall> {
    let state = burst(replica, &scenario.workload, scenario.sequences, scenario.chunk, meter)?;
    values(scenario, replica, 1, state.sigma, state.sigma)
}

/// What clients see in a simulation, each sending `rounds` requests; spreads are those of the closed form.
fn values(
    scenario: &Scenario,
    replica: &Replica<'_>,
    rounds: u32,
    ttft_sigma: f64,
    tpot_sigma: f64,
) -> Result<Vec<Value>, Fall> {
    let seen = load::run(scenario, replica, rounds)?;
    let value = |metric, predicted, sigma| Value { metric, predicted, sigma };
    Ok(vec![
        value(Metric::Ttft, seen.ttft.mean * 1e3, ttft_sigma),
        value(Metric::Tpot, seen.tpot.mean * 1e3, tpot_sigma),
        value(Metric::OutputThroughput, seen.output_per_s, tpot_sigma),
        value(Metric::TotalThroughput, seen.output_per_s + seen.input_per_s, tpot_sigma),
    ])
}

//! What a scenario's deployment is predicted to do.

use vitruvian_engine::{Meter, Replica, StepCost, step_cost};
use vitruvian_model::Step;
use vitruvian_planner::{Fall, Loop, burst, closed_loop};

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
    let cost = cost(replica, &Step::decode(each, scenario.workload.mean_context()), meter)?;
    let sigma = cost.sigma.hypot(replica.engine.tpot_sigma);
    Ok(vec![
        per_chip(Metric::DecodeThroughputPerChip, scenario, &cost, f64::from(each), sigma),
        Value { metric: Metric::Tpot, predicted: cost.latency.get() * 1e3, sigma },
    ])
}

fn cost(replica: &Replica<'_>, step: &Step, meter: &mut Meter<'_>) -> Result<StepCost, Fall> {
    step_cost(replica, step, meter).map_err(|refusal| Fall::Unsupported(refusal.to_string()))
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
    let output = state.requests_per_s * f64::from(workload.output);
    let total = output + state.requests_per_s * f64::from(workload.input);
    Ok(vec![
        Value { metric: Metric::Ttft, predicted: state.ttft.get() * 1e3, sigma: state.ttft_sigma },
        Value { metric: Metric::Tpot, predicted: state.tpot.get() * 1e3, sigma: state.tpot_sigma },
        Value { metric: Metric::OutputThroughput, predicted: output, sigma: state.tpot_sigma },
        Value { metric: Metric::TotalThroughput, predicted: total, sigma: state.tpot_sigma },
    ])
}

fn at_once(scenario: &Scenario, replica: &Replica<'_>, meter: &mut Meter<'_>) -> Result<Vec<Value>, Fall> {
    let workload = &scenario.workload;
    let state = burst(replica, workload, scenario.sequences, scenario.chunk, meter)?;
    let rate = f64::from(scenario.sequences) / state.makespan.get();
    let (output, input) = (rate * f64::from(workload.output), rate * f64::from(workload.input));
    let value = |metric, predicted| Value { metric, predicted, sigma: state.sigma };
    Ok(vec![
        value(Metric::Ttft, state.ttft.get() * 1e3),
        value(Metric::Tpot, state.tpot.get() * 1e3),
        value(Metric::OutputThroughput, output),
        value(Metric::TotalThroughput, output + input),
    ])
}

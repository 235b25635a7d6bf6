//! From what was worked out to the answer.

use vitruvian_planner::fleet::evaluate::{nodes_charge, stacks_charge};
use vitruvian_planner::fleet::placement::Placement;

use super::answer::{
    FleetAnswer, FleetDemand, FleetDeployment, FleetQuestion, OrderLine, PlacementLine, Plan, PlanQuarter,
    ShortLine, UnservedPair,
};
use super::columns::Found;
use super::problem::SECONDS_A_QUARTER;
use super::spec::MILLION;
use super::{Worked, limits, outlook, reasons};

/// Less of a demand than this is rounding.
const NOISE: f64 = 1e-6;

/// The whole answer.
pub(super) fn answer(worked: &Worked<'_>) -> FleetAnswer {
    let mut answer = FleetAnswer {
        question: question(worked),
        can_be_met: worked.blocked.is_none(),
        stops: worked.blocked.map(|blocked| limits::stops(worked, blocked)),
        deployments: worked
            .found
            .iter()
            .enumerate()
            .map(|(index, way)| deployment(worked, index, way))
            .collect(),
        unserved: worked.unserved.iter().map(|pair| unserved(worked, pair)).collect(),
        plan: plan(worked),
        strategies: worked.tried.iter().map(|tried| outlook::strategy(worked, tried)).collect(),
        futures: outlook::futures(worked),
        shadow_prices: worked.worths.iter().map(|worth| limits::shadow_price(worked, worth)).collect(),
        reasons: Vec::new(),
        notes: worked.spec.supplies.iter().flat_map(|supply| supply.setup.notes.clone()).collect(),
    };
    answer.reasons = reasons::reasons(&answer);
    answer
}

fn question(worked: &Worked<'_>) -> FleetQuestion {
    let (spec, problem) = (worked.spec, worked.problem);
    FleetQuestion {
        title: spec.title.clone(),
        quarters: (0..spec.quarters).map(|quarter| worked.quarter(quarter)).collect(),
        goal: spec.goal.name().to_owned(),
        priority: problem.priority,
        region: spec.region.name.clone(),
        discount_rate: spec.discount,
        seed: spec.sampling.seed,
        futures: worked.futures.len(),
        exact: worked.exact,
        likeliest: worked.outcomes(&worked.likely.outcomes),
        demands: spec
            .demands
            .iter()
            .map(|demand| FleetDemand {
                name: demand.name.clone(),
                model: demand.model.name.clone(),
                input_tokens: demand.workload.input,
                output_tokens: demand.workload.output,
                peak_requests_per_s: demand.rate.clone(),
                penalty_usd_per_million: demand.penalty,
            })
            .collect(),
        chips: problem.chips.iter().map(|chip| chip.name.clone()).collect(),
        speed_sigma: worked.doubts.iter().map(|doubt| doubt.speed).collect(),
    }
}

fn deployment(worked: &Worked<'_>, index: usize, way: &Found) -> FleetDeployment {
    let (supply, demand) = (&worked.spec.supplies[way.chip], &worked.spec.demands[way.demand]);
    let column = &worked.problem.columns[index];
    let region = &worked.spec.region;
    let life = region.years * 4.0;
    let quarterly = supply.price[0] * ((1.0 + region.network_share) / life + region.operations_share / 4.0);
    let tokens = way.performance.output_per_s * SECONDS_A_QUARTER * demand.load;
    FleetDeployment {
        demand: demand.name.clone(),
        chip: supply.name.clone(),
        nodes: way.nodes,
        chips: way.nodes * supply.setup.node.size,
        deployment: way.text.clone(),
        requests_per_s: way.performance.requests_per_s,
        output_tokens_per_s: way.performance.output_per_s,
        ttft_ms: way.performance.ttft.get() * 1e3,
        tpot_ms: way.performance.tpot.get() * 1e3,
        sigma: way.performance.tpot_sigma,
        peak_power_kw: column.power,
        energy_usd_per_quarter: column.energy,
        cost_usd_per_million_output: (quarterly * column.nodes + column.energy) / tokens * MILLION,
    }
}

fn unserved(worked: &Worked<'_>, pair: &super::columns::Unserved) -> UnservedPair {
    UnservedPair {
        demand: worked.spec.demands[pair.demand].name.clone(),
        chip: worked.spec.supplies[pair.chip].name.clone(),
        why: pair.why.clone(),
    }
}

fn plan(worked: &Worked<'_>) -> Plan {
    let (problem, orders) = (worked.problem, &worked.plan.orders);
    let quarters = (0..).zip(worked.placed).map(|(quarter, placed)| plan_quarter(worked, quarter, placed));
    let penalty = |(quarter, placed): (usize, &Placement)| -> f64 {
        let all = placed.short.iter().enumerate();
        all.map(|(demand, short)| short * problem.penalty(demand, quarter)).sum()
    };
    let energy = |(quarter, placed): (usize, &Placement)| -> f64 {
        let all = problem.columns.iter().zip(&placed.placed);
        all.map(|(column, count)| column.energy * count).sum::<f64>() * problem.running[quarter]
    };
    let by_quarter = || worked.placed.iter().enumerate();
    let paid = nodes_charge(problem, orders, worked.likely) + stacks_charge(problem, orders);
    let (cost, bound): (f64, f64) =
        worked.placed.iter().fold((0.0, 0.0), |sum, placed| (sum.0 + placed.cost, sum.1 + placed.bound));
    Plan {
        quarters: quarters.collect(),
        likely_cost_usd: paid + by_quarter().map(energy).sum::<f64>(),
        likely_penalty_usd: by_quarter().map(penalty).sum(),
        likely_shared_usd: worked.shared,
        orders_gap: outlook::rounded(worked.plan.gap()),
        placements_gap: if cost > 0.0 { outlook::rounded((cost - bound) / cost) } else { 0.0 },
        steps: worked.plan.steps,
    }
}

fn plan_quarter(worked: &Worked<'_>, quarter: usize, placed: &Placement) -> PlanQuarter {
    let problem = worked.problem;
    let (orders, limits) = (&worked.plan.orders, &problem.limits);
    let due = |chip: usize| orders.nodes[chip][quarter];
    let chips = || problem.chips.iter().enumerate();
    let opened = |stack: &usize| orders.open[*stack][quarter] > 0.5;
    let racks = chips().map(|(chip, data)| {
        (data.stock[quarter] + orders.nodes[chip][..=quarter].iter().sum::<f64>()) * data.racks_per_node
    });
    let stacks: Vec<usize> = (0..problem.stacks.len()).filter(opened).collect();
    let migration: f64 = stacks.iter().map(|stack| problem.stacks[*stack].migration).sum();
    let power = problem.columns.iter().zip(&placed.placed).map(|(column, count)| column.power * count);
    PlanQuarter {
        quarter: worked.quarter(quarter),
        orders: chips()
            .filter(|(chip, _)| due(*chip) > 0.5)
            .map(|(chip, data)| OrderLine {
                chip: data.name.clone(),
                nodes: due(chip) as u32,
                chips: due(chip) as u32 * data.chips_per_node,
            })
            .collect(),
        stacks: stacks.iter().map(|stack| problem.stacks[*stack].name.clone()).collect(),
        nodes: placed.nodes.iter().map(|nodes| *nodes as u32).collect(),
        placements: placed_lines(worked, placed),
        shortfalls: short_lines(worked, quarter, placed),
        power_kw: power.sum(),
        power_limit_kw: limits.power.as_ref().map(|power| power[quarter]),
        racks: racks.sum(),
        racks_limit: limits.racks.as_ref().map(|racks| racks[quarter]),
        payable_usd: chips().map(|(chip, data)| due(chip) * data.payable[quarter]).sum::<f64>() + migration,
        budget_usd: limits.budget.as_ref().map(|budget| budget[quarter]),
    }
}

fn placed_lines(worked: &Worked<'_>, placed: &Placement) -> Vec<PlacementLine> {
    let problem = worked.problem;
    let used = problem.columns.iter().zip(&placed.placed).enumerate().filter(|(_, (_, count))| **count > 0.5);
    used.map(|(index, (column, count))| PlacementLine {
        demand: problem.demands[column.demand].name.clone(),
        chip: problem.chips[column.chip].name.clone(),
        deployment: index,
        count: *count as u32,
        nodes: (count * column.nodes) as u32,
    })
    .collect()
}

fn short_lines(worked: &Worked<'_>, quarter: usize, placed: &Placement) -> Vec<ShortLine> {
    let demands = worked.problem.demands.iter().zip(&placed.short);
    let short = demands.filter(|(demand, short)| **short > NOISE * demand.rate[quarter].max(NOISE));
    short
        .map(|(demand, short)| ShortLine {
            demand: demand.name.clone(),
            requests_per_s: *short,
            share: short / demand.rate[quarter],
        })
        .collect()
}

impl Worked<'_> {
    /// Name of a quarter.
    pub(super) fn quarter(&self, index: usize) -> String {
        self.spec.start.plus(u32::try_from(index).unwrap_or(0)).to_string()
    }

    /// Outcomes of all risks in words.
    pub(super) fn outcomes(&self, outcomes: &[usize]) -> Vec<String> {
        let risks = self.spec.risks.iter().zip(outcomes);
        risks.map(|(risk, outcome)| format!("{}: {}", risk.name, risk.outcomes[*outcome].name)).collect()
    }
}

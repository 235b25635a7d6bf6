//! Nodes for what whole deployments leave short.
//!
//! Orders are found with nodes shared between deployments; whole ones may then lack a node here and there. Where a service
//! is short in the likeliest future, the nodes of one more deployment are ordered, if the limits allow it and the whole
//! plan becomes better by it.

use rayon::prelude::*;

use crate::fleet::branch::Effort;
use crate::fleet::direct::Orders;
use crate::fleet::evaluate::{nodes_charge, stacks_charge};
use crate::fleet::future::Future;
use crate::fleet::placement::{Placement, placement, placements};
use crate::fleet::problem::Problem;
use crate::fleet::relax::Halt;

/// Orders with whole placements in one future.
#[derive(Clone, Debug, PartialEq)]
pub struct Polished {
    /// Orders.
    pub orders: Orders,
    /// Placements of each quarter.
    pub placed: Vec<Placement>,
}

/// A part of a demand that is rounding.
const NOISE: f64 = 1e-6;

/// Orders more where whole deployments are short, at most `tries` times.
///
/// # Errors
/// The solver fails.
pub fn polish(
    problem: &Problem,
    orders: &Orders,
    future: &Future,
    effort: Effort,
    tries: usize,
) -> Result<Polished, Halt> {
    let placed = placements(problem, orders, future, effort)?;
    let mut here = Polished { orders: orders.clone(), placed };
    let mut from = 0;
    for _ in 0..tries {
        let Some((quarter, demand)) = first_short(problem, &here.placed, from) else { break };
        match better(problem, &here, future, effort, (quarter, demand))? {
            Some(next) => here = next,
            None => from = quarter + 1,
        }
    }
    Ok(here)
}

/// Whether orders keep racks, budgets and what is on offer, and are of stacks that are taken up.
pub fn keeps_limits(problem: &Problem, orders: &Orders) -> bool {
    let limits = &problem.limits;
    let paid = |quarter: usize| -> f64 {
        let chips = problem.chips.iter().zip(&orders.nodes);
        let stacks = problem.stacks.iter().zip(&orders.open);
        chips.map(|(chip, due)| chip.payable[quarter] * due[quarter]).sum::<f64>()
            + stacks.map(|(stack, open)| stack.migration * open[quarter]).sum::<f64>()
    };
    let racks = |quarter: usize| -> f64 {
        let chips = problem.chips.iter().zip(&orders.nodes);
        chips
            .map(|(chip, due)| {
                (chip.stock[quarter] + due[..=quarter].iter().sum::<f64>()) * chip.racks_per_node
            })
            .sum()
    };
    let within = |value: f64, limit: f64| value <= limit + NOISE * limit.abs().max(1.0);
    let quarters = 0..problem.quarters;
    quarters.clone().all(|quarter| {
        limits.budget.as_ref().is_none_or(|budget| within(paid(quarter), budget[quarter]))
            && limits.racks.as_ref().is_none_or(|limit| within(racks(quarter), limit[quarter]))
            && offered(problem, orders, quarter)
    }) && limits.total.is_none_or(|total| within(quarters.map(paid).sum(), total))
}

fn offered(problem: &Problem, orders: &Orders, quarter: usize) -> bool {
    problem.chips.iter().zip(&orders.nodes).all(|(chip, due)| {
        let open = chip.stack.is_none_or(|stack| orders.open[stack][..=quarter].iter().sum::<f64>() > 0.5);
        due[quarter] <= chip.offered[quarter].floor() + NOISE && (open || due[quarter] == 0.0)
    })
}

fn first_short(problem: &Problem, placed: &[Placement], from: usize) -> Option<(usize, usize)> {
    (from..placed.len()).find_map(|quarter| {
        let short = placed[quarter].short.iter().enumerate();
        let rate = |demand: usize| problem.demands[demand].rate[quarter];
        short
            .filter(|(demand, short)| **short > NOISE * rate(*demand))
            .map(|(demand, _)| (quarter, demand))
            .next()
    })
}

/// The best of all single additions that serve a short demand, if one is worth while.
fn better(
    problem: &Problem,
    here: &Polished,
    future: &Future,
    effort: Effort,
    (quarter, demand): (usize, usize),
) -> Result<Option<Polished>, Halt> {
    let mut best: Option<(f64, Polished)> = None;
    for column in problem.columns.iter().filter(|column| column.demand == demand) {
        let Some(due) = latest(problem, here, future, column.chip, column.nodes, quarter) else { continue };
        let mut orders = here.orders.clone();
        orders.nodes[column.chip][due] += column.nodes;
        let next = replaced(problem, here, orders, future, effort, due)?;
        let total = cost(problem, &next, future);
        if best.as_ref().is_none_or(|(least, _)| total < *least) {
            best = Some((total, next));
        }
    }
    let now = cost(problem, here, future);
    Ok(best.filter(|(total, _)| *total < now * (1.0 - NOISE)).map(|(_, next)| next))
}

/// The latest quarter in which so many more nodes may be due and are there in time.
fn latest(
    problem: &Problem,
    here: &Polished,
    future: &Future,
    chip: usize,
    nodes: f64,
    quarter: usize,
) -> Option<usize> {
    (0..=quarter).rev().find(|due| {
        let in_time = future.deliveries[chip][*due].iter().any(|delivery| delivery.quarter <= quarter);
        let mut orders = here.orders.clone();
        orders.nodes[chip][*due] += nodes;
        in_time && keeps_limits(problem, &orders)
    })
}

/// The plan with other orders, of which those due before `due` are the same.
fn replaced(
    problem: &Problem,
    here: &Polished,
    orders: Orders,
    future: &Future,
    effort: Effort,
    due: usize,
) -> Result<Polished, Halt> {
    let later: Result<Vec<Placement>, Halt> = (due..problem.quarters)
        .into_par_iter()
        .map(|quarter| placement(problem, &orders, future, quarter, effort))
        .collect();
    let mut placed = here.placed[..due].to_vec();
    placed.extend(later?);
    Ok(Polished { orders, placed })
}

fn cost(problem: &Problem, plan: &Polished, future: &Future) -> f64 {
    nodes_charge(problem, &plan.orders, future)
        + stacks_charge(problem, &plan.orders)
        + plan.placed.iter().map(|placed| placed.cost).sum::<f64>()
}

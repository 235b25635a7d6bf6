//! Placements of one quarter when it is known what has arrived.
//!
//! Over the nodes U of each chip the least cost is Q(U) = min Σ eₖ·pₖ + Σ πₘ·sₘ under Σ nₖ·pₖ ≤ U (a chip),
//! Σ rₖ·pₖ + sₘ ≥ Dₘ (a demand), Σ wₖ·pₖ ≤ P (power). By duality Q(U) = max Σ Dₘ·vₘ − Σ U·u − P·y under
//! rₖ·vₘ − nₖ·u − wₖ·y ≤ eₖ and vₘ ≤ πₘ, so each dual point bounds Q from below for all U: a cut.

use crate::fleet::problem::Problem;
use crate::fleet::program::{Program, Rank, Sense, Variable, VariableId};
use crate::fleet::relax::{Halt, relax};

/// A line below Q: `Q(U) ≥ constant − Σ worth · U`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cut {
    /// Value of the line where there are no nodes.
    pub constant: f64,
    /// What one more node of each chip saves.
    pub worth: Vec<f64>,
}

/// Placements of one quarter.
#[derive(Clone, Debug, PartialEq)]
pub struct Quarterly {
    /// Deployments by column.
    pub placed: Vec<f64>,
    /// Requests per second that are not served, by demand.
    pub short: Vec<f64>,
}

/// The dual program of a quarter; only its objective depends on the nodes.
#[derive(Clone, Debug)]
pub struct Dual {
    program: Program,
    chips: Vec<VariableId>,
    constant: Vec<(VariableId, f64)>,
}

impl Dual {
    /// The dual program of a quarter.
    pub fn new(problem: &Problem, quarter: usize) -> Self {
        let mut program = Program::default();
        let price = |demand| problem.penalty(demand, quarter) * problem.priority;
        let served: Vec<VariableId> =
            (0..problem.demands.len()).map(|demand| program.add(Variable::new(0.0, price(demand)))).collect();
        let chips: Vec<VariableId> =
            problem.chips.iter().map(|_| program.add(Variable::new(0.0, f64::INFINITY))).collect();
        let power = problem
            .limits
            .power
            .as_ref()
            .map(|power| (program.add(Variable::new(0.0, f64::INFINITY)), power[quarter]));
        for column in &problem.columns {
            let mut terms = vec![(served[column.demand], column.rate), (chips[column.chip], -column.nodes)];
            terms.extend(power.map(|(id, _)| (id, -column.power)));
            program.row(terms, Sense::AtMost, column.energy * problem.running[quarter]);
        }
        let mut constant: Vec<(VariableId, f64)> =
            served.iter().zip(&problem.demands).map(|(id, demand)| (*id, demand.rate[quarter])).collect();
        constant.extend(power.map(|(id, limit)| (id, -limit)));
        Self { program, chips, constant }
    }

    /// The highest line below Q at `nodes`, which touches it there.
    ///
    /// # Errors
    /// The solver fails.
    pub fn cut(&self, nodes: &[f64]) -> Result<Cut, Halt> {
        let mut program = self.program.clone();
        for (id, factor) in &self.constant {
            program.variables[id.index()].cost = -factor;
        }
        for (id, there) in self.chips.iter().zip(nodes) {
            // A node that is not there has a worth too: the least of those that bound Q equally well.
            program.variables[id.index()].cost = there.max(TINY);
        }
        let found = relax(&program)?;
        let constant = self.constant.iter().map(|(id, factor)| factor * found.values[id.index()]).sum();
        Ok(Cut { constant, worth: self.chips.iter().map(|id| found.values[id.index()]).collect() })
    }
}

/// Stands for no nodes, so that the worth of a node is not left open.
const TINY: f64 = 1e-6;

impl Cut {
    /// The line's value.
    pub fn at(&self, nodes: &[f64]) -> f64 {
        self.constant - self.worth.iter().zip(nodes).map(|(worth, there)| worth * there).sum::<f64>()
    }
}

/// The program of a quarter's placements on the nodes that are there; whole deployments where asked.
pub fn quarter_program(
    problem: &Problem,
    quarter: usize,
    nodes: &[f64],
    whole: bool,
) -> (Program, Vec<VariableId>, Vec<VariableId>) {
    let mut program = Program::default();
    let place = |column: &crate::fleet::problem::Column| {
        let variable = Variable::new(column.energy * problem.running[quarter], f64::INFINITY);
        if whole { variable.whole(Rank::Last) } else { variable }
    };
    let placed: Vec<VariableId> = problem.columns.iter().map(|column| program.add(place(column))).collect();
    let short =
        |demand: usize| Variable::new(problem.penalty(demand, quarter) * problem.priority, f64::INFINITY);
    let short: Vec<VariableId> =
        (0..problem.demands.len()).map(|demand| program.add(short(demand))).collect();
    for (chip, there) in nodes.iter().enumerate() {
        let terms = problem.columns_of(chip).map(|(column, data)| (placed[column], data.nodes)).collect();
        program.row(terms, Sense::AtMost, *there);
    }
    for (index, demand) in problem.demands.iter().enumerate() {
        let columns = problem.columns.iter().zip(&placed).filter(|(column, _)| column.demand == index);
        let mut terms: Vec<_> = columns.map(|(column, id)| (*id, column.rate)).collect();
        terms.push((short[index], 1.0));
        program.row(terms, Sense::AtLeast, demand.rate[quarter]);
    }
    if let Some(power) = &problem.limits.power {
        let terms = problem.columns.iter().zip(&placed).map(|(column, id)| (*id, column.power)).collect();
        program.row(terms, Sense::AtMost, power[quarter]);
    }
    (program, placed, short)
}

/// No more is short than is asked for, also where it costs nothing.
pub fn capped(problem: &Problem, quarter: usize, short: Vec<f64>) -> Vec<f64> {
    short.into_iter().zip(&problem.demands).map(|(short, demand)| short.min(demand.rate[quarter])).collect()
}

/// The best placements of a quarter, nodes being shared between deployments.
///
/// # Errors
/// The solver fails.
pub fn shared(problem: &Problem, quarter: usize, nodes: &[f64]) -> Result<Quarterly, Halt> {
    let (program, placed, short) = quarter_program(problem, quarter, nodes, false);
    let found = relax(&program)?;
    let read = |ids: &[VariableId]| -> Vec<f64> { ids.iter().map(|id| found.values[id.index()]).collect() };
    Ok(Quarterly { placed: read(&placed), short: capped(problem, quarter, read(&short)) })
}

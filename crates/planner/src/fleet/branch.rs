//! Branch and bound over the whole numbers of a program.
//!
//! A dive first: of the two halves the one nearer to the relaxation is taken, until all is whole. Then always the open
//! half with the least bound (Land and Doig 1960; Dakin 1965). Until there is a whole point, what is not yet whole is also
//! rounded down at every step: a dive that ends just beyond a budget may go on for long without one. It ends when nothing
//! better can be left, or after so many relaxations; the gap between the best point and the least bound is part of the
//! answer. No clock is read, so the same program always gives the same point.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::fleet::program::{Program, Rank};
use crate::fleet::relax::{Halt, Relaxed, relax_within};

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Effort {
    /// Relaxations at most.
    pub nodes: usize,
    /// Relative gap that is good enough.
    pub gap: f64,
}

/// The best point found.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// Its cost.
    pub cost: f64,
    /// One value a variable.
    pub values: Vec<f64>,
    /// No point costs less than this.
    pub bound: f64,
    /// Relaxations solved.
    pub nodes: usize,
}

impl Whole {
    /// How much better another point could be at most, relative to this one's cost.
    pub fn gap(&self) -> f64 {
        ((self.cost - self.bound) / self.cost.abs().max(f64::MIN_POSITIVE)).max(0.0)
    }
}

/// Closer to a whole number than this counts as one.
const WHOLE: f64 = 1e-6;

/// Bounds of the variables and the relaxation within them.
struct Open {
    bounds: Vec<(f64, f64)>,
    relaxed: Relaxed,
    order: usize,
}

struct Search<'a> {
    program: &'a Program,
    effort: Effort,
    best: Option<Relaxed>,
    open: BinaryHeap<Open>,
    solved: usize,
    made: usize,
}

/// Solves a program with whole numbers.
///
/// # Errors
/// The relaxation has no best point, or no whole one was found within the effort.
pub fn branch(program: &Program, effort: Effort) -> Result<Whole, Halt> {
    let bounds: Vec<(f64, f64)> = program.variables.iter().map(|v| (v.lower, v.upper)).collect();
    let relaxed = relax_within(program, &bounds)?;
    let mut search = Search { program, effort, best: None, open: BinaryHeap::new(), solved: 1, made: 0 };
    let root = relaxed.cost;
    search.dive(Open { bounds, relaxed, order: 0 });
    while let Some(next) = search.next() {
        search.dive(next);
    }
    search.finish(root)
}

impl Search<'_> {
    /// The open half with the least bound, if it can still be worth while.
    fn next(&mut self) -> Option<Open> {
        let wanted = self.solved < self.effort.nodes || self.best.is_none();
        // A program for which no whole point turns up is given up after a few times the effort.
        if !wanted || self.solved > self.effort.nodes * 4 {
            return None;
        }
        let next = self.open.pop()?;
        if self.beaten(next.relaxed.cost) {
            self.open.clear();
            return None;
        }
        Some(next)
    }

    fn beaten(&self, bound: f64) -> bool {
        self.best.as_ref().is_some_and(|best| bound >= best.cost - self.effort.gap * best.cost.abs())
    }

    /// Follows the nearer half until all is whole or nothing is left.
    fn dive(&mut self, from: Open) {
        let mut here = Some(from);
        while let Some(open) = here.take() {
            if self.beaten(open.relaxed.cost) {
                return;
            }
            let Some((variable, value)) = self.fractional(&open.relaxed) else {
                self.best = Some(open.relaxed);
                return;
            };
            if self.best.is_none() && self.program.variables[variable].whole < Some(Rank::First) {
                self.best = self.rounded_down(&open);
            }
            if self.solved >= self.effort.nodes * 4 {
                // What is left here still counts in the bound.
                self.open.push(open);
                return;
            }
            here = self.halves(&open, variable, value);
        }
    }

    /// The best point whose whole numbers are those of a relaxation, rounded down. Less of what is ordered or placed keeps
    /// limits; stacks are settled before, since nothing can be ordered without them.
    fn rounded_down(&mut self, open: &Open) -> Option<Relaxed> {
        let mut bounds = open.bounds.clone();
        for ((variable, value), bounds) in
            self.program.variables.iter().zip(&open.relaxed.values).zip(&mut bounds)
        {
            if variable.whole.is_some() {
                let down = (value + WHOLE).floor().max(bounds.0);
                *bounds = (down, down);
            }
        }
        self.solved += 1;
        relax_within(self.program, &bounds).ok()
    }

    /// Both halves solved: the nearer one is returned, the other kept.
    fn halves(&mut self, open: &Open, variable: usize, value: f64) -> Option<Open> {
        let (lower, upper) = open.bounds[variable];
        let down = self.half(open, variable, (lower, value.floor()));
        let up = self.half(open, variable, (value.ceil(), upper));
        let (near, far) = if value - value.floor() < 0.5 { (down, up) } else { (up, down) };
        match (near, far) {
            (Some(near), far) => {
                self.open.extend(far);
                Some(near)
            }
            (None, far) => far,
        }
    }

    fn half(&mut self, open: &Open, variable: usize, bounds: (f64, f64)) -> Option<Open> {
        let mut all = open.bounds.clone();
        all[variable] = bounds;
        self.solved += 1;
        self.made += 1;
        let relaxed = relax_within(self.program, &all).ok()?;
        Some(Open { bounds: all, relaxed, order: self.made })
    }

    /// The variable to settle next: the highest rank, and in it the one farthest from a whole number.
    fn fractional(&self, relaxed: &Relaxed) -> Option<(usize, f64)> {
        let mut found: Option<(Rank, f64, usize)> = None;
        for (index, (variable, value)) in self.program.variables.iter().zip(&relaxed.values).enumerate() {
            let Some(rank) = variable.whole else { continue };
            let distance = (value - value.round()).abs();
            let better = found.is_none_or(|(best, far, _)| (rank, distance) > (best, far));
            if distance > WHOLE && better {
                found = Some((rank, distance, index));
            }
        }
        found.map(|(_, _, index)| (index, relaxed.values[index]))
    }

    fn finish(self, root: f64) -> Result<Whole, Halt> {
        let Some(best) = self.best else { return Err(Halt::Infeasible) };
        let left = self.open.iter().map(|open| open.relaxed.cost).fold(best.cost, f64::min);
        let values = self.program.variables.iter().zip(&best.values);
        let values: Vec<f64> = values
            .map(|(variable, value)| if variable.whole.is_some() { value.round() } else { *value })
            .collect();
        let cost = self.program.cost(&values);
        Ok(Whole { cost, values, bound: left.max(root).min(cost), nodes: self.solved })
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    /// The heap gives the greatest: the least bound, then the one made first.
    fn cmp(&self, other: &Self) -> Ordering {
        other.relaxed.cost.total_cmp(&self.relaxed.cost).then(other.order.cmp(&self.order))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::program::{Sense, Variable};
    use proptest::prelude::*;

    const ALL: Effort = Effort { nodes: 100_000, gap: 0.0 };

    #[test]
    fn a_budget_just_short_of_everything_still_gets_a_point() {
        // Twelve orders of up to 100 at 1.01 to 1.12 each, worth their price squared; the budget is 0.005 short of all of
        // them. A dive alone finds no whole point within the effort, and all but one of the cheapest is the best.
        let mut program = Program::default();
        let price = |index: u32| 1.0 + f64::from(index) / 100.0;
        let ids: Vec<_> = (1..=12)
            .map(|index| {
                let worth = price(index) * price(index);
                program.add(Variable::new(-worth, 100.0).whole(Rank::Middle))
            })
            .collect();
        let all: f64 = (1..=12).map(|index| 100.0 * price(index)).sum();
        let prices = ids.iter().zip(1..).map(|(id, index)| (*id, price(index)));
        program.row(prices.collect(), Sense::AtMost, all - 0.005);
        let found = branch(&program, Effort { nodes: 4, gap: 0.0 }).unwrap();
        let value: f64 = (1..=12).map(|index| 100.0 * price(index) * price(index)).sum();
        assert!(program.allows(&found.values, 1e-9));
        assert!((found.cost + value - price(1) * price(1)).abs() < 1e-6, "{}", found.cost);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn a_knapsack_is_packed_as_by_trying_everything(
            items in prop::collection::vec((1u8..30, 1u8..20), 1..9),
            room in 1u8..60,
        ) {
            let mut program = Program::default();
            let taken: Vec<_> = items
                .iter()
                .map(|(worth, _)| program.add(Variable::new(-f64::from(*worth), 1.0).whole(Rank::Middle)))
                .collect();
            let weights = taken.iter().zip(&items).map(|(id, (_, weight))| (*id, f64::from(*weight)));
            program.row(weights.collect(), Sense::AtMost, f64::from(room));
            let best = (0u32..1 << items.len())
                .filter_map(|set| {
                    let chosen = || items.iter().enumerate().filter(move |(index, _)| set >> index & 1 == 1);
                    let weight: u32 = chosen().map(|(_, item)| u32::from(item.1)).sum();
                    let worth: u32 = chosen().map(|(_, item)| u32::from(item.0)).sum();
                    (weight <= u32::from(room)).then_some(worth)
                })
                .max()
                .unwrap_or(0);
            let found = branch(&program, ALL).unwrap();
            prop_assert_eq!(found.cost, -f64::from(best));
            prop_assert!(found.gap() < 1e-9);
            prop_assert!(program.allows(&found.values, 1e-9));
        }
    }
}

//! The multiple-choice knapsack: one option of each group, least loss within a budget of cost.
//!
//! Exact by dynamic programming over whole units of cost: `best[i][c] = min over options (best[i − 1][c − cost] + loss)`
//! (Dudziński and Walukiewicz 1987). Costs are rounded up to a unit, so a choice never exceeds its budget.

/// An option of a group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// What it takes of the budget.
    pub cost: f64,
    /// What it loses.
    pub loss: f64,
}

/// The best choice of each group for every budget.
#[derive(Clone, Debug)]
pub struct Knapsack {
    unit: f64,
    /// Least loss of all groups by budget in units; infinite where nothing fits.
    losses: Vec<f64>,
    /// The option of each group by budget.
    taken: Vec<Vec<u16>>,
    costs: Vec<Vec<usize>>,
}

impl Knapsack {
    /// Solves for every budget up to `most`, cut into so many units.
    pub fn solve(groups: &[Vec<Choice>], most: f64, units: usize) -> Self {
        let unit = if most > 0.0 { most / units as f64 } else { 1.0 };
        // A cost within a billionth of a whole unit is that unit.
        let whole = |choice: &Choice| (choice.cost / unit - 1e-9).ceil().max(0.0) as usize;
        let costs: Vec<Vec<usize>> = groups.iter().map(|group| group.iter().map(whole).collect()).collect();
        let mut losses = vec![0.0; units + 1];
        let mut taken = Vec::with_capacity(groups.len());
        for (group, costs) in groups.iter().zip(&costs) {
            let (next, choice) = step(&losses, group, costs);
            losses = next;
            taken.push(choice);
        }
        Self { unit, losses, taken, costs }
    }

    /// The option of each group that together lose least within a budget, and what they lose; nothing if none fit.
    pub fn within(&self, budget: f64) -> Option<(Vec<usize>, f64)> {
        let most = self.losses.len() - 1;
        let mut left = ((budget / self.unit + 1e-9).floor().max(0.0) as usize).min(most);
        let loss = self.losses[left];
        if !loss.is_finite() {
            return None;
        }
        let mut chosen = vec![0; self.taken.len()];
        for group in (0..self.taken.len()).rev() {
            let option = usize::from(self.taken[group][left]);
            chosen[group] = option;
            left -= self.costs[group][option];
        }
        Some((chosen, loss))
    }
}

/// One more group. Of equal losses the first option stays.
fn step(losses: &[f64], group: &[Choice], costs: &[usize]) -> (Vec<f64>, Vec<u16>) {
    let mut next = vec![f64::INFINITY; losses.len()];
    let mut taken = vec![0u16; losses.len()];
    for (option, (choice, cost)) in group.iter().zip(costs).enumerate() {
        for budget in *cost..losses.len() {
            let loss = losses[budget - cost] + choice.loss;
            if loss < next[budget] {
                next[budget] = loss;
                taken[budget] = option as u16;
            }
        }
    }
    (next, taken)
}

#[cfg(test)]
mod tests {
    use super::{Choice, Knapsack};
    use proptest::prelude::*;

    /// Least loss by trying everything.
    fn brute(groups: &[Vec<Choice>], budget: f64) -> f64 {
        let Some((first, rest)) = groups.split_first() else { return 0.0 };
        let fitting = first.iter().filter(|choice| choice.cost <= budget);
        fitting.map(|choice| choice.loss + brute(rest, budget - choice.cost)).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn nothing_does_better(
            groups in prop::collection::vec(prop::collection::vec((0u8..12, 0u8..50), 1..4), 0..6),
            budget in 0u8..40,
        ) {
            let choice = |(cost, loss): &(u8, u8)| Choice { cost: f64::from(*cost), loss: f64::from(*loss) };
            let groups: Vec<Vec<Choice>> = groups.iter().map(|group| group.iter().map(choice).collect()).collect();
            let budget = f64::from(budget);
            let solved = Knapsack::solve(&groups, 40.0, 40).within(budget);
            let least = brute(&groups, budget);
            match solved {
                None => prop_assert!(least.is_infinite()),
                Some((chosen, loss)) => {
                    let parts = || groups.iter().zip(&chosen).map(|(group, option)| group[*option]);
                    prop_assert!(parts().map(|part| part.cost).sum::<f64>() <= budget);
                    prop_assert_eq!(parts().map(|part| part.loss).sum::<f64>(), loss);
                    prop_assert_eq!(loss, least);
                }
            }
        }
    }
}

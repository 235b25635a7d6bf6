//! The best plans of each shape, and which of them none beats.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ask, Found, Plan, Shape};
use crate::workload::Workload;

/// What makes two plans the same kind of thing: only counts, batches and chunks differ.
type Signature = (Shape, Vec<(vitruvian_model::Layout, usize)>);

/// What a shortlist takes one of: a shape, the layout of its first pool, or any plan.
type Key = (Shape, Option<vitruvian_model::Layout>, usize);

fn signature(plan: &Plan) -> Signature {
    let pools = plan.pools.iter().map(|pool| (pool.candidate.layout, pool.candidate.precision));
    (plan.shape.clone(), pools.collect())
}

/// Keeps of each signature the best by the objective, best first; of equals the one with fewer chips, then the first.
pub(super) fn rank(ask: &Ask<'_>, all: Vec<Plan>) -> Found {
    let workload = ask.kinds.first().map(|kind| kind.workload).unwrap_or_default();
    let candidates = all.len() as u64;
    let carries = |plan: &Plan| ask.rate.is_none_or(|rate| plan.capacity >= rate);
    let most = all.iter().max_by(|a, b| a.capacity.total_cmp(&b.capacity)).cloned();
    let mut best: BTreeMap<Signature, Plan> = BTreeMap::new();
    for plan in all.into_iter().filter(carries) {
        match best.entry(signature(&plan)) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(plan);
            }
            std::collections::btree_map::Entry::Occupied(mut place) => {
                if better(ask, &workload, &plan, place.get()) {
                    place.insert(plan);
                }
            }
        }
    }
    let mut plans: Vec<Plan> = best.into_values().collect();
    plans.sort_by(|a, b| {
        let score = |plan: &Plan| steps(plan.score(ask.objective, &workload));
        let dear = |plan: &Plan| 1.0 / figures(plan)[2];
        score(a).total_cmp(&score(b)).then(dear(a).total_cmp(&dear(b)))
    });
    let front = front(&plans.iter().map(figures).collect::<Vec<_>>());
    let most = if plans.is_empty() { most } else { None };
    Found { plans, front, candidates, most, census: Vec::new() }
}

/// A score in steps of a fiftieth: closer plans count as equal, and the cheaper tokens go first.
fn steps(score: f64) -> f64 {
    score.signum() * (score.abs().max(f64::MIN_POSITIVE).ln() * 50.0).round()
}

fn better(ask: &Ask<'_>, workload: &Workload, one: &Plan, other: &Plan) -> bool {
    let (a, b) = (one.score(ask.objective, workload), other.score(ask.objective, workload));
    a < b || (a == b && one.chips < other.chips)
}

/// Capacity, speed for a user, tokens per unit of money (of energy where a chip has no price): all better when larger.
pub fn figures(plan: &Plan) -> [f64; 3] {
    let dear = plan.per_million.map_or(plan.energy_per_token.get(), vitruvian_quantity::Money::get);
    [plan.capacity, 1.0 / plan.tpot.get().max(f64::MIN_POSITIVE), 1.0 / dear]
}

/// Indices of the points that no other is at least as good as in every figure and better in one.
pub fn front(points: &[[f64; 3]]) -> Vec<usize> {
    let beats = |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).all(|(x, y)| x >= y) && a != b;
    (0..points.len()).filter(|&one| !points.iter().any(|other| beats(other, &points[one]))).collect()
}

impl Found {
    /// Leaves out what serves whole requests.
    pub fn only_disaggregated(&mut self) {
        self.plans.retain(|plan| matches!(plan.shape, Shape::Disaggregated(..)));
        self.front = front(&self.plans.iter().map(figures).collect::<Vec<_>>());
    }

    /// The best of each shape first, then of each shape and layout of the first pool, then the next best, `count` in all: so
    /// that every way of splitting the work is among what is looked at closely. Indices into `plans`, ascending.
    pub fn shortlist(&self, count: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = Vec::new();
        let first = |plan: &Plan| plan.pools.first().map(|pool| pool.candidate.layout);
        let keys: [&dyn Fn(usize) -> Key; 3] = [
            &|index| (self.plans[index].shape.clone(), None, 0),
            &|index| (self.plans[index].shape.clone(), first(&self.plans[index]), 0),
            &|index| (self.plans[index].shape.clone(), None, index + 1),
        ];
        for key in keys {
            let mut seen: BTreeSet<Key> = chosen.iter().map(|index| key(*index)).collect();
            for index in 0..self.plans.len() {
                if chosen.len() < count && seen.insert(key(index)) {
                    chosen.push(index);
                }
            }
        }
        chosen.sort_unstable();
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::front;

    #[test]
    fn a_point_must_be_beaten_in_no_figure_and_equal_points_stay() {
        let points = [[1.0, 1.0, 1.0], [2.0, 1.0, 1.0], [1.0, 2.0, 0.5], [2.0, 1.0, 1.0], [0.5, 0.5, 3.0]];
        assert_eq!(front(&points), [1, 2, 3, 4]);
    }
}

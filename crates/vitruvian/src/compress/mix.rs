//! Layers in different schemes: least error within a time, by an exact knapsack.
//!
//! A group is what one product computes (query, key and value together), the unit in which engines choose kernels. Its cost
//! is its time in a decode step at the common point, the kernel that rounds its input included; its loss is the relative
//! squared error of its weights, or of its outputs where a text was given to measure them.

use std::collections::BTreeMap;

use vitruvian_engine::TaskCost;
use vitruvian_model::{Operator, Sparsity};
use vitruvian_planner::knapsack::{Choice, Knapsack};

use super::answer::{MixAnswer, MixCount, MixLayer};
use super::point::total;
use super::trade::{Question, Run};

/// Shares of the fastest choice's saving that are shown.
const SHARES: [f64; 4] = [0.25, 0.5, 0.75, 0.9];

/// Units that the time of all groups in 16 bits is cut into.
const UNITS: usize = 20_000;

/// Layers that one product computes.
struct Group {
    name: String,
    /// Indices of their weights.
    weights: Vec<usize>,
    options: Vec<Choice>,
}

/// The choices for some shares of the saving; none where no scheme saves time.
pub(super) fn mixes(question: &Question<'_>, runs: &[Run<'_>]) -> Vec<MixAnswer> {
    let dense = |run: &&(usize, &Run<'_>)| run.1.variant.sparsity == Sparsity::Dense && run.1.steps.is_some();
    let all: Vec<(usize, &Run<'_>)> = runs.iter().enumerate().collect();
    let able: Vec<(usize, &Run<'_>)> = all.iter().filter(dense).copied().collect();
    let Some((0, plain)) = able.first() else { return Vec::new() };
    let Some(steps) = &plain.steps else { return Vec::new() };
    let groups = groups(question, &able);
    let sum = |pick: &dyn Fn(&Group) -> f64| groups.iter().map(pick).sum::<f64>();
    let least = |group: &Group| group.options.iter().map(|option| option.cost).fold(f64::INFINITY, f64::min);
    let (slow, fast) = (sum(&|group| group.options[0].cost), sum(&least));
    if groups.is_empty() || slow <= fast {
        return Vec::new();
    }
    let options: Vec<Vec<Choice>> = groups.iter().map(|group| group.options.clone()).collect();
    let knapsack = Knapsack::solve(&options, slow, UNITS);
    let rest = total(&steps.decode) - slow;
    let mix = |share: f64| {
        let budget = slow - share * (slow - fast);
        let (chosen, error) = knapsack.within(budget)?;
        let time: f64 = groups.iter().zip(&chosen).map(|(group, option)| group.options[*option].cost).sum();
        let uniform = uniform(&groups, able.len(), budget);
        Some(MixAnswer {
            saving: share,
            decode_step_ms: 1e3 * (rest + time),
            error,
            uniform_error: uniform.map(|(_, error)| error),
            uniform_scheme: uniform.map(|(option, _)| able[option].1.variant.name.clone()),
            counts: counts(&able, &chosen),
            layers: layers(question, &groups, &able, &chosen),
        })
    };
    SHARES.into_iter().filter_map(mix).collect()
}

/// The one scheme for all groups that is fast enough and loses least.
fn uniform(groups: &[Group], options: usize, budget: f64) -> Option<(usize, f64)> {
    let sum = |option: usize, figure: fn(&Choice) -> f64| -> f64 {
        groups.iter().map(|group| figure(&group.options[option])).sum()
    };
    let able = (0..options).filter(|option| sum(*option, |choice| choice.cost) <= budget);
    able.map(|option| (option, sum(option, |choice| choice.loss))).min_by(|a, b| a.1.total_cmp(&b.1))
}

fn counts(able: &[(usize, &Run<'_>)], chosen: &[usize]) -> Vec<MixCount> {
    let count = |(option, (_, run)): (usize, &(usize, &Run<'_>))| MixCount {
        scheme: run.variant.name.clone(),
        groups: chosen.iter().filter(|taken| **taken == option).count() as u64,
    };
    able.iter().enumerate().map(count).filter(|count| count.groups > 0).collect()
}

fn layers(
    question: &Question<'_>,
    groups: &[Group],
    able: &[(usize, &Run<'_>)],
    chosen: &[usize],
) -> Vec<MixLayer> {
    let module = |index: &usize| question.survey.weights[*index].module.clone();
    let layer = |(group, option): (&Group, &usize)| MixLayer {
        group: group.name.clone(),
        modules: group.weights.iter().map(module).collect(),
        scheme: able[*option].1.variant.name.clone(),
    };
    groups.iter().zip(chosen).map(layer).collect()
}

/// The groups that have a product in the decode step, in the order of their names.
fn groups(question: &Question<'_>, able: &[(usize, &Run<'_>)]) -> Vec<Group> {
    let mut members: BTreeMap<(usize, String, &'static str), Vec<usize>> = BTreeMap::new();
    for (index, weight) in question.survey.weights.iter().enumerate() {
        if let Some(place) = place(&weight.module) {
            members.entry(place).or_default().push(index);
        }
    }
    let group = |((_, layer, product), weights): ((usize, String, &'static str), Vec<usize>)| {
        let option = |(variant, run): &(usize, &Run<'_>)| {
            let cost = time(&run.steps.as_ref()?.decode, product)?;
            Some(Choice { cost, loss: loss(question, &weights, *variant) })
        };
        let options = able.iter().map(option).collect::<Option<Vec<Choice>>>()?;
        Some(Group { name: format!("{layer} {product}"), weights, options })
    };
    members.into_iter().filter_map(group).collect()
}

/// The number of a module's layer, its name, and the product that computes the module.
fn place(module: &str) -> Option<(usize, String, &'static str)> {
    let mut end = 0;
    let mut parts = module.split('.');
    let number = loop {
        let part = parts.next()?;
        end += part.len() + 1;
        if let Ok(number) = part.parse() {
            break number;
        }
    };
    let (layer, inner) = (module.get(..end - 1)?, module.get(end..)?);
    Some((number, layer.to_owned(), product(inner)?))
}

/// The operator of the step that computes a module.
fn product(inner: &str) -> Option<&'static str> {
    let last = inner.rsplit('.').next()?;
    let (routed, shared) = (inner.contains("experts."), inner.contains("shared_expert"));
    Some(match last {
        "q_proj" | "k_proj" | "v_proj" | "qkv_proj" => "qkv_proj",
        "o_proj" => "o_proj",
        "q_a_proj" | "kv_a_proj_with_mqa" => "qkv_a_proj",
        "q_b_proj" => "q_b_proj",
        "gate_proj" | "up_proj" | "gate_up_proj" | "w1" | "w3" => match (shared, routed) {
            (true, _) => "shared_gate_up",
            (_, true) => "experts_up",
            _ => "gate_up_proj",
        },
        "down_proj" | "w2" => match (shared, routed) {
            (true, _) => "shared_down",
            (_, true) => "experts_down",
            _ => "down_proj",
        },
        _ => return None,
    })
}

/// Time of one run of a product, with the kernel that rounds its input.
fn time(decode: &[TaskCost], product: &str) -> Option<f64> {
    let own: Vec<&TaskCost> = decode.iter().filter(|line| line.name == product).collect();
    let runs: u32 = own.iter().map(|line| line.count).sum();
    if runs == 0 {
        return None;
    }
    let inner = own.iter().find_map(|line| match &line.operator {
        Operator::Gemm(op) => Some(op.k),
        Operator::GroupedGemm(op) => Some(op.k),
        _ => None,
    });
    let rounds = decode.iter().find(|line| {
        line.name == "quantise" && matches!(&line.operator, Operator::Vector(op) if Some(op.width) == inner)
    });
    let product: f64 = own.iter().map(|line| line.time().get()).sum::<f64>() / f64::from(runs);
    Some(product + rounds.map_or(0.0, |line| line.estimate.time.get()))
}

/// What a group loses in a scheme: mean of its weights, those with more elements counting for more.
fn loss(question: &Question<'_>, weights: &[usize], variant: usize) -> f64 {
    let found = question.measured.and_then(|measured| measured.of_variant(variant));
    let error = |index: usize| {
        let tensor = &question.survey.weights[index].tensor;
        let output = found.and_then(|found| found.errors.get(tensor).copied());
        output.unwrap_or_else(|| question.survey.relative(index, variant))
    };
    let size = |index: usize| {
        let weight = &question.survey.weights[index];
        (weight.rows * weight.cols) as f64
    };
    let all: f64 = weights.iter().map(|index| size(*index)).sum();
    weights.iter().map(|index| error(*index) * size(*index)).sum::<f64>() / all
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn modules_belong_to_products() {
        let of = place;
        assert_eq!(
            of("model.layers.12.self_attn.k_proj"),
            Some((12, "model.layers.12".to_owned(), "qkv_proj"))
        );
        assert_eq!(of("model.layers.3.mlp.experts.7.down_proj").map(|p| p.2), Some("experts_down"));
        assert_eq!(of("model.layers.3.mlp.shared_expert.up_proj").map(|p| p.2), Some("shared_gate_up"));
        assert_eq!(of("lm_head"), None);
    }
}

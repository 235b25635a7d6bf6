//! Cost of a good chip.
//!
//! ```text
//! good die = wafer / (dies per wafer · yield)
//! chip     = (Σ good dies + memory + interposer / yield + substrate + test) / assembly yield
//! ```
//!
//! What is lost in assembly is the whole content, which is why memory weighs on a package that fails.

use super::harvest::{Bin, Clusters, at_least};
use super::inputs::{Input, Inputs};
use super::spread::Spread;
use super::stream::Normals;
use super::wafer;
use super::yields::YieldModel;

/// A die that goes into the package without cores to spare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OtherDies {
    /// How many.
    pub count: f64,
    /// Area of one, cm².
    pub area: f64,
    /// Candidates a wafer.
    pub per_wafer: f64,
}

/// How a chip is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// How defects fall; α is that of the inputs.
    pub model: YieldModel,
    /// How far a cluster of defects reaches.
    pub clusters: Clusters,
    /// Compute dies in the package.
    pub dies: f64,
    /// Area of one, cm².
    pub area: f64,
    /// Candidates a wafer.
    pub per_wafer: f64,
    /// Cores on one die, and how many must be good; nothing where that is not known.
    pub cores: Option<(u32, u32)>,
    /// Dies that are no compute dies.
    pub others: Option<OtherDies>,
    /// Compute dies beyond the first, by area, in units of the die that the assembly yield of a further die is for.
    pub further: f64,
    /// Device memory, GB.
    pub memory_gb: f64,
    /// Area of dies and stacks that stand on the interposer, mm².
    pub on_interposer: f64,
    /// Usable diameter of a wafer of interposers, mm.
    pub interposer_diameter: f64,
    /// What is not known for certain.
    pub inputs: Inputs<Spread>,
}

/// What one good chip costs, in US dollars, before and after what is lost in assembly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costing {
    /// Share of compute dies that can be used.
    pub die_yield: f64,
    /// One good compute die.
    pub good_die: f64,
    /// All compute dies.
    pub compute: f64,
    /// Dies that are no compute dies.
    pub others: f64,
    /// Device memory.
    pub memory: f64,
    /// Interposer.
    pub interposer: f64,
    /// Substrate and attachment.
    pub substrate: f64,
    /// Test.
    pub test: f64,
    /// What packages that fail had in them, over those that do not.
    pub assembly_loss: f64,
    /// Share of packages that survive.
    pub assembly_yield: f64,
    /// Everything.
    pub total: f64,
}

/// How far one input moves the cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Swing {
    /// Which.
    pub input: Input,
    /// Its span.
    pub spread: Spread,
    /// Cost at its low end, the others typical.
    pub at_low: f64,
    /// Cost at its high end.
    pub at_high: f64,
    /// Its share of the sum of squared swings.
    pub share: f64,
}

impl Recipe {
    fn model(&self, inputs: &Inputs<f64>) -> YieldModel {
        match self.model {
            YieldModel::NegativeBinomial { .. } => {
                YieldModel::NegativeBinomial { alpha: inputs.get(Input::Clustering) }
            }
            other => other,
        }
    }

    /// The die as a bin of at least `needed` good cores.
    pub fn bin(&self, needed: u32, inputs: &Inputs<f64>) -> Option<Bin> {
        let (cores, _) = self.cores?;
        Some(Bin::new(self.area, cores, needed, inputs.get(Input::CoreShare)))
    }

    /// Share of compute dies with at least `needed` good cores; without cores to spare, of whole dies.
    pub fn die_yield(&self, needed: Option<u32>, inputs: &Inputs<f64>) -> f64 {
        let (model, density) = (self.model(inputs), inputs.get(Input::DefectDensity));
        let random = match needed.and_then(|needed| self.bin(needed, inputs)) {
            Some(bin) => at_least(&bin, model, density, self.clusters),
            None => model.good(self.area, density),
        };
        random * inputs.get(Input::SystematicYield)
    }
}

/// The cost with one value for each input.
pub fn cost(recipe: &Recipe, inputs: &Inputs<f64>) -> Costing {
    let get = |input| inputs.get(input);
    let die_yield = recipe.die_yield(recipe.cores.map(|(_, needed)| needed), inputs);
    let good_die = get(Input::WaferPrice) / (recipe.per_wafer * die_yield);
    let compute = recipe.dies * good_die;
    let others = recipe.others.map_or(0.0, |other| {
        let good = recipe.model(inputs).good(other.area, get(Input::OtherDefectDensity));
        other.count * get(Input::OtherWaferPrice) / (other.per_wafer * good)
    });
    let memory = recipe.memory_gb * get(Input::MemoryPrice);
    let interposer = interposer(recipe, inputs);
    let (substrate, test) = (get(Input::Substrate), get(Input::Test));
    let content = compute + others + memory + interposer + substrate + test;
    let assembly_yield = get(Input::AssemblyYield) * get(Input::FurtherDieYield).powf(recipe.further);
    let total = content / assembly_yield;
    let assembly_loss = total - content;
    Costing {
        die_yield,
        good_die,
        compute,
        others,
        memory,
        interposer,
        substrate,
        test,
        assembly_loss,
        assembly_yield,
        total,
    }
}

/// Interposers are counted by the formula: their area is itself uncertain.
fn interposer(recipe: &Recipe, inputs: &Inputs<f64>) -> f64 {
    let price = inputs.get(Input::InterposerWafer);
    let area = recipe.on_interposer * inputs.get(Input::InterposerOverhead);
    if price == 0.0 || area == 0.0 {
        return 0.0;
    }
    let count = wafer::estimate(recipe.interposer_diameter, area).max(1.0);
    price / (count * inputs.get(Input::InterposerYield))
}

/// Costs of `samples` chips, each with its own draw of every input, from the smallest to the largest total.
///
/// One stream an input: what is drawn for one does not move with the others.
pub fn simulate(recipe: &Recipe, seed: u64, samples: u32) -> Vec<Costing> {
    let mut streams: Vec<(Input, Normals)> = Input::ALL
        .into_iter()
        .filter(|input| !recipe.inputs.get(*input).is_certain())
        .map(|input| (input, Normals::new(seed, input.name().0)))
        .collect();
    let mut draws: Vec<Costing> = (0..samples).map(|_| cost(recipe, &draw(recipe, &mut streams))).collect();
    draws.sort_by(|a, b| a.total.total_cmp(&b.total));
    draws
}

fn draw(recipe: &Recipe, streams: &mut [(Input, Normals)]) -> Inputs<f64> {
    streams.iter_mut().fold(recipe.inputs.typical(), |inputs, (input, stream)| {
        let drawn = recipe.inputs.get(*input).at(stream.sample());
        inputs.with(*input, if input.is_share() { drawn.min(1.0) } else { drawn })
    })
}

/// How far each uncertain input moves the cost by itself, the furthest first.
pub fn swings(recipe: &Recipe) -> Vec<Swing> {
    let typical = recipe.inputs.typical();
    let total = |input, value| cost(recipe, &typical.with(input, value)).total;
    let uncertain = Input::ALL.into_iter().filter(|input| !recipe.inputs.get(*input).is_certain());
    let mut all: Vec<Swing> = uncertain
        .map(|input| {
            let spread = recipe.inputs.get(input);
            Swing {
                input,
                spread,
                at_low: total(input, spread.low),
                at_high: total(input, spread.high),
                share: 0.0,
            }
        })
        .filter(|swing| swing.at_low != swing.at_high)
        .collect();
    let square = |swing: &Swing| (swing.at_high - swing.at_low).powi(2);
    let sum: f64 = all.iter().map(square).sum();
    all.iter_mut().for_each(|swing| swing.share = square(swing) / sum);
    all.sort_by(|a, b| b.share.total_cmp(&a.share));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let value = |input| match input {
            Input::WaferPrice => 10_000.0,
            Input::DefectDensity => 0.1,
            Input::Clustering => 3.0,
            Input::MemoryPrice => 10.0,
            Input::InterposerOverhead => 1.1,
            Input::Substrate => 100.0,
            Input::AssemblyYield => 0.9,
            Input::FurtherDieYield | Input::SystematicYield | Input::InterposerYield => 1.0,
            Input::CoreShare => 0.5,
            _ => 0.0,
        };
        Recipe {
            model: YieldModel::NegativeBinomial { alpha: 3.0 },
            clusters: Clusters::Core,
            dies: 1.0,
            area: 6.0,
            per_wafer: 90.0,
            cores: None,
            others: None,
            further: 0.0,
            memory_gb: 64.0,
            on_interposer: 1000.0,
            interposer_diameter: 294.0,
            inputs: Inputs::new(|input| Spread::certain(value(input))),
        }
    }

    #[test]
    fn a_chip_costs_its_content_over_what_survives() {
        let recipe = recipe();
        let costing = cost(&recipe, &recipe.inputs.typical());
        // Y = (1 + 0.6/3)^−3 = 0.5787; die = 10000 / (90 × 0.5787) = 192; (192 + 640 + 100) / 0.9 = 1035.56
        assert!((costing.die_yield - 0.578_704).abs() < 1e-6);
        assert!((costing.good_die - 192.0).abs() < 1e-9);
        assert!((costing.total - 932.0 / 0.9).abs() < 1e-9);
        assert!((costing.assembly_loss - (932.0 / 0.9 - 932.0)).abs() < 1e-9);
    }

    #[test]
    fn what_is_certain_has_no_spread_and_the_same_seed_the_same_costs() {
        let certain = recipe();
        let draws = simulate(&certain, 1, 10);
        assert!(draws.iter().all(|draw| draw.total == draws[0].total));
        let spread = Spread { low: 0.05, typical: 0.1, high: 0.3 };
        let uncertain = Recipe { inputs: certain.inputs.with(Input::DefectDensity, spread), ..certain };
        assert_eq!(simulate(&uncertain, 1, 100), simulate(&uncertain, 1, 100));
        assert_ne!(simulate(&uncertain, 1, 100), simulate(&uncertain, 2, 100));
    }

    #[test]
    fn quantiles_of_one_uncertain_input_are_the_costs_at_its_ends() {
        let spread = Spread { low: 0.05, typical: 0.1, high: 0.3 };
        let certain = recipe();
        let recipe = Recipe { inputs: certain.inputs.with(Input::DefectDensity, spread), ..certain };
        let draws = simulate(&recipe, 3, 20_000);
        let swing = swings(&recipe)[0];
        // The cost rises with the density, so its quantiles are those of the density.
        for (share, expected) in [(0.1, swing.at_low), (0.9, swing.at_high)] {
            let found = draws[(share * 20_000.0) as usize].total;
            assert!((found / expected - 1.0).abs() < 0.01, "{found} {expected}");
        }
        assert_eq!((swing.input, swing.share), (Input::DefectDensity, 1.0));
    }
}

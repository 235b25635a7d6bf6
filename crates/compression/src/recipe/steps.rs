//! What a recipe says, and its name.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::Scheme;
use crate::forward::Precision;
use crate::method::{Gptq, Hqq, Pattern, SparseGpt};

use super::Smoothing;
use crate::method::ClipSearch;

/// What is done to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Seed of the signs of a rotation, if the model is rotated first.
    pub rotate: Option<u64>,
    /// How inputs are scaled.
    pub smooth: Option<Smoothing>,
    /// Whether inputs are scaled only where something before the layer takes the factors, so that no kernel has to.
    pub folded: bool,
    /// Which weights become zero.
    pub prune: Option<(Pruner, Pattern)>,
    /// How weights are rounded to the formats of [`Recipe::formats`].
    pub round: Rounder,
    /// Which layer gets which format.
    pub formats: Assignment,
    /// What activations are rounded to when the compressed model runs.
    pub activations: Precision,
}

/// Which layer gets which format.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    /// The format of layers that are not named; none leaves weights as they are.
    pub default: Option<Scheme>,
    /// Formats of named weights.
    pub named: BTreeMap<String, Option<Scheme>>,
}

impl Assignment {
    /// One format for all.
    pub fn all(scheme: Scheme) -> Self {
        Self { default: Some(scheme), named: BTreeMap::new() }
    }

    /// The format of a weight.
    pub fn of(&self, name: &str) -> Option<Scheme> {
        self.named.get(name).copied().unwrap_or(self.default)
    }
}

/// How weights are rounded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rounder {
    /// To nearest, with scales from the range.
    Nearest,
    /// To nearest, with a range clipped where the squared error is least.
    Clipped(ClipSearch),
    /// To nearest, with scales or zero points by half-quadratic splitting.
    Hqq(Hqq),
    /// Column by column, errors made up for.
    Gptq(Gptq),
}

/// Which weights become zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pruner {
    /// The smallest.
    Magnitude,
    /// Those of the smallest product with their input's norm.
    Wanda,
    /// Those that cost least, the others making up for them.
    SparseGpt(SparseGpt),
}

impl Recipe {
    /// Leaves everything as it is.
    pub fn nothing() -> Self {
        Self {
            rotate: None,
            smooth: None,
            folded: false,
            prune: None,
            round: Rounder::Nearest,
            formats: Assignment::default(),
            activations: Precision::Full,
        }
    }

    /// Whether a step needs calibration inputs.
    pub fn needs_inputs(&self) -> bool {
        self.smooth.is_some()
            || matches!(self.round, Rounder::Gptq(_))
            || matches!(self.prune, Some((Pruner::Wanda | Pruner::SparseGpt(_), _)))
    }
}

/// Words that a method is named by.
pub const WORDS: [&str; 10] =
    ["rtn", "clip", "hqq", "gptq", "awq", "smoothquant", "rotate", "magnitude", "wanda", "sparsegpt"];

/// Seed of the signs of a rotation that is asked for by name.
const ROTATION_SEED: u64 = 20_240_404;

/// Steps joined by `+`: `rtn`, `awq`, `smoothquant+gptq`, `rotate+gptq`, `sparsegpt=2:4+rtn`. A rounding that is not named
/// is to nearest. Formats and activations are left to the caller.
impl FromStr for Recipe {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.split('+').map(str::trim).try_fold(Self::nothing(), step)
    }
}

fn step(mut recipe: Recipe, word: &str) -> Result<Recipe, String> {
    let (name, pattern) = word.split_once('=').map_or((word, None), |(name, pattern)| (name, Some(pattern)));
    let pruned = |pruner| -> Result<_, String> {
        let pattern = pattern.map_or(Ok(Pattern::TWO_OF_FOUR), str::parse)?;
        Ok(Some((pruner, pattern)))
    };
    match name {
        "rtn" => recipe.round = Rounder::Nearest,
        "clip" => recipe.round = Rounder::Clipped(ClipSearch::default()),
        "hqq" => recipe.round = Rounder::Hqq(Hqq::default()),
        "gptq" => recipe.round = Rounder::Gptq(Gptq::default()),
        "awq" => recipe.smooth = Some(Smoothing::awq()),
        "smoothquant" => recipe.smooth = Some(Smoothing::smoothquant()),
        "rotate" => recipe.rotate = Some(ROTATION_SEED),
        "magnitude" => recipe.prune = pruned(Pruner::Magnitude)?,
        "wanda" => recipe.prune = pruned(Pruner::Wanda)?,
        "sparsegpt" => recipe.prune = pruned(Pruner::SparseGpt(SparseGpt::default()))?,
        _ => return Err(format!("`{name}` is no method; there are {}", WORDS.join(", "))),
    }
    Ok(recipe)
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rotate = self.rotate.map(|_| "rotate".to_owned());
        let smooth = self.smooth.map(|smooth| smooth.name().to_owned());
        let prune = self.prune.map(|(pruner, pattern)| format!("{}={pattern}", pruner.name()));
        let round = Some(self.round.name().to_owned());
        let steps: Vec<String> = [rotate, smooth, prune, round].into_iter().flatten().collect();
        f.write_str(&steps.join("+"))
    }
}

impl Rounder {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nearest => "rtn",
            Self::Clipped(_) => "clip",
            Self::Hqq(_) => "hqq",
            Self::Gptq(_) => "gptq",
        }
    }
}

impl Pruner {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Magnitude => "magnitude",
            Self::Wanda => "wanda",
            Self::SparseGpt(_) => "sparsegpt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Recipe;

    #[test]
    fn a_recipe_reads_as_it_is_written() {
        for name in ["rtn", "awq+rtn", "rotate+smoothquant+gptq", "sparsegpt=4:8+clip", "magnitude=50%+hqq"] {
            assert_eq!(name.parse::<Recipe>().unwrap().to_string(), name);
        }
        assert_eq!("wanda".parse::<Recipe>().unwrap().to_string(), "wanda=2:4+rtn");
        assert!("gptk".parse::<Recipe>().unwrap_err().contains("gptq"));
        assert!("rotate+rtn".parse::<Recipe>().is_ok_and(|recipe| !recipe.needs_inputs()));
    }
}

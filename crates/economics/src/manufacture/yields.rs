//! Share of dies without a defect, and the defect density that a quoted yield means.
//!
//! λ = A · D0 with A in cm² and D0 in defects a cm².

use std::fmt;

/// How defects fall on a wafer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum YieldModel {
    /// Evenly: e^−λ. Pessimistic for large dies.
    Poisson,
    /// A triangle of densities: ((1 − e^−λ) / λ)².
    Murphy,
    /// An exponential distribution of densities: 1 / (1 + λ). Some texts call e^−√λ by this name.
    Seeds,
    /// `layers` critical layers, D0 a layer: (1 + λ)^−n.
    BoseEinstein {
        /// Critical layers.
        layers: f64,
    },
    /// In clusters, a gamma distribution of densities: (1 + λ/α)^−α. α → ∞ is Poisson, α = 1 is Seeds.
    NegativeBinomial {
        /// Clustering: the smaller, the more clustered.
        alpha: f64,
    },
}

impl YieldModel {
    /// The words for it on the command line.
    pub const NAMES: [&'static str; 5] = ["negative-binomial", "poisson", "murphy", "seeds", "bose-einstein"];

    /// Share of dies of `area` cm² without a defect at `density` defects a cm².
    pub fn good(self, area: f64, density: f64) -> f64 {
        let defects = area * density;
        match self {
            Self::Poisson => (-defects).exp(),
            Self::Murphy if defects == 0.0 => 1.0,
            Self::Murphy => (-(-defects).exp_m1() / defects).powi(2),
            Self::Seeds => 1.0 / (1.0 + defects),
            Self::BoseEinstein { layers } => (1.0 + defects).powf(-layers),
            Self::NegativeBinomial { alpha } => (1.0 + defects / alpha).powf(-alpha),
        }
    }

    /// The defect density, per cm², at which a share `good` of dies of `area` cm² is without a defect.
    pub fn density(self, area: f64, good: f64) -> f64 {
        let defects = match self {
            Self::Poisson => -good.ln(),
            Self::Murphy => murphy_defects(good),
            Self::Seeds => 1.0 / good - 1.0,
            Self::BoseEinstein { layers } => good.powf(-1.0 / layers) - 1.0,
            Self::NegativeBinomial { alpha } => alpha * (good.powf(-1.0 / alpha) - 1.0),
        };
        defects / area
    }

    /// α of a gamma distribution of densities, where the model is one.
    pub fn clustering(self) -> Option<f64> {
        match self {
            Self::NegativeBinomial { alpha } => Some(alpha),
            Self::Seeds => Some(1.0),
            _ => None,
        }
    }

    /// Layers that a density counts for: that of the Bose–Einstein model is one layer's.
    pub fn layers(self) -> f64 {
        if let Self::BoseEinstein { layers } = self { layers } else { 1.0 }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NegativeBinomial { .. } => Self::NAMES[0],
            Self::Poisson => Self::NAMES[1],
            Self::Murphy => Self::NAMES[2],
            Self::Seeds => Self::NAMES[3],
            Self::BoseEinstein { .. } => Self::NAMES[4],
        }
    }
}

impl fmt::Display for YieldModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NegativeBinomial { alpha } => write!(f, "negative binomial, α = {alpha}"),
            Self::BoseEinstein { layers } => write!(f, "Bose–Einstein, {layers} layers"),
            other => f.write_str(other.name()),
        }
    }
}

/// Halvings of the search below: enough for the last bit of a double.
const HALVINGS: u32 = 200;

/// λ with ((1 − e^−λ)/λ)² = `good`, by halving: Murphy's yield falls without end as λ grows.
fn murphy_defects(good: f64) -> f64 {
    // ((1 − e^−λ)/λ)² < 1/λ², so λ < 1/√good.
    let (mut low, mut high) = (0.0, 1.0 / good.sqrt());
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if YieldModel::Murphy.good(1.0, middle) > good { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [YieldModel; 5] = [
        YieldModel::Poisson,
        YieldModel::Murphy,
        YieldModel::Seeds,
        YieldModel::BoseEinstein { layers: 15.0 },
        YieldModel::NegativeBinomial { alpha: 3.0 },
    ];

    #[test]
    fn quoted_yields_of_the_910b_invert_to_published_densities() {
        // 3 (Y^(−1/3) − 1) / 6.656 cm²
        let model = YieldModel::NegativeBinomial { alpha: 3.0 };
        for (good, density) in [(0.5, 0.117), (0.4, 0.161), (0.2, 0.320)] {
            assert!((model.density(6.656, good) - density).abs() < 5e-4, "{good}");
        }
        // −ln Y / 6.656 cm²
        for (good, density) in [(0.2, 0.242), (0.35, 0.158), (0.4, 0.138), (0.6, 0.077)] {
            assert!((YieldModel::Poisson.density(6.656, good) - density).abs() < 5e-4, "{good}");
        }
    }

    #[test]
    fn inverting_undoes_the_yield() {
        for model in ALL {
            for good in [0.05, 0.3, 0.7, 0.99] {
                let density = model.density(6.656, good);
                assert!((model.good(6.656, density) - good).abs() < 1e-12, "{model} {good}");
            }
        }
    }

    #[test]
    fn models_agree_where_they_must() {
        let (area, density) = (8.14, 0.1);
        let wide = YieldModel::NegativeBinomial { alpha: 1e9 }.good(area, density);
        assert!((wide - YieldModel::Poisson.good(area, density)).abs() < 1e-6);
        let one = YieldModel::NegativeBinomial { alpha: 1.0 }.good(area, density);
        assert!((one - YieldModel::Seeds.good(area, density)).abs() < 1e-12);
        // At λ = 1: e^−1 < ((1 − e^−1))² = 0.3996 < 1/2.
        let at_one = |model: YieldModel| model.good(1.0, 1.0);
        assert!(at_one(YieldModel::Poisson) < at_one(YieldModel::Murphy));
        assert!((at_one(YieldModel::Murphy) - 0.399_576).abs() < 1e-6);
        assert_eq!(at_one(YieldModel::Seeds), 0.5);
        for model in ALL {
            assert_eq!(model.good(8.0, 0.0), 1.0);
        }
        // (1 + λ/n)^−n lies between Poisson and Seeds at the same density of all layers.
        let layered = YieldModel::BoseEinstein { layers: 15.0 };
        let all_layers = layered.good(1.0, 1.0 / layered.layers());
        assert!(at_one(YieldModel::Poisson) < all_layers && all_layers < at_one(YieldModel::Seeds));
    }
}

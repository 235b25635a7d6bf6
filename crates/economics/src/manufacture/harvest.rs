//! Core harvesting: a die with some bad cores is sold with fewer enabled.
//!
//! With k cores of area a each and an uncore without redundancy of area u, a share y(a) of cores is good and
//!
//! ```text
//! P(n good) = y(u) · C(k, n) · y(a)ⁿ · (1 − y(a))^(k−n)
//! ```
//!
//! with [`Clusters::Core`]: clusters no larger than a core, so that defects of different cores are independent. With
//! [`Clusters::Die`] a cluster covers the whole die: the density of each die is drawn from the gamma distribution that the
//! negative binomial model stands for, and given the density defects fall evenly,
//!
//! ```text
//! P(n good) = E[e^−λu · C(k, n) · e^−λan · (1 − e^−λa)^(k−n)],   λ ~ Gamma(α, mean D0)
//! ```
//!
//! whose dies without any defect are again (1 + A·D0/α)^−α. The truth lies between the two.

use super::yields::YieldModel;

/// How far a cluster of defects reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clusters {
    /// No further than a core.
    #[default]
    Core,
    /// Over the whole die.
    Die,
}

/// A die with cores to spare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Cores on the die.
    pub cores: u32,
    /// Cores that must be good.
    pub needed: u32,
    /// Area of one core, cm².
    pub core_area: f64,
    /// Area without redundancy, cm².
    pub uncore_area: f64,
}

impl Bin {
    /// Splits a die of `area` cm² of which the cores take a share.
    pub fn new(area: f64, cores: u32, needed: u32, core_share: f64) -> Self {
        let core_area = area * core_share / f64::from(cores);
        Self { cores, needed, core_area, uncore_area: area * (1.0 - core_share) }
    }
}

/// Share of dies with 0, 1, … k good cores and a good uncore; what is missing to one has a bad uncore.
pub fn distribution(bin: &Bin, model: YieldModel, density: f64, clusters: Clusters) -> Vec<f64> {
    match (clusters, model.clustering()) {
        (Clusters::Die, Some(alpha)) => clustered(bin, alpha, density),
        _ => given(bin, |area| model.good(area, density)),
    }
}

/// Share of dies with at least as many good cores as needed.
pub fn at_least(bin: &Bin, model: YieldModel, density: f64, clusters: Clusters) -> f64 {
    let shares = distribution(bin, model, density, clusters);
    shares[bin.needed.min(bin.cores) as usize..].iter().sum()
}

/// The shares where parts of the die are good independently of each other.
fn given(bin: &Bin, good: impl Fn(f64) -> f64) -> Vec<f64> {
    let uncore = good(bin.uncore_area);
    binomial(bin.cores, good(bin.core_area)).into_iter().map(|share| share * uncore).collect()
}

/// Step of the integral below in units of the width of its peak, 1/√α or one. The integrand is smooth and vanishes at both
/// ends, where the trapezoid is exact to many digits.
const STEP: f64 = 0.25;
/// Powers of e below the peak at which the integral is cut off.
const CUT: f64 = 25.0;

/// The shares over a gamma distribution of densities: with s = λ/D0 = eˣ its weight is e^(α(x − eˣ)) dx.
fn clustered(bin: &Bin, alpha: f64, density: f64) -> Vec<f64> {
    let (low, high) = (-CUT / alpha - 1.0, (1.0 + CUT / alpha).ln() + 1.0);
    let points = ((high - low) * alpha.max(1.0).sqrt() / STEP).ceil();
    let at = |index: u32| low + (high - low) * f64::from(index) / points;
    let mut shares = vec![0.0; bin.cores as usize + 1];
    let mut all = 0.0;
    for x in (0..=points as u32).map(at) {
        // Relative to the peak at x = 0, so that nothing underflows.
        let weight = (alpha * (x - x.exp() + 1.0)).exp();
        all += weight;
        let local = density * x.exp();
        let dies = given(bin, |area| (-area * local).exp());
        shares.iter_mut().zip(dies).for_each(|(share, die)| *share += weight * die);
    }
    shares.into_iter().map(|share| share / all).collect()
}

/// C(k, n) pⁿ (1 − p)^(k−n) for n = 0…k, each from the one before, beginning at the likeliest.
fn binomial(k: u32, p: f64) -> Vec<f64> {
    let count = k as usize + 1;
    if p <= 0.0 {
        return (0..count).map(|n| f64::from(u8::from(n == 0))).collect();
    }
    if p >= 1.0 {
        return (0..count).map(|n| f64::from(u8::from(n == count - 1))).collect();
    }
    let odds = p / (1.0 - p);
    let mode = ((f64::from(k) + 1.0) * p).floor().min(f64::from(k)) as usize;
    let mut shares = vec![0.0; count];
    shares[mode] = 1.0;
    for n in mode..count - 1 {
        shares[n + 1] = shares[n] * odds * (k as usize - n) as f64 / (n + 1) as f64;
    }
    for n in (0..mode).rev() {
        shares[n] = shares[n + 1] * (n + 1) as f64 / (odds * (k as usize - n) as f64);
    }
    let total: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / total).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: YieldModel = YieldModel::NegativeBinomial { alpha: 3.0 };

    #[test]
    fn shares_are_the_binomial_ones() {
        // C(4, n) 0.9ⁿ 0.1^(4−n)
        let expected = [0.0001, 0.0036, 0.0486, 0.2916, 0.6561];
        for (share, expected) in binomial(4, 0.9).into_iter().zip(expected) {
            assert!((share - expected).abs() < 1e-12);
        }
        assert_eq!(binomial(3, 1.0), [0.0, 0.0, 0.0, 1.0]);
    }

    #[test]
    fn a_die_without_a_core_to_spare_needs_all_of_them() {
        let bin = Bin::new(6.6561, 25, 25, 0.4);
        // y(u) · y(a)^25
        let expected = MODEL.good(6.6561 * 0.6, 0.16) * MODEL.good(6.6561 * 0.4 / 25.0, 0.16).powi(25);
        assert!((at_least(&bin, MODEL, 0.16, Clusters::Core) - expected).abs() < 1e-12);
    }

    #[test]
    fn clusters_over_the_die_leave_the_yield_of_whole_dies() {
        // E[e^−λA] over Gamma(α, D0) is (1 + A·D0/α)^−α.
        for alpha in [0.5, 1.0, 3.0, 40.0] {
            let model = YieldModel::NegativeBinomial { alpha };
            for (cores, density) in [(25, 0.19), (144, 0.1), (25, 1.5)] {
                let bin = Bin::new(6.6561, cores, cores, 0.4);
                let whole = model.good(6.6561, density);
                let found = at_least(&bin, model, density, Clusters::Die);
                assert!((found / whole - 1.0).abs() < 1e-6, "{alpha} {cores} {density}: {found} {whole}");
                let uncore = at_least(&Bin { needed: 0, ..bin }, model, density, Clusters::Die);
                assert!((uncore / model.good(bin.uncore_area, density) - 1.0).abs() < 1e-6);
            }
        }
        // Without clustering there is no difference.
        let bin = Bin::new(6.6561, 25, 24, 0.4);
        let [core, die] =
            [Clusters::Core, Clusters::Die].map(|c| at_least(&bin, YieldModel::Poisson, 0.19, c));
        assert_eq!(core, die);
    }

    #[test]
    fn fewer_cores_are_never_rarer_and_no_cores_need_a_good_uncore() {
        let share = |needed| at_least(&Bin::new(8.14, 144, needed, 0.55), MODEL, 0.1, Clusters::Core);
        assert!((0..144).all(|needed| share(needed) >= share(needed + 1)));
        assert!((share(0) - MODEL.good(8.14 * 0.45, 0.1)).abs() < 1e-12);
        // 78 of 144: almost every die with a good uncore.
        assert!((share(78) / share(0) - 1.0).abs() < 1e-9);
    }
}

//! Core harvesting: a die with some bad cores is sold with fewer enabled.
//!
//! With k cores of area a each and an uncore without redundancy of area u, a share y(a) of cores is good and
//!
//! ```text
//! P(n good) = y(u) · C(k, n) · y(a)ⁿ · (1 − y(a))^(k−n)
//! ```
//!
//! Defects of different cores count as independent: clusters are taken no larger than a core.

use super::yields::YieldModel;

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
pub fn distribution(bin: &Bin, model: YieldModel, density: f64) -> Vec<f64> {
    let uncore = model.good(bin.uncore_area, density);
    let core = model.good(bin.core_area, density);
    binomial(bin.cores, core).into_iter().map(|share| share * uncore).collect()
}

/// Share of dies with at least as many good cores as needed.
pub fn at_least(bin: &Bin, model: YieldModel, density: f64) -> f64 {
    let shares = distribution(bin, model, density);
    // Smallest first, so that small shares are not lost.
    let needed = &shares[bin.needed.min(bin.cores) as usize..];
    needed.iter().sum()
}

/// C(k, n) pⁿ (1 − p)^(k−n) for n = 0…k, each from the one before, beginning at the likeliest.
fn binomial(k: u32, p: f64) -> Vec<f64> {
    let count = k as usize + 1;
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
        assert!((at_least(&bin, MODEL, 0.16) - expected).abs() < 1e-12);
    }

    #[test]
    fn fewer_cores_are_never_rarer_and_no_cores_need_a_good_uncore() {
        let share = |needed| at_least(&Bin::new(8.14, 144, needed, 0.55), MODEL, 0.1);
        assert!((0..144).all(|needed| share(needed) >= share(needed + 1)));
        assert!((share(0) - MODEL.good(8.14 * 0.45, 0.1)).abs() < 1e-12);
        // 78 of 144: almost every die with a good uncore.
        assert!((share(78) / share(0) - 1.0).abs() < 1e-9);
    }
}

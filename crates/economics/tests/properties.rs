//! What must hold whatever the figures.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use vitruvian_economics::export_control::classify::{Subject, verdict};
use vitruvian_economics::export_control::{Fact, Facts, Verdict, collection};
use vitruvian_economics::manufacture::harvest::{Bin, Clusters, at_least, distribution};
use vitruvian_economics::manufacture::{Wafer, YieldModel, dies_per_wafer, wafer};
use vitruvian_economics::{Building, ownership, region};
use vitruvian_quantity::{Money, Watts};

fn model() -> impl Strategy<Value = YieldModel> {
    prop_oneof![
        Just(YieldModel::Poisson),
        Just(YieldModel::Murphy),
        Just(YieldModel::Seeds),
        (1.0f64..30.0).prop_map(|layers| YieldModel::BoseEinstein { layers }),
        (0.3f64..50.0).prop_map(|alpha| YieldModel::NegativeBinomial { alpha }),
    ]
}

proptest! {
    #[test]
    fn larger_dies_and_more_defects_are_never_better(
        model in model(), area in 0.1f64..8.6, density in 0.0f64..2.0, more in 1.0f64..3.0,
    ) {
        let good = model.good(area, density);
        prop_assert!((0.0..=1.0).contains(&good));
        prop_assert!(model.good(area * more, density) <= good + 1e-12);
        prop_assert!(model.good(area, density * more) <= good + 1e-12);
    }

    #[test]
    fn the_share_of_good_dies_inverts(model in model(), area in 0.1f64..8.6, good in 0.01f64..0.999) {
        prop_assert!((model.good(area, model.density(area, good)) - good).abs() < 1e-9);
    }

    #[test]
    fn harvest_is_between_whole_dies_and_good_uncores(
        model in model(), cores in 1u32..200, share in 0.1f64..0.9, density in 0.0f64..1.0, spare in 0u32..200, over_die: bool,
    ) {
        let needed = cores.saturating_sub(spare);
        let bin = Bin::new(6.0, cores, needed, share);
        let clusters = if over_die { Clusters::Die } else { Clusters::Core };
        let found = at_least(&bin, model, density, clusters);
        let none_spare = at_least(&Bin { needed: cores, ..bin }, model, density, clusters);
        prop_assert!(none_spare <= found + 1e-12 && found <= model.good(bin.uncore_area, density) + 1e-6);
        let all: f64 = distribution(&bin, model, density, clusters).iter().sum();
        prop_assert!((all - model.good(bin.uncore_area, density)).abs() < 1e-6);
    }

    #[test]
    fn dies_fit_on_the_wafer_and_smaller_ones_are_not_fewer(width in 3.0f64..26.0, aspect in 0.6f64..1.6) {
        let height = width * aspect;
        let wafer_ = Wafer { diameter: 300.0, edge: 3.0, scribe: 0.1 };
        let count = dies_per_wafer(wafer_, width, height);
        prop_assert!(f64::from(count) * width * height <= std::f64::consts::PI * 147.0 * 147.0);
        prop_assert!(dies_per_wafer(wafer_, width * 0.8, height * 0.8) >= count);
        // The best shift is no worse than the formula, which averages over shifts of squares; one die for its rounding.
        prop_assert!(f64::from(count) + 1.0 >= wafer::estimate(294.0, (width + 0.1) * (height + 0.1)));
    }

    #[test]
    fn more_performance_never_frees_a_chip(
        tpp in 100.0f64..10_000.0, area in 50.0f64..2000.0, more in 1.0f64..3.0, data_centre: bool,
    ) {
        let collection = collection().unwrap();
        let rule = collection.rule("V23").unwrap();
        let caught = |tpp: f64| {
            let facts = Facts {
                tpp: Fact::Is(tpp),
                performance_density: Fact::Is(tpp / area),
                data_centre: Fact::Is(f64::from(data_centre)),
                ..Facts::default()
            };
            matches!(verdict(rule, &collection, Subject { name: "", facts: &facts }), Verdict::Caught(..))
        };
        prop_assert!(!caught(tpp) || caught(tpp * more));
    }

    #[test]
    fn an_hour_is_cheaper_the_more_hours_are_used(price in 1e3f64..1e5, power in 50.0f64..2000.0, use_ in 0.05f64..0.95) {
        let region = region::region("cn").unwrap();
        let at = |utilisation| {
            let there = region::Region { utilisation, ..region.clone() };
            let power = Watts::new(power);
            ownership::ownership(Money::new(price), power, power, &there, Building::Owned).hour()
        };
        prop_assert!(at(use_) > at(use_ * 1.05));
    }
}

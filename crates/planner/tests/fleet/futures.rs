//! Futures: probabilities, effects, streams.

use proptest::prelude::*;
use vitruvian_planner::fleet::future::{Sampling, is_exact, mean};
use vitruvian_planner::fleet::{Doubt, Effect, Outcome, Risk, futures, likely};

use crate::small::{QUARTERS, problem};

const EFFECT: Effect =
    Effect { chip: 0, from: 0, until: QUARTERS, share: 1.0, ramp: 0, delay: 0, price: 1.0 };

fn risk(probability: f64, effect: Effect) -> Risk {
    let quiet = Outcome { name: "quiet".to_owned(), probability: 1.0 - probability, effects: Vec::new() };
    let hit = Outcome { name: "hit".to_owned(), probability, effects: vec![effect] };
    Risk { name: "risk".to_owned(), outcomes: vec![quiet, hit] }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]
    #[test]
    fn combinations_have_the_product_of_their_probabilities(problem in problem(), p in 0.05..0.95, q in 0.05..0.95) {
        let risks = [risk(p, Effect { share: 0.0, ..EFFECT }), risk(q, Effect { chip: 1, delay: 1, ..EFFECT })];
        let sampling = Sampling { seed: 1, samples: 4 };
        let all = futures(&problem, &risks, &[Doubt::default(); 2], sampling);
        prop_assert!(is_exact(&risks, &[Doubt::default(); 2], sampling));
        prop_assert_eq!(all.len(), 4);
        prop_assert!((all.iter().map(|future| future.weight).sum::<f64>() - 1.0).abs() < 1e-12);
        // Expected share of chip 0: 1 − p. Of chip 1's first quarter 1 − q arrives in time and q a quarter late.
        let mean = mean(&all);
        prop_assert!((mean.deliveries[0][0][0].share - (1.0 - p)).abs() < 1e-12);
        let late: Vec<f64> = mean.deliveries[1][0].iter().map(|delivery| delivery.share).collect();
        prop_assert!((late[0] - (1.0 - q)).abs() < 1e-12 && (late[1] - q).abs() < 1e-12);
    }

    #[test]
    fn samples_are_repeatable_and_streams_do_not_move_each_other(problem in problem(), seed in 0u64..1000) {
        let risks = [risk(0.3, Effect { share: 0.0, ..EFFECT })];
        let doubts = |spread: [f64; 2]| spread.map(|volume| Doubt { volume, ..Doubt::default() });
        let draw = |spread| futures(&problem, &risks, &doubts(spread), Sampling { seed, samples: 50 });
        prop_assert_eq!(draw([0.0, 0.2]), draw([0.0, 0.2]));
        // How much there is of chip 1 does not change what becomes of the risk.
        let outcomes = |spread| draw(spread).into_iter().map(|future| future.outcomes).collect::<Vec<_>>();
        prop_assert_eq!(outcomes([0.0, 0.2]), outcomes([0.0, 0.4]));
    }
}

#[test]
fn samples_follow_their_probability() {
    let problem = fixed();
    let doubts = [Doubt { volume: 0.1, ..Doubt::default() }, Doubt { speed: 0.2, ..Doubt::default() }];
    let risks = [risk(0.3, Effect { share: 0.0, ..EFFECT })];
    let all = futures(&problem, &risks, &doubts, Sampling { seed: 7, samples: 4000 });
    let hit = all.iter().filter(|future| future.outcomes == [1]).count() as f64 / 4000.0;
    // Four standard errors: 4 · √(0.3 · 0.7 / 4000) = 0.029
    assert!((hit - 0.3).abs() < 0.029, "{hit}");
    // Of a lognormal cut at one, half is one.
    let whole = |future: &&vitruvian_planner::fleet::Future| {
        future.deliveries[0][0].first().is_some_and(|delivery| delivery.share == 1.0)
    };
    let quiet = all.iter().filter(|future| future.outcomes == [0]);
    let share = quiet.clone().filter(whole).count() as f64 / quiet.count() as f64;
    assert!((share - 0.5).abs() < 0.04, "{share}");
    // ln speed is normal: mean 0, standard deviation 0.2; four standard errors of the mean are 4 · 0.2 / √4000 = 0.0126.
    let logs: Vec<f64> = all.iter().map(|future| future.speed[1].ln()).collect();
    let mean = logs.iter().sum::<f64>() / 4000.0;
    let deviation = (logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / 4000.0).sqrt();
    assert!(mean.abs() < 0.0126 && (deviation - 0.2).abs() < 0.009, "{mean} {deviation}");
    assert!(all.iter().all(|future| future.speed[0] == 1.0));
}

#[test]
fn a_ramp_grows_to_the_whole() {
    // 0.2 at first, one after four quarters: 0.2 + 0.8 · 1/4 = 0.4 in the second quarter.
    let problem = fixed();
    let effect = Effect { share: 0.2, ramp: 4, price: 1.25, ..EFFECT };
    let future = likely(&problem, &[risk(0.9, effect)]);
    let shares: Vec<f64> = future.deliveries[0].iter().map(|delivery| delivery[0].share).collect();
    assert!((shares[0] - 0.2).abs() < 1e-12 && (shares[1] - 0.4).abs() < 1e-12, "{shares:?}");
    assert_eq!(future.deliveries[0][0][0].price, 1.25);
    assert_eq!(future.deliveries[1][0][0].share, 1.0);
}

#[test]
fn what_comes_after_the_last_quarter_never_comes() {
    let future = likely(&fixed(), &[risk(0.9, Effect { delay: 1, ..EFFECT })]);
    assert_eq!(future.deliveries[0][0][0].quarter, 1);
    assert!(future.deliveries[0][1].is_empty());
}

fn fixed() -> vitruvian_planner::fleet::Problem {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    problem().new_tree(&mut runner).unwrap().current()
}

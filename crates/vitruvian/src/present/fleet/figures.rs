//! The figures of a fleet plan.

use vitruvian_planner::fleet::strategy::quantile;
use vitruvian_report::{Axis, Bar, Bars, Figure, Mark, Plot, Point, Series, Xy};

use super::{MILLION, at_work};
use crate::fleet::{FleetAnswer, StrategyAnswer};

/// Nodes that are due by quarter, by chip; and nodes at work.
pub(super) fn orders(answer: &FleetAnswer) -> Figure {
    let due = answer.plan.quarters.iter().map(|quarter| {
        let lines = quarter.orders.iter().map(|line| (line.chip.clone(), f64::from(line.nodes)));
        Bar::new(&*quarter.quarter, lines)
    });
    let working = answer.plan.quarters.iter().map(|quarter| {
        let chips = answer.question.chips.iter().map(|chip| {
            let nodes: u32 =
                answer.question.demands.iter().map(|demand| at_work(quarter, &demand.name, chip)).sum();
            (chip.clone(), f64::from(nodes))
        });
        Bar::new(&*quarter.quarter, chips.filter(|(_, nodes)| *nodes > 0.0))
    });
    let bars = |bars: Vec<Bar>| Plot::Bars(Bars { axis: Axis::linear("nodes", ""), bars });
    Figure::of_panels(
        "Orders and nodes at work",
        "Left, what is ordered, by the quarter in which it is due; right, what serves if all goes as is likeliest.",
        [("due".to_owned(), bars(due.collect())), ("at work".to_owned(), bars(working.collect()))],
    )
}

/// Demand and what is served, each service in units of its first quarter's demand.
pub(super) fn demand(answer: &FleetAnswer) -> Figure {
    let series = answer.question.demands.iter().map(|demand| {
        let points = answer.plan.quarters.iter().enumerate().map(|(index, quarter)| {
            let short = quarter.shortfalls.iter().find(|line| line.demand == demand.name);
            let asked = demand.peak_requests_per_s[index];
            let served = asked - short.map_or(0.0, |line| line.requests_per_s);
            Point::new(index as f64 + 1.0, if asked > 0.0 { 100.0 * served / asked } else { 100.0 })
        });
        Series::new(&*demand.name, Mark::LinePoints, points)
    });
    Figure::new(
        "What is served",
        "Part of each service's demand that is served if all goes as is likeliest.",
        Plot::Xy(Xy {
            x: Axis::linear("quarter of the plan", ""),
            y: Axis::linear("served", "%"),
            series: series.collect(),
            rules: Vec::new(),
        }),
    )
}

/// Cost against shortfall, one point a strategy.
pub(super) fn strategies(answer: &FleetAnswer) -> Figure {
    let series = answer.strategies.iter().map(|strategy| {
        let (cost, short) = (strategy.cost_usd, strategy.shortfall_share);
        let point = Point::new(cost.mean / MILLION, 100.0 * short.mean)
            .interval(100.0 * short.p10, 100.0 * short.p90)
            .label(&*strategy.name);
        Series::new(&*strategy.name, Mark::Points, [point])
    });
    Figure::new(
        "Cost against shortfall",
        "Expected values; the whiskers are P10 and P90 of what is unserved. Left and low is better.",
        Plot::Xy(Xy {
            x: Axis::linear("present value paid", "MUSD"),
            y: Axis::linear("unserved", "%"),
            series: series.collect(),
            rules: Vec::new(),
        }),
    )
}

/// Regret of each strategy.
pub(super) fn regret(answer: &FleetAnswer) -> Figure {
    let bar = |strategy: &StrategyAnswer| {
        let regret = strategy.regret_usd;
        let tail = (regret.p90 - regret.mean).max(0.0);
        Bar::new(
            &*strategy.name,
            [("expected".to_owned(), regret.mean / MILLION), ("to P90".to_owned(), tail / MILLION)],
        )
    };
    Figure::new(
        "Regret",
        "Present value, penalties included, above that of knowing the future.",
        Plot::Bars(Bars {
            axis: Axis::linear("regret", "MUSD"),
            bars: answer.strategies.iter().map(bar).collect(),
        }),
    )
}

/// What the plan leaves unserved, by quarter over all futures.
pub(super) fn shortfall(answer: &FleetAnswer) -> Figure {
    let points = |pick: fn(&[(f64, f64)]) -> f64| {
        (0..answer.question.quarters.len())
            .map(|quarter| {
                let values: Vec<(f64, f64)> = answer
                    .futures
                    .iter()
                    .map(|future| (future.shortfall_tokens[quarter] / 1e9, future.probability))
                    .collect();
                Point::new(quarter as f64 + 1.0, pick(&values))
            })
            .collect::<Vec<_>>()
    };
    let series = [
        Series::new("P90", Mark::Line, points(|values| quantile(values, 0.9))),
        Series::new("P50", Mark::Line, points(|values| quantile(values, 0.5))),
        Series::new("P10", Mark::Line, points(|values| quantile(values, 0.1))),
    ];
    Figure::new(
        "Shortfall of the plan over all futures",
        "Output tokens that are not served: one future in ten lies above P90.",
        Plot::Xy(Xy {
            x: Axis::linear("quarter of the plan", ""),
            y: Axis::linear("unserved", "10⁹ tokens"),
            series: series.to_vec(),
            rules: Vec::new(),
        }),
    )
}

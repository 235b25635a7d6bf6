//! What a simulation must be asked before it can begin.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::study::{Arriving, Made, Recorded, SimulateStudy, Traffic};
use crate::check::{all_or_nothing, at_least_one, positive, service};

/// Most requests of one simulation: their table takes about 100 bytes each.
const MOST_REQUESTS: u32 = 50_000_000;

/// Checks a simulation.
///
/// # Errors
/// Every mistake, at once.
pub(super) fn simulate(study: &SimulateStudy) -> Result<(), Diagnostics> {
    let mut faults = service(&study.service);
    if study.pools.is_empty() {
        faults.push(Diagnostic::error("no-chip", "no chip is named").help("name one with --chip"));
    }
    for pool in &study.pools {
        at_least_one(&mut faults, "chips", pool.chips, crate::check::MOST_CHIPS);
        if let Some(degrees) = pool.layout {
            for (name, degree) in
                [("TP", degrees.tp), ("PP", degrees.pp), ("DP", degrees.dp), ("EP", degrees.ep)]
            {
                at_least_one(&mut faults, name, degree, crate::check::MOST_CHIPS);
            }
        }
    }
    for (name, value) in
        [("chunk", study.chunk), ("running sequences", study.max_sequences), ("context", study.context)]
    {
        value.into_iter().for_each(|value| at_least_one(&mut faults, name, value, 100_000_000));
    }
    positive(&mut faults, "TTFT", study.ttft);
    positive(&mut faults, "TPOT", study.tpot);
    if let Some(skew) = study.expert_skew.filter(|skew| !(0.0..=5.0).contains(skew)) {
        faults.push(out_of_range("expert skew", skew, "between 0 and 5"));
    }
    match &study.traffic {
        Traffic::Recorded(recorded) => trace(&mut faults, recorded),
        Traffic::Made(made) => made_up(&mut faults, made),
    }
    all_or_nothing(faults)
}

fn trace(faults: &mut Vec<Diagnostic>, recorded: &Recorded) {
    if let Some(speed) = recorded.speed.filter(|speed| !is_positive(*speed)) {
        faults.push(out_of_range("speed", speed, "above 0"));
    }
    if let Some(sample) = recorded.sample.filter(|sample| !(*sample > 0.0 && *sample <= 1.0)) {
        faults.push(out_of_range("sample", sample, "above 0 and at most 1"));
    }
    recorded.requests.into_iter().for_each(|count| at_least_one(faults, "requests", count, MOST_REQUESTS));
}

fn made_up(faults: &mut Vec<Diagnostic>, made: &Made) {
    at_least_one(faults, "requests", made.requests, MOST_REQUESTS);
    let mut above_zero = |what: &str, value: f64| {
        if !is_positive(value) {
            faults.push(out_of_range(what, value, "above 0"));
        }
    };
    match &made.arriving {
        Arriving::Poisson(rate) | Arriving::Even(rate) => above_zero("rate", *rate),
        Arriving::Gamma(rate, cv) => {
            above_zero("rate", *rate);
            above_zero("coefficient of variation", *cv);
        }
        Arriving::Modulated(rates, hold) => {
            above_zero("highest rate", rates.iter().copied().fold(0.0, f64::max));
            above_zero("time of a rate", *hold);
            if rates.iter().any(|rate| !(*rate >= 0.0 && rate.is_finite())) {
                let message = format!("rates must be 0 or more, not {rates:?}");
                faults.push(Diagnostic::error("out-of-range", message));
            }
        }
        Arriving::Diurnal(rate, swing, period) => {
            above_zero("rate", *rate);
            above_zero("period", *period);
            if !(0.0..=1.0).contains(swing) {
                faults.push(out_of_range("swing", *swing, "between 0 and 1"));
            }
        }
        Arriving::Burst => {}
        Arriving::Closed(clients, think) => {
            at_least_one(faults, "clients", *clients, 1_000_000);
            if !(*think >= 0.0 && think.is_finite()) {
                faults.push(out_of_range("think time", *think, "0 or more"));
            }
        }
    }
    if let Some(ratio) = made.range_ratio.filter(|ratio| !(0.0..=1.0).contains(ratio)) {
        faults.push(out_of_range("range ratio", ratio, "between 0 and 1"));
    }
    for sigma in made.length_sigma.into_iter().flatten().filter(|sigma| !(0.0..=5.0).contains(sigma)) {
        faults.push(out_of_range("length sigma", sigma, "between 0 and 5"));
    }
    made.lengths_of.iter().for_each(|recorded| trace(faults, recorded));
}

fn is_positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn out_of_range(what: &str, value: f64, range: &str) -> Diagnostic {
    Diagnostic::error("out-of-range", format!("{what} must be {range}, not {value}"))
}

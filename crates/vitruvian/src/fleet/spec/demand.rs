//! Services: how much of what, and how fast.

use vitruvian_model::{Model, Scheme};
use vitruvian_planner::{Targets, Workload};
use vitruvian_quantity::Seconds;

use super::{Frame, MILLION, once};
use crate::fleet::file::{Faults, Table};
use crate::setup::load_model;
use crate::study::Service;

/// A service.
pub(in crate::fleet) struct DemandSpec {
    pub(in crate::fleet) name: String,
    pub(in crate::fleet) model: Model,
    pub(in crate::fleet) service: Service,
    pub(in crate::fleet) workload: Workload,
    pub(in crate::fleet) targets: Targets,
    /// Requests per second at the peak, by quarter.
    pub(in crate::fleet) rate: Vec<f64>,
    /// Mean over peak rate.
    pub(in crate::fleet) load: f64,
    /// US dollars for a million output tokens that are not served.
    pub(in crate::fleet) penalty: f64,
    /// Chips that may serve it.
    pub(in crate::fleet) chips: Vec<usize>,
}

/// Requests per second of one service at most; beyond it the solver's tolerances would decide.
const MOST_RATE: f64 = 1e8;
const SECONDS_A_DAY: f64 = 86_400.0;
const MOST_CACHED: &str = "`cached` is more than `isl`: the cached prefix is a part of the prompt";

/// The services of a file; those with mistakes are left out.
pub(super) fn demands(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Vec<DemandSpec> {
    let names: Vec<_> =
        table.tables("demand").filter_map(|d| d.text("name").map(|n| (n.name, n.span))).collect();
    once("demand", &names, faults);
    let objective = table.tables("objective").next();
    let penalty = objective.and_then(|objective| objective.number("penalty"));
    table.tables("demand").filter_map(|demand| one(demand, frame, penalty, faults)).collect()
}

fn one(table: &Table, frame: &Frame, penalty: Option<f64>, faults: &mut Faults<'_>) -> Option<DemandSpec> {
    let model = model(table, frame, faults);
    let precisions = precisions(table, faults);
    let chips = match table.texts("chips") {
        none if none.is_empty() => (0..frame.chips.len()).collect(),
        named => frame.chips_of(&named, faults),
    };
    let factors = factors(table, frame, faults);
    let peak = table.number("peak").unwrap_or(1.0 / frame.region.utilisation);
    let mean = mean_rate(table, faults);
    let (input, output) = (table.count("isl")?, table.count("osl")?);
    let cached = table.count("cached").unwrap_or(0);
    if cached > input {
        faults.add("cached-tokens", MOST_CACHED.to_owned(), table.place("cached"), None);
    }
    let service = Service {
        model: frame.input(&table.text("model")?.name),
        input_tokens: input,
        output_tokens: output,
        cached_tokens: cached,
        precisions,
        ..Service::default()
    };
    let mean = mean?;
    let rate: Vec<f64> = factors.iter().map(|factor| mean * peak * factor).collect();
    if rate.iter().any(|rate| !rate.is_finite() || *rate > MOST_RATE) {
        let message = format!("the demand grows beyond {MOST_RATE} requests per second");
        let key = if table.has("growth") { "growth" } else { "factors" };
        faults.add("out-of-range", message, table.place(key), None);
    }
    Some(DemandSpec {
        name: table.text("name")?.name,
        model: model?,
        service,
        workload: Workload { input, output, cached },
        targets: Targets {
            ttft: table.number("ttft").map(Seconds::new),
            tpot: table.number("tpot").map(Seconds::new),
        },
        rate,
        load: 1.0 / peak,
        penalty: table.number("penalty").or(penalty)?,
        chips,
    })
}

fn model(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Option<Model> {
    let named = table.text("model")?;
    load_model(&frame.input(&named.name)).map_err(|found| faults.named(found, named.span)).ok()
}

fn precisions(table: &Table, faults: &mut Faults<'_>) -> Vec<String> {
    let named = table.texts("precision");
    for precision in named.iter().filter(|precision| precision.name != "published") {
        if let Err(message) = precision.name.parse::<Scheme>() {
            faults.add("precision-unknown", message, precision.span, None);
        }
    }
    named.into_iter().map(|precision| precision.name).collect()
}

/// Mean requests per second in the first quarter.
fn mean_rate(table: &Table, faults: &mut Faults<'_>) -> Option<f64> {
    let rate = table.number("requests_per_s");
    let tokens = table.number("output_tokens_per_day");
    match (rate, tokens) {
        (Some(rate), None) => Some(rate),
        (None, Some(tokens)) => Some(tokens / SECONDS_A_DAY / f64::from(table.count("osl")?)),
        (Some(_), Some(_)) => {
            let message = "a demand has `requests_per_s` or `output_tokens_per_day`, not both".to_owned();
            faults.add("demand-twice", message, table.place("output_tokens_per_day"), None);
            None
        }
        (None, None) => {
            if !table.has("requests_per_s") && !table.has("output_tokens_per_day") {
                let message = "a demand needs `requests_per_s` or `output_tokens_per_day`".to_owned();
                faults.add("missing-key", message, table.span, None);
            }
            None
        }
    }
}

/// Demand of each quarter over that of the first.
fn factors(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Vec<f64> {
    let (from, until) = frame.span_of(table, faults);
    let given = table.series("factors", frame.quarters);
    if given.is_some() && table.has("growth") {
        let message = "a demand has `growth` or `factors`, not both".to_owned();
        faults.add("demand-twice", message, table.place("factors"), None);
    }
    let growth = 1.0 + table.number("growth").unwrap_or(0.0);
    let grown = |quarter: usize| match &given {
        Some(factors) => factors[quarter],
        None => growth.powi(i32::try_from(quarter).unwrap_or(i32::MAX)),
    };
    let asked = |quarter: usize| if (from..until).contains(&quarter) { grown(quarter) } else { 0.0 };
    (0..frame.quarters).map(asked).collect()
}

impl DemandSpec {
    /// Output tokens a quarter behind each request per second at the peak.
    pub(in crate::fleet) fn tokens(&self, seconds: f64) -> f64 {
        f64::from(self.workload.output) * seconds * self.load
    }

    /// US dollars a quarter for each request per second at the peak that is not served.
    pub(in crate::fleet) fn penalty_per_rate(&self, seconds: f64) -> f64 {
        self.penalty * self.tokens(seconds) / MILLION
    }
}

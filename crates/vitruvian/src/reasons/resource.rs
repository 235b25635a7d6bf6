//! The resources that bind, and how much of each a chip has.

use vitruvian_quantity::{significant, three};

use super::Able;
use crate::answer::{ChipAnswer, Deployment};

/// What a chip has of a resource.
struct Stock {
    /// `peak`, `bandwidth`.
    what: &'static str,
    value: f64,
    unit: &'static str,
    /// The number format that a peak holds for, with `in`.
    format: String,
}

/// What binds two chips: `HBM on both, where H20 has 2.5 times the bandwidth (4.00 against 1.60 TB/s)`.
pub(super) fn contrast(a: Able<'_>, b: Able<'_>, bound_of: fn(&Deployment) -> &str) -> String {
    let (mine, yours) = (bound_of(a.best), bound_of(b.best));
    if mine != yours {
        let part = |able: Able<'_>, name| format!("{} on {}", bound(name, able.chip, able.best), able.name);
        return format!("{} and by {}", part(a, mine), part(b, yours));
    }
    let both = format!("{} on both", words(mine));
    match (stock(mine, a.chip, a.best), stock(yours, b.chip, b.best)) {
        (Some(x), Some(y)) if x.value >= y.value => format!("{both}, {}", more(a.name, &x, &y)),
        (Some(x), Some(y)) => format!("{both}, {}", more(b.name, &y, &x)),
        _ => both,
    }
}

/// `where H20 has 2.5 times the bandwidth (4.00 against 1.60 TB/s)`.
fn more(name: &str, more: &Stock, less: &Stock) -> String {
    let Stock { what, value, unit, format } = more;
    if *value < 1.01 * less.value {
        return format!("with the same {what} ({} {unit}{format})", three(*value));
    }
    let ratio = significant(value / less.value, 2);
    let (value, other) = (three(*value), three(less.value));
    let figures = if *format == less.format {
        format!("{value} against {other} {unit}{format}")
    } else {
        format!("{value} {unit}{format} against {other}{}", less.format)
    };
    format!("where {name} has {ratio} times the {what} ({figures})")
}

/// What binds one chip, with how much of it there is: `the matrix unit (296 TFLOP/s in FP8)`.
pub(super) fn bound(name: &str, chip: &ChipAnswer, best: &Deployment) -> String {
    match stock(name, chip, best) {
        Some(Stock { value, unit, format, .. }) => {
            format!("{} ({} {unit}{format})", words(name), three(value))
        }
        None => words(name).to_owned(),
    }
}

fn stock(name: &str, chip: &ChipAnswer, best: &Deployment) -> Option<Stock> {
    match name {
        "HBM" => {
            let value = chip.roofline.bandwidth_bytes_per_s / 1e12;
            Some(Stock { what: "bandwidth", value, unit: "TB/s", format: String::new() })
        }
        "matrix" => {
            let peak = chip.roofline.peaks.iter().find(|peak| peak.dtype == best.matrix_format)?;
            let (value, format) = (peak.flop_per_s / 1e12, format!(" in {}", peak.dtype.to_uppercase()));
            Some(Stock { what: "peak", value, unit: "TFLOP/s", format })
        }
        _ => None,
    }
}

fn words(name: &str) -> &str {
    match name {
        "matrix" => "the matrix unit",
        "vector" => "the vector units",
        "latency" => "latency (too few bytes in flight)",
        "launch" => "kernel launches",
        "network" => "the links between chips",
        "host" => "the host between steps",
        other => other,
    }
}

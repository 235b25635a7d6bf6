//! Where the chips stand: years, rates, tariff.

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, SourceText};
use vitruvian_quantity::{Joules, Money};

const CATALOG: &str = include_str!("../../../catalog/economics.toml");

/// Assumptions of the cost of ownership at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The name used on the command line: `"cn"`.
    pub name: String,
    /// The name a person reads.
    pub title: String,
    /// Years of service.
    pub years: f64,
    /// Cost of capital a year.
    pub discount_rate: f64,
    /// Resale value at the end, as a share of capital.
    pub residual: f64,
    /// Network and storage, as a share of server capital.
    pub network_share: f64,
    /// Staff, maintenance and rack a year, as a share of server capital.
    pub operations_share: f64,
    /// Share of the hours that are used.
    pub utilisation: f64,
    /// Power usage effectiveness: facility power over IT power.
    pub pue: f64,
    /// Electricity, in US dollars per kWh.
    pub electricity: f64,
}

#[derive(Deserialize)]
struct Sourced {
    value: f64,
    source: String,
    grade: String,
}

#[derive(Deserialize)]
struct RegionFile {
    title: String,
    years: Sourced,
    discount_rate: Sourced,
    residual: Sourced,
    network_share: Sourced,
    operations_share: Sourced,
    utilisation: Sourced,
    pue: Sourced,
    electricity: Sourced,
}

#[derive(Deserialize)]
struct Regions {
    cn: RegionFile,
    us: RegionFile,
}

/// The region of a name.
///
/// # Errors
/// A diagnostic that lists the regions there are.
pub fn region(name: &str) -> Result<Region, Diagnostic> {
    let regions = read()?;
    match name {
        "cn" => Ok(regions.cn.into_region(name)),
        "us" => Ok(regions.us.into_region(name)),
        other => Err(Diagnostic::error("region-unknown", format!("there is no region `{other}`")).help("use cn or us")),
    }
}

/// Each assumption of a region with its source and grade, as `(key, value, source, grade)`.
///
/// # Errors
/// As [`region`].
pub fn sources(name: &str) -> Result<Vec<(&'static str, f64, String, String)>, Diagnostic> {
    let regions = read()?;
    let file = if name == "us" { regions.us } else { regions.cn };
    let row = |key, figure: Sourced| (key, figure.value, figure.source, figure.grade);
    Ok(vec![
        row("years", file.years),
        row("discount_rate", file.discount_rate),
        row("residual", file.residual),
        row("network_share", file.network_share),
        row("operations_share", file.operations_share),
        row("utilisation", file.utilisation),
        row("pue", file.pue),
        row("electricity", file.electricity),
    ])
}

fn read() -> Result<Regions, Diagnostic> {
    toml::from_str(CATALOG).map_err(|error| {
        let source = SourceText::new("catalog/economics.toml", CATALOG);
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("economics-file", "the economics catalog cannot be read").at(&source, span, error.message())
    })
}

impl RegionFile {
    fn into_region(self, name: &str) -> Region {
        Region {
            name: name.to_owned(),
            title: self.title,
            years: self.years.value,
            discount_rate: self.discount_rate.value,
            residual: self.residual.value,
            network_share: self.network_share.value,
            operations_share: self.operations_share.value,
            utilisation: self.utilisation.value,
            pue: self.pue.value,
            electricity: self.electricity.value,
        }
    }
}

impl Region {
    /// What the facility pays for `energy` of IT load.
    pub fn electricity_cost(&self, energy: Joules) -> Money {
        Money::new(energy.in_unit("kWh") * self.pue * self.electricity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assumption_has_a_source_and_a_grade() {
        for name in ["cn", "us"] {
            for (key, _, source, grade) in sources(name).unwrap() {
                assert!(!source.is_empty() && !grade.is_empty(), "{name}.{key}");
            }
        }
    }

    #[test]
    fn a_kilowatt_hour_costs_the_tariff_times_pue() {
        let cn = region("cn").unwrap();
        // 3.6 MJ × 1.25 × 0.056 $/kWh
        assert!((cn.electricity_cost(Joules::new(3.6e6)).get() - 1.25 * 0.056).abs() < 1e-12);
    }

    #[test]
    fn an_unknown_region_names_those_there_are() {
        assert!(region("mars").unwrap_err().to_string().contains("cn or us"));
    }
}

//! Where the chips stand: years, rates, tariff, carbon.

use std::collections::BTreeMap;

use serde::Deserialize;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_quantity::{Joules, Money};

use crate::currency::Exchange;
use crate::manufacture::catalog::Price;

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
    /// Carbon dioxide of the grid, kg per kWh.
    pub carbon: f64,
    /// Building, power and cooling, in US dollars per kW of IT load.
    pub building: f64,
    /// Years of service of the building.
    pub building_years: f64,
}

/// One assumption of a region, with its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Assumption {
    /// Key in the file.
    pub key: &'static str,
    /// What is used, in the unit of [`Region`].
    pub value: f64,
    /// As written, with its currency.
    pub written: String,
    /// Low and high end of the sources, where they give a span.
    pub span: Option<[String; 2]>,
    /// The day or year it holds for; empty where it does not matter.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// A figure that may have a unit beside it.
#[derive(Deserialize)]
struct Plain {
    #[serde(flatten)]
    figure: FigureFields,
}

#[derive(Deserialize)]
struct FigureFields {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    source: String,
    grade: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionFile {
    title: String,
    years: Plain,
    discount_rate: Plain,
    residual: Plain,
    network_share: Plain,
    operations_share: Plain,
    utilisation: Plain,
    pue: Plain,
    electricity: Price,
    carbon: Plain,
    building: Price,
    building_years: Plain,
}

/// The region of a name, at the exchange rates of the catalog.
///
/// # Errors
/// A diagnostic that lists the regions there are.
pub fn region(name: &str) -> Result<Region, Diagnostic> {
    let exchange = Exchange::new::<&str>(&[]).map_err(first)?;
    region_at(name, &exchange)
}

/// The region of a name.
///
/// # Errors
/// A diagnostic that lists the regions there are; a currency without a rate.
pub fn region_at(name: &str, exchange: &Exchange) -> Result<Region, Diagnostic> {
    let file = file(name)?;
    let dollars = |price: &Price| exchange.dollars(&price.value).map(Money::get);
    Ok(Region {
        name: name.to_owned(),
        title: file.title.clone(),
        years: file.years.figure.value,
        discount_rate: file.discount_rate.figure.value,
        residual: file.residual.figure.value,
        network_share: file.network_share.figure.value,
        operations_share: file.operations_share.figure.value,
        utilisation: file.utilisation.figure.value,
        pue: file.pue.figure.value,
        electricity: dollars(&file.electricity)?,
        carbon: file.carbon.figure.value,
        building: dollars(&file.building)?,
        building_years: file.building_years.figure.value,
    })
}

/// The names of the regions, in alphabetical order.
///
/// # Errors
/// A mistake in the embedded file, which a test rules out.
pub fn names() -> Result<Vec<String>, Diagnostic> {
    Ok(read()?.into_keys().collect())
}

/// Each assumption of a region with its source and grade.
///
/// # Errors
/// As [`region_at`].
pub fn assumptions(name: &str, exchange: &Exchange) -> Result<Vec<Assumption>, Diagnostic> {
    let file = file(name)?;
    let plain = |key, plain: &Plain| {
        let figure = &plain.figure;
        let span = figure.low.zip(figure.high).map(|(low, high)| [low.to_string(), high.to_string()]);
        let (source, grade) = (figure.source.clone(), figure.grade.clone());
        let written = figure.value.to_string();
        Assumption { key, value: figure.value, written, span, date: String::new(), source, grade }
    };
    let price = |key, price: &Price| -> Result<Assumption, Diagnostic> {
        Ok(Assumption {
            key,
            value: exchange.dollars(&price.value)?.get(),
            written: price.value.clone(),
            span: price.low.clone().zip(price.high.clone()).map(|(low, high)| [low, high]),
            date: price.date.clone(),
            source: price.source.clone(),
            grade: price.grade.clone(),
        })
    };
    Ok(vec![
        plain("years", &file.years),
        plain("discount_rate", &file.discount_rate),
        plain("residual", &file.residual),
        plain("network_share", &file.network_share),
        plain("operations_share", &file.operations_share),
        plain("utilisation", &file.utilisation),
        plain("pue", &file.pue),
        price("electricity", &file.electricity)?,
        plain("carbon", &file.carbon),
        price("building", &file.building)?,
        plain("building_years", &file.building_years),
    ])
}

fn file(name: &str) -> Result<RegionFile, Diagnostic> {
    let mut regions = read()?;
    let known: Vec<String> = regions.keys().cloned().collect();
    regions.remove(name).ok_or_else(|| {
        Diagnostic::error("region-unknown", format!("there is no region `{name}`"))
            .help(format!("use {}", known.join(" or ")))
    })
}

fn read() -> Result<BTreeMap<String, RegionFile>, Diagnostic> {
    toml::from_str(CATALOG).map_err(|error| {
        let source = SourceText::new("catalog/economics.toml", CATALOG);
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("economics-file", "the economics catalog cannot be read").at(
            &source,
            span,
            error.message(),
        )
    })
}

fn first(mut faults: Diagnostics) -> Diagnostic {
    faults.0.pop().unwrap_or_else(|| Diagnostic::error("currency", "no exchange rate could be read"))
}

impl Region {
    /// What the facility pays for `energy` of IT load.
    pub fn electricity_cost(&self, energy: Joules) -> Money {
        Money::new(energy.in_unit("kWh") * self.pue * self.electricity)
    }

    /// Carbon dioxide for `energy` of IT load, kg.
    pub fn carbon_of(&self, energy: Joules) -> f64 {
        energy.in_unit("kWh") * self.pue * self.carbon
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_assumption_has_a_source_and_a_grade() {
        let exchange = Exchange::new::<&str>(&[]).unwrap();
        assert_eq!(names().unwrap(), ["cn", "cn-coast", "eu", "us"]);
        for name in names().unwrap() {
            for one in assumptions(&name, &exchange).unwrap() {
                assert!(!one.source.is_empty() && !one.grade.is_empty(), "{name}.{}", one.key);
            }
        }
    }

    #[test]
    fn a_kilowatt_hour_costs_the_tariff_times_pue() {
        let cn = region("cn").unwrap();
        // 3.6 MJ × 1.25 × 0.4 CNY × 0.1389 $/CNY
        let kilowatt_hour = Joules::new(3.6e6);
        assert!((cn.electricity_cost(kilowatt_hour).get() - 1.25 * 0.4 * 0.1389).abs() < 1e-12);
        assert!((cn.carbon_of(kilowatt_hour) - 1.25 * 0.54).abs() < 1e-12);
        let own = Exchange::new(&["CNY=0.2"]).unwrap();
        assert!((region_at("cn", &own).unwrap().electricity - 0.08).abs() < 1e-12);
    }

    #[test]
    fn an_unknown_region_names_those_there_are() {
        assert!(region("mars").unwrap_err().to_string().contains("cn or cn-coast or eu or us"));
    }
}

//! Processes, packages and memory prices of the catalog.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use vitruvian_diagnostics::{Diagnostic, SourceText};

use super::spread::Spread;
use super::wafer::Wafer;
use super::yields::YieldModel;
use crate::currency::Exchange;

static PROCESSES: &str = include_str!("../../../../catalog/processes.toml");
static MANUFACTURE: &str = include_str!("../../../../catalog/manufacture.toml");

/// A figure with its span and source.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// What is used.
    pub value: f64,
    /// Low end of the sources.
    pub low: Option<f64>,
    /// High end of the sources.
    pub high: Option<f64>,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
    /// What others say.
    #[serde(default)]
    pub alternatives: Vec<Other>,
}

/// What another source says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// Its figure.
    pub value: f64,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// A price as its source gives it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// What is used, with its currency.
    pub value: String,
    /// Low end of the sources.
    pub low: Option<String>,
    /// High end of the sources.
    pub high: Option<String>,
    /// The day or year it holds for.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
    /// What others say.
    #[serde(default)]
    pub alternatives: Vec<OtherPrice>,
}

/// A price that another source gives.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherPrice {
    /// The price, with its currency.
    pub value: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// What is said of the share of good dies of an area.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuotedYield {
    /// Area of the die, with its unit.
    pub area: String,
    /// Share that is used.
    pub value: f64,
    /// Low end of the sources.
    pub low: f64,
    /// High end of the sources.
    pub high: f64,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
    /// What others say.
    #[serde(default)]
    pub alternatives: Vec<Other>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The name on the command line, set from the file's key.
    #[serde(skip)]
    pub name: String,
    /// The name a person reads.
    pub title: String,
    /// The words of chip files.
    pub names: Vec<String>,
    /// What its transistors are.
    pub transistor: String,
    /// Million transistors a mm².
    pub density: Figure,
    /// Price of a wafer.
    pub wafer_price: Price,
    /// Defects a cm².
    pub defect_density: Option<Figure>,
    /// What is said of its yield, where no density is known.
    pub quoted_yield: Option<QuotedYield>,
}

/// What turns good dies into good chips.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manufacture {
    wafer: WaferFile,
    /// How defects fall.
    #[serde(rename = "yield")]
    pub yields: Yields,
    /// Device memory by technology.
    pub memory: BTreeMap<String, Memory>,
    /// Packages by kind.
    pub package: BTreeMap<String, Package>,
    /// What comes last.
    pub finish: Finish,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct WaferFile {
    #[serde(rename = "diameter_mm")]
    diameter: Figure,
    #[serde(rename = "edge_mm")]
    edge: Figure,
    #[serde(rename = "scribe_mm")]
    scribe: Figure,
    #[serde(rename = "reticle_mm")]
    reticle: Reticle,
}

/// The largest field that a scanner exposes, mm.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reticle {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// How defects fall.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Yields {
    /// Clustering of the negative binomial model.
    pub alpha: Figure,
    /// Layers of the Bose–Einstein model.
    pub critical_layers: Figure,
    /// Share that losses other than random defects leave.
    pub systematic: Figure,
    /// Share of a die that its cores take, where a chip's file does not say.
    pub core_share: Figure,
}

/// Device memory.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memory {
    /// Price of a GB.
    pub price: Price,
    /// The kind of package that it asks for.
    pub package: String,
}

/// A kind of package.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Price of a wafer of interposers; zero where there is none.
    pub wafer_price: Price,
    /// Area of the interposer over what stands on it.
    pub overhead: Figure,
    /// Area of one memory stack.
    pub stack_mm2: Figure,
    /// Share of good interposers.
    #[serde(rename = "yield")]
    pub yields: Figure,
    /// Substrate and attachment.
    pub substrate: Price,
    /// Share of packages of one compute die that survive assembly.
    pub assembly_yield: Figure,
    /// Area of compute dies beyond the first that the next figure is for, mm².
    pub further_die_mm2: Figure,
    /// Share that survives attaching so much more.
    pub further_die_yield: Figure,
}

/// What comes last.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// Test, and what else is spent on each chip.
    pub test: Price,
}

impl Figure {
    /// The figure with its span.
    pub fn spread(&self) -> Spread {
        Spread {
            low: self.low.unwrap_or(self.value),
            typical: self.value,
            high: self.high.unwrap_or(self.value),
        }
    }
}

impl Price {
    /// The price in US dollars, with its span.
    ///
    /// # Errors
    /// If a currency has no rate.
    pub fn spread(&self, exchange: &Exchange) -> Result<Spread, Diagnostic> {
        let dollars = |text: &str| exchange.dollars(text).map(vitruvian_quantity::Money::get);
        let typical = dollars(&self.value)?;
        let end = |text: &Option<String>| text.as_deref().map_or(Ok(typical), dollars);
        Ok(Spread { low: end(&self.low)?, typical, high: end(&self.high)? })
    }
}

impl Process {
    /// Defects a cm² with their span: as given, or by inverting what is said of the yield.
    pub fn density(&self, model: YieldModel) -> Option<Spread> {
        if let Some(figure) = &self.defect_density {
            return Some(figure.spread());
        }
        let quoted = self.quoted_yield.as_ref()?;
        let area = quoted.area_cm2()?;
        let density = |good: f64| model.density(area, good);
        // More good dies, fewer defects.
        Some(Spread { low: density(quoted.high), typical: density(quoted.value), high: density(quoted.low) })
    }
}

impl QuotedYield {
    /// Area of the die, cm².
    pub fn area_cm2(&self) -> Option<f64> {
        Some(self.area.parse::<vitruvian_quantity::Area>().ok()?.in_unit("cm2"))
    }
}

impl Manufacture {
    /// The wafer of all processes.
    pub fn wafer(&self) -> Wafer {
        let file = &self.wafer;
        Wafer { diameter: file.diameter.value, edge: file.edge.value, scribe: file.scribe.value }
    }

    /// The largest field that a scanner exposes.
    pub fn reticle(&self) -> &Reticle {
        &self.wafer.reticle
    }
}

/// What turns good dies into good chips.
///
/// # Errors
/// A mistake in the embedded file, which a test rules out.
pub fn manufacture() -> Result<Manufacture, Diagnostic> {
    read("catalog/manufacture.toml", MANUFACTURE)
}

/// Every process, in alphabetical order of their names.
///
/// # Errors
/// A mistake in the embedded file, which a test rules out.
pub fn processes() -> Result<Vec<Process>, Diagnostic> {
    let all: BTreeMap<String, Process> = read("catalog/processes.toml", PROCESSES)?;
    Ok(all.into_iter().map(|(name, process)| Process { name, ..process }).collect())
}

/// The names of the processes.
///
/// # Errors
/// As [`processes`].
pub fn process_names() -> Result<Vec<String>, Diagnostic> {
    Ok(processes()?.into_iter().map(|process| process.name).collect())
}

/// The process of a name, or of a word of a chip file.
///
/// # Errors
/// If there is none, with the nearest.
pub fn process(name: &str) -> Result<Process, Diagnostic> {
    let all = processes()?;
    let wanted = name.trim().to_lowercase();
    let named = |process: &&Process| {
        process.name == wanted || process.names.iter().any(|word| word.to_lowercase() == wanted)
    };
    all.iter().find(named).cloned().ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|process| process.name.as_str()).collect();
        let help = crate::near::did_you_mean(&wanted, &names);
        Diagnostic::error("unknown-process", format!("no process is called `{name}`"))
            .help(help.unwrap_or_else(|| format!("the catalog has {}", names.join(", "))))
    })
}

fn read<T: DeserializeOwned>(name: &'static str, text: &'static str) -> Result<T, Diagnostic> {
    toml::from_str(text).map_err(|error| {
        let source = SourceText::new(name, text);
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("manufacture-file", "a file of the catalog cannot be read").at(
            &source,
            span,
            error.message(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_process_has_a_density_and_prices_that_convert() {
        let exchange = Exchange::new::<&str>(&[]).unwrap();
        for process in processes().unwrap() {
            let density = process.density(YieldModel::NegativeBinomial { alpha: 3.0 }).unwrap();
            assert!(density.low <= density.typical && density.typical <= density.high, "{}", process.name);
            let price = process.wafer_price.spread(&exchange).unwrap();
            assert!(price.low <= price.typical && price.typical <= price.high, "{}", process.name);
        }
        let manufacture = manufacture().unwrap();
        for memory in manufacture.memory.values() {
            assert!(manufacture.package.contains_key(&memory.package));
            memory.price.spread(&exchange).unwrap();
        }
    }

    #[test]
    fn a_process_is_found_by_the_words_of_chip_files() {
        assert_eq!(process("TSMC 4N").unwrap().name, "tsmc-4n");
        assert!(process("smic-n3").unwrap_err().to_string().contains("smic-n2"));
    }
}

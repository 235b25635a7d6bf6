//! The inputs of a recipe, each with its source.

use vitruvian_diagnostics::Diagnostic;
use vitruvian_hardware::Chip;

use super::{Choices, Origin};
use crate::currency::Exchange;
use crate::manufacture::catalog::{Figure, Manufacture, Other, Package, Price, Process, process};
use crate::manufacture::cost::OtherDies;
use crate::manufacture::inputs::{Input, Inputs};
use crate::manufacture::spread::Spread;
use crate::manufacture::wafer::{Wafer, dies_per_wafer};
use crate::manufacture::yields::YieldModel;

/// Everything that the inputs come from.
pub(super) struct Sheet<'a> {
    pub(super) chip: &'a Chip,
    pub(super) process: &'a Process,
    pub(super) choices: &'a Choices,
    pub(super) catalog: &'a Manufacture,
    pub(super) exchange: &'a Exchange,
    pub(super) model: YieldModel,
    pub(super) area: f64,
}

/// An input's span and where it comes from.
type Sourced = (Spread, Origin);

impl Sheet<'_> {
    fn package(&self) -> Result<(&Price, &Package), Diagnostic> {
        let memory = self.catalog.memory.get(&self.chip.memory).ok_or_else(|| {
            let known: Vec<&str> = self.catalog.memory.keys().map(String::as_str).collect();
            Diagnostic::error("memory-price", format!("no price of `{}` is known", self.chip.memory))
                .help(format!("give `hbm.kind` as one of {}", known.join(", ")))
        })?;
        let package = self.catalog.package.get(&memory.package);
        let missing = || Diagnostic::error("package", format!("no package is called `{}`", memory.package));
        Ok((&memory.price, package.ok_or_else(missing)?))
    }

    pub(super) fn inputs(&self) -> Result<(Inputs<Spread>, Vec<Origin>), Diagnostic> {
        let all: Vec<Sourced> =
            Input::ALL.into_iter().map(|input| self.input(input)).collect::<Result<_, _>>()?;
        let inputs = Inputs::new(|input| all[input as usize].0);
        Ok((
            inputs,
            all.into_iter().map(|(_, origin)| origin).filter(|origin| !origin.source.is_empty()).collect(),
        ))
    }

    fn input(&self, input: Input) -> Result<Sourced, Diagnostic> {
        let (memory, package) = self.package()?;
        let yields = &self.catalog.yields;
        match input {
            Input::WaferPrice => match &self.choices.wafer_price {
                Some(price) => Ok(given(input, self.exchange.dollars(price)?.get())),
                None => self.price(input, &self.process.wafer_price),
            },
            Input::DefectDensity => self.density(),
            Input::Clustering => Ok(self
                .choices
                .alpha
                .map_or_else(|| figure(input, &yields.alpha), |alpha| given(input, alpha))),
            Input::SystematicYield => Ok(figure(input, &yields.systematic)),
            Input::CoreShare => Ok(self.core_share()),
            Input::MemoryPrice => self.price(input, memory),
            Input::InterposerWafer => self.price(input, &package.wafer_price),
            Input::InterposerOverhead => Ok(figure(input, &package.overhead)),
            Input::InterposerYield => Ok(figure(input, &package.yields)),
            Input::Substrate => self.price(input, &package.substrate),
            Input::AssemblyYield => {
                let own = self.choices.assembly_yield.map(|share| given(input, share));
                Ok(own.unwrap_or_else(|| figure(input, &package.assembly_yield)))
            }
            Input::FurtherDieYield => Ok(figure(input, &package.further_die_yield)),
            Input::Test => self.price(input, &self.catalog.finish.test),
            Input::OtherWaferPrice => match self.other_process()? {
                Some(process) => self.price(input, &process.wafer_price),
                None => Ok(nothing(input)),
            },
            Input::OtherDefectDensity => Ok(self
                .other_process()?
                .and_then(|process| Some(figure(input, process.defect_density.as_ref()?)))
                .unwrap_or_else(|| nothing(input))),
        }
    }

    fn price(&self, input: Input, price: &Price) -> Result<Sourced, Diagnostic> {
        let others = price
            .alternatives
            .iter()
            .map(|other| format!("{} ({}, {})", other.value, other.source, other.grade));
        let origin = Origin {
            input,
            date: price.date.clone(),
            source: price.source.clone(),
            grade: price.grade.clone(),
            others: others.collect(),
        };
        Ok((price.spread(self.exchange)?, origin))
    }

    fn density(&self) -> Result<Sourced, Diagnostic> {
        let input = Input::DefectDensity;
        if let Some(defects) = self.choices.defects {
            return Ok(given(input, defects));
        }
        if let Some(good) = self.choices.good {
            return Ok(given(input, self.model.density(self.area, good)));
        }
        if let Some(figures) = &self.process.defect_density {
            let (spread, origin) = figure(input, figures);
            return Ok((spread.map(|density| density / self.model.layers()), origin));
        }
        let spread = self.process.density(self.model).ok_or_else(|| {
            Diagnostic::error(
                "defects-missing",
                format!("no defect density of {} is known", self.process.title),
            )
            .help("give one with `--defects`")
        })?;
        let quoted = self.process.quoted_yield.as_ref();
        let origin = Origin {
            input,
            date: String::new(),
            source: quoted.map_or(String::new(), |quoted| {
                format!("{} of {}: {}", percent(quoted.value), quoted.area, quoted.source)
            }),
            grade: quoted.map_or(String::new(), |quoted| quoted.grade.clone()),
            others: quoted.map_or(Vec::new(), |quoted| others(&quoted.alternatives, percent)),
        };
        Ok((spread, origin))
    }

    fn core_share(&self) -> Sourced {
        let (input, catalog) = (Input::CoreShare, &self.catalog.yields.core_share);
        if self.chip.die.cores_on_die.is_none() {
            return nothing(input);
        }
        let Some(share) = self.chip.die.core_share else { return figure(input, catalog) };
        // The chip's own share is as uncertain as the catalog's default.
        let spread = catalog.spread().map(|value| (value - catalog.value + share).clamp(0.01, 0.99));
        let stated = self.chip.figures.iter().find(|figure| figure.key == "die.core_share");
        let origin = Origin {
            input,
            date: String::new(),
            source: stated.map_or(String::new(), |figure| {
                figure.provenance.note.clone().unwrap_or_else(|| figure.provenance.source.clone())
            }),
            grade: stated.map_or(String::new(), |figure| figure.provenance.grade.to_string()),
            others: Vec::new(),
        };
        (spread, origin)
    }

    fn other_process(&self) -> Result<Option<Process>, Diagnostic> {
        let other = &self.chip.die.io;
        if other.count == 0 { Ok(None) } else { process(&other.process).map(Some) }
    }

    pub(super) fn others(&self, wafer: Wafer) -> Result<Option<OtherDies>, Diagnostic> {
        let other = &self.chip.die.io;
        if self.other_process()?.is_none() {
            return Ok(None);
        }
        let side = other.area.get().sqrt();
        Ok(Some(OtherDies {
            count: f64::from(other.count),
            area: other.area.in_unit("cm2"),
            per_wafer: f64::from(dies_per_wafer(wafer, side, side)),
        }))
    }

    /// Area of compute dies beyond the first, in units of the die that the catalog's figure is for.
    pub(super) fn further(&self) -> Result<f64, Diagnostic> {
        let unit = self.package()?.1.further_die_mm2.value;
        Ok((f64::from(self.chip.compute.dies) - 1.0) * self.area * 100.0 / unit)
    }

    /// Area of what stands on the interposer; zero where there is none.
    pub(super) fn on_interposer(&self) -> Result<f64, Diagnostic> {
        let stack = self.package()?.1.stack_mm2.value;
        let dies = f64::from(self.chip.compute.dies) * self.area * 100.0;
        let stacks = f64::from(self.chip.hbm.stacks) * stack;
        Ok(if stack > 0.0 { dies + stacks } else { 0.0 })
    }
}

fn figure(input: Input, figure: &Figure) -> Sourced {
    let origin = Origin {
        input,
        date: String::new(),
        source: figure.source.clone(),
        grade: figure.grade.clone(),
        others: others(&figure.alternatives, |value| value.to_string()),
    };
    (figure.spread(), origin)
}

fn given(input: Input, value: f64) -> Sourced {
    let origin = Origin {
        input,
        date: String::new(),
        source: "given".to_owned(),
        grade: "user".to_owned(),
        others: Vec::new(),
    };
    (Spread::certain(value), origin)
}

/// An input that plays no part.
fn nothing(input: Input) -> Sourced {
    let origin = Origin {
        input,
        date: String::new(),
        source: String::new(),
        grade: String::new(),
        others: Vec::new(),
    };
    (Spread::certain(0.0), origin)
}

fn others(list: &[Other], print: impl Fn(f64) -> String) -> Vec<String> {
    list.iter().map(|other| format!("{} ({}, {})", print(other.value), other.source, other.grade)).collect()
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

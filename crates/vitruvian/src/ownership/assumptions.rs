//! What the user sets of the assumptions, and what the catalog says of the rest.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_economics::currency::price;
use vitruvian_economics::region::{self, Region};
use vitruvian_economics::rent::{Rent, rents};
use vitruvian_economics::{Building, Exchange, Ownership};
use vitruvian_hardware::{Chip, Figure, Node};
use vitruvian_quantity::{Money, Watts};

use super::answer::{Assumption, ChipHour};
use crate::answer::Range;

/// What the user sets; nothing where the catalog holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assumptions {
    /// Exchange rates, such as `CNY=0.139`.
    pub rates: Vec<String>,
    /// Price of one chip, with its currency.
    pub price: Option<String>,
    /// Rent of one chip and hour, with its currency.
    pub rent: Option<String>,
    /// Electricity a kWh, with its currency.
    pub electricity: Option<String>,
    /// Share of the hours that are used.
    pub utilisation: Option<f64>,
    /// Years of service.
    pub years: Option<f64>,
    /// Cost of capital a year.
    pub discount_rate: Option<f64>,
    /// Facility power over IT power.
    pub pue: Option<f64>,
    /// Carbon dioxide of the grid, kg per kWh.
    pub carbon: Option<f64>,
    /// Whose building it is.
    pub building: Building,
}

/// Everything that money hangs on.
pub(super) struct Finances {
    pub(super) exchange: Exchange,
    pub(super) region: Region,
    /// Chip with its share of the server: low, typical, high; nothing where no price is known.
    pub(super) capital: Option<[Money; 3]>,
    pub(super) rents: Vec<Rent>,
    pub(super) listed: Vec<Assumption>,
}

impl Finances {
    /// What one chip costs in a used hour, at typical prices and, in all, by their spread; `cap` is its power limit with its
    /// share of the host.
    pub(super) fn chip_hour(&self, own: &Ownership, cap: Watts, total: Range) -> ChipHour {
        let capital = self.capital.unwrap_or_default().map(Money::get);
        ChipHour {
            capital_usd: Range { p10: capital[0], p50: capital[1], p90: capital[2] },
            server_usd: own.by_used_hour(own.server_year),
            network_usd: own.by_used_hour(own.network_year),
            operations_usd: own.by_used_hour(own.operations_year),
            building_usd: own.by_used_hour(own.building_year),
            energy_usd: own.energy_hour,
            energy_at_cap_usd: cap.in_unit("kW") * self.region.pue * self.region.electricity,
            total_usd: total,
            utilisation: own.utilisation,
            years: self.region.years,
        }
    }
}

impl Assumptions {
    /// The assumptions of a chip in a node in a region.
    ///
    /// # Errors
    /// Every figure that cannot be, an unknown region, a currency without a rate.
    pub(super) fn of(&self, chip: &Chip, node: &Node, region: &str) -> Result<Finances, Diagnostics> {
        let (exchange, ()) = both(Exchange::new(&self.rates), self.check())?;
        let region = self.region(region, &exchange)?;
        let capital = self.capital(chip, node, &exchange)?;
        let rents = self.rents(chip, node, &exchange)?;
        let listed = self.listed(&region, (chip, node), &rents, &exchange)?;
        Ok(Finances { exchange, region, capital, rents, listed })
    }

    fn check(&self) -> Result<(), Diagnostics> {
        let limits = [
            ("utilisation", self.utilisation, "more than 0 and at most 1", 1e-6, 1.0),
            ("years of service", self.years, "between 0.1 and 50", 0.1, 50.0),
            ("discount rate", self.discount_rate, "between 0 and 1", 0.0, 1.0),
            ("PUE", self.pue, "between 1 and 5", 1.0, 5.0),
            ("carbon of the grid", self.carbon, "between 0 and 5 kg/kWh", 0.0, 5.0),
        ];
        let outside = limits.into_iter().filter_map(|(what, value, wanted, low, high)| {
            let value = value.filter(|value| !(low..=high).contains(value))?;
            Some(Diagnostic::error("out-of-range", format!("the {what} must be {wanted}, not {value}")))
        });
        let faults: Vec<Diagnostic> = outside.collect();
        if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
    }

    fn region(&self, name: &str, exchange: &Exchange) -> Result<Region, Diagnostic> {
        let region = region::region_at(name, exchange)?;
        let tariff = self.electricity.as_deref().map(|text| positive(text, exchange)).transpose()?;
        Ok(Region {
            electricity: tariff.map_or(region.electricity, Money::get),
            utilisation: self.utilisation.unwrap_or(region.utilisation),
            years: self.years.unwrap_or(region.years),
            discount_rate: self.discount_rate.unwrap_or(region.discount_rate),
            pue: self.pue.unwrap_or(region.pue),
            carbon: self.carbon.unwrap_or(region.carbon),
            ..region
        })
    }

    /// Chip with its share of the server.
    fn capital(
        &self,
        chip: &Chip,
        node: &Node,
        exchange: &Exchange,
    ) -> Result<Option<[Money; 3]>, Diagnostic> {
        let own = match &self.price {
            Some(text) => Some([positive(text, exchange)?; 3]),
            None => price(&chip.figures, exchange)?,
        };
        let server = price(&node.figures, exchange)?.unwrap_or(node.price);
        let share = |index: usize| server[index] / f64::from(node.size);
        Ok(own.map(|[low, typical, high]| [low + share(0), typical + share(1), high + share(2)]))
    }

    fn rents(&self, chip: &Chip, node: &Node, exchange: &Exchange) -> Result<Vec<Rent>, Diagnostic> {
        if let Some(text) = &self.rent {
            let given = positive(text, exchange)?.get();
            return Ok(vec![Rent {
                per_chip_hour: vitruvian_economics::manufacture::Spread::certain(given),
                written: format!("{text} a chip-hour"),
                date: String::new(),
                source: "given".to_owned(),
                grade: "user".to_owned(),
            }]);
        }
        rents(&[chip.name.as_str()], f64::from(node.size), exchange)
    }

    fn listed(
        &self,
        region: &Region,
        (chip, node): (&Chip, &Node),
        rents: &[Rent],
        exchange: &Exchange,
    ) -> Result<Vec<Assumption>, Diagnostic> {
        let mut all: Vec<Assumption> = region::assumptions(&region.name, exchange)?
            .into_iter()
            .map(|one| self.one(region, one))
            .collect();
        all.extend(
            self.price.as_ref().map_or_else(|| prices("chip", &chip.figures), |text| vec![own_price(text)]),
        );
        all.extend(prices("server without chips", &node.figures));
        all.extend(rents.iter().map(|rent| Assumption {
            key: "rent".to_owned(),
            value: rent.written.clone(),
            span: None,
            date: rent.date.clone(),
            source: rent.source.clone(),
            grade: rent.grade.clone(),
        }));
        Ok(all)
    }

    /// An assumption of the region, or what the user gave in its place.
    fn one(&self, region: &Region, one: region::Assumption) -> Assumption {
        let given = match one.key {
            "years" => self.years.map(|value| value.to_string()),
            "discount_rate" => self.discount_rate.map(|value| value.to_string()),
            "utilisation" => self.utilisation.map(|value| value.to_string()),
            "pue" => self.pue.map(|value| value.to_string()),
            "carbon" => self.carbon.map(|value| value.to_string()),
            "electricity" => self.electricity.clone(),
            _ => None,
        };
        let catalog = given.is_none();
        Assumption {
            key: format!("{} ({})", one.key.replace('_', " "), region.name),
            value: given.unwrap_or(one.written),
            span: one.span.filter(|_| catalog),
            date: if catalog { one.date } else { String::new() },
            source: if catalog { one.source } else { "given".to_owned() },
            grade: if catalog { one.grade } else { "user".to_owned() },
        }
    }
}

/// The price of a chip or server with its span, as its file gives it.
fn prices(of: &str, figures: &[Figure]) -> Vec<Assumption> {
    let find = |key: &str| figures.iter().find(|figure| figure.key == key);
    let value = |key: &str| find(key).map(|figure| figure.value.clone());
    let Some(typical) = find("price.typical") else { return Vec::new() };
    let mut source = typical.provenance.source.clone();
    source.extend(typical.provenance.note.iter().map(|note| format!("; {note}")));
    vec![Assumption {
        key: format!("price of the {of}"),
        value: typical.value.clone(),
        span: value("price.low").zip(value("price.high")).map(|(low, high)| [low, high]),
        date: value("price.date").unwrap_or_default(),
        source,
        grade: typical.provenance.grade.to_string(),
    }]
}

fn own_price(text: &str) -> Assumption {
    Assumption {
        key: "price of the chip".to_owned(),
        value: text.to_owned(),
        span: None,
        date: String::new(),
        source: "given".to_owned(),
        grade: "user".to_owned(),
    }
}

/// An amount of money above zero.
pub(super) fn positive(text: &str, exchange: &Exchange) -> Result<Money, Diagnostic> {
    let amount = exchange.dollars(text)?;
    if amount.get() > 0.0 {
        return Ok(amount);
    }
    Err(Diagnostic::error("out-of-range", format!("`{text}` must be more than zero")))
}

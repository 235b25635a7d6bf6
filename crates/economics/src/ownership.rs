//! Owning against renting: what a chip costs by the year and by the hour, and where the two break even.
//!
//! ```text
//! fixed a year = ((1 + network) · capital − residual/(1+r)ⁿ) · CRF(r, n) + operations + building · kW · PUE · CRF(r, n_b)
//! used hour    = fixed / (8760 · utilisation) + power · PUE · tariff
//! ```

use vitruvian_quantity::{Money, Watts};

use crate::region::Region;
use crate::tco::capital_recovery;

const HOURS_A_YEAR: f64 = 8760.0;
const MONTHS_A_YEAR: f64 = 12.0;

/// Whose building the chips stand in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Building {
    /// Rented: in the operations of the region.
    #[default]
    Rented,
    /// Built for them: its capital is paid over its own years.
    Owned,
}

/// What one chip with its share of the server costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ownership {
    /// Chip and server, US dollars.
    pub capital: f64,
    /// Chip and server, a year.
    pub server_year: f64,
    /// Network and storage, a year.
    pub network_year: f64,
    /// Staff, maintenance, rack, a year.
    pub operations_year: f64,
    /// Building, a year; zero where it is rented.
    pub building_year: f64,
    /// Electricity of a used hour.
    pub energy_hour: f64,
    /// Share of the hours that are used.
    pub utilisation: f64,
}

/// Where renting and owning cost the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BreakEven {
    /// Share of the hours that must be used; above one: owning never pays.
    pub utilisation: Option<f64>,
    /// Months after which owning has cost less, at the region's utilisation.
    pub months: Option<f64>,
}

/// Costs one chip that draws `power` (host share included) while it works, and for whose cap the building is sized.
pub fn ownership(capital: Money, power: Watts, cap: Watts, region: &Region, building: Building) -> Ownership {
    let price = capital.get();
    let recovery = capital_recovery(region.discount_rate, region.years);
    let resale = region.residual * price / (1.0 + region.discount_rate).powf(region.years);
    let building_year = match building {
        Building::Rented => 0.0,
        Building::Owned => {
            region.building
                * cap.in_unit("kW")
                * capital_recovery(region.discount_rate, region.building_years)
        }
    };
    Ownership {
        capital: price * (1.0 + region.network_share),
        server_year: (price - resale) * recovery,
        network_year: price * region.network_share * recovery,
        operations_year: price * region.operations_share,
        building_year,
        energy_hour: power.in_unit("kW") * region.pue * region.electricity,
        utilisation: region.utilisation,
    }
}

impl Ownership {
    /// What is paid whether it works or not, a year.
    pub fn fixed_year(&self) -> f64 {
        self.server_year + self.network_year + self.operations_year + self.building_year
    }

    /// A yearly payment over the hours used.
    pub fn by_used_hour(&self, a_year: f64) -> f64 {
        a_year / (HOURS_A_YEAR * self.utilisation)
    }

    /// One used hour.
    pub fn hour(&self) -> f64 {
        self.by_used_hour(self.fixed_year()) + self.energy_hour
    }

    /// Where what an hour brings or saves (`worth`, as rent not paid or tokens sold) pays for the year.
    pub fn break_even(&self, worth: f64) -> BreakEven {
        let gain = worth - self.energy_hour;
        let utilisation = (gain > 0.0).then(|| self.fixed_year() / (HOURS_A_YEAR * gain));
        let a_year = HOURS_A_YEAR * self.utilisation * gain - self.operations_year - self.building_year;
        let months = (a_year > 0.0).then(|| self.capital / a_year * MONTHS_A_YEAR);
        BreakEven { utilisation, months }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Capital, hourly, region::region};

    #[test]
    fn it_is_the_hourly_cost_of_the_comparison() {
        let cn = region("cn").unwrap();
        let (price, power) = (Money::new(22_000.0), Watts::new(560.0));
        let own = ownership(price, power, Watts::new(700.0), &cn, Building::Rented);
        let hour = hourly(&Capital { low: price, typical: price, high: price }, power, &cn);
        assert!((own.hour() - hour.total().get()).abs() < 1e-12);
    }

    #[test]
    fn at_the_break_even_use_an_hour_costs_its_worth() {
        let cn = region("cn").unwrap();
        let own = ownership(Money::new(22_000.0), Watts::new(560.0), Watts::new(700.0), &cn, Building::Owned);
        let even = own.break_even(2.0).utilisation.unwrap();
        assert!((Ownership { utilisation: even, ..own }.hour() - 2.0).abs() < 1e-12);
        assert_eq!(own.break_even(own.energy_hour), BreakEven { utilisation: None, months: None });
    }

    #[test]
    fn months_without_interest_are_capital_over_savings() {
        // 8760 × 0.5 × (2 − 0) − 1000 a year repay 10000 in 10000 / 7760 years.
        let own = Ownership {
            capital: 10_000.0,
            server_year: 0.0,
            network_year: 0.0,
            operations_year: 1000.0,
            building_year: 0.0,
            energy_hour: 0.0,
            utilisation: 0.5,
        };
        assert!((own.break_even(2.0).months.unwrap() - 12.0 * 10_000.0 / 7760.0).abs() < 1e-9);
    }
}

//! Total cost of ownership: capital to an hourly rate, an hourly rate to money per token.

use vitruvian_quantity::{Money, Watts};

use crate::region::Region;

const HOURS_A_YEAR: f64 = 8760.0;
const TOKENS: f64 = 1e6;
/// Standard normal quantile of 90 %: P10 and P90 lie this many standard deviations from the median.
const Z90: f64 = 1.281_551_565_545;

/// Capital of one chip with its share of the server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capital {
    /// Low end of the sources.
    pub low: Money,
    /// What is used.
    pub typical: Money,
    /// High end of the sources.
    pub high: Money,
}

/// What one chip costs in one hour of the calendar.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HourlyCost {
    /// Capital recovery of server and network.
    pub capital: Money,
    /// Staff, maintenance, rack.
    pub operations: Money,
    /// Electricity at the power drawn.
    pub energy: Money,
    /// Relative standard deviation, from the spread of prices.
    pub sigma: f64,
}

/// Money per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenCost {
    /// Per million input tokens.
    pub input: Money,
    /// Per million output tokens.
    pub output: Money,
    /// All cost over all output tokens, per million.
    pub blended_output: Money,
}

/// Annual payment that repays one unit of capital: r / (1 − (1 + r)⁻ⁿ), and 1/n without interest.
pub fn capital_recovery(rate: f64, years: f64) -> f64 {
    if rate == 0.0 { 1.0 / years } else { rate / (1.0 - (1.0 + rate).powf(-years)) }
}

/// Hourly cost of one chip that draws `power` (host share included) while it works.
///
/// `((1 + network) · capital − residual/(1+r)ⁿ) · CRF + operations`, over the hours of a year that are used; electricity
/// for the hours used only.
pub fn hourly(capital: &Capital, power: Watts, region: &Region) -> HourlyCost {
    let typical = capital.typical.get();
    let used_hours = HOURS_A_YEAR * region.utilisation;
    let resale = region.residual * typical / (1.0 + region.discount_rate).powf(region.years);
    let invested = typical * (1.0 + region.network_share) - resale;
    let recovery = capital_recovery(region.discount_rate, region.years);
    let capital_hour = Money::new(invested * recovery / used_hours);
    let operations = Money::new(typical * region.operations_share / used_hours);
    let energy = Money::new(power.in_unit("kW") * region.pue * region.electricity);
    let total = capital_hour + operations + energy;
    let price_sigma = (capital.high / capital.low).ln() / (2.0 * Z90);
    HourlyCost {
        capital: capital_hour,
        operations,
        energy,
        sigma: price_sigma * ((capital_hour + operations) / total),
    }
}

impl HourlyCost {
    /// Everything.
    pub fn total(&self) -> Money {
        self.capital + self.operations + self.energy
    }
}

/// Splits an hourly rate over tokens: input tokens bear the share of time spent on prefill, output tokens the rest.
pub fn per_million(per_hour: Money, prefill_share: f64, input_per_s: f64, output_per_s: f64) -> TokenCost {
    let per_second = per_hour / 3600.0;
    let per =
        |share: f64, rate: f64| if rate > 0.0 { per_second * (share * TOKENS / rate) } else { Money::ZERO };
    TokenCost {
        input: per(prefill_share, input_per_s),
        output: per(1.0 - prefill_share, output_per_s),
        blended_output: per(1.0, output_per_s),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capital_recovery_is_the_annuity_factor() {
        // 0.1 / (1 − 1.1⁻⁴) = 0.315471
        assert!((capital_recovery(0.1, 4.0) - 0.315_470_8).abs() < 1e-6);
        assert_eq!(capital_recovery(0.0, 4.0), 0.25);
    }

    #[test]
    fn tokens_share_the_hour_by_time() {
        // $3.6/h = $0.001/s; a quarter on prefill at 1000 tok/s: 0.25 · 0.001 / 1000 · 1e6 = $0.25
        let cost = per_million(Money::new(3.6), 0.25, 1000.0, 500.0);
        assert!((cost.input.get() - 0.25).abs() < 1e-12);
        // 0.75 · 0.001 / 500 · 1e6 = $1.5
        assert!((cost.output.get() - 1.5).abs() < 1e-12);
        // What input and output pay together is the whole rate.
        let paid = cost.input.get() * 1000.0 + cost.output.get() * 500.0;
        assert!((paid - 0.001e6).abs() < 1e-9);
    }

    #[test]
    fn a_certain_price_has_no_spread() {
        let price = Money::new(10_000.0);
        let capital = Capital { low: price, typical: price, high: price };
        let cn = crate::region::region("cn").unwrap();
        let cost = hourly(&capital, Watts::new(500.0), &cn);
        assert_eq!(cost.sigma, 0.0);
        // 0.5 kW · 1.25 · 0.4 CNY · 0.1389 $/CNY
        assert!((cost.energy.get() - 0.5 * 1.25 * 0.4 * 0.1389).abs() < 1e-12);
    }
}

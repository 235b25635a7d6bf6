//! Arguments that say what money and power are assumed to cost.

use clap::Args;
use vitruvian::ownership::Assumptions;
use vitruvian_economics::Building;

/// Prices, years, tariff.
#[derive(Debug, Args)]
pub(crate) struct MoneyArgs {
    /// US dollars for one unit of a currency, such as CNY=0.139; may be repeated
    #[arg(long = "rate", value_name = "CURRENCY=USD", help_heading = "Money")]
    rates: Vec<String>,
    /// Price of one chip, such as "90000 CNY"; without it, that of the chip's file
    #[arg(long, value_name = "MONEY", help_heading = "Money")]
    price: Option<String>,
    /// Rent of one chip and hour, such as "2 USD"; without it, those of the catalog
    #[arg(long, value_name = "MONEY", help_heading = "Money")]
    rent: Option<String>,
    /// Electricity a kWh, such as "0.4 CNY"; without it, the region's
    #[arg(long, value_name = "MONEY", help_heading = "Money")]
    electricity: Option<String>,
    /// Share of the hours that are used; without it, the region's
    #[arg(long, value_name = "SHARE", help_heading = "Money", allow_negative_numbers = true)]
    utilisation: Option<f64>,
    /// Years of service; without it, the region's
    #[arg(long, value_name = "YEARS", help_heading = "Money", allow_negative_numbers = true)]
    years: Option<f64>,
    /// Cost of capital a year, such as 0.08; without it, the region's
    #[arg(long, value_name = "SHARE", help_heading = "Money", allow_negative_numbers = true)]
    discount_rate: Option<f64>,
    /// Facility power over IT power; without it, the region's
    #[arg(long, value_name = "PUE", help_heading = "Money", allow_negative_numbers = true)]
    pue: Option<f64>,
    /// Carbon dioxide of the grid, kg per kWh; without it, the region's
    #[arg(long, value_name = "KG", help_heading = "Money", allow_negative_numbers = true)]
    carbon: Option<f64>,
    /// Build the data centre too, in place of the rack that operations pay for
    #[arg(long, help_heading = "Money")]
    building: bool,
}

impl MoneyArgs {
    /// What was set.
    pub(crate) fn assumptions(&self) -> Assumptions {
        Assumptions {
            rates: self.rates.clone(),
            price: self.price.clone(),
            rent: self.rent.clone(),
            electricity: self.electricity.clone(),
            utilisation: self.utilisation,
            years: self.years,
            discount_rate: self.discount_rate,
            pue: self.pue,
            carbon: self.carbon,
            building: if self.building { Building::Owned } else { Building::Rented },
        }
    }
}

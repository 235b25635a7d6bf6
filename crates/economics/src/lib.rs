//! What a chip costs and whether it may be had: manufacture, cost of ownership, energy, export rules.
//!
//! Prices, tariffs, processes and rules stand in `catalog/`; here are the equations.

pub mod currency;
pub mod export_control;
pub mod manufacture;
mod near;
pub mod ownership;
pub mod region;
pub mod rent;
pub mod tco;

pub use currency::Exchange;
pub use ownership::{Building, Ownership, ownership};
pub use region::Region;
pub use tco::{Capital, HourlyCost, TokenCost, capital_recovery, hourly, per_million};

//! Cost of ownership, energy price and money per token.

pub mod region;
pub mod tco;

pub use region::Region;
pub use tco::{Capital, HourlyCost, TokenCost, capital_recovery, hourly, per_million};

//! What serving costs: owning against renting, money, energy and carbon per token.

pub mod answer;
mod assumptions;
mod rent;
mod serve;

pub use answer::{RentAnswer, ServeAnswer};
pub use assumptions::Assumptions;
pub use rent::{RentStudy, rent};
pub use serve::{ServeStudy, serve};

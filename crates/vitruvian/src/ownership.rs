//! What serving and training cost: owning against renting, money, energy and carbon per token.

pub mod answer;
mod assumptions;
mod rent;
mod serve;
mod train;

pub use answer::{RentAnswer, ServeAnswer, ServeAnswers, TrainCostAnswer};
pub use assumptions::Assumptions;
pub use rent::{RentStudy, rent};
pub use serve::{Fleet, ServeStudy, serve};
pub use train::{TrainCostStudy, train};

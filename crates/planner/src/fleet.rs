//! Which chips to buy, when, and for which service: a fleet over quarters under shortage.
//!
//! A [`Problem`] is a linear program with whole numbers. Orders are made before it is known what will be delivered; what
//! a [`Delivery`] brings decides what can be placed. For one known future, [`direct()`] solves the whole program by
//! branch and bound. Over many futures, [`hedge()`] splits it (L-shaped method): orders in a master, one small program a
//! quarter and future for the placements, joined by cuts.
//!
//! Units: nodes, requests per second, kilowatts at the meter of the facility, US dollars, quarters.

pub mod branch;
pub mod direct;
pub mod elastic;
pub mod evaluate;
pub mod future;
pub mod hedge;
pub mod placement;
pub mod polish;
pub mod problem;
pub mod program;
pub mod quarter;
pub mod recourse;
pub mod relax;
pub mod scaling;
pub mod strategy;
pub mod worth;

pub use direct::{Direct, Freedom, Orders, direct};
pub use evaluate::{Books, evaluate};
pub use future::{Delivery, Doubt, Effect, Future, Outcome, Risk, futures, likely};
pub use hedge::{Hedged, hedge};
pub use problem::{ChipSupply, Column, Demand, Limits, Problem, Stack};
pub use quarter::Quarter;

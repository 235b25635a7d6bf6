//! What the answers must show: published figures, the right reasons, consistency, and what-if chips.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod consistent;
mod economics;
mod exchange;
mod fleet;
mod published;
mod question;
mod right_reasons;
mod training;
mod what_if;

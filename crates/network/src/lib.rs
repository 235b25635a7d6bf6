//! Collectives on the links of a node and between nodes, as closed forms.
//!
//! [`Network::collective`] answers what one exchange costs one rank: every algorithm that the library has on this fabric
//! is a candidate with a latency part and a wire part, and the cheapest wins and is named. Few parameters, all physical:
//! the node file says what the links deliver, a [`CollectiveProfile`] says what the library's protocols make of them.
//! Where two or more exchanges use a link at a time, [`share`] says what rate each gets.

pub mod algorithm;
pub mod crossover;
pub mod estimate;
pub mod network;
pub mod placement;
pub mod profile;
pub mod share;

pub use algorithm::{Algorithm, Protocol, Steps};
pub use crossover::{Span, crossovers};
pub use estimate::{Bound, CollectiveEstimate};
pub use network::Network;
pub use placement::Placement;
pub use profile::{CollectiveProfile, Library};
pub use share::{Flow, Share, max_min};

//! What every discrete-event simulation needs: integer time, an ordered queue, named random streams, traces and quantiles.
//!
//! Only users of this crate have a time of day; cost functions below them have none.

pub mod perfetto;
pub mod queue;
pub mod random;
pub mod sketch;
pub mod time;
pub mod trace;

pub use queue::EventQueue;
pub use random::{Stream, stream};
pub use sketch::{Quantiles, Summary};
pub use time::{Instant, Span};
pub use trace::{Recorder, Silent, TraceSink, Track};

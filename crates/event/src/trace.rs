//! What a simulation may write down as it goes. A sink that is off costs nothing: its calls compile to nothing.

use crate::time::Instant;

/// A row of a trace: slices of one row do not overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Track(pub u32);

/// Where a simulation writes what happens.
pub trait TraceSink {
    /// Whether anything is written: what prepares a record may ask.
    const ON: bool;

    /// Something that lasted.
    fn slice(&mut self, track: Track, name: &str, from: Instant, to: Instant);

    /// A figure that changed.
    fn counter(&mut self, track: Track, at: Instant, value: f64);
}

/// Writes nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl TraceSink for Silent {
    const ON: bool = false;

    fn slice(&mut self, _: Track, _: &str, _: Instant, _: Instant) {}

    fn counter(&mut self, _: Track, _: Instant, _: f64) {}
}

/// Keeps everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorder {
    /// What lasted, in the order in which it was written.
    pub slices: Vec<Slice>,
    /// Figures that changed.
    pub counters: Vec<Counter>,
}

/// Something that lasted.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Row.
    pub track: Track,
    /// What it was.
    pub name: String,
    /// Start.
    pub from: Instant,
    /// End.
    pub to: Instant,
}

/// A figure at a moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counter {
    /// Row.
    pub track: Track,
    /// When.
    pub at: Instant,
    /// The figure from then on.
    pub value: f64,
}

impl TraceSink for Recorder {
    const ON: bool = true;

    fn slice(&mut self, track: Track, name: &str, from: Instant, to: Instant) {
        self.slices.push(Slice { track, name: name.to_owned(), from, to });
    }

    fn counter(&mut self, track: Track, at: Instant, value: f64) {
        self.counters.push(Counter { track, at, value });
    }
}

//! Simulated time in whole picoseconds: equal times compare equal, and a sum never drifts. 64 bits hold 213 days.

use std::ops::{Add, AddAssign, Mul, Sub};

use vitruvian_quantity::Seconds;

const PER_SECOND: f64 = 1e12;

/// A moment, counted from the start of the simulation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

impl Instant {
    /// The start.
    pub const ZERO: Self = Self(0);
    /// Later than anything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// So many picoseconds after the start.
    pub const fn from_picoseconds(picoseconds: u64) -> Self {
        Self(picoseconds)
    }

    /// So many seconds after the start, to the nearest picosecond; what is negative or no number is the start.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * PER_SECOND).round() as u64)
    }

    /// Picoseconds since the start.
    pub const fn picoseconds(self) -> u64 {
        self.0
    }

    /// Seconds since the start.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / PER_SECOND
    }

    /// From `earlier` to this moment; nothing if it is not earlier.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// So many picoseconds.
    pub const fn from_picoseconds(picoseconds: u64) -> Self {
        Self(picoseconds)
    }

    /// So many seconds, to the nearest picosecond; what is negative or no number is no time.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * PER_SECOND).round() as u64)
    }

    /// Picoseconds.
    pub const fn picoseconds(self) -> u64 {
        self.0
    }

    /// Seconds.
    pub fn seconds(self) -> f64 {
        self.0 as f64 / PER_SECOND
    }
}

impl From<Seconds> for Span {
    fn from(time: Seconds) -> Self {
        Self::from_seconds(time.get())
    }
}

impl Add<Span> for Instant {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub for Instant {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        self.since(earlier)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul<u64> for Span {
    type Output = Self;
    fn mul(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_kept_to_the_picosecond() {
        assert_eq!(Instant::from_seconds(1.5).picoseconds(), 1_500_000_000_000);
        assert_eq!((Instant::from_seconds(2.0) - Instant::from_seconds(0.5)).seconds(), 1.5);
    }

    #[test]
    fn time_saturates_instead_of_wrapping() {
        assert_eq!(Instant::ZERO - Instant::from_seconds(1.0), Span::ZERO);
        assert_eq!(Instant::NEVER + Span::from_seconds(1.0), Instant::NEVER);
        assert_eq!(Span::from_seconds(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_seconds(-1.0), Span::ZERO);
    }
}

//! The quantities: one newtype a unit, declared by one macro.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Sub};
use std::str::FromStr;

use crate::ParseError;

/// A quantity held in its base unit.
pub trait Quantity: Copy + FromStr<Err = ParseError> + fmt::Display {
    /// What the quantity measures, as a diagnostic says it: "a bandwidth".
    const KIND: &'static str;
    /// Accepted units, each with its size in base units; the first of a size is the one printed.
    const UNITS: &'static [(&'static str, f64)];
    /// From a number of base units.
    fn from_base(value: f64) -> Self;
    /// The number of base units.
    fn base(self) -> f64;
}

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident, $base:literal, $kind:literal, [$(($unit:literal, $size:expr)),+ $(,)?]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
        pub struct $name(f64);

        impl $name {
            /// Nothing of it.
            pub const ZERO: Self = Self(0.0);

            #[doc = concat!("From a number of ", $base, ".")]
            pub const fn new(value: f64) -> Self { Self(value) }
            #[doc = concat!("The number of ", $base, ".")]
            pub const fn get(self) -> f64 { self.0 }
            /// The larger of two.
            #[must_use]
            pub fn max(self, other: Self) -> Self { Self(self.0.max(other.0)) }
            /// The smaller of two.
            #[must_use]
            pub fn min(self, other: Self) -> Self { Self(self.0.min(other.0)) }
            /// In a named unit, such as `"GB"`; not a number if the unit is unknown.
            pub fn in_unit(self, unit: &str) -> f64 {
                let size = <Self as Quantity>::UNITS.iter().find(|(name, _)| *name == unit);
                size.map_or(f64::NAN, |(_, size)| self.0 / size)
            }
        }

        impl Quantity for $name {
            const KIND: &'static str = $kind;
            const UNITS: &'static [(&'static str, f64)] = &[$(($unit, $size)),+];
            fn from_base(value: f64) -> Self { Self(value) }
            fn base(self) -> f64 { self.0 }
        }

        impl FromStr for $name {
            type Err = ParseError;
            fn from_str(text: &str) -> Result<Self, ParseError> { crate::parse::quantity(text) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { crate::format::quantity(*self, f) }
        }
        impl Add for $name { type Output = Self; fn add(self, o: Self) -> Self { Self(self.0 + o.0) } }
        impl Sub for $name { type Output = Self; fn sub(self, o: Self) -> Self { Self(self.0 - o.0) } }
        impl AddAssign for $name { fn add_assign(&mut self, o: Self) { self.0 += o.0; } }
        impl Mul<f64> for $name { type Output = Self; fn mul(self, k: f64) -> Self { Self(self.0 * k) } }
        impl Mul<$name> for f64 { type Output = $name; fn mul(self, q: $name) -> $name { $name(self * q.0) } }
        impl Div<f64> for $name { type Output = Self; fn div(self, k: f64) -> Self { Self(self.0 / k) } }
        impl Div for $name { type Output = f64; fn div(self, o: Self) -> f64 { self.0 / o.0 } }
        impl Sum for $name { fn sum<I: Iterator<Item = Self>>(i: I) -> Self { Self(i.map(|q| q.0).sum()) } }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&format!("{} {}", self.0, Self::base_unit()))
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl $name {
            fn base_unit() -> &'static str {
                let unit = <Self as Quantity>::UNITS.iter().find(|(_, size)| *size == 1.0);
                unit.map_or("", |(name, _)| name)
            }
        }
    };
}

const KIB: f64 = 1024.0;

quantity!(
    /// Time.
    Seconds, "seconds", "a time",
    [("ps", 1e-12), ("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0),
     ("d", 86_400.0), ("year", 31_557_600.0)]
);
quantity!(
    /// An amount of data.
    Bytes, "bytes", "a size",
    [("B", 1.0), ("kB", 1e3), ("KB", 1e3), ("MB", 1e6), ("GB", 1e9), ("TB", 1e12), ("PB", 1e15), ("KiB", KIB),
     ("MiB", KIB * KIB), ("GiB", KIB * KIB * KIB), ("TiB", KIB * KIB * KIB * KIB)]
);
quantity!(
    /// A number of floating-point or integer operations; a multiply-add counts as two.
    Flops, "operations", "a number of operations",
    [("FLOP", 1.0), ("kFLOP", 1e3), ("MFLOP", 1e6), ("GFLOP", 1e9), ("TFLOP", 1e12), ("PFLOP", 1e15), ("OP", 1.0)]
);
quantity!(
    /// A data rate.
    BytesPerSecond, "bytes per second", "a bandwidth",
    [("B/s", 1.0), ("kB/s", 1e3), ("MB/s", 1e6), ("GB/s", 1e9), ("TB/s", 1e12), ("PB/s", 1e15), ("KiB/s", KIB),
     ("MiB/s", KIB * KIB), ("GiB/s", KIB * KIB * KIB), ("TiB/s", KIB * KIB * KIB * KIB), ("Gb/s", 0.125e9),
     ("Tb/s", 0.125e12)]
);
quantity!(
    /// A compute rate.
    FlopsPerSecond, "operations per second", "a compute rate",
    [("FLOP/s", 1.0), ("MFLOP/s", 1e6), ("GFLOP/s", 1e9), ("TFLOP/s", 1e12), ("PFLOP/s", 1e15), ("TFLOPS", 1e12),
     ("PFLOPS", 1e15), ("TOPS", 1e12)]
);
quantity!(
    /// A frequency.
    Hertz, "hertz", "a frequency",
    [("Hz", 1.0), ("kHz", 1e3), ("MHz", 1e6), ("GHz", 1e9)]
);
quantity!(
    /// An energy.
    Joules, "joules", "an energy",
    [("pJ", 1e-12), ("nJ", 1e-9), ("uJ", 1e-6), ("mJ", 1e-3), ("J", 1.0), ("kJ", 1e3), ("MJ", 1e6), ("Wh", 3600.0),
     ("kWh", 3.6e6), ("MWh", 3.6e9)]
);
quantity!(
    /// A power.
    Watts, "watts", "a power",
    [("mW", 1e-3), ("W", 1.0), ("kW", 1e3), ("MW", 1e6), ("GW", 1e9)]
);
quantity!(
    /// Energy per operation.
    JoulesPerFlop, "joules per operation", "an energy per operation",
    [("fJ/FLOP", 1e-15), ("pJ/FLOP", 1e-12), ("nJ/FLOP", 1e-9), ("J/FLOP", 1.0)]
);
quantity!(
    /// Energy per byte moved.
    JoulesPerByte, "joules per byte", "an energy per byte",
    [("pJ/B", 1e-12), ("nJ/B", 1e-9), ("J/B", 1.0), ("pJ/bit", 8e-12)]
);
quantity!(
    /// Money, in United States dollars.
    Money, "US dollars", "an amount of money",
    [("USD", 1.0), ("kUSD", 1e3), ("MUSD", 1e6)]
);
quantity!(
    /// An area of silicon.
    Area, "square millimetres", "an area",
    [("mm2", 1.0), ("mm²", 1.0), ("cm2", 100.0), ("cm²", 100.0)]
);

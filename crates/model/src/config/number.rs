//! Whole numbers of a configuration, within bounds that keep all later arithmetic exact.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A whole number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whole<const LOW: u32, const HIGH: u32>(pub(crate) u32);

/// A size: at least one.
pub(crate) type Size = Whole<1, { 1 << 24 }>;
/// A number that may be zero.
pub(crate) type Count = Whole<0, { 1 << 24 }>;
/// A number of layers.
pub(crate) type Depth = Whole<1, 4096>;

struct Reader<const LOW: u32, const HIGH: u32>;

impl<const LOW: u32, const HIGH: u32> Visitor<'_> for Reader<LOW, HIGH> {
    type Value = Whole<LOW, HIGH>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "a whole number from {LOW} to {HIGH}")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        match u32::try_from(value) {
            Ok(small) if (LOW..=HIGH).contains(&small) => Ok(Whole(small)),
            _ => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Err(E::invalid_value(Unexpected::Signed(value), &self))
    }
}

impl<'de, const LOW: u32, const HIGH: u32> Deserialize<'de> for Whole<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u32(Reader)
    }
}

//! Whole numbers of a configuration, within bounds that keep all later arithmetic exact.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

/// A whole number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whole<const LOW: u32, const HIGH: u32>(pub(crate) u32);

/// A width of the model: hidden or inner.
pub(crate) type Size = Whole<1, { 1 << 20 }>;
/// Such a width where there may be none.
pub(crate) type Optional = Whole<0, { 1 << 20 }>;
/// A vocabulary.
pub(crate) type Vocabulary = Whole<1, { 1 << 24 }>;
/// A length of sequences, or zero.
pub(crate) type Length = Whole<0, { i32::MAX as u32 }>;
/// Heads, or groups of them.
pub(crate) type Heads = Whole<1, 4096>;
/// Width of a head, rank of a projection, or a number of experts.
pub(crate) type Dim = Whole<1, 65_536>;
/// The same where there may be none.
pub(crate) type Rank = Whole<0, 65_536>;
/// A small number: shared experts, modules, taps.
pub(crate) type Few = Whole<0, 256>;
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

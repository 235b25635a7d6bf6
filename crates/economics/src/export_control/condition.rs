//! Conditions as data: comparisons of fields with thresholds, joined as "any of: all of".
//!
//! `[["tpp >= 4800"], ["tpp >= 1600", "performance_density >= 5.92"]]` holds if one of the inner lists holds in full. A
//! field that is not known makes a comparison unknown (Kleene's three values), one that is not defined makes it false:
//! a package without a die that counts has no density to compare.

use serde::{Deserialize, Deserializer, de};

use super::facts::{Fact, Facts};

/// What a rule can look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Total processing performance.
    Tpp,
    /// TPP over the area of the logic dies that count, 1/mm².
    PerformanceDensity,
    /// All inputs and outputs but those to memory, both directions, GB/s.
    IoBandwidth,
    /// All device memory, GB/s.
    DramBandwidth,
    /// Bandwidth of one memory stack over its area, GB/s/mm².
    MemoryBandwidthDensity,
    /// Transistors of the package.
    Transistors,
    /// Designed or marketed for data centres; one or zero.
    DataCentre,
    /// Whether a logic die has transistors that are not planar; one or zero.
    NonPlanar,
    /// Whether the memory sits in one package with a dominant logic die; one or zero.
    CoPackaged,
}

/// Whether something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// A field that it needs is not known.
    Unknown,
}

/// How a sum of fields is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `>=`
    AtLeast,
    /// `>`
    MoreThan,
    /// `<=`
    AtMost,
    /// `<`
    LessThan,
}

/// One comparison: `"dram_bandwidth + io_bandwidth >= 1700"`, or a field that is true or false: `"not data_centre"`.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// As written.
    pub text: String,
    /// What is added up.
    pub fields: Vec<Field>,
    /// How it is compared.
    pub relation: Relation,
    /// With what.
    pub threshold: f64,
}

/// Any of: all of. Empty: always.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub Vec<Vec<Comparison>>);

/// A comparison as it came out, and how far the figure is from the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The comparison.
    pub comparison: Comparison,
    /// What the fields add up to; nothing where one is not known or not defined.
    pub value: Option<f64>,
    /// Whether it holds.
    pub holds: Truth,
}

const FIELDS: [(&str, Field); 9] = [
    ("tpp", Field::Tpp),
    ("performance_density", Field::PerformanceDensity),
    ("io_bandwidth", Field::IoBandwidth),
    ("dram_bandwidth", Field::DramBandwidth),
    ("memory_bandwidth_density", Field::MemoryBandwidthDensity),
    ("transistors", Field::Transistors),
    ("data_centre", Field::DataCentre),
    ("non_planar", Field::NonPlanar),
    ("co_packaged", Field::CoPackaged),
];

const RELATIONS: [(&str, Relation); 4] = [
    (">=", Relation::AtLeast),
    ("<=", Relation::AtMost),
    (">", Relation::MoreThan),
    ("<", Relation::LessThan),
];

/// Threshold of a field that is one or zero.
const HALF: f64 = 0.5;

impl Field {
    /// The word used in rule files.
    pub fn name(self) -> &'static str {
        FIELDS.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// The unit that thresholds are written in.
    pub fn unit(self) -> &'static str {
        match self {
            Self::PerformanceDensity => "1/mm2",
            Self::IoBandwidth | Self::DramBandwidth => "GB/s",
            Self::MemoryBandwidthDensity => "GB/s/mm2",
            _ => "",
        }
    }

    /// Whether it is true or false rather than a figure.
    pub fn is_flag(self) -> bool {
        matches!(self, Self::DataCentre | Self::NonPlanar | Self::CoPackaged)
    }
}

impl Truth {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Yes, Self::Yes) => Self::Yes,
            _ => Self::Unknown,
        }
    }

    /// One of them.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Yes, _) | (_, Self::Yes) => Self::Yes,
            (Self::No, Self::No) => Self::No,
            _ => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

impl Relation {
    fn holds(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::MoreThan => value > threshold,
            Self::AtMost => value <= threshold,
            Self::LessThan => value < threshold,
        }
    }
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> Truth {
        let all = |list: &Vec<Comparison>| {
            list.iter().map(|one| one.clause(facts).holds).fold(Truth::Yes, Truth::and)
        };
        if self.0.is_empty() {
            return Truth::Yes;
        }
        self.0.iter().map(all).fold(Truth::No, Truth::or)
    }

    /// Every comparison as it comes out, in the order written.
    pub fn clauses(&self, facts: &Facts) -> Vec<Vec<Clause>> {
        self.0.iter().map(|list| list.iter().map(|one| one.clause(facts)).collect()).collect()
    }
}

impl Comparison {
    /// The comparison as it comes out.
    pub fn clause(&self, facts: &Facts) -> Clause {
        let parts: Vec<Fact> = self.fields.iter().map(|field| facts.get(*field)).collect();
        let value: Option<f64> = parts.iter().map(|fact| fact.value()).sum();
        let holds = match value {
            Some(value) => self.relation.holds(value, self.threshold).into(),
            None if parts.contains(&Fact::Unknown) => Truth::Unknown,
            None => Truth::No,
        };
        Clause { comparison: self.clone(), value, holds }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let flag = |name: &str, relation| {
            Ok(Self { text: text.to_owned(), fields: vec![field(name)?], relation, threshold: HALF })
        };
        let found = RELATIONS.iter().find_map(|(sign, relation)| Some((text.split_once(sign)?, *relation)));
        match found {
            Some(((left, right), relation)) => {
                let fields = left.split('+').map(|name| field(name.trim())).collect::<Result<_, _>>()?;
                let threshold =
                    right.trim().parse().map_err(|_| format!("`{}` is not a threshold", right.trim()))?;
                Ok(Self { text: text.to_owned(), fields, relation, threshold })
            }
            None => match text.strip_prefix("not ") {
                Some(name) => flag(name.trim(), Relation::LessThan),
                None => flag(text.trim(), Relation::MoreThan),
            },
        }
    }
}

fn field(name: &str) -> Result<Field, String> {
    FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field).ok_or_else(|| {
        let known: Vec<&str> = FIELDS.iter().map(|(name, _)| *name).collect();
        format!("`{name}` is not a field of a rule: use one of {}", known.join(", "))
    })
}

impl<'de> Deserialize<'de> for Comparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(tpp: Fact, density: Fact) -> Facts {
        Facts { tpp, performance_density: density, ..Facts::default() }
    }

    fn condition(lists: &[&[&str]]) -> Condition {
        Condition(
            lists
                .iter()
                .map(|list| list.iter().map(|text| Comparison::parse(text).unwrap()).collect())
                .collect(),
        )
    }

    #[test]
    fn a_threshold_itself_is_reached() {
        let at_least = condition(&[&["tpp >= 10"]]);
        assert_eq!(at_least.holds(&facts(Fact::Is(10.0), Fact::Unknown)), Truth::Yes);
        let more = condition(&[&["tpp > 10"]]);
        assert_eq!(more.holds(&facts(Fact::Is(10.0), Fact::Unknown)), Truth::No);
    }

    #[test]
    fn what_is_not_known_matters_only_where_it_decides() {
        let both = condition(&[&["tpp >= 10", "performance_density >= 1"]]);
        assert_eq!(both.holds(&facts(Fact::Is(11.0), Fact::Unknown)), Truth::Unknown);
        assert_eq!(both.holds(&facts(Fact::Is(9.0), Fact::Unknown)), Truth::No);
        assert_eq!(both.holds(&facts(Fact::Is(11.0), Fact::Undefined)), Truth::No);
    }

    #[test]
    fn sums_and_flags_are_read() {
        let sum = Comparison::parse("dram_bandwidth + io_bandwidth >= 1700").unwrap();
        assert_eq!((sum.fields.len(), sum.threshold), (2, 1700.0));
        let facts = Facts { data_centre: Fact::Is(0.0), ..Facts::default() };
        assert_eq!(condition(&[&["not data_centre"]]).holds(&facts), Truth::Yes);
    }

    #[test]
    fn a_wrong_field_or_threshold_is_told() {
        assert!(Comparison::parse("tps >= 3").unwrap_err().contains("tpp"));
        assert!(Comparison::parse("tpp >= many").unwrap_err().contains("many"));
    }
}

//! Reading sourced figures of a core description, collecting every mistake.

use toml::de::{DeTable, DeValue};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};
use vitruvian_hardware::{Alternative, Architecture, Chip, Figure, Grade, Provenance};

use super::core_timing::PathTiming;

const SPLIT: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/cores/dav-c220.toml"));
const COUPLED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../catalog/cores/dav-c100.toml"));

/// The embedded description of an architecture's core.
pub(super) fn embedded(architecture: Architecture) -> Result<SourceText, Diagnostics> {
    match architecture {
        Architecture::DaVinciSplit | Architecture::DaVinci950 => {
            Ok(SourceText::new("catalog:dav-c220", SPLIT))
        }
        Architecture::DaVinciCoupled => Ok(SourceText::new("catalog:dav-c100", COUPLED)),
        other => Err(not_da_vinci(&format!("{other:?}"))),
    }
}

/// Refuses a chip without cube buffers.
pub(super) fn check_chip(chip: &Chip) -> Result<(), Diagnostics> {
    let buffers = &chip.buffers;
    let has_cube = [buffers.l0a, buffers.l0b, buffers.l0c, buffers.l1].iter().all(|bytes| bytes.get() > 0.0);
    if has_cube { Ok(()) } else { Err(not_da_vinci(&chip.name)) }
}

fn not_da_vinci(what: &str) -> Diagnostics {
    let message = format!("{what} has no Da Vinci core");
    Diagnostics(vec![
        Diagnostic::error("davinci-no-core", message).help("choose an Ascend chip, such as ascend-910b2"),
    ])
}

/// A parsed description, the mistakes found so far, and the figures taken from it.
pub(super) struct Figures<'s> {
    source: &'s SourceText,
    table: DeTable<'s>,
    mistakes: Vec<Diagnostic>,
    taken: Vec<Figure>,
}

impl<'s> Figures<'s> {
    pub(super) fn read(source: &'s SourceText) -> Result<Self, Diagnostics> {
        let table = DeTable::parse(source.text()).map_err(|error| {
            let span = error.span().map_or(Span::default(), Span::from);
            Diagnostics(vec![
                Diagnostic::error("core-syntax", error.message().to_owned()).at(source, span, "here"),
            ])
        })?;
        Ok(Self { source, table: table.into_inner(), mistakes: Vec::new(), taken: Vec::new() })
    }

    /// The value read, unless anything was wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, Diagnostics> {
        if self.mistakes.is_empty() { Ok(value) } else { Err(Diagnostics(self.mistakes)) }
    }

    pub(super) fn take(&mut self) -> Vec<Figure> {
        std::mem::take(&mut self.taken)
    }

    pub(super) fn text(&mut self, key: &str) -> String {
        let found = lookup(&self.table, key).and_then(|value| value.get_ref().as_str().map(str::to_owned));
        found.unwrap_or_else(|| self.missing(key, "a text").unwrap_or_default())
    }

    /// A whole number, sourced or plain.
    pub(super) fn count(&mut self, key: &str) -> u32 {
        self.number(key, "") as u32
    }

    pub(super) fn cycles(&mut self, key: &str) -> u32 {
        self.number(key, "cycles") as u32
    }

    /// The number of a figure whose text is `"4 cycles"` for the unit `"cycles"`, or a bare number for the unit `""`.
    pub(super) fn number(&mut self, key: &str, unit: &str) -> f64 {
        let table = lookup(&self.table, key);
        let value = table.and_then(|value| {
            value.get_ref().as_table().map_or(Some(value.get_ref()), |t| child(t, "value"))
        });
        let parsed = value.and_then(|value| parse(value, unit));
        match parsed {
            Some((parsed, written)) => {
                let provenance = table.and_then(|value| value.get_ref().as_table()).map(provenance);
                self.taken.extend(provenance.map(|provenance| Figure {
                    key: key.to_owned(),
                    value: written,
                    number: Some(parsed),
                    provenance,
                }));
                parsed
            }
            None => self.missing(key, if unit.is_empty() { "a number" } else { unit }).unwrap_or(0.0),
        }
    }

    pub(super) fn path(&mut self, name: &str) -> PathTiming {
        let key = |field: &str| format!("paths.{name}.{field}");
        let timing = PathTiming {
            startup: self.cycles(&key("startup")),
            burst: self.number(&key("burst"), ""),
            minimum: self.cycles(&key("minimum")),
        };
        self.source_of(&format!("paths.{name}"), format!("{timing:?}"));
        timing
    }

    /// Slope and fixed cycles of a vector operation.
    pub(super) fn slope(&mut self, op: &str) -> (f64, f64) {
        let key = format!("vector.ops.{op}");
        let pair = lookup(&self.table, &key).and_then(|value| match value.get_ref() {
            DeValue::Array(items) if items.len() == 2 => {
                Some((bare(items[0].get_ref())?, bare(items[1].get_ref())?))
            }
            _ => None,
        });
        match pair {
            Some(pair) => {
                self.source_of("vector.ops", format!("{op} = {pair:?}"));
                pair
            }
            None => self.missing(&key, "slope and fixed cycles: [2.0, 24]").unwrap_or((0.0, 0.0)),
        }
    }

    fn source_of(&mut self, key: &str, value: String) {
        let table = lookup(&self.table, key).and_then(|value| value.get_ref().as_table()).map(provenance);
        self.taken.extend(table.map(|provenance| Figure {
            key: key.to_owned(),
            value,
            number: None,
            provenance,
        }));
    }

    fn missing<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        let found = lookup(&self.table, key);
        let span = found.map_or(Span::default(), |value| value.span().into());
        let message = format!("`{key}` is missing or malformed: expected {expected}");
        self.mistakes.push(Diagnostic::error("core-figure", message).at(self.source, span, "here"));
        None
    }
}

fn lookup<'t, 's>(table: &'t DeTable<'s>, key: &str) -> Option<&'t toml::Spanned<DeValue<'s>>> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let value = table.iter().find(|(name, _)| name.get_ref() == first).map(|(_, value)| value)?;
    match rest {
        None => Some(value),
        Some(rest) => lookup(value.get_ref().as_table()?, rest),
    }
}

fn child<'t, 's>(table: &'t DeTable<'s>, key: &str) -> Option<&'t DeValue<'s>> {
    lookup(table, key).map(toml::Spanned::get_ref)
}

fn parse(value: &DeValue<'_>, unit: &str) -> Option<(f64, String)> {
    if unit.is_empty() {
        return bare(value).map(|number| (number, number.to_string()));
    }
    let text = value.as_str()?;
    let (number, written) = text.split_once(' ')?;
    let plural = written == unit || (unit == "cycles" && written == "cycle");
    number.parse().ok().filter(|_| plural).map(|number| (number, text.to_owned()))
}

fn bare(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(number) => number.as_str().parse().ok(),
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => None,
    }
}

fn provenance(table: &DeTable<'_>) -> Provenance {
    let text = |key| child(table, key).and_then(DeValue::as_str).map(str::to_owned);
    let alternatives =
        child(table, "alternatives").and_then(DeValue::as_array).into_iter().flat_map(|items| items.iter());
    Provenance {
        source: text("source").unwrap_or_default(),
        grade: grade(text("grade").as_deref()),
        note: text("note"),
        alternatives: alternatives.filter_map(|item| item.get_ref().as_table().map(alternative)).collect(),
    }
}

fn alternative(table: &DeTable<'_>) -> Alternative {
    let text = |key| child(table, key).and_then(DeValue::as_str).unwrap_or_default().to_owned();
    Alternative {
        value: text("value"),
        source: text("source"),
        grade: grade(child(table, "grade").and_then(DeValue::as_str)),
    }
}

fn grade(name: Option<&str>) -> Grade {
    let known = Grade::ALL.into_iter().find(|grade| Some(grade.name()) == name);
    known.unwrap_or(Grade::Rumour)
}

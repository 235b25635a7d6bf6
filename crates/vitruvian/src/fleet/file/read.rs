//! From a text to tables with a place for each value; every mistake on the way is noted.

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use vitruvian_diagnostics::{Diagnostics, SourceText, Span};
use vitruvian_hardware::did_you_mean;
use vitruvian_planner::fleet::Quarter;
use vitruvian_quantity::{Seconds, Watts};

use super::fault::Faults;
use super::key::{Key, Kind, Section};
use super::money::Rates;
use super::sections::FILE;

/// A table that was read.
#[derive(Clone, Debug, Default)]
pub(in crate::fleet) struct Table {
    /// Where it stands.
    pub(in crate::fleet) span: Span,
    values: Vec<(&'static str, Value, Span)>,
    inner: Vec<(&'static str, Table)>,
}

/// A name and where it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::fleet) struct Named {
    pub(in crate::fleet) name: String,
    pub(in crate::fleet) span: Span,
}

#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Series(Vec<f64>),
    Text(String),
    Texts(Vec<Named>),
    Quarter(Quarter),
}

struct Reader<'a, 'f> {
    faults: &'f mut Faults<'a>,
    rates: Rates,
    horizon: Option<(Quarter, usize)>,
}

/// Reads a fleet file. The table holds what could be read.
///
/// # Errors
/// What is no TOML at all.
pub(in crate::fleet) fn read<'a>(
    source: &'a SourceText,
    faults: &mut Faults<'a>,
) -> Result<Table, Diagnostics> {
    let (document, errors) = DeTable::parse_recoverable(source.text());
    for error in &errors {
        let span = error.span().map_or_else(Span::default, Span::from);
        let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        faults.add("syntax", message, span, None);
    }
    if !errors.is_empty() {
        std::mem::replace(faults, Faults::new(source)).done()?;
    }
    let rates = Rates::read(document.get_ref(), faults);
    let horizon = horizon(document.get_ref());
    let mut reader = Reader { faults, rates, horizon };
    Ok(reader.table(&FILE, document.get_ref(), Span::default(), ""))
}

/// First quarter and number of quarters, as far as they can be read, for the check of all other dates.
fn horizon(document: &DeTable<'_>) -> Option<(Quarter, usize)> {
    let start = document.get("start")?.get_ref().as_str()?.parse().ok()?;
    let quarters = document.get("quarters")?.get_ref().as_integer()?.to_string().parse().ok()?;
    Some((start, quarters))
}

impl Reader<'_, '_> {
    fn table(&mut self, section: &'static Section, table: &DeTable<'_>, span: Span, prefix: &str) -> Table {
        let mut read = Table { span, ..Table::default() };
        let path = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        for (name, value) in table {
            let word = name.get_ref().as_ref();
            let here = path(word);
            if let Some(key) = section.keys.iter().find(|key| key.name == word) {
                let value_span = Span::from(value.span());
                let found = self.value(key, value, &here);
                read.values.extend(found.map(|found| (key.name, found, value_span)));
            } else if let Some(inner) = section.inner.iter().find(|inner| inner.name == word) {
                self.inner(inner, value, &here, &mut read);
            } else if !(prefix.is_empty() && word == "currencies") {
                self.unknown(section, word, &here, Span::from(name.span()));
            }
        }
        self.missing(section, table, span, &path);
        read
    }

    fn inner(
        &mut self,
        section: &'static Section,
        value: &Spanned<DeValue<'_>>,
        path: &str,
        read: &mut Table,
    ) {
        let span = Span::from(value.span());
        match value.get_ref() {
            DeValue::Table(table) if !section.list => {
                let inner = self.table(section, table, span, path);
                read.inner.push((section.name, inner));
            }
            DeValue::Array(items) if section.list => {
                for item in items {
                    let span = Span::from(item.span());
                    match item.get_ref().as_table() {
                        Some(table) => {
                            let inner = self.table(section, table, span, path);
                            read.inner.push((section.name, inner));
                        }
                        None => self.not_a_table(path, section, span),
                    }
                }
            }
            _ => self.not_a_table(path, section, span),
        }
    }

    fn not_a_table(&mut self, path: &str, section: &Section, span: Span) {
        let header = if section.list { format!("[[{path}]]") } else { format!("[{path}]") };
        let message = format!("`{path}` is a table: {}", section.meaning);
        self.faults.add("wrong-type", message, span, Some(format!("write it under `{header}`")));
    }

    fn unknown(&mut self, section: &Section, word: &str, path: &str, span: Span) {
        let keys = section.keys.iter().map(|key| key.name);
        let known = keys.chain(section.inner.iter().map(|inner| inner.name)).collect::<Vec<_>>();
        let help = did_you_mean(word, known.iter().copied())
            .unwrap_or_else(|| format!("its keys are {}", known.join(", ")));
        self.faults.add("unknown-key", format!("`{path}` is not a key of a fleet file"), span, Some(help));
    }

    fn missing(&mut self, section: &Section, table: &DeTable<'_>, span: Span, path: &dyn Fn(&str) -> String) {
        let keys = section.keys.iter().filter(|key| key.required).map(|key| key.name);
        let inner = section.inner.iter().filter(|inner| inner.required).map(|inner| inner.name);
        let absent: Vec<String> = keys
            .chain(inner)
            .filter(|name| !table.contains_key(*name))
            .map(|name| format!("`{}`", path(name)))
            .collect();
        if !absent.is_empty() {
            let message = format!("{} must be given", absent.join(", "));
            self.faults.add("missing-key", message, span, None);
        }
    }

    fn value(&mut self, key: &Key, value: &Spanned<DeValue<'_>>, path: &str) -> Option<Value> {
        match value.get_ref() {
            DeValue::Array(items) if key.kind == Kind::Texts => self.texts(items, path),
            DeValue::Array(items) if key.series => self.series(key, items, path, Span::from(value.span())),
            _ => self.single(key, value, path),
        }
    }

    fn texts(&mut self, items: &[Spanned<DeValue<'_>>], path: &str) -> Option<Value> {
        let mut all = Vec::new();
        for item in items {
            let span = Span::from(item.span());
            let Some(text) = item.get_ref().as_str() else {
                self.faults.add("wrong-type", format!("`{path}` is a list of texts"), span, None);
                return None;
            };
            all.push(Named { name: text.to_owned(), span });
        }
        Some(Value::Texts(all))
    }

    fn series(&mut self, key: &Key, items: &[Spanned<DeValue<'_>>], path: &str, span: Span) -> Option<Value> {
        if let Some((_, quarters)) = self.horizon.filter(|(_, quarters)| *quarters != items.len()) {
            let message =
                format!("`{path}` has {} values, but the plan has {quarters} quarters", items.len());
            self.faults.add(
                "out-of-range",
                message,
                span,
                Some("give one value a quarter, or one for all".to_owned()),
            );
            return None;
        }
        let number =
            |value: Option<Value>| if let Some(Value::Number(number)) = value { Some(number) } else { None };
        let numbers: Vec<Option<f64>> =
            items.iter().map(|item| number(self.single(key, item, path))).collect();
        numbers.into_iter().collect::<Option<Vec<f64>>>().map(Value::Series)
    }

    fn single(&mut self, key: &Key, value: &Spanned<DeValue<'_>>, path: &str) -> Option<Value> {
        let span = Span::from(value.span());
        match (key.kind, value.get_ref()) {
            (Kind::Text, DeValue::String(text)) => Some(Value::Text(text.to_string())),
            (Kind::Word(words), DeValue::String(text)) => self.word(words, text, path, span),
            (Kind::Money(most), DeValue::String(text)) => {
                let dollars = self.rates.dollars(path, text, span, self.faults)?;
                self.at_most(dollars, most, path, span)
            }
            (Kind::Power, DeValue::String(text)) => {
                let power = text.parse::<Watts>().map(Watts::get).map_err(|error| error.to_string());
                self.quantity(power, path, span)
            }
            (Kind::Time, DeValue::String(text)) => {
                let time = text.parse::<Seconds>().map(Seconds::get).map_err(|error| error.to_string());
                self.quantity(time, path, span).filter(|value| self.positive(value, path, span))
            }
            (Kind::Quarter, DeValue::String(text)) => self.quarter(text, path, span),
            (Kind::Count(low, high), DeValue::Integer(integer)) => {
                let number: f64 = integer.to_string().parse().unwrap_or(f64::NAN);
                self.within(key.kind, number, (f64::from(low), f64::from(high)), path, span)
            }
            (Kind::Number(low, high), DeValue::Integer(_) | DeValue::Float(_)) => {
                let text = match value.get_ref() {
                    DeValue::Integer(integer) => integer.to_string(),
                    DeValue::Float(float) => float.to_string(),
                    _ => String::new(),
                };
                let number: f64 = text.replace('_', "").parse().unwrap_or(f64::NAN);
                self.within(key.kind, number, (low, high), path, span)
            }
            _ => {
                self.faults.add("wrong-type", format!("`{path}` is {}", key.kind.article()), span, None);
                None
            }
        }
    }

    fn word(&mut self, words: &[&str], text: &str, path: &str, span: Span) -> Option<Value> {
        if words.contains(&text) {
            return Some(Value::Text(text.to_owned()));
        }
        let help = did_you_mean(text, words.iter().copied());
        let message = format!("`{text}` is not a value of `{path}`: use one of {}", words.join(", "));
        self.faults.add("unknown-word", message, span, help);
        None
    }

    fn quantity(&mut self, value: Result<f64, String>, path: &str, span: Span) -> Option<Value> {
        match value {
            Ok(number) if number >= 0.0 => Some(Value::Number(number)),
            Ok(_) => {
                self.faults.add("out-of-range", format!("`{path}` must be zero or more"), span, None);
                None
            }
            Err(message) => {
                self.faults.add("unit-wrong", message, span, None);
                None
            }
        }
    }

    fn positive(&mut self, value: &Value, path: &str, span: Span) -> bool {
        let zero = matches!(value, Value::Number(number) if *number <= 0.0);
        if zero {
            self.faults.add(
                "target",
                format!("`{path}` is no time at all, which nothing can meet"),
                span,
                None,
            );
        }
        !zero
    }

    fn at_most(&mut self, dollars: f64, most: f64, path: &str, span: Span) -> Option<Value> {
        if dollars <= most {
            return Some(Value::Number(dollars));
        }
        self.faults.add("out-of-range", format!("`{path}` is at most {most} USD"), span, None);
        None
    }

    fn within(
        &mut self,
        kind: Kind,
        number: f64,
        (low, high): (f64, f64),
        path: &str,
        span: Span,
    ) -> Option<Value> {
        if number.is_finite() && number >= low && number <= high {
            return Some(Value::Number(number));
        }
        self.faults.add("out-of-range", format!("`{path}` is {}, not {number}", kind.article()), span, None);
        None
    }

    fn quarter(&mut self, text: &str, path: &str, span: Span) -> Option<Value> {
        let quarter: Quarter = match text.parse() {
            Ok(quarter) => quarter,
            Err(message) => {
                self.faults.add("date", message, span, None);
                return None;
            }
        };
        let Some((start, quarters)) = self.horizon else { return Some(Value::Quarter(quarter)) };
        if (0..i64::try_from(quarters).unwrap_or(i64::MAX)).contains(&quarter.since(start)) {
            return Some(Value::Quarter(quarter));
        }
        let last = start.plus(u32::try_from(quarters.saturating_sub(1)).unwrap_or(0));
        let message = format!("`{path}` is {quarter}, but the plan runs from {start} to {last}");
        self.faults.add("date-out-of-range", message, span, None);
        None
    }
}

impl Table {
    fn get(&self, name: &str) -> Option<&(&'static str, Value, Span)> {
        self.values.iter().find(|(key, _, _)| *key == name)
    }

    /// Where a value stands; the table if it is not given.
    pub(in crate::fleet) fn place(&self, name: &str) -> Span {
        self.get(name).map_or(self.span, |(_, _, span)| *span)
    }

    /// Whether a value is given and right.
    pub(in crate::fleet) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// A number in base units.
    pub(in crate::fleet) fn number(&self, name: &str) -> Option<f64> {
        self.get(name)
            .and_then(|(_, value, _)| if let Value::Number(number) = value { Some(*number) } else { None })
    }

    /// A whole number.
    pub(in crate::fleet) fn count(&self, name: &str) -> Option<u32> {
        self.number(name).map(|number| number as u32)
    }

    /// One number a quarter.
    pub(in crate::fleet) fn series(&self, name: &str, quarters: usize) -> Option<Vec<f64>> {
        match self.get(name).map(|(_, value, _)| value) {
            Some(Value::Series(numbers)) => Some(numbers.clone()),
            Some(Value::Number(number)) => Some(vec![*number; quarters]),
            _ => None,
        }
    }

    /// A text with its place.
    pub(in crate::fleet) fn text(&self, name: &str) -> Option<Named> {
        self.get(name).and_then(|(_, value, span)| match value {
            Value::Text(text) => Some(Named { name: text.clone(), span: *span }),
            _ => None,
        })
    }

    /// Texts with their places; none if not given.
    pub(in crate::fleet) fn texts(&self, name: &str) -> Vec<Named> {
        self.get(name).map_or_else(Vec::new, |(_, value, _)| match value {
            Value::Texts(texts) => texts.clone(),
            _ => Vec::new(),
        })
    }

    /// A quarter.
    pub(in crate::fleet) fn quarter(&self, name: &str) -> Option<Quarter> {
        self.get(name)
            .and_then(|(_, value, _)| if let Value::Quarter(quarter) = value { Some(*quarter) } else { None })
    }

    /// The tables of a section in it, in the order of the file.
    pub(in crate::fleet) fn tables<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Table> {
        self.inner.iter().filter(move |(section, _)| *section == name).map(|(_, table)| table)
    }
}

//! Diagnostics as plain data: what is wrong, where, and what would fix it.
//!
//! Nothing here prints. The shell renders a [`Diagnostic`] for a terminal; the same value serialises for any other
//! reader.

use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// A text that diagnostics point into, and the name a person knows it by (a path, or `catalog:h20`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    name: Arc<str>,
    text: Arc<str>,
}

/// A half-open byte range of a [`SourceText`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The answer cannot be given.
    Error,
    /// The answer is given, with a doubt.
    Warning,
}

/// A place in a source and what is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The text pointed into.
    pub source: SourceText,
    /// Where.
    pub span: Span,
    /// What is said there.
    pub message: String,
}

/// One mistake or doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable identifier such as `chip-unknown-key`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; the first is the primary place. Empty where there is no text to point into.
    pub labels: Vec<Label>,
    /// What would fix it.
    pub help: Option<String>,
}

/// At least one error, and whatever warnings came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl SourceText {
    /// A named text.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// The name a person knows the text by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both counted from one; the column counts characters.
    pub fn line_column(&self, byte: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(byte)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl Span {
    /// The byte range `start..end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

impl From<std::ops::Range<usize>> for Span {
    fn from(range: std::ops::Range<usize>) -> Self {
        Self::new(range.start, range.end)
    }
}

impl Diagnostic {
    /// An error without a place.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), labels: Vec::new(), help: None }
    }

    /// A warning without a place.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Points at a place.
    #[must_use]
    pub fn at(mut self, source: &SourceText, span: Span, message: impl Into<String>) -> Self {
        self.labels.push(Label { source: source.clone(), span, message: message.into() });
        self
    }

    /// Offers a fix.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Self(vec![one])
    }
}

/// Both values, or the faults of both.
///
/// # Errors
/// If either failed.
pub fn both<A, B>(one: Result<A, Diagnostics>, other: Result<B, Diagnostics>) -> Result<(A, B), Diagnostics> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let faults = [one.err(), other.err()].into_iter().flatten().flat_map(|faults| faults.0);
            Err(Diagnostics(faults.collect()))
        }
    }
}

/// All values, or the faults of all, each told once.
///
/// # Errors
/// If any failed.
pub fn all<T>(results: impl IntoIterator<Item = Result<T, Diagnostics>>) -> Result<Vec<T>, Diagnostics> {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(more) => more.0.into_iter().for_each(|fault| {
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(Diagnostics(faults)) }
}

impl fmt::Display for Diagnostic {
    /// One line, `file:line:column: error: message`, for logs and tests; the shell draws the full form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = self.labels.first() {
            let (line, column) = label.source.line_column(label.span.start);
            write!(f, "{}:{line}:{column}: ", label.source.name())?;
        }
        let severity = if self.severity == Severity::Error { "error" } else { "warning" };
        write!(f, "{severity}: {}", self.message)?;
        self.labels.first().map_or(Ok(()), |label| {
            if label.message.is_empty() { Ok(()) } else { write!(f, " ({})", label.message) }
        })?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, "; {help}"))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}
impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_characters_from_one() {
        let source = SourceText::new("x.toml", "a = 1\nµ = 2\n");
        let byte =
            source.text().find('=').map(|first| source.text()[first + 1..].find('=').unwrap() + first + 1);
        assert_eq!(source.line_column(byte.unwrap()), (2, 3));
    }

    #[test]
    fn faults_of_several_values_are_told_together() {
        let fault = |message: &str| Diagnostics::from(Diagnostic::error("x", message));
        let told = all([Ok(1), Err(fault("one")), Ok(2), Err(fault("two"))]).unwrap_err();
        assert_eq!(told.to_string(), "error: one\nerror: two");
        assert_eq!(both(Err::<u32, _>(fault("one")), Ok(2)).unwrap_err(), fault("one"));
        assert_eq!(both(all([Ok(1), Ok(2)]), Ok("b")), Ok((vec![1, 2], "b")));
    }

    #[test]
    fn the_short_form_names_place_fault_and_fix() {
        let source = SourceText::new("x.toml", "l2 = \"4\"\n");
        let diagnostic = Diagnostic::error("unit-missing", "`4` has no unit")
            .at(&source, Span::new(5, 8), "a size")
            .help("write \"4 MiB\"");
        assert_eq!(diagnostic.to_string(), "x.toml:1:6: error: `4` has no unit (a size); write \"4 MiB\"");
    }
}

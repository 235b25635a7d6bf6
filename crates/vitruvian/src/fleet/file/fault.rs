//! The sentences in which a fleet file's mistakes are told.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};
use vitruvian_hardware::did_you_mean;

/// Mistakes so far.
pub(in crate::fleet) struct Faults<'a> {
    /// The file.
    pub(in crate::fleet) source: &'a SourceText,
    all: Vec<Diagnostic>,
}

impl<'a> Faults<'a> {
    pub(in crate::fleet) fn new(source: &'a SourceText) -> Self {
        Self { source, all: Vec::new() }
    }

    /// Something is wrong at a place.
    pub(in crate::fleet) fn add(
        &mut self,
        code: &'static str,
        message: String,
        span: Span,
        help: Option<String>,
    ) {
        let fault = Diagnostic::error(code, message).at(self.source, span, "");
        self.all.push(match help {
            Some(help) => fault.help(help),
            None => fault,
        });
    }

    /// Takes faults of a lookup and puts them at their place.
    pub(in crate::fleet) fn named(&mut self, faults: Diagnostics, span: Span) {
        self.all.extend(faults.0.into_iter().map(|fault| fault.at(self.source, span, "named here")));
    }

    /// A word that is none of those there are.
    pub(in crate::fleet) fn unknown(&mut self, what: &str, word: &str, span: Span, known: &[&str]) {
        let help = did_you_mean(word, known.iter().copied())
            .unwrap_or_else(|| format!("there are {}", known.join(", ")));
        self.add("unknown-name", format!("no {what} of this file is called `{word}`"), span, Some(help));
    }

    /// Nothing, or all mistakes in the order in which they stand in the file.
    pub(in crate::fleet) fn done(mut self) -> Result<(), Diagnostics> {
        if self.all.is_empty() {
            return Ok(());
        }
        let place = |fault: &Diagnostic| fault.labels.first().map_or(0, |label| label.span.start);
        self.all.sort_by_key(place);
        Err(Diagnostics(self.all))
    }
}

//! ANSI colour, or none.

use crate::cell::Tone;

/// Whether to colour.
#[derive(Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

/// How a piece of text looks: an ANSI "select graphic rendition" code, or none.
#[derive(Clone, Copy)]
pub(super) struct Style(Option<&'static str>);

impl Style {
    pub(super) const NONE: Self = Self(None);
    pub(super) const TITLE: Self = Self(Some("1"));
    pub(super) const DIM: Self = Self(Some("2"));

    pub(super) fn of(tone: Tone) -> Self {
        match tone {
            Tone::Plain => Self::NONE,
            Tone::Strong => Self::TITLE,
            Tone::Dim => Self::DIM,
            Tone::Good => Self(Some("32")),
            Tone::Bad => Self(Some("31")),
        }
    }
}

impl Paint {
    pub(super) fn apply(self, text: &str, style: Style) -> String {
        match style.0 {
            Some(code) if self.0 && !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

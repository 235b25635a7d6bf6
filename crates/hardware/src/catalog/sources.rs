//! What the short names of sources stand for.

use std::collections::BTreeSet;

use toml::de::DeTable;

use crate::provenance::Figure;

/// The file that says what each name stands for.
static SOURCES: &str = include_str!("../../../../catalog/sources.toml");

/// A source that some figure names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// The short name: `"AICNPU"`.
    pub id: String,
    /// What it stands for, in full.
    pub text: String,
}

/// Every source that the figures or their alternatives name, in alphabetical order. A name that the catalog does not
/// know is a user's own and stands for itself.
pub fn citations(figures: &[Figure]) -> Vec<Citation> {
    let known = DeTable::parse(SOURCES).ok();
    let text = |id: &str| known.as_ref()?.get_ref().get(id)?.get_ref().as_str().map(str::to_owned);
    let named: BTreeSet<&str> = figures.iter().flat_map(names).collect();
    let cite = |id: &str| Citation { id: id.to_owned(), text: text(id).unwrap_or_else(|| id.to_owned()) };
    named.into_iter().map(cite).collect()
}

fn names(figure: &Figure) -> impl Iterator<Item = &str> {
    let others = figure.provenance.alternatives.iter().flat_map(|other| other.source.split(','));
    figure.provenance.sources().chain(others.map(str::trim))
}

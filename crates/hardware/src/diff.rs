//! Two chips, figure by figure.

use crate::chip::Chip;
use crate::provenance::Figure;

/// A figure that differs between two chips, or that only one of them has.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Dotted key: `"hbm.bandwidth"`, or that of a derived figure: `"peak.bf16"`.
    pub key: String,
    /// The figure of the first chip.
    pub left: Option<Figure>,
    /// The figure of the second chip.
    pub right: Option<Figure>,
    /// Second over first, where both are numbers and the first is not zero.
    pub ratio: Option<f64>,
}

/// The figures in which two chips differ: those of their files, then the derived ones.
pub fn diff(left: &Chip, right: &Chip) -> Vec<Difference> {
    let mut rows = differences(&left.figures, &right.figures);
    rows.extend(differences(&left.derived_figures(), &right.derived_figures()));
    rows
}

/// Figures of both lists in the order of the first, then those that only the second has.
fn differences(left: &[Figure], right: &[Figure]) -> Vec<Difference> {
    let find = |figures: &[Figure], key: &str| figures.iter().find(|figure| figure.key == key).cloned();
    let only_right = right.iter().filter(|figure| find(left, &figure.key).is_none());
    let keys = left.iter().chain(only_right).map(|figure| figure.key.clone());
    keys.filter_map(|key| difference(find(left, &key), find(right, &key), key)).collect()
}

fn difference(left: Option<Figure>, right: Option<Figure>, key: String) -> Option<Difference> {
    let number = |figure: &Option<Figure>| figure.as_ref().and_then(|figure| figure.number);
    let text = |figure: &Option<Figure>| figure.as_ref().map(|figure| figure.value.clone());
    let (a, b) = (number(&left), number(&right));
    let same = if a.is_some() || b.is_some() { a == b } else { text(&left) == text(&right) };
    if same {
        return None;
    }
    let ratio = a.zip(b).filter(|(a, _)| *a != 0.0).map(|(a, b)| b / a);
    Some(Difference { key, left, right, ratio })
}

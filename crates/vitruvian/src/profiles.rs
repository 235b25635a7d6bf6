//! Which fitted profiles an answer rests on.

use std::collections::BTreeMap;

use vitruvian_cost::{Family, ProfileSet};
use vitruvian_engine::TaskCost;

use crate::answer::ProfileNote;

/// The profiles behind the operators of a step, each once, by family and precision.
pub(crate) fn profile_notes<'a>(
    profiles: &ProfileSet,
    lines: impl IntoIterator<Item = &'a TaskCost>,
) -> Vec<ProfileNote> {
    let mut notes = BTreeMap::new();
    for (family, precision) in lines.into_iter().filter_map(|line| Family::of(&line.operator)) {
        let profile = profiles.profile(family, precision);
        let source = match &profile.borrowed_from {
            Some(borrowed) => format!(
                "borrowed from {} {} (sigma widened by {:.2}): {}",
                borrowed.chip, borrowed.precision, borrowed.widening, profile.source
            ),
            None => profile.source.clone(),
        };
        let note = ProfileNote {
            family: family.to_string(),
            precision: precision.to_string(),
            sigma: profile.sigma,
            points: profile.points,
            source,
        };
        notes.insert((note.family.clone(), note.precision.clone()), note);
    }
    notes.into_values().collect()
}

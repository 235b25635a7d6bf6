//! Profiles as the TOML text of a profile file.

use std::fmt::Write;

use vitruvian_cost::profile::Errors;
use vitruvian_cost::{Profile, Residency};
use vitruvian_quantity::significant;

/// The text of a profile file of one chip.
pub fn toml(chip: &str, profiles: &[Profile<Vec<f64>>]) -> String {
    let mut text = format!("chip = {}\n", quoted(chip));
    for profile in profiles {
        text.push('\n');
        // Writing to a string cannot fail.
        let _ = section(&mut text, profile);
    }
    text
}

fn section(text: &mut String, profile: &Profile<Vec<f64>>) -> std::fmt::Result {
    let number = |value: f64| significant(value, 4);
    writeln!(text, "[[profile]]")?;
    writeln!(text, "family = {}", quoted(profile.family.name()))?;
    writeln!(text, "precision = {}", quoted(&profile.precision.to_string()))?;
    let (software, version) = (quoted(&profile.stack.software), quoted(&profile.stack.version));
    writeln!(text, "stack = {{ software = {software}, version = {version} }}")?;
    writeln!(text, "source = {}", quoted(&profile.source))?;
    if let Residency::Rotating { copies } = profile.residency {
        writeln!(text, "copies = {copies}")?;
    }
    if let Some(cap) = profile.cap {
        writeln!(text, "cap = {}", quoted(&cap.to_string()))?;
    }
    writeln!(text, "points = {}", profile.points)?;
    writeln!(text, "sigma = {}", number(profile.sigma))?;
    for (key, errors) in [("in_fit", profile.in_fit), ("held_out", profile.held_out)] {
        if let Some(Errors { mean, median, p90, within }) = errors {
            let (mean, median, p90) = (number(mean), number(median), number(p90));
            let within = within.map_or_else(String::new, |share| format!(", within = {}", number(share)));
            writeln!(text, "{key} = {{ mean = {mean}, median = {median}, p90 = {p90}{within} }}")?;
        }
    }
    writeln!(text, "[profile.parameters]")?;
    for (parameter, value) in profile.family.parameters().iter().zip(&profile.parameters) {
        let value = number(value.clamp(parameter.lower, parameter.upper));
        writeln!(text, "{} = {{ value = {value}, unit = {} }}", parameter.name, quoted(parameter.unit))?;
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

//! Reading a profile file: TOML in, checked profiles or diagnostics out.

use serde::Deserialize;
use toml::Spanned;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_quantity::Watts;

use super::{Checked, Errors, Profile, Stack};
use crate::family::Family;
use crate::parameters::Parameter;
use crate::precision::Precision;
use crate::timing::Residency;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    chip: String,
    #[serde(default)]
    profile: Vec<RawProfile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    family: Spanned<String>,
    precision: Spanned<String>,
    stack: Stack,
    source: String,
    sigma: Spanned<f64>,
    points: u32,
    in_fit: Option<Errors>,
    held_out: Option<Errors>,
    /// Sets of operands that the benchmark rotated over; absent where it flushed the cache.
    copies: Option<u32>,
    /// Power cap of the package that was measured.
    cap: Option<Watts>,
    parameters: Spanned<std::collections::BTreeMap<Spanned<String>, RawValue>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawValue {
    value: Spanned<f64>,
    unit: Spanned<String>,
}

/// Reads the profiles of one file.
///
/// # Errors
/// Every mistake: what is not TOML, an unknown family, precision or parameter, a missing one, a wrong unit, a value out
/// of its bounds.
pub fn read(source: &SourceText) -> Checked<Vec<Profile<Vec<f64>>>> {
    let raw: RawFile = toml::from_str(source.text()).map_err(|error| syntax(source, &error))?;
    let mut faults = Vec::new();
    let read =
        raw.profile.iter().filter_map(|profile| check(source, &raw.chip, profile, &mut faults)).collect();
    if faults.is_empty() { Ok(read) } else { Err(Diagnostics(faults)) }
}

pub(super) fn syntax(source: &SourceText, error: &toml::de::Error) -> Diagnostics {
    let span = error.span().unwrap_or(0..0).into();
    Diagnostic::error("profile-syntax", error.message()).at(source, span, "").into()
}

fn check(
    source: &SourceText,
    chip: &str,
    raw: &RawProfile,
    faults: &mut Vec<Diagnostic>,
) -> Option<Profile<Vec<f64>>> {
    let word = |word: &Spanned<String>, code, message| {
        Diagnostic::error(code, message).at(source, word.span().into(), "")
    };
    let parsed = raw.family.get_ref().parse::<Family>();
    let family = parsed.map_err(|why| faults.push(word(&raw.family, "profile-family", why))).ok()?;
    let parsed = Precision::parse(family, raw.precision.get_ref());
    let precision = parsed.map_err(|why| faults.push(word(&raw.precision, "profile-precision", why))).ok();
    let sigma = *raw.sigma.get_ref();
    if !(sigma > 0.0 && sigma < 3.0) {
        let fault = Diagnostic::error("profile-sigma", format!("sigma is {sigma}, not between 0 and 3"));
        faults.push(fault.at(source, raw.sigma.span().into(), ""));
    }
    let parameters = values(source, family, raw, faults)?;
    Some(Profile {
        chip: chip.to_owned(),
        family,
        precision: precision?,
        stack: raw.stack.clone(),
        parameters,
        sigma,
        points: raw.points,
        in_fit: raw.in_fit,
        held_out: raw.held_out,
        residency: raw.copies.map_or(Residency::Cold, |copies| Residency::Rotating { copies }),
        cap: raw.cap,
        source: raw.source.clone(),
        borrowed_from: None,
    })
}

/// The values in the family's order; nothing if one is missing.
fn values(
    source: &SourceText,
    family: Family,
    raw: &RawProfile,
    faults: &mut Vec<Diagnostic>,
) -> Option<Vec<f64>> {
    let list = family.parameters();
    let names = || list.iter().map(|parameter| parameter.name).collect::<Vec<_>>().join(", ");
    let given = raw.parameters.get_ref();
    for name in given.keys().filter(|name| list.iter().all(|parameter| parameter.name != name.get_ref())) {
        let message = format!("`{}` is not a parameter of {family}", name.get_ref());
        let fault = Diagnostic::error("profile-unknown-parameter", message).help(format!("use {}", names()));
        faults.push(fault.at(source, name.span().into(), ""));
    }
    let found = |parameter: &Parameter| given.iter().find(|(name, _)| name.get_ref() == parameter.name);
    let missing: Vec<&str> = list.iter().filter(|p| found(p).is_none()).map(|p| p.name).collect();
    if !missing.is_empty() {
        let message = format!("a {family} profile lacks {}", missing.join(", "));
        let fault = Diagnostic::error("profile-missing-parameter", message);
        faults.push(fault.at(source, raw.parameters.span().into(), ""));
        return None;
    }
    let pairs = list.iter().filter_map(|parameter| found(parameter).map(|(_, value)| (parameter, value)));
    Some(pairs.map(|(parameter, value)| checked(source, parameter, value, faults)).collect())
}

fn checked(source: &SourceText, parameter: &Parameter, raw: &RawValue, faults: &mut Vec<Diagnostic>) -> f64 {
    let (value, unit) = (*raw.value.get_ref(), raw.unit.get_ref());
    if unit != parameter.unit {
        let message = format!("`{}` is stated in `{}`, not in `{unit}`", parameter.name, parameter.unit);
        faults.push(Diagnostic::error("profile-unit", message).at(source, raw.unit.span().into(), ""));
    }
    if !(value >= parameter.lower && value <= parameter.upper) {
        let (lower, upper) = (parameter.lower, parameter.upper);
        let message = format!("`{}` is {value}, not between {lower} and {upper} {unit}", parameter.name);
        let fault = Diagnostic::error("profile-range", message).help(parameter.meaning);
        faults.push(fault.at(source, raw.value.span().into(), ""));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> String {
        read(&SourceText::new("p.toml", text)).unwrap_err().to_string()
    }

    const HEAD: &str = "chip = \"x\"\n[[profile]]\nfamily = \"vector\"\nprecision = \"bf16\"\nsource = \"s\"\nsigma = 0.1\n\
                        points = 1\nstack = { software = \"a\", version = \"1\" }\n";

    #[test]
    fn an_unknown_family_names_the_known_ones() {
        let text = HEAD.replace("vector", "vectr") + "parameters = {}\n";
        assert!(
            faults(&text)
                .starts_with("p.toml:3:10: error: `vectr` is not an operator family: use one of gemm,")
        );
    }

    #[test]
    fn several_mistakes_are_reported_at_once() {
        let text = format!("{HEAD}[profile.parameters]\nlunch = {{ value = 1.0, unit = \"us\" }}\n");
        let faults = faults(&text);
        assert!(faults.contains("`lunch` is not a parameter of vector; use launch,"), "{faults}");
        assert!(faults.contains("a vector profile lacks launch,"), "{faults}");
    }
}

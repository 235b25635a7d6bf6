//! Which profile answers for which chip, and how much wider it becomes.
#![allow(clippy::unwrap_used)]

use vitruvian_cost::{Family, Library, Precision, ProfileSet};
use vitruvian_diagnostics::SourceText;
use vitruvian_hardware::{Chip, catalog};
use vitruvian_model::Scheme;

fn chip(name: &str) -> Chip {
    catalog::chip(name).unwrap()
}

fn profiles(chip: &Chip) -> ProfileSet {
    Library::catalog().unwrap().profiles(chip, None).unwrap()
}

#[test]
fn every_chip_answers_for_every_family_and_precision() {
    for name in catalog::names() {
        let profiles = profiles(&chip(name));
        for family in Family::ALL {
            for precision in Precision::all(family) {
                let profile = profiles.profile(family, precision);
                assert!(
                    profile.sigma > 0.0 && profile.sigma < 1.0,
                    "{name} {family} {precision}: {}",
                    profile.sigma
                );
                let own = profile.chip == name && profile.precision == precision;
                assert_eq!(profile.borrowed_from.is_none(), own, "{name} {family} {precision}");
            }
        }
    }
}

#[test]
fn a_chips_own_profile_comes_first() {
    let profile = profiles(&chip("h20")).profile(Family::Gemm, Precision::Scheme(Scheme::Fp8Block));
    assert_eq!((profile.chip.as_str(), profile.borrowed_from), ("h20", None));
}

#[test]
fn a_relative_lends_with_the_declared_widening() {
    let precision = Precision::Scheme(Scheme::Fp8Block);
    let own = profiles(&chip("h20")).profile(Family::Gemm, precision);
    let lent = profiles(&chip("h20-3e")).profile(Family::Gemm, precision);
    let borrowed = lent.borrowed_from.unwrap();
    assert_eq!((borrowed.chip.as_str(), borrowed.widening), ("h20", 0.03));
    // σ² = σ_own² + 0.03²
    assert!((lent.sigma - own.sigma.hypot(0.03)).abs() < 1e-12);
    assert_eq!(lent.parameters, own.parameters);
}

#[test]
fn a_users_chip_borrows_from_the_one_it_extends() {
    let own = Chip { name: "h20-wide".to_owned(), lineage: vec!["h20".to_owned()], ..chip("h20") };
    let profile = profiles(&own).profile(Family::Gemm, Precision::Scheme(Scheme::Fp8Block));
    assert_eq!(profile.borrowed_from.unwrap().chip, "h20");
}

#[test]
fn a_users_profile_takes_the_place_of_the_catalogs() {
    let vector = Family::Vector.parameters();
    let lines: Vec<String> = vector
        .iter()
        .map(|p| {
            format!("{} = {{ value = {}, unit = \"{}\" }}", p.name, f64::midpoint(p.lower, p.upper), p.unit)
        })
        .collect();
    let text = format!(
        "chip = \"h20\"\n[[profile]]\nfamily = \"vector\"\nprecision = \"bf16\"\nsource = \"mine\"\nsigma = 0.07\npoints = 9\n\
         stack = {{ software = \"own\", version = \"1\" }}\n[profile.parameters]\n{}\n",
        lines.join("\n")
    );
    let mut library = Library::catalog().unwrap();
    library.add(&SourceText::new("mine.toml", text)).unwrap();
    let profile = library.profiles(&chip("h20"), None).unwrap().profile(Family::Vector, Precision::VECTOR);
    assert_eq!((profile.source.as_str(), profile.sigma, profile.borrowed_from), ("mine", 0.07, None));
}

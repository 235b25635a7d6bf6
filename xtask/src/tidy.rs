//! The rules that no compiler checks, one file each.

mod catalog;
mod dependencies;
mod figures;
mod layers;
mod lengths;
mod links;
mod panics;
mod paths;

use crate::repository::Repository;

/// Everything that breaks a rule, as `path:line: what`.
pub(crate) fn findings(repository: &Repository) -> Vec<String> {
    let checks: [fn(&Repository) -> Vec<String>; 8] = [
        layers::check,
        dependencies::check,
        lengths::check,
        panics::check,
        figures::check,
        catalog::check,
        links::check,
        paths::check,
    ];
    checks.iter().flat_map(|check| check(repository)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_tidy() {
        let repository = Repository::read().unwrap();
        let findings = findings(&repository);
        assert!(findings.is_empty(), "{}", findings.join("\n"));
    }
}

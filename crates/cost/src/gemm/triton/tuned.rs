//! Experts for which a release of vLLM carries a tuned configuration: `catalog/profiles/tuned-experts.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use vitruvian_hardware::Chip;
use vitruvian_model::Scheme;
use vitruvian_model::operator::GroupedGemm;

const LIST: &str = include_str!("../../../../../catalog/profiles/tuned-experts.toml");

/// The list; empty if the embedded file had a mistake, which a test rules out.
static TUNED: LazyLock<Vec<Tuned>> = LazyLock::new(|| read().map(|list| list.tuned).unwrap_or_default());

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    tuned: Vec<Tuned>,
}

/// Experts of one chip and scheme.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tuned {
    chip: String,
    scheme: String,
    #[expect(dead_code, reason = "for those who read the file")]
    source: String,
    #[expect(dead_code, reason = "for those who read the file")]
    grade: String,
    /// Experts on a rank, and the inner width of one of them there.
    shapes: Vec<(u32, u32)>,
}

fn read() -> Result<List, toml::de::Error> {
    toml::from_str(LIST)
}

/// Whether a tuned file is found for the experts and their inner width on this rank. A chip that extends another finds its
/// files.
pub(super) fn has(chip: &Chip, op: &GroupedGemm) -> bool {
    let alike = |tuned: &&Tuned| {
        (tuned.chip == chip.name || chip.lineage.contains(&tuned.chip))
            && tuned.scheme.parse::<Scheme>() == Ok(op.scheme)
    };
    TUNED.iter().filter(alike).any(|tuned| tuned.shapes.contains(&(op.local_experts, op.inner)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitruvian_hardware::catalog;
    use vitruvian_model::{Imbalance, Sparsity};

    /// Qwen3-30B-A3B whole: 128 experts of 768. The H20 has a file for them in 16 bits and none for 127.
    #[test]
    fn a_chip_and_its_descendants_find_its_files() {
        assert!(read().unwrap().tuned.iter().all(|tuned| tuned.scheme.parse::<Scheme>().is_ok()));
        let op = GroupedGemm {
            tokens: 64,
            topk: 8,
            experts: 128,
            local_experts: 128,
            n: 1536,
            k: 2048,
            inner: 768,
            scheme: Scheme::Bf16,
            sparsity: Sparsity::Dense,
            imbalance: Imbalance::Uniform,
        };
        let mut chip = catalog::chip("h20").unwrap();
        assert!(has(&chip, &op));
        assert!(!has(&chip, &GroupedGemm { local_experts: 127, ..op }));
        assert!(!has(&chip, &GroupedGemm { scheme: Scheme::W4A16, ..op }));
        chip.lineage.push(std::mem::replace(&mut chip.name, "what-if".to_owned()));
        assert!(has(&chip, &op));
    }
}

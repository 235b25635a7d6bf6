//! The training stacks that the binary knows.

use vitruvian_diagnostics::{Diagnostic, SourceText};

use crate::stack::{Stack, parse};

/// Stack files, embedded, in the order in which a chip's default is looked for.
const FILES: [(&str, &str); 10] = [
    ("megatron-lm", include_str!("../../../catalog/training/megatron-lm.toml")),
    ("mindspeed-llm", include_str!("../../../catalog/training/mindspeed-llm.toml")),
    ("mindformers", include_str!("../../../catalog/training/mindformers.toml")),
    ("torchtitan", include_str!("../../../catalog/training/torchtitan.toml")),
    ("llm-foundry", include_str!("../../../catalog/training/llm-foundry.toml")),
    ("torchtitan-eager", include_str!("../../../catalog/training/torchtitan-eager.toml")),
    ("deepspeed", include_str!("../../../catalog/training/deepspeed.toml")),
    ("megatron-lm-2023", include_str!("../../../catalog/training/megatron-lm-2023.toml")),
    ("hai-llm", include_str!("../../../catalog/training/hai-llm.toml")),
    ("megatron-2022", include_str!("../../../catalog/training/megatron-2022.toml")),
];

/// Names of all stacks.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The stack of a name on a chip, whose relatives may lend their figures.
///
/// # Errors
/// A diagnostic that names the nearest stack and lists all.
pub fn stack(name: &str, chip: &str, relatives: &[String]) -> Result<Stack, Diagnostic> {
    let Some((name, text)) = FILES.iter().find(|(known, _)| *known == name) else {
        let list: Vec<&str> = names().collect();
        let near = names().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
        return Err(Diagnostic::error("stack-unknown", format!("there is no training stack `{name}`"))
            .help(format!("did you mean {}? There are {}", near.unwrap_or_default(), list.join(", "))));
    };
    parse(name, &SourceText::new(format!("catalog/training/{name}.toml"), *text), chip, relatives)
}

/// The stack that a chip of this maker is trained with unless another is asked for.
///
/// # Errors
/// A diagnostic if no stack runs on chips of this maker.
pub fn default_for(vendor: &str, chip: &str, relatives: &[String]) -> Result<Stack, Diagnostic> {
    for name in names() {
        let stack = stack(name, chip, relatives)?;
        if stack.vendors.iter().any(|known| known == vendor) {
            return Ok(stack);
        }
    }
    Err(Diagnostic::error(
        "stack-none",
        format!("no training stack of the catalog runs on chips of `{vendor}`"),
    )
    .help("name one with --stack"))
}

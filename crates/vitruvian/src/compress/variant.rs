//! The schemes of a question: a format, and a pattern of zeros.

use vitruvian_compression::export::Recipe;
use vitruvian_compression::method::Pattern;
use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::Chip;
use vitruvian_model::{Scheme, Sparsity};
use vitruvian_quantity::Dtype;

use super::CompressStudy;

/// A format of weights and activations, and a pattern of zeros.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    /// `w8a8-dynamic+4:2`.
    pub(crate) name: String,
    /// The format as engines run it.
    pub(crate) scheme: Scheme,
    /// The pattern as engines run it.
    pub(crate) sparsity: Sparsity,
    /// The format as weights are rounded to it; none keeps them.
    pub(crate) recipe: Option<Recipe>,
}

impl Variant {
    /// The pattern in which weights become zero.
    pub(crate) fn pattern(&self) -> Option<Pattern> {
        (self.sparsity != Sparsity::Dense).then_some(Pattern::TWO_OF_FOUR)
    }

    /// Whether it keeps all as it is.
    pub(crate) fn is_plain(&self) -> bool {
        self.recipe.is_none() && self.sparsity == Sparsity::Dense
    }
}

/// The schemes named, or those that the chips suggest; 16 bits come first.
pub(crate) fn variants(study: &CompressStudy<'_>, chips: &[&Chip]) -> Result<Vec<Variant>, Diagnostics> {
    let names = if study.schemes.is_empty() { suggested(chips) } else { study.schemes.clone() };
    let (mut found, mut faults) = (vec![plain(chips)], Vec::new());
    for name in &names {
        match named(name, study.group) {
            Err(fault) => faults.push(fault),
            Ok(variant) if found.contains(&variant) || variant.is_plain() => {}
            Ok(variant) => found.push(variant),
        }
    }
    if faults.is_empty() { Ok(found) } else { Err(Diagnostics(faults)) }
}

/// 16 bits: BF16 where any chip multiplies it.
fn plain(chips: &[&Chip]) -> Variant {
    let brain = chips.iter().any(|chip| chip.compute.matrix.supports(Dtype::Bf16));
    let scheme = if brain { Scheme::Bf16 } else { Scheme::Fp16 };
    Variant { name: scheme.name().to_owned(), scheme, sparsity: Sparsity::Dense, recipe: None }
}

/// What any of the chips multiplies natively, the weight-only schemes, and the sparsity that a chip has.
fn suggested(chips: &[&Chip]) -> Vec<String> {
    let can = |dtype| chips.iter().any(|chip| chip.compute.matrix.supports(dtype));
    let native = [
        ("w8a8-dynamic", Dtype::Int8),
        ("fp8-block", Dtype::Fp8),
        ("fp8", Dtype::Fp8),
        ("mxfp8", Dtype::Mxfp8),
        ("nvfp4", Dtype::Nvfp4),
        ("mxfp4", Dtype::Mxfp4),
    ];
    let mut names: Vec<String> =
        native.into_iter().filter(|(_, dtype)| can(*dtype)).map(|(name, _)| name.to_owned()).collect();
    names.extend(["w8a16", "w4a16"].map(str::to_owned));
    let has = |sparsity: &str| {
        chips.iter().any(|chip| {
            let scheme = if sparsity == "2:4" { Scheme::Bf16 } else { Scheme::W8A8Dynamic };
            sparsity
                .parse()
                .is_ok_and(|sparsity| vitruvian_cost::execution::of(scheme, sparsity, chip).is_ok())
        })
    };
    if has("2:4") {
        names.push("bf16+2:4".to_owned());
    }
    if has("4:2") {
        names.push("w8a8-dynamic+4:2".to_owned());
    }
    names
}

/// The scheme of a name.
pub(super) fn named(text: &str, group: usize) -> Result<Variant, Diagnostic> {
    let (name, pattern) = text.split_once('+').unwrap_or((text, "dense"));
    let unknown = || {
        let names = Recipe::NAMES.join(", ");
        Diagnostic::error(
            "scheme-unknown",
            format!("`{text}` is not a scheme that weights can be rounded to"),
        )
        .help(format!("use one of bf16, {names}, with +2:4 or +4:2 for zeros"))
    };
    let scheme: Scheme = name.parse().map_err(|_| unknown())?;
    let sparsity: Sparsity =
        pattern.parse().map_err(|message: String| Diagnostic::error("sparsity-unknown", message))?;
    let recipe = Recipe::named(name, group);
    if recipe.is_none() && !matches!(scheme, Scheme::Bf16 | Scheme::Fp16) {
        return Err(unknown());
    }
    Ok(Variant { name: text.to_owned(), scheme, sparsity, recipe })
}

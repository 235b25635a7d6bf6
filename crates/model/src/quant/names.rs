//! Names of modules in checkpoints, and the patterns that pick them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::ffn::Ffn;
use crate::mixer::Mixer;
use crate::model::{Layer, Model};

/// Classes of modules that a checkpoint may quantise differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Attention,
    DenseFfn,
    Experts,
    SharedExperts,
    LmHead,
}

/// What stands before `layers.N.` in the checkpoints of different families.
const PREFIXES: [&str; 5] = ["", "model.", "model.language_model.", "language_model.model.", "backbone."];

impl Class {
    /// Representative modules, as different families call them.
    fn suffixes(self, family: &str) -> &'static [&'static str] {
        match self {
            // Gemma's experts stand beside a dense layer, which is `mlp`.
            Self::Experts if family == "gemma4" => &["experts", "moe.experts"],
            Self::SharedExperts if family == "gemma4" => &["mlp.up_proj"],
            Self::Attention => &[
                "self_attn.q_proj",
                "self_attn.o_proj",
                "linear_attn.out_proj",
                "linear_attn.in_proj_qkv",
                "attn.wq_b",
                "mixer.in_proj",
                "mixer.q_proj",
            ],
            Self::DenseFfn => &["mlp.up_proj", "mixer.up_proj"],
            Self::Experts => &[
                "mlp.experts.0.up_proj",
                "mlp.experts",
                "block_sparse_moe.experts.0.w1",
                "ffn.experts.0.w1",
                "ffn.experts",
                "mixer.experts.0.up_proj",
            ],
            Self::SharedExperts => &[
                "mlp.shared_experts.up_proj",
                "mlp.shared_expert.up_proj",
                "block_sparse_moe.shared_experts.up_proj",
                "ffn.shared_experts.w1",
                "mixer.shared_experts.up_proj",
            ],
            Self::LmHead => &["lm_head", "head", "language_model.lm_head"],
        }
    }

    fn occurs_in(self, layer: &Layer) -> bool {
        match self {
            Self::Attention => layer.mixer != Mixer::None,
            Self::DenseFfn => matches!(layer.ffn, Ffn::Dense(_)),
            Self::Experts => matches!(layer.ffn, Ffn::Moe(_)),
            Self::SharedExperts => matches!(layer.ffn, Ffn::Moe(moe) if moe.shared > 0),
            Self::LmHead => false,
        }
    }
}

/// Layers of a class that are looked at; lists treat nearly all layers of a class alike.
const SAMPLE: usize = 8;

/// For a sample of the layers that have the class (or once, for the LM head): names its modules may go by.
pub(super) fn of_class(class: Class, model: &Model) -> impl Iterator<Item = Vec<String>> {
    let suffixes = class.suffixes(&model.family);
    let head = (class == Class::LmHead).then(|| suffixes.iter().map(ToString::to_string).collect());
    let having = || model.layers().enumerate().filter(move |(_, layer)| class.occurs_in(layer));
    let stride = having().count().div_ceil(SAMPLE).max(1);
    head.into_iter().chain(having().step_by(stride).map(move |(index, _)| names_in_layer(suffixes, index)))
}

fn names_in_layer(suffixes: &[&str], index: usize) -> Vec<String> {
    let name = |prefix| suffixes.iter().map(move |suffix| format!("{prefix}layers.{index}.{suffix}"));
    PREFIXES.into_iter().flat_map(name).collect()
}

/// Patterns that pick modules: names of modules or of what holds them, globs, and `re:` with a regular expression.
///
/// Some checkpoints list a name for every layer, so names are looked up, and only globs are tried one by one.
#[derive(Default)]
pub(super) struct Patterns<'a> {
    names: BTreeSet<&'a str>,
    /// Globs of whole names.
    open: Vec<Cow<'a, str>>,
    /// Globs of modules or of what holds them.
    globs: Vec<&'a str>,
}

impl<'a> Patterns<'a> {
    pub(super) fn new(patterns: impl Iterator<Item = &'a str>) -> Self {
        let mut sorted = Self::default();
        for pattern in patterns {
            match pattern.strip_prefix("re:") {
                Some(expression) => sorted.open.extend(alternatives(expression).into_iter().map(Cow::Owned)),
                None if pattern.ends_with('*') => sorted.open.push(Cow::Borrowed(pattern)),
                None if pattern.contains('*') => sorted.globs.push(pattern),
                None => {
                    sorted.names.insert(pattern);
                }
            }
        }
        sorted
    }

    /// Whether one of them picks a module.
    pub(super) fn pick(&self, name: &str) -> bool {
        holders(name).any(|holder| self.names.contains(holder))
            || self.open.iter().any(|glob| glob_matches(glob, name))
            || self.globs.iter().any(|glob| holders(name).any(|holder| glob_matches(glob, holder)))
    }
}

/// A module and those that hold it: `a.b.c`, `a.b`, `a`.
fn holders(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |inner| inner.rsplit_once('.').map(|(outer, _)| outer))
}

/// Globs that together equal a regular expression of the kind found in checkpoints: `.*`, `\.` and one `(a|b)`.
fn alternatives(expression: &str) -> Vec<String> {
    let glob = |text: &str| text.replace(".*", "*").replace("\\.", ".");
    let Some((before, rest)) = expression.split_once('(') else { return vec![glob(expression)] };
    let Some((choices, after)) = rest.split_once(')') else { return vec![glob(expression)] };
    choices.split('|').map(|choice| glob(&format!("{before}{choice}{after}"))).collect()
}

/// A glob in which `*` stands for any text.
fn glob_matches(glob: &str, name: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    fn matches(pattern: &str, name: &str) -> bool {
        Patterns::new(std::iter::once(pattern)).pick(name)
    }

    #[test]
    fn the_dialects_of_patterns() {
        let attention = "model.layers.10.self_attn.q_proj";
        assert!(matches("model.layers.10.self_attn*", attention));
        assert!(matches("model.layers.*.self_attn", attention));
        assert!(matches("re:.*self_attn.*", attention));
        assert!(!matches("model.layers.1.*", attention));
        assert!(!matches("model.layers.10.self_attn.indexers_proj", attention));
        assert!(!matches("gate", attention));
    }

    #[test]
    fn an_expression_with_alternatives() {
        let dense = r"re:.*mlp\.(gate|up|gate_up|down)_proj.*";
        assert!(matches(dense, "model.layers.0.mlp.up_proj"));
        assert!(!matches(dense, "model.layers.1.mlp.experts.0.up_proj"));
    }
}

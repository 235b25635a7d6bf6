//! The engines that the binary knows.

use vitruvian_diagnostics::{Diagnostic, SourceText};

use crate::profile::{EngineProfile, parse};

/// Engine files, embedded, older releases after an `@`, in the order in which a chip's default is looked for.
const FILES: [(&str, &str); 7] = [
    ("vllm", include_str!("../../../catalog/engines/vllm.toml")),
    ("sglang", include_str!("../../../catalog/engines/sglang.toml")),
    ("tensorrt-llm", include_str!("../../../catalog/engines/tensorrt-llm.toml")),
    ("vllm-ascend", include_str!("../../../catalog/engines/vllm-ascend.toml")),
    ("mindie", include_str!("../../../catalog/engines/mindie.toml")),
    ("vllm@0.5", include_str!("../../../catalog/engines/vllm@0.5.toml")),
    ("vllm-ascend@0.9", include_str!("../../../catalog/engines/vllm-ascend@0.9.toml")),
];

/// Names of all engines.
pub fn names() -> impl Iterator<Item = &'static str> {
    FILES.iter().map(|(name, _)| *name)
}

/// The engine of a name.
///
/// # Errors
/// A diagnostic that lists the engines there are.
pub fn engine(name: &str) -> Result<EngineProfile, Diagnostic> {
    let file = FILES.iter().find(|(known, _)| *known == name);
    let Some((_, text)) = file else {
        let names: Vec<&str> = names().collect();
        return Err(Diagnostic::error("engine-unknown", format!("there is no engine `{name}`"))
            .help(format!("use one of {}", names.join(", "))));
    };
    parse(name, &SourceText::new(format!("catalog/engines/{name}.toml"), *text))
}

/// The engine that a chip of this maker is served with unless another is asked for.
///
/// # Errors
/// A diagnostic if no engine runs on chips of this maker.
pub fn default_for(vendor: &str) -> Result<EngineProfile, Diagnostic> {
    for name in names() {
        let engine = engine(name)?;
        if engine.vendors.iter().any(|known| known == vendor) {
            return Ok(engine);
        }
    }
    Err(Diagnostic::error("engine-none", format!("no engine of the catalog runs on chips of `{vendor}`"))
        .help("name one with --engine"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_engine_loads_and_every_figure_has_a_source_and_a_grade() {
        let grades = ["datasheet", "measured", "derived", "press", "recalled", "rumour"];
        for name in names() {
            for figure in engine(name).unwrap().figures {
                assert!(!figure.source.is_empty(), "{name}.{}", figure.key);
                assert!(grades.contains(&figure.grade.as_str()), "{name}.{}: {}", figure.key, figure.grade);
            }
        }
    }

    #[test]
    fn each_maker_has_its_default() {
        assert_eq!(default_for("nvidia").unwrap().name, "vllm");
        assert_eq!(default_for("huawei").unwrap().name, "vllm-ascend");
        assert!(default_for("nobody").unwrap_err().to_string().contains("no engine"));
    }

    #[test]
    fn an_unknown_engine_names_those_there_are() {
        assert!(engine("vlm").unwrap_err().to_string().contains("vllm-ascend"));
    }
}

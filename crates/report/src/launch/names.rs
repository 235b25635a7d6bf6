//! The option names of each engine version, as read from its package. Data: `tools/engine_flags.py` writes them.

use serde::Deserialize;

/// Engine files with the names of options, embedded.
const FILES: [(&str, &str); 4] = [
    ("vllm", include_str!("../../../../catalog/engines/flags-vllm.toml")),
    ("vllm-ascend", include_str!("../../../../catalog/engines/flags-vllm-ascend.toml")),
    ("sglang", include_str!("../../../../catalog/engines/flags-sglang.toml")),
    ("mindie", include_str!("../../../../catalog/engines/flags-mindie.toml")),
];

/// Names of one kind, of one package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct List {
    /// What they are: `"vllm serve"`, `"kv connectors"`.
    pub name: String,
    /// The package that they were read from.
    pub package: String,
    /// Its version.
    pub version: String,
    /// `datasheet` where read from the package's source, else how far they can be trusted.
    pub grade: String,
    /// The names.
    pub words: Vec<String>,
}

#[derive(Deserialize)]
struct Lists {
    list: Vec<List>,
}

/// The lists of an engine; none if the engine is unknown or its file cannot be read, which a test rules out.
pub fn lists(engine: &str) -> Vec<List> {
    let file = FILES.iter().find(|(name, _)| *name == engine);
    let lists = file.and_then(|(_, text)| toml::from_str::<Lists>(text).ok());
    lists.map_or_else(Vec::new, |lists| lists.list)
}

/// The list of a kind.
pub fn list(engine: &str, name: &str) -> Option<List> {
    lists(engine).into_iter().find(|list| list.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_names_its_package_and_grade() {
        for (engine, _) in FILES {
            let lists = lists(engine);
            assert!(!lists.is_empty(), "{engine} cannot be read");
            for list in lists {
                assert!(!list.words.is_empty() && !list.package.is_empty() && !list.version.is_empty());
                assert!(["datasheet", "press", "recalled"].contains(&&*list.grade), "{}", list.name);
            }
        }
    }
}

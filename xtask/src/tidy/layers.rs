//! A crate uses only crates on lower layers.

use crate::repository::{File, Repository};

/// The layers, lowest first. ARCHITECTURE.md says what each is for.
const LAYERS: [&[&str]; 9] = [
    &["quantity", "diagnostics"],
    &["hardware", "model", "event"],
    &["davinci", "compression"],
    &["cost", "network"],
    &["calibration", "engine"],
    &["economics", "serving", "training"],
    &["planner", "report"],
    &["vitruvian"],
    &["cli"],
];

pub(super) fn check(repository: &Repository) -> Vec<String> {
    let manifests = repository.ending("/Cargo.toml").filter(|file| file.path.starts_with("crates/"));
    manifests.flat_map(faults).collect()
}

fn faults(manifest: &File) -> Vec<String> {
    let folder = manifest.path.split('/').nth(1).unwrap_or_default();
    let Some(own) = layer(folder) else {
        return vec![
            manifest.finding(1, &format!("`{folder}` has no layer: add it to xtask/src/tidy/layers.rs")),
        ];
    };
    let used =
        manifest.text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, dependency(line)?)));
    let above = used.filter(|(_, name)| layer(name).is_none_or(|layer| layer >= own));
    above
        .map(|(line, name)| {
            manifest.finding(line, &format!("`{folder}` may not use `{name}`: it is not below it"))
        })
        .collect()
}

fn layer(folder: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&folder))
}

/// The folder of a crate of ours that a line of a manifest depends on.
fn dependency(line: &str) -> Option<&str> {
    let (name, rest) = line.split_once([' ', '.', '='])?;
    let folder = name.strip_prefix("vitruvian-").or((name == "vitruvian").then_some(name))?;
    rest.contains('=').then_some(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(folder: &str, dependency: &str) -> File {
        let text = format!("[dependencies]\n{dependency} = {{ workspace = true }}\n");
        File { path: format!("crates/{folder}/Cargo.toml"), text }
    }

    #[test]
    fn only_lower_layers_may_be_used() {
        assert_eq!(faults(&manifest("cost", "vitruvian-hardware")), [""; 0]);
        assert_eq!(faults(&manifest("cost", "vitruvian-network")).len(), 1);
        assert_eq!(faults(&manifest("cost", "vitruvian")).len(), 1);
        assert_eq!(faults(&manifest("new", "serde")).len(), 1);
    }
}

//! The chips and nodes that come with the program: files embedded in the binary, read when asked for.

pub mod currency;
mod names;
mod sources;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};

use crate::chip::{Chip, parse_chip};
use crate::file;
use crate::node::{Node, parse_node};

pub use names::resolve;
pub use sources::{Citation, citations};

macro_rules! embedded {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../catalog/", $folder, "/", $name, ".toml")))),+]
    };
}

/// Name and text of each chip file, in the order in which a list shows them.
static CHIPS: &[(&str, &str)] = embedded!("chips":
    "h20", "h20-3e", "h100-sxm", "h800-sxm", "h200-sxm", "a100-sxm", "a800-sxm", "b200", "b300", "b30a", "l20", "l2",
    "l40s", "rtx-4090", "rtx-4090d", "mi300x", "mi325x",
    "ascend-310p3", "ascend-910a", "ascend-910b1", "ascend-910b2", "ascend-910b3", "ascend-910b4", "ascend-910b4-1",
    "ascend-910c", "ascend-950pr",
);

/// Name and text of each node file.
static NODES: &[(&str, &str)] = embedded!("nodes":
    "hgx-h20", "hgx-h20-4nic", "hgx-h100", "hgx-h800", "hgx-h200", "hgx-a100", "hgx-a800", "hgx-b200", "mi300x-8", "pcie-8",
    "atlas-800-a1", "atlas-800t-a2", "atlas-800t-a3", "cloudmatrix-384", "atlas-950",
);

/// The names of the chips, in the order in which a list shows them.
pub fn names() -> impl Iterator<Item = &'static str> {
    CHIPS.iter().map(|(name, _)| *name)
}

/// The names of the nodes.
pub fn node_names() -> impl Iterator<Item = &'static str> {
    NODES.iter().map(|(name, _)| *name)
}

/// A chip of the catalog, by name or alias: `"h20"`, `"910b2"`.
///
/// # Errors
/// If no chip is called so, with the nearest names; `"910b"` is refused, with the reason and the SKUs.
pub fn chip(name: &str) -> Result<Chip, Diagnostics> {
    let source = chip_source(name).ok_or_else(|| unknown_chip(name))?;
    parse_chip(&source, &chip_source).map(|parsed| parsed.chip)
}

/// A node of the catalog, by name.
///
/// # Errors
/// If no node is called so, with the nearest names.
pub fn node(name: &str) -> Result<Node, Diagnostics> {
    let source = node_source(name).ok_or_else(|| unknown_node(name))?;
    parse_node(&source, &node_source).map(|parsed| parsed.node)
}

/// The node that a chip is usually sold in. A user's chip has that of the chip it extends.
///
/// # Errors
/// If the catalog has no node with the chip.
pub fn node_for(chip: &Chip) -> Result<Node, Diagnostics> {
    let candidates = std::iter::once(&chip.name).chain(&chip.lineage);
    let found = candidates.into_iter().find_map(|name| NODES.iter().find(|(_, text)| lists(text, name)));
    let (name, _) = found.ok_or_else(|| {
        Diagnostic::error("unknown-node", format!("the catalog has no node with the chip `{}`", chip.name))
            .help(format!("name one with `--node`: {}", node_names().collect::<Vec<_>>().join(", ")))
    })?;
    node(name)
}

/// The file of a chip, by name or alias.
pub fn chip_source(name: &str) -> Option<SourceText> {
    let name = resolve(name).ok()?;
    let (name, text) = CHIPS.iter().find(|(other, _)| *other == name)?;
    Some(SourceText::new(format!("catalog/chips/{name}.toml"), *text))
}

/// The file of a node, by name.
pub fn node_source(name: &str) -> Option<SourceText> {
    let (name, text) = NODES.iter().find(|(other, _)| *other == name)?;
    Some(SourceText::new(format!("catalog/nodes/{name}.toml"), *text))
}

/// Says that no chip is called so, and which are nearest.
pub fn unknown_chip(name: &str) -> Diagnostic {
    names::resolve(name)
        .err()
        .unwrap_or_else(|| Diagnostic::error("unknown-chip", format!("no chip is called `{name}`")))
}

/// Says that no node is called so, and which are nearest.
pub fn unknown_node(name: &str) -> Diagnostic {
    let unknown = Diagnostic::error("unknown-node", format!("no node is called `{name}`"));
    let all = node_names().collect::<Vec<_>>().join(", ");
    let near = file::did_you_mean(name, node_names());
    unknown.help(near.unwrap_or_else(|| format!("the catalog has {all}")))
}

/// Whether the `chips` line of a node file lists the chip, found without parsing all node files.
fn lists(text: &str, chip: &str) -> bool {
    let line = text.lines().find_map(|line| line.strip_prefix("chips = "));
    line.is_some_and(|line| line.split(['"', ',', ' ', '{', '}']).any(|word| word == chip))
}

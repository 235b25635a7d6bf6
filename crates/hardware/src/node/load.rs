//! From a node file to a [`Node`].

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_quantity::{BytesPerSecond, Money, Seconds, Watts};

use crate::catalog;
use crate::file::{self, Loader, Sheet, contradiction};
use crate::node::{Fabric, KEYS, Node, ScaleOut};

/// A node, and what is doubtful about its file.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedNode {
    /// The node.
    pub node: Node,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// A node while its figures are put in place.
#[derive(Default)]
pub(crate) struct Draft {
    pub(super) title: String,
    pub(super) chips: Vec<String>,
    pub(super) size: u32,
    pub(super) fabric: FabricDraft,
    pub(super) scale_out: ScaleOut,
    pub(super) host_power: Watts,
    pub(super) price: [Money; 3],
}

/// The figures of every kind of fabric; the kind says which count.
#[derive(Default)]
pub(super) struct FabricDraft {
    pub(super) kind: String,
    pub(super) ring: BytesPerSecond,
    pub(super) in_network: Option<BytesPerSecond>,
    pub(super) all_to_all: BytesPerSecond,
    pub(super) link: BytesPerSecond,
    pub(super) die: Option<BytesPerSecond>,
    pub(super) step: Seconds,
    pub(super) base: Seconds,
}

/// Reads a node file. `parents` finds the file that another extends; [`catalog::node_source`] is the usual one.
///
/// # Errors
/// Every mistake of the file and of those it extends, each at its line and column.
pub fn parse_node(
    source: &SourceText,
    parents: &dyn Fn(&str) -> Option<SourceText>,
) -> Result<ParsedNode, Diagnostics> {
    let loader = Loader {
        keys: KEYS,
        what: "node",
        parents,
        unknown: catalog::unknown_node,
        give_way,
        complete,
        check,
    };
    let (sheet, warnings) = file::load(source, &loader)?;
    let name = sheet.name.clone().unwrap_or_else(|| file::stem(source.name()).to_owned());
    let mut draft = Draft { title: name.clone(), ..Draft::default() };
    file::store(&sheet, &mut draft);
    Ok(ParsedNode { node: node(name, draft, &sheet), warnings })
}

fn node(name: String, draft: Draft, sheet: &Sheet<Draft>) -> Node {
    Node {
        name,
        title: draft.title,
        chips: draft.chips,
        size: draft.size,
        fabric: fabric(&draft.fabric),
        scale_out: draft.scale_out,
        host_power: draft.host_power,
        price: draft.price,
        figures: sheet.figures(),
    }
}

fn fabric(draft: &FabricDraft) -> Fabric {
    let (step_latency, base_latency) = (draft.step, draft.base);
    match draft.kind.as_str() {
        "full-mesh" => Fabric::FullMesh { link_bandwidth: draft.link, step_latency, base_latency },
        "pcie" => Fabric::Pcie { ring_bandwidth: draft.ring, step_latency, base_latency },
        _ => Fabric::Switch {
            ring_bandwidth: draft.ring,
            in_network_bandwidth: draft.in_network,
            all_to_all_bandwidth: draft.all_to_all,
            die_bandwidth: draft.die,
            step_latency,
            base_latency,
        },
    }
}

fn give_way(own: &Sheet<Draft>, inherited: &mut Sheet<Draft>) {
    let repriced = own.get("price.typical").is_some();
    inherited
        .retain(|entry| !(repriced && ["price.low", "price.high", "price.date"].contains(&entry.key.path)));
}

fn complete(sheet: &mut Sheet<Draft>) {
    for path in ["price.low", "price.high"] {
        if let Some(typical) = sheet.number("price.typical") {
            sheet.compute(path, typical, "= price.typical: one price is known".to_owned(), "price.typical");
        }
    }
    if let Some(ring) = sheet.number("fabric.ring_bandwidth") {
        let note = "= ring_bandwidth: no other figure is known".to_owned();
        sheet.compute("fabric.all_to_all_bandwidth", ring, note, "fabric.ring_bandwidth");
    }
}

/// The kind of fabric says which bandwidth must be there.
fn check(sheet: &Sheet<Draft>) -> Vec<Diagnostic> {
    let Some(kind) = sheet.get("fabric.kind") else { return Vec::new() };
    let needed = if kind.written == "full-mesh" { "fabric.link_bandwidth" } else { "fabric.ring_bandwidth" };
    if sheet.get(needed).is_some() {
        return Vec::new();
    }
    vec![contradiction(format!("a `{}` fabric needs `{needed}`", kind.written), &kind.place, &[])]
}

//! The node that a chip sits in.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::{Chip, Node, catalog};

/// The node asked for, or the one that the chip is usually sold in, with links as fast as the chip's file makes them.
///
/// # Errors
/// An unknown node, or one built for chips of another maker.
pub(crate) fn node(chip: &Chip, asked: Option<&str>) -> Result<Node, Diagnostics> {
    let node = match asked {
        Some(name) => fitting(catalog::node(name)?, chip)?,
        None => catalog::node_for(chip)?,
    };
    Ok(Node { fabric: node.fabric.faster(links_over_parent(chip)?), ..node })
}

fn fitting(node: Node, chip: &Chip) -> Result<Node, Diagnostics> {
    for name in &node.chips {
        if catalog::chip(name)?.vendor == chip.vendor {
            return Ok(node);
        }
    }
    let message = format!("{} does not fit into {}", chip.title, node.title);
    let usual = catalog::node_for(chip).map_or(String::new(), |usual| format!("use {}, or ", usual.name));
    Err(Diagnostic::error("node-chip", message).help(format!("{usual}leave --node out")).into())
}

/// Link bandwidth of a what-if over that of the chip of the catalog that it extends.
fn links_over_parent(chip: &Chip) -> Result<f64, Diagnostics> {
    let parent = chip.lineage.iter().find(|name| catalog::chip_source(name).is_some());
    let Some(parent) = parent else { return Ok(1.0) };
    let before = catalog::chip(parent)?.scale_up.bandwidth.get();
    Ok(if before > 0.0 { chip.scale_up.bandwidth.get() / before } else { 1.0 })
}

//! From a chip file to a [`Chip`].

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_quantity::BytesPerSecond;

use crate::catalog;
use crate::chip::{
    Architecture, Buffers, CacheLevel, Chip, Compute, Die, Hbm, Host, KEYS, Paths, Power, ScaleUp, Status,
    Vector, Vendor, contradictions, relations,
};
use crate::file::{self, Loader};

/// A chip, and what is doubtful about its file.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedChip {
    /// The chip.
    pub chip: Chip,
    /// Warnings.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a chip file. `parents` finds the file that another extends; [`catalog::chip_source`] is the usual one.
///
/// # Errors
/// Every mistake of the file and of those it extends, each at its line and column.
pub fn parse_chip(
    source: &SourceText,
    parents: &dyn Fn(&str) -> Option<SourceText>,
) -> Result<ParsedChip, Diagnostics> {
    let loader = Loader {
        keys: KEYS,
        what: "chip",
        parents,
        unknown: catalog::unknown_chip,
        give_way: relations::give_way,
        complete: relations::complete,
        check: contradictions::check,
    };
    let (sheet, warnings) = file::load(source, &loader)?;
    let name = sheet.name.clone().unwrap_or_else(|| file::stem(source.name()).to_owned());
    let mut chip = Chip { title: name.clone(), lineage: sheet.lineage.clone(), ..blank(name) };
    file::store(&sheet, &mut chip);
    chip.figures = sheet.figures();
    Ok(ParsedChip { chip, warnings })
}

/// A chip of no figures, to be filled by the keys of a file.
fn blank(name: String) -> Chip {
    Chip {
        name,
        lineage: Vec::new(),
        title: String::new(),
        vendor: Vendor::Other,
        architecture: Architecture::Hopper,
        status: Status::Shipping,
        compute: Compute::default(),
        vector: Vector::default(),
        buffers: Buffers::default(),
        paths: Paths::default(),
        l2: CacheLevel::default(),
        hbm: Hbm::default(),
        memory: String::new(),
        further_memory: BytesPerSecond::ZERO,
        scale_up: ScaleUp::default(),
        host: Host::default(),
        nic: BytesPerSecond::ZERO,
        io: None,
        power: Power::default(),
        die: Die::default(),
        data_centre: None,
        price: None,
        figures: Vec::new(),
    }
}

//! `l0c=256KiB`: a machine that differs in one figure.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_quantity::{Bytes, BytesPerSecond};

use crate::isa::Space;
use crate::machine::Machine;
use crate::near::nearest;

/// What can be changed: buffers (bytes), path widths (bytes per cycle), `hbm` (bytes per second), `cores`.
pub const WHAT_IF_KEYS: [&str; 17] = [
    "l0a",
    "l0b",
    "l0c",
    "l1",
    "ub",
    "bt",
    "fb",
    "l2",
    "hbm",
    "cores",
    "gm_l1",
    "gm_l1_nd2nz",
    "gm_ub",
    "ub_gm",
    "l1_l0a",
    "l1_l0b",
    "l0c_gm",
];

/// The machine with `key=value` changes, separated by commas.
///
/// # Errors
/// Unknown keys and values without the right unit, all of them.
pub fn what_if(machine: &Machine, changes: &str) -> Result<Machine, Diagnostics> {
    let mut changed = machine.clone();
    let mut mistakes = Vec::new();
    for change in changes.split(',').map(str::trim).filter(|change| !change.is_empty()) {
        let (key, value) = change.split_once('=').unwrap_or((change, ""));
        if let Err(mistake) = apply(&mut changed, key.trim(), value.trim()) {
            mistakes.push(mistake);
        }
    }
    if mistakes.is_empty() { Ok(changed) } else { Err(Diagnostics(mistakes)) }
}

fn apply(machine: &mut Machine, key: &str, value: &str) -> Result<(), Diagnostic> {
    if let Some(space) = Space::ALL.into_iter().find(|space| *space != Space::Gm && space.name() == key) {
        machine.capacity[space as usize] = bytes(value)?;
        return Ok(());
    }
    match key {
        "l2" => machine.shared.l2_capacity = bytes(value)?,
        "hbm" => {
            let rate: BytesPerSecond = value.parse().map_err(|error| malformed(&format!("{error}")))?;
            machine.shared.hbm = rate.get() / machine.clock.get() * machine.core.hbm_efficiency;
        }
        "cores" => {
            machine.vector_cores = machine.vector_cores / machine.cube_cores.max(1) * count(value)?;
            machine.cube_cores = count(value)?;
        }
        _ => *width(machine, key).ok_or_else(|| unknown(key))? = number(value)?,
    }
    Ok(())
}

fn width<'m>(machine: &'m mut Machine, key: &str) -> Option<&'m mut f64> {
    let paths = &mut machine.paths;
    match key {
        "gm_l1" => Some(&mut paths.gm_l1),
        "gm_l1_nd2nz" => Some(&mut paths.gm_l1_nd2nz),
        "gm_ub" => Some(&mut paths.gm_ub),
        "ub_gm" => Some(&mut paths.ub_gm),
        "l1_l0a" => Some(&mut paths.l1_l0a),
        "l1_l0b" => Some(&mut paths.l1_l0b),
        "l0c_gm" => Some(&mut paths.l0c_gm),
        _ => None,
    }
}

fn bytes(value: &str) -> Result<u64, Diagnostic> {
    let size: Bytes = value.parse().map_err(|error| malformed(&format!("{error}")))?;
    Ok(size.get() as u64)
}

fn number(value: &str) -> Result<f64, Diagnostic> {
    let parsed: Option<f64> = value.parse().ok().filter(|width: &f64| *width > 0.0);
    parsed.ok_or_else(|| malformed(&format!("`{value}` is not a width in bytes per cycle")))
}

fn count(value: &str) -> Result<u32, Diagnostic> {
    let parsed: Option<u32> = value.parse().ok().filter(|count| *count > 0);
    parsed.ok_or_else(|| malformed(&format!("`{value}` is not a number of cores")))
}

fn malformed(message: &str) -> Diagnostic {
    Diagnostic::error("what-if-value", message)
        .help("write `l0c=256KiB`, `hbm=3.2TB/s`, `gm_l1=256` (bytes per cycle)")
}

fn unknown(key: &str) -> Diagnostic {
    let diagnostic = Diagnostic::error("what-if-key", format!("`{key}` cannot be changed"));
    match nearest(key, WHAT_IF_KEYS) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help(format!("use one of {}", WHAT_IF_KEYS.join(", "))),
    }
}

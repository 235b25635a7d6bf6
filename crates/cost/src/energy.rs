//! Energy of a kernel above active idle.
//!
//! Work times the catalog's energy per operation and per byte, clipped where the package would exceed its power cap: a
//! capped part runs slower, and fitted profiles already contain that slowness because they were fitted on measured
//! times. Stretching the time here would count it twice, so only the energy is clipped.

use vitruvian_hardware::Chip;
use vitruvian_quantity::{Dtype, Joules, JoulesPerFlop};

use crate::timing::Timing;

/// Incremental energy of one matrix FLOP in a format: 4-bit products as half of 8-bit ones, wider ones by their bits.
pub fn per_matrix_flop(chip: &Chip, dtype: Dtype) -> JoulesPerFlop {
    match dtype.bits() {
        0..=4 => chip.power.matrix_8 * 0.5,
        5..=8 => chip.power.matrix_8,
        bits => chip.power.matrix_16 * (f64::from(bits) / 16.0),
    }
}

/// Energy above active idle: Σ work · energy each, at most (cap − active idle) · time.
pub fn above_idle(chip: &Chip, timing: &Timing) -> Joules {
    let work = &timing.work;
    let spent = per_matrix_flop(chip, timing.multiply) * work.matrix
        + chip.power.vector * work.vector
        + chip.power.hbm * work.hbm
        + chip.power.l2 * work.l2;
    let room = (chip.power.cap - chip.power.active_idle) * timing.time;
    spent.min(room.max(Joules::ZERO))
}

//! Energy of a kernel above active idle, and the time that a power cap makes it take.
//!
//! Work times the catalog's energy per operation and per byte. Where that would exceed the cap of the package that was
//! measured, the energy is clipped and the time left alone: a part that throttles has shown so in the measured times, and
//! slowing it again would count the throttling twice. A chip with a lower cap than the measured one does slow down.

use vitruvian_hardware::Chip;
use vitruvian_quantity::{Bytes, Dtype, Joules, JoulesPerFlop, Seconds, Watts};

use crate::estimate::Work;
use crate::timing::Timing;

/// Incremental energy of one matrix FLOP in a format: 4-bit products as half of 8-bit ones, wider ones by their bits.
pub fn per_matrix_flop(chip: &Chip, dtype: Dtype) -> JoulesPerFlop {
    match dtype.bits() {
        0..=4 => chip.power.matrix_8 * 0.5,
        5..=8 => chip.power.matrix_8,
        bits => chip.power.matrix_16 * (f64::from(bits) / 16.0),
    }
}

/// Time and energy above active idle under the chip's cap, for a time that was measured under another.
///
/// E = min(Σ work · energy each, (measured cap − active idle) · t); a lower cap stretches t to E / (cap − active idle).
/// Without a measured cap the chip's own is taken.
pub fn within_cap(chip: &Chip, timing: &Timing, measured: Option<Watts>) -> (Seconds, Joules) {
    let (now, then) = (room(chip, chip.power.cap), room(chip, measured.unwrap_or(chip.power.cap)));
    let energy = spent(chip, timing).min(then * timing.time);
    let stretched = if now > Watts::ZERO { timing.time.max(energy / now) } else { timing.time };
    (stretched, energy.min(now * stretched))
}

/// Least time of the work in a load that lasts, where the chip's cap is below the measured one; nothing elsewhere.
///
/// The energies of the catalog are those of long loads, so nothing is clipped: where a stack's figure slows a kernel down
/// already, the larger of both times holds, not their product. The energy of a matrix operation was measured on whole
/// products with what they move inside the chip, so their L2 traffic does not count again.
pub fn floor(chip: &Chip, timing: &Timing, measured: Option<Watts>) -> Seconds {
    let now = room(chip, chip.power.cap);
    let lower = measured.is_some_and(|cap| chip.power.cap < cap) && now > Watts::ZERO;
    let l2 = if timing.work.matrix.get() > 0.0 { Bytes::ZERO } else { timing.work.l2 };
    let work = Work { l2, ..timing.work };
    if lower { spent(chip, &Timing { work, ..*timing }) / now } else { Seconds::ZERO }
}

/// Energy above active idle, by the catalog's energy of each operation and byte.
fn spent(chip: &Chip, timing: &Timing) -> Joules {
    let work = &timing.work;
    per_matrix_flop(chip, timing.multiply) * work.matrix
        + chip.power.vector * work.vector
        + chip.power.hbm * work.hbm
        + chip.power.l2 * work.l2
}

/// Power that a cap leaves above active idle.
fn room(chip: &Chip, cap: Watts) -> Watts {
    (cap - chip.power.active_idle).max(Watts::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estimate::{Bound, Choice};
    use vitruvian_hardware::catalog;
    use vitruvian_quantity::Flops;

    /// One millisecond of the given work on an H20.
    fn settled(work: Work, cap: f64, measured: f64) -> (f64, f64) {
        let mut chip = catalog::chip("h20").unwrap();
        chip.power.active_idle = Watts::new(100.0);
        chip.power.cap = Watts::new(cap);
        let time = Seconds::new(1e-3);
        let timing = Timing { time, work, multiply: Dtype::Bf16, bound: Bound::Hbm, choice: Choice::None };
        let (time, energy) = within_cap(&chip, &timing, Some(Watts::new(measured)));
        (time.get(), energy.get())
    }

    fn bytes(count: f64) -> Work {
        Work { hbm: Bytes::new(count), ..Work::default() }
    }

    #[test]
    fn energy_is_work_times_the_energy_of_each() {
        let power = catalog::chip("h20").unwrap().power;
        let work = Work { matrix: Flops::new(1e9), ..bytes(1e6) };
        let expected = 1e9 * power.matrix_16.get() + 1e6 * power.hbm.get();
        assert!((settled(work, 500.0, 500.0).1 - expected).abs() < 1e-12);
    }

    #[test]
    fn a_measured_time_already_contains_its_throttling() {
        // 1e10 B · 105 pJ/B is more than the (500 − 100) W · 1 ms = 0.4 J that the cap leaves.
        let (time, energy) = settled(bytes(1e10), 500.0, 500.0);
        assert_eq!(time, 1e-3);
        assert!((energy - 0.4).abs() < 1e-12);
    }

    #[test]
    fn a_lower_cap_than_the_measured_one_stretches_the_time() {
        // 0.4 J within 200 W above idle take 2 ms.
        let (time, energy) = settled(bytes(1e10), 300.0, 500.0);
        assert!((time - 2e-3).abs() < 1e-12);
        assert!((energy - 0.4).abs() < 1e-12);
    }

    #[test]
    fn four_bit_products_take_half_of_eight_bit_ones() {
        let chip = catalog::chip("b200").unwrap();
        assert_eq!(per_matrix_flop(&chip, Dtype::Nvfp4), chip.power.matrix_8 * 0.5);
        assert_eq!(per_matrix_flop(&chip, Dtype::Tf32), chip.power.matrix_16 * 2.0);
    }

    /// 0.75 pJ each of 1e12 operations are 0.75 J: 2.5 ms of 300 W, whatever the kernel's own time and L2 traffic.
    #[test]
    fn a_long_load_takes_no_less_than_its_energy_under_a_lower_cap() {
        let mut chip = catalog::chip("h20").unwrap();
        chip.power.active_idle = Watts::new(100.0);
        chip.power.cap = Watts::new(400.0);
        let work = Work { matrix: Flops::new(1e12), l2: Bytes::new(1e12), ..Work::default() };
        let time = Seconds::new(1e-3);
        let timing = Timing { time, work, multiply: Dtype::Bf16, bound: Bound::Hbm, choice: Choice::None };
        let expected = chip.power.matrix_16.get() * 1e12 / 300.0;
        assert!((floor(&chip, &timing, Some(Watts::new(500.0))).get() / expected - 1.0).abs() < 1e-12);
        assert_eq!(floor(&chip, &timing, Some(Watts::new(400.0))), Seconds::ZERO);
        assert_eq!(floor(&chip, &timing, None), Seconds::ZERO);
    }
}

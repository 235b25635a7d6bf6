//! Operators as kernels on the cycle-level core of `vitruvian_davinci`: the `simulated` fidelity.
//!
//! Nothing here is fitted: the tiling is the fastest of what a vendor library chooses from, and the core is the catalog's.

mod attention;
mod products;
mod vectors;

use vitruvian_davinci::isa::Pipe;
use vitruvian_davinci::kernels::gemm::GemmProblem;
use vitruvian_davinci::timing::{Report, Warmth};
use vitruvian_davinci::{CoreTiming, Machine as Core};
use vitruvian_hardware::Chip;
use vitruvian_model::Operator;
use vitruvian_quantity::{Bytes, Seconds};

use crate::estimate::Bound;
use crate::timing::{Machine, Residency};

/// A kernel on the device, launch apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Simulated {
    /// From the first instruction to the last.
    pub(crate) device: Seconds,
    /// Over device memory.
    pub(crate) hbm: Bytes,
    /// Over L2.
    pub(crate) l2: Bytes,
    /// What is fullest.
    pub(crate) bound: Bound,
    /// Error on shapes that the core description has not seen, where it was measured.
    pub(crate) sigma: Option<f64>,
}

/// The operator's kernel, run; nothing where the chip has no Da Vinci core or no kernel is written for the operator.
pub(crate) fn run(operator: &Operator, on: &Machine) -> Option<Simulated> {
    let core = core(on.chip)?;
    match operator {
        Operator::Gemm(op) => products::gemm(op, on, &core),
        Operator::GroupedGemm(op) => products::grouped(op, on, &core),
        Operator::PrefillAttention(op) => attention::prefill(op, on, &core),
        Operator::DecodeAttention(op) => attention::decode(op, on, &core),
        Operator::Vector(op) => vectors::quantisation(op, on, &core),
        _ => None,
    }
}

/// The simulated core of a chip, if it is a Da Vinci core.
pub(crate) fn core(chip: &Chip) -> Option<Core> {
    Core::new(chip, CoreTiming::of(chip.architecture).ok()?).ok()
}

/// What L2 holds when a kernel of `footprint` bytes starts, a share `written` of them its output.
fn warmth(on: &Machine, core: &Core, footprint: f64, written: f64) -> Warmth {
    match on.residency {
        Residency::Cold => Warmth::COLD,
        Residency::Rotating { copies } => {
            let capacity = core.shared.l2_capacity as f64;
            Warmth::rotating(f64::from(copies) * footprint, capacity, core.core.l2_ways, written)
        }
    }
}

fn warmth_of(on: &Machine, core: &Core, problem: &GemmProblem, products: f64) -> Warmth {
    let (footprint, written) = (problem.footprint(), problem.written());
    warmth(on, core, products * footprint, written / footprint)
}

fn simulated(core: &Core, report: &Report, sigma: Option<f64>) -> Simulated {
    Simulated {
        device: report.time,
        hbm: Bytes::new(report.hbm_bytes as f64),
        l2: Bytes::new(report.l2_bytes as f64),
        bound: bound(core, report),
        sigma,
    }
}

/// The fullest of cube, vector unit, device memory and L2.
fn bound(core: &Core, report: &Report) -> Bound {
    let cycles = report.cycles.max(1) as f64;
    let shares = [
        (report.utilisation(Pipe::M), Bound::Matrix),
        (report.utilisation(Pipe::V), Bound::Vector),
        (report.hbm_bytes as f64 / cycles / core.shared.hbm, Bound::Hbm),
        (report.l2_bytes as f64 / cycles / core.shared.l2_read, Bound::L2),
    ];
    shares.into_iter().fold((0.0, Bound::Latency), |a, b| if b.0 > a.0 { b } else { a }).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitruvian_model::operator::{DecodeAttention, Gemm, PrefillAttention, VectorKind, VectorOp};
    use vitruvian_model::{Scheme, Sparsity};
    use vitruvian_quantity::Dtype;

    fn on(chip: &Chip) -> Machine<'_> {
        Machine { chip, residency: Residency::Cold }
    }

    fn gemm(m: u32, scheme: Scheme, sparsity: Sparsity) -> Operator {
        Operator::Gemm(Gemm { m, n: 4096, k: 4096, batch: 1, scheme, sparsity })
    }

    #[test]
    fn a_large_product_is_near_the_cube_peak_and_never_above() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let run = run(&gemm(4096, Scheme::Bf16, Sparsity::Dense), &on(&chip)).unwrap();
        // 2·4096³ / (24 · 8192 FLOP/cycle · 1.8 GHz) = 388.4 µs
        let least = 2.0 * 4096f64.powi(3) / (24.0 * 8192.0 * 1.8e9);
        let time = run.device.get();
        assert!(time > least && time < 1.25 * least, "{time} against {least}");
        // Cube and L2 are both nearly full (PTO-ISA measures 87 and 95 % on 6144³).
        assert!(matches!(run.bound, Bound::Matrix | Bound::L2), "{:?}", run.bound);
    }

    #[test]
    fn a_row_streams_the_weights_once() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let bf16 = run(&gemm(1, Scheme::Bf16, Sparsity::Dense), &on(&chip)).unwrap();
        // 4096² · 2 B of weights; A and C are 16 KiB together
        assert!((bf16.hbm.get() / (4096f64.powi(2) * 2.0) - 1.0).abs() < 0.01, "{}", bf16.hbm.get());
        let int8 = run(&gemm(1, Scheme::W8A8Static, Sparsity::Dense), &on(&chip)).unwrap();
        assert!(int8.hbm < bf16.hbm * 0.51 && int8.device < bf16.device);
        let sparse = run(&gemm(1, Scheme::W8A8Static, Sparsity::FourToTwo), &on(&chip)).unwrap();
        // half of the values and two index bits for each kept one: 0.5 · 1.25 of the bytes
        assert!((sparse.hbm.get() / int8.hbm.get() - 0.625).abs() < 0.01);
    }

    #[test]
    fn scales_of_rows_cost_a_pass_of_the_vector_cores() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let product = |scheme| run(&gemm(512, scheme, Sparsity::Dense), &on(&chip)).unwrap();
        let (fused, scaled) = (product(Scheme::W8A8Static), product(Scheme::W8A8Dynamic));
        assert!(scaled.device > fused.device, "{} {}", scaled.device.get(), fused.device.get());
        // int32 sums cross L2 once more in either direction than numbers of 16 bits: at least 4 B each
        assert!(scaled.l2.get() - fused.l2.get() > 512.0 * 4096.0 * 4.0);
        let quantise = VectorOp { kind: VectorKind::Quantise, rows: 4096, width: 4096, dtype: Dtype::Bf16 };
        let time = run(&Operator::Vector(quantise), &on(&chip)).unwrap().device.get();
        // 2 B read, 1 B written a number, no faster than memory
        assert!(time > 3.0 * 4096f64.powi(2) / chip.hbm.bandwidth.get(), "{time}");
        let norm = VectorOp { kind: VectorKind::Norm, ..quantise };
        assert_eq!(run(&Operator::Vector(norm), &on(&chip)), None);
    }

    #[test]
    fn only_da_vinci_cores_run() {
        let chip = vitruvian_hardware::catalog::chip("h20").unwrap();
        assert_eq!(run(&gemm(1, Scheme::Bf16, Sparsity::Dense), &on(&chip)), None);
    }

    #[test]
    fn twice_the_heads_take_twice_the_time() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let prefill = |batch| {
            let op = PrefillAttention {
                batch,
                new: 2048,
                cached: 0,
                heads: 32,
                kv_heads: 8,
                qk_dim: 128,
                v_dim: 128,
                window: 0,
                causal: true,
                compute: Dtype::Bf16,
                kv: Dtype::Bf16,
            };
            run(&Operator::PrefillAttention(op), &on(&chip)).unwrap().device.get()
        };
        // Past the heads that are run whole, time is linear in them.
        assert!((prefill(16) / prefill(8) - 2.0).abs() < 0.05, "{} {}", prefill(8), prefill(16));
    }

    #[test]
    fn a_cache_is_read_once() {
        let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
        let op = DecodeAttention {
            batch: 24,
            queries: 1,
            context: 4096,
            heads: 32,
            kv_heads: 8,
            qk_dim: 128,
            v_dim: 128,
            window: 0,
            compute: Dtype::Bf16,
            kv: Dtype::Bf16,
        };
        let run = run(&Operator::DecodeAttention(op), &on(&chip)).unwrap();
        // K and V: 2 · 24 · 8 · 4096 · 128 · 2 B = 403 MB; queries, outputs and tiles in L2 are small beside them
        let cache = 2.0 * 24.0 * 8.0 * 4096.0 * 128.0 * 2.0;
        assert!((run.hbm.get() / cache - 1.0).abs() < 0.05, "{} of {cache}", run.hbm.get());
        assert!(run.device.get() > cache / chip.hbm.bandwidth.get());
    }
}

#![allow(missing_docs, clippy::all, clippy::pedantic, clippy::print_stdout, clippy::unwrap_used)]
use std::time::Instant;
use vitruvian_davinci::isa::*;
use vitruvian_davinci::kernels::gemm::*;
use vitruvian_davinci::timing::*;
use vitruvian_davinci::*;

fn main() {
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
    let machine = Machine::new(&chip, CoreTiming::of(chip.architecture).unwrap()).unwrap();
    println!("{:?}", machine.shared);
    for s in [1024u32, 2048, 4096, 8192, 16384] {
        let p = GemmProblem::new(s, s, s, Type::Bf16);
        let t = GemmTiling { m: 128, n: 256, k_l1: 256, k_l0: 64, l0c_buffers: 1, split_k: 1, swizzle: 4 };
        let k = kernel(&machine, &p, &t);
        let warm = Warmth::rotating(6.0 * p.footprint(), machine.shared.l2_capacity as f64, 16, p.written() / p.footprint());
        let now = Instant::now();
        let r = simulate(&machine, &k, Options { warmth: warm, trace: false }).unwrap();
        let el = now.elapsed();
        println!(
            "{s}: {} cycles {:.1} us {:.1} TF inst {} in {:?} = {:.1} M/s  M {:.3} MTE1 {:.3} MTE2 {:.3} FIX {:.3} hbm {:.1} MB l2 {:.1} MB warm {:.2}",
            r.cycles,
            r.time.get() * 1e6,
            p.flops() / r.time_with_launch.get() / 1e12,
            r.instructions,
            el,
            r.instructions as f64 / el.as_secs_f64() / 1e6,
            r.utilisation(Pipe::M),
            r.utilisation(Pipe::Mte1),
            r.utilisation(Pipe::Mte2),
            r.utilisation(Pipe::Fix),
            r.hbm_bytes as f64 / 1e6,
            r.l2_bytes as f64 / 1e6,
            warm.resident
        );
    }
}

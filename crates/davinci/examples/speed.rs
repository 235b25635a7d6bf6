//! How fast the simulators run: `cargo run --release -p vitruvian-davinci --example speed`.

#![allow(clippy::print_stdout)]

use std::time::Instant;

use vitruvian_davinci::functional::{GlobalMemory, execute};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{GemmProblem, GemmTiling, kernel};
use vitruvian_davinci::timing::{Options, simulate};
use vitruvian_davinci::{CoreTiming, Machine};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2")?;
    let machine = Machine::new(&chip, CoreTiming::of(chip.architecture)?)?;
    let tiling = GemmTiling { m: 128, n: 256, k_l1: 256, k_l0: 64, l0c_buffers: 1, split_k: 1, swizzle: 4 };
    for size in [1024, 4096, 16384] {
        let kernel = kernel(&machine, &GemmProblem::new(size, size, size, Type::Bf16), &tiling);
        let start = Instant::now();
        let report = simulate(&machine, &kernel, Options::default())?;
        let seconds = start.elapsed().as_secs_f64();
        let rate = report.instructions as f64 / seconds / 1e6;
        println!(
            "timing {size}^3: {:.1} ms, {} instructions, {rate:.1} M/s",
            seconds * 1e3,
            report.instructions
        );
    }
    let kernel = kernel(&machine, &GemmProblem::new(1024, 1024, 1024, Type::Bf16), &tiling);
    let mut gm = GlobalMemory::new(&kernel);
    gm.fill("a", Type::Bf16, &vec![0.5; 1 << 20]);
    gm.fill("b", Type::Bf16, &vec![0.25; 1 << 20]);
    let start = Instant::now();
    execute(&machine, &kernel, &mut gm)?;
    println!("functional 1024^3: {:.2} s", start.elapsed().as_secs_f64());
    Ok(())
}

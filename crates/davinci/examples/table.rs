//! Simulated against measured BF16 products, row by row:
//! `cargo run --release -p vitruvian-davinci --example table -- gemm.csv [even|odd|all] [every]`.

#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;

use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::GemmProblem;
use vitruvian_davinci::tiling::{Menu, search};
use vitruvian_davinci::timing::{Options, Warmth};
use vitruvian_davinci::{CoreTiming, Machine};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&arguments[1])?;
    let half = arguments.get(2).map_or("all", String::as_str);
    let every: usize = arguments.get(3).and_then(|n| n.parse().ok()).unwrap_or(1);
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2")?;
    let machine = Machine::new(&chip, CoreTiming::of(chip.architecture)?)?;
    let rows: Vec<Vec<f64>> = text
        .lines()
        .filter(|line| line.starts_with("bf16"))
        .map(|line| line.split(',').skip(1).map(|cell| cell.parse().unwrap_or(f64::NAN)).collect())
        .collect();
    let families: BTreeSet<(u64, u64, u64)> =
        rows.iter().map(|r| ((r[1] * r[2]) as u64, r[1] as u64, r[2] as u64)).collect();
    let wanted = |r: &[f64]| {
        let place = families.iter().position(|f| (f.1, f.2) == (r[1] as u64, r[2] as u64)).unwrap_or(0);
        half == "all" || (place % 2 == 0) == (half == "even")
    };
    for row in rows.iter().filter(|r| wanted(r)).step_by(every) {
        let problem = GemmProblem::new(row[0] as u32, row[1] as u32, row[2] as u32, Type::Bf16);
        let (footprint, capacity) = (6.0 * problem.footprint(), machine.shared.l2_capacity as f64);
        let warmth = Warmth::rotating(
            footprint,
            capacity,
            machine.core.l2_ways,
            problem.written() / problem.footprint(),
        );
        let found = search(&machine, &problem, &Menu::library(), Options { warmth, trace: false })?;
        let t = found.tiling;
        println!(
            "{},{},{},{},{:.2},{:.3},{},{},{},{},{},{},{},{}",
            row[0],
            row[1],
            row[2],
            row[3],
            found.report.time_with_launch.get() * 1e6,
            warmth.resident,
            t.m,
            t.n,
            t.k_l1,
            t.k_l0,
            t.swizzle,
            found.report.hbm_bytes,
            found.report.l2_bytes,
            found.report.cycles
        );
    }
    Ok(())
}

//! Errors of simulated BF16 products on the half of the weight shapes that chose the machine, and on the other half:
//! `cargo run --release -p vitruvian-davinci --example halves -- gemm.csv`.

#![allow(clippy::print_stdout)]

use std::collections::BTreeSet;
use std::error::Error;

use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::GemmProblem;
use vitruvian_davinci::tiling::{Menu, search};
use vitruvian_davinci::timing::{Options, Warmth};
use vitruvian_davinci::{CoreTiming, Machine};

/// Operand sets that the benchmark takes turns with.
const COPIES: f64 = 6.0;

/// A measured product.
#[derive(Clone, Copy, Debug)]
struct Row {
    m: u32,
    n: u32,
    k: u32,
    microseconds: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name the table of products")?;
    let rows = read(&std::fs::read_to_string(path)?)?;
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2")?;
    let machine = Machine::new(&chip, CoreTiming::of(chip.architecture)?)?;
    // Weight shapes in order of size, every second one held out.
    let shapes: BTreeSet<(u64, u32)> = rows.iter().map(shape).collect();
    for (name, half) in [("chosen on", 0), ("held out", 1)] {
        let own: BTreeSet<_> = shapes.iter().skip(half).step_by(2).collect();
        let errors: Vec<(u32, f64)> = rows
            .iter()
            .filter(|row| own.contains(&shape(row)))
            .map(|row| Ok((row.m, error(&machine, row)?)))
            .collect::<Result<_, Box<dyn Error>>>()?;
        let (all, large) = (mean(&errors, 1), mean(&errors, 1024));
        println!("{name}: {} rows, mean error {all:.2} %, M >= 1024 {large:.2} %", errors.len());
    }
    Ok(())
}

fn read(text: &str) -> Result<Vec<Row>, Box<dyn Error>> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let [_, m, n, k, time] = cells[..] else { return Err(format!("five columns, not `{line}`").into()) };
        Ok(Row { m: m.parse()?, n: n.parse()?, k: k.parse()?, microseconds: time.parse()? })
    };
    text.lines().filter(|line| line.starts_with("bf16")).map(row).collect()
}

fn shape(row: &Row) -> (u64, u32) {
    (u64::from(row.n) * u64::from(row.k), row.n)
}

fn error(machine: &Machine, row: &Row) -> Result<f64, Box<dyn Error>> {
    let problem = GemmProblem::new(row.m, row.n, row.k, Type::Bf16);
    let (footprint, written) = (problem.footprint(), problem.written());
    let capacity = machine.shared.l2_capacity as f64;
    let warmth = Warmth::rotating(COPIES * footprint, capacity, machine.core.l2_ways, written / footprint);
    let found = search(machine, &problem, &Menu::library(), Options { warmth, trace: false })?;
    Ok((found.report.time_with_launch.get() * 1e6 / row.microseconds - 1.0).abs())
}

/// Mean error of products of at least so many rows, percent.
fn mean(errors: &[(u32, f64)], rows: u32) -> f64 {
    let chosen: Vec<f64> = errors.iter().filter(|(m, _)| *m >= rows).map(|(_, error)| *error).collect();
    100.0 * chosen.iter().sum::<f64>() / chosen.len().max(1) as f64
}

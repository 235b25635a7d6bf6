//! Kernels against measured operator tables. The tables are not part of the repository; without them these tests say so.
//!
//! Nothing is fitted a shape. The launch overhead of attention (47 µs) is fitted to this table; the HBM efficiency and the latest
//! changes of the machine were chosen on every second weight shape: docs/davinci/deviations.md has the errors of each half.

use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::attention::{Attention, AttentionTiling, prefill};
use vitruvian_davinci::kernels::gemm::GemmProblem;
use vitruvian_davinci::tiling::{Menu, search};
use vitruvian_davinci::timing::{Options, Warmth, simulate};

use crate::common::{machine, table};

/// Rows of a table as numbers; text columns become NaN.
fn rows(text: &str, first: &str) -> Vec<Vec<f64>> {
    let lines = text.lines().skip(1).filter(|line| line.starts_with(first));
    lines.map(|line| line.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()).collect()
}

fn mean(errors: &[f64]) -> f64 {
    100.0 * errors.iter().sum::<f64>() / errors.len().max(1) as f64
}

#[test]
fn bf16_gemm() {
    let Some(text) = table("operators/ascend-910b/gemm.csv") else { return };
    let machine = machine("ascend-910b2");
    let every = if cfg!(debug_assertions) { 9 } else { 1 };
    let (mut all, mut large) = (Vec::new(), Vec::new());
    for row in rows(&text, "bf16").iter().step_by(every) {
        let problem = GemmProblem::new(row[1] as u32, row[2] as u32, row[3] as u32, Type::Bf16);
        // six operand sets take turns
        let (footprint, capacity) = (6.0 * problem.footprint(), machine.shared.l2_capacity as f64);
        let warmth = Warmth::rotating(
            footprint,
            capacity,
            machine.core.l2_ways,
            problem.written() / problem.footprint(),
        );
        let found = search(&machine, &problem, &Menu::library(), Options { warmth, trace: false }).unwrap();
        let error = (found.report.time_with_launch.get() * 1e6 / row[4] - 1.0).abs();
        all.push(error);
        large.extend((row[1] >= 1024.0).then_some(error));
    }
    println!(
        "bf16 gemm: {} rows, mean error {:.2} %, M >= 1024 {:.2} %",
        all.len(),
        mean(&all),
        mean(&large)
    );
    // The target of 10 % is met, that of 5 % is missed: D14. Builds with debug assertions see a ninth of the rows.
    let allowed = if cfg!(debug_assertions) { (12.0, 9.0) } else { (10.0, 7.0) };
    assert!(mean(&all) <= allowed.0 && mean(&large) <= allowed.1, "{:.2} {:.2}", mean(&all), mean(&large));
}

#[test]
fn attention_prefill() {
    const LAUNCH_US: f64 = 47.0;
    let Some(text) = table("operators/ascend-910b/attention_prefill.csv") else { return };
    let machine = machine("ascend-910b2");
    // batch × heads × blocks²: what a run costs the simulator
    let limit = if cfg!(debug_assertions) { 3e3 } else { 1e4 };
    let mut errors = Vec::new();
    for row in rows(&text, "") {
        let [heads, kv_heads, dim, batch, seq] = [0, 1, 2, 3, 4].map(|column| row[column] as u32);
        if f64::from(batch * heads) * (f64::from(seq) / 128.0).powi(2) > limit {
            continue;
        }
        let problem = Attention { batch, heads, kv_heads, seq, dim, ty: Type::Bf16, causal: true };
        let kernel = prefill(&machine, &problem, &AttentionTiling::default()).unwrap();
        let warmth = Warmth::rotating(
            problem.footprint(),
            machine.shared.l2_capacity as f64,
            machine.core.l2_ways,
            0.2,
        );
        let report = simulate(&machine, &kernel, Options { warmth, trace: false }).unwrap();
        errors.push(((report.time.get() * 1e6 + LAUNCH_US) / row[5] - 1.0).abs());
    }
    println!("attention prefill: {} rows, mean error {:.2} %", errors.len(), mean(&errors));
    assert!(mean(&errors) <= 12.0, "{:.2}", mean(&errors));
}

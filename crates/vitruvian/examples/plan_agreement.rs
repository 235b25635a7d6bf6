//! How far the closed form of plans and their simulation agree: `DEVIATIONS.md` D30 and D31 quote what this prints.
//!
//! `cargo run --release -p vitruvian --example plan_agreement`

#![allow(clippy::print_stdout, reason = "an example prints")]

use vitruvian::plan::{Chips, Confirm, PlanStudy, Split, plan};
use vitruvian::study::{Input, Service};
use vitruvian_diagnostics::Diagnostics;
use vitruvian_quantity::Seconds;

const CASES: [(&str, [(&str, u32); 2]); 6] = [
    ("llama-3.1-70b", [("h20", 4), ("ascend-910b2", 4)]),
    ("llama-3.1-70b", [("h20", 8), ("ascend-910b2", 8)]),
    ("qwen3-32b", [("h20", 8), ("ascend-910b2", 8)]),
    ("qwen3-30b-a3b", [("h20", 4), ("ascend-910b2", 8)]),
    ("llama-3.1-8b", [("h20", 2), ("h100-sxm", 2)]),
    ("deepseek-v3", [("h20", 16), ("ascend-910b2", 32)]),
];
const LENGTHS: [(u32, u32); 3] = [(4096, 1024), (1024, 1024), (8192, 256)];

fn main() -> Result<(), Diagnostics> {
    let mut ratios: [Vec<f64>; 3] = Default::default();
    for (model, chips) in CASES {
        for lengths in LENGTHS {
            for row in plan(&study(model, &chips, lengths), false)?.answer.plans {
                let Some(goodput) = row.simulated.and_then(|simulated| simulated.goodput_per_s) else {
                    continue;
                };
                let pipelined = row.pools.iter().any(|pool| pool.layout.contains("PP"));
                let class = if pipelined { 2 } else { usize::from(row.split == "disaggregated") };
                ratios[class].push(goodput / row.analytic.capacity_per_s.p50);
            }
        }
    }
    for (name, mut all) in ["aggregated", "disaggregated", "with pipeline stages"].into_iter().zip(ratios) {
        all.sort_by(f64::total_cmp);
        let at = |share: usize| all.get((all.len() * share / 100).min(all.len().saturating_sub(1)));
        let [low, middle, high, worst] =
            [at(10), at(50), at(90), at(0)].map(|one| one.copied().unwrap_or(f64::NAN));
        println!(
            "{name}: {} plans, simulated goodput over capacity: median {middle:.2}, P10 {low:.2}, P90 {high:.2}, least {worst:.2}",
            all.len()
        );
    }
    Ok(())
}

fn study(model: &str, chips: &[(&str, u32)], (input_tokens, output_tokens): (u32, u32)) -> PlanStudy {
    let chips =
        chips.iter().map(|(name, count)| Chips { chip: Input::Name((*name).to_owned()), count: *count });
    PlanStudy {
        chips: chips.collect(),
        service: Service {
            model: Input::Name(model.to_owned()),
            input_tokens,
            output_tokens,
            ..Service::default()
        },
        rate: None,
        trace: None,
        ttft: Some(Seconds::new(2.0)),
        tpot: Some(Seconds::new(0.05)),
        attainment: 0.9,
        objective: None,
        most: 10,
        split: Split::Both,
        confirm: Some(Confirm { requests: 400, seed: 1 }),
    }
}

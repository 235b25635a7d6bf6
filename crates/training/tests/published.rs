//! What a rank computes and keeps, against published equations.

#![allow(clippy::unwrap_used)] // helpers of tests

use vitruvian_cost::{Costs, Fidelity, Library as Kernels};
use vitruvian_engine::Meter;
use vitruvian_hardware::{Chip, Node, catalog as chips};
use vitruvian_model::{Model, catalog as models};
use vitruvian_network::{CollectiveProfile, Library, Network};
use vitruvian_training::{
    Degrees, Detail, Job, Plan, Pricer, Recipe, Recompute, Schedule, Sharding, Stack, Step, catalog,
};

struct Bench {
    chip: Chip,
    node: Node,
    collectives: CollectiveProfile,
    kernels: vitruvian_cost::ProfileSet,
    stack: Stack,
    model: Model,
}

impl Bench {
    fn new(chip: &str, stack: &str, model: &str) -> Self {
        let chip = chips::chip(chip).unwrap();
        Self {
            node: chips::node_for(&chip).unwrap(),
            collectives: Library::catalog().unwrap().profile(&chip, None).unwrap(),
            kernels: Kernels::catalog().unwrap().profiles(&chip, None).unwrap(),
            stack: catalog::stack(stack, &chip.name, &[]).unwrap(),
            model: models::model(model).unwrap(),
            chip,
        }
    }

    fn step(&self, plan: &Plan, recipe: Recipe, sequence: u32, global_batch: u32, detail: Detail) -> Step {
        let network = Network::new(&self.chip, &self.node, &self.collectives);
        let quant = recipe.plan();
        let job = Job {
            model: &self.model,
            chip: &self.chip,
            node: &self.node,
            network: &network,
            stack: &self.stack,
            recipe,
            quant: &quant,
            sequence,
            global_batch,
            balanced: false,
            reuse_master: false,
        };
        let costs = Costs::new(&self.chip, &self.kernels, Fidelity::Tile);
        let mut meter = Meter::new(&self.node, costs, &network);
        Pricer::new(job, &mut meter).step(plan, detail).unwrap()
    }
}

fn gpt3(tp: u32, sequence_parallel: bool, recompute: Recompute) -> f64 {
    let bench = Bench::new("a100-sxm", "megatron-2022", "gpt3-175b");
    let degrees = Degrees { tp, ..Degrees::ONE };
    let plan = Plan { sequence_parallel, recompute, sharding: Sharding::None, ..Plan::new(degrees) };
    bench.step(&plan, Recipe::Fp16, 2048, 1, Detail::Closed).memory[0].activations
}

/// arXiv 2205.05198, table 2, one micro-batch of 96 layers with s = 2048, h = 12288, a = 96, b = 1.
#[test]
fn activations_of_a_gpt_layer_are_those_of_the_paper() {
    let (s, h, a, layers) = (2048.0, 12288.0, 96.0, 96.0);
    let sh = s * h * layers;
    let scores = 5.0 * a * s / h;
    // sbh·(34 + 5·a·s/h); sbh·(10 + 24/t + 5·a·s/(h·t)); sbh·(34 + 5·a·s/h)/t; 34·sbh/t; 2·sbh
    for (tp, parallel, recompute, expected) in [
        (1, false, Recompute::None, sh * (34.0 + scores)),
        (8, false, Recompute::None, sh * (10.0 + 24.0 / 8.0 + scores / 8.0)),
        (8, true, Recompute::None, sh * (34.0 + scores) / 8.0),
        (8, true, Recompute::Selective, sh * 34.0 / 8.0),
        (8, false, Recompute::Full, sh * 2.0),
    ] {
        let found = gpt3(tp, parallel, recompute);
        assert!(
            (found / expected - 1.0).abs() < 1e-3,
            "TP{tp} {parallel} {recompute}: {found} for {expected}"
        );
    }
}

/// Derived: 2·sb·(6h + 2·n_kv·d) + 6·sb·i + 4·sb·n_h a layer of Llama with a flash kernel.
#[test]
fn activations_of_a_llama_layer() {
    let bench = Bench::new("h100-sxm", "megatron-lm", "llama-3.1-8b");
    let step = bench.step(&Plan::new(Degrees::ONE), Recipe::Bf16, 4096, 1, Detail::Closed);
    let layer = 4096.0 * (2.0 * (6.0 * 4096.0 + 2.0 * 1024.0) + 6.0 * 14336.0 + 4.0 * 32.0);
    let expected = 32.0 * layer;
    let found = step.memory[0].activations;
    assert!((found / expected - 1.0).abs() < 1e-3, "{found} for {expected}");
}

/// transformers 4.36, `modeling_llama.py`, with a flash kernel. Each norm keeps its input in FP32 and what it normalised in 16
/// bits, 2·(4 + 2)·h; q, k, v and what attention reads and puts out 2·(4h + 2·n_kv·d) + 4·n_h; the gate, its activation, up and
/// their product 8·i; the inputs of gate and up 2·h.
#[test]
fn activations_of_an_eager_llama_layer() {
    let bench = Bench::new("h100-sxm", "deepspeed", "llama-3.1-8b");
    let step = bench.step(&Plan::new(Degrees::ONE), Recipe::Bf16, 4096, 1, Detail::Closed);
    let (h, kv, i) = (4096.0, 1024.0, 14336.0);
    let layer = 12.0 * h + 2.0 * (3.0 * h + 2.0 * kv) + 4.0 * 32.0 + 8.0 * i + 2.0 * h;
    let expected = 32.0 * 4096.0 * layer;
    let found = step.memory[0].activations;
    assert!((found / expected - 1.0).abs() < 1e-3, "{found} for {expected}");
}

/// torchtitan's policy keeps the outputs of q, v, gate and down beside attention's, and each layer's input.
#[test]
fn every_second_product_is_kept() {
    let bench = Bench::new("h100-sxm", "torchtitan", "llama-3.1-8b");
    let plan = Plan { recompute: Recompute::EverySecond, ..Plan::new(Degrees::ONE) };
    let step = bench.step(&plan, Recipe::Bf16, 4096, 1, Detail::Closed);
    let (h, kv, i) = (4096.0, 1024.0, 14336.0);
    let layer = 2.0 * h + 2.0 * (h + kv) + 2.0 * h + 4.0 * 32.0 + 2.0 * i + 2.0 * h;
    let expected = 32.0 * 4096.0 * layer;
    let found = step.memory[0].activations;
    assert!((found / expected - 1.0).abs() < 1e-3, "{found} for {expected}");
}

/// `torch.utils.checkpoint` stops before the last product of a layer, Megatron's function does not.
#[test]
fn early_stop_saves_the_last_product() {
    let plan = Plan { recompute: Recompute::Full, ..Plan::new(Degrees::ONE) };
    let flops = |stack| {
        let bench = Bench::new("h100-sxm", stack, "llama-3.1-8b");
        let step = bench.step(&plan, Recipe::Bf16, 4096, 1, Detail::Closed);
        step.hfu * bench.chip.matrix_peak(vitruvian_quantity::Dtype::Bf16).get() * step.time
    };
    let saved = flops("megatron-lm") - flops("torchtitan");
    let expected = 32.0 * 2.0 * 4096.0 * 4096.0 * 14336.0;
    assert!((saved / expected - 1.0).abs() < 1e-3, "{saved} for {expected}");
}

/// DeepSpeed's ZeRO-3 on eight ranks: two bytes of weights and gradients, twelve of the optimizer, over eight; a billion
/// parameters live; the optimizer takes six bytes a parameter of its own in blocks that nothing freed holds.
#[test]
fn zero_3_keeps_an_eighth_and_what_its_defaults_say() {
    let bench = Bench::new("a100-sxm", "deepspeed", "llama-3.1-8b");
    let plan = Plan { sharding: Sharding::Parameters, ..Plan::new(Degrees { dp: 8, ..Degrees::ONE }) };
    let memory = bench.step(&plan, Recipe::Bf16, 2048, 8, Detail::Closed).memory[0];
    let parameters = 8.03e9;
    assert!((memory.states() / (16.0 * parameters / 8.0) - 1.0).abs() < 1e-3, "{}", memory.states());
    // The head's gradient, 4096 · 128256 in 16 bits, is the largest.
    let gathered = 2e9 + 2e9 + 2.0 * 4096.0 * 128_256.0;
    assert!((memory.gathered / gathered - 1.0).abs() < 1e-3, "{}", memory.gathered);
    let waste = memory.slack - 0.2 * memory.allocated();
    assert!((waste / (6.0 * parameters / 8.0) - 1.0).abs() < 1e-3, "{waste}");
    assert_eq!(memory.peak(), memory.reserved() + memory.runtime);
}

/// arXiv 2205.05198, appendix A: 72·B·s·L·h²·(1 + s/6h + V/12hL), the pairs of attention counted whole; causal ones are
/// half of them.
#[test]
fn model_flops_are_those_of_the_paper() {
    let bench = Bench::new("a100-sxm", "megatron-2022", "gpt3-175b");
    let plan = Plan::new(Degrees { tp: 8, ..Degrees::ONE });
    let step = bench.step(&plan, Recipe::Fp16, 2048, 4, Detail::Closed);
    let (b, s, l, h, v) = (4.0, 2048.0_f64, 96.0, 12288.0, 51200.0);
    let causal = 72.0 * b * s * l * h * h * (1.0 + s / (12.0 * h) + v / (12.0 * h * l));
    let found = step.mfu * 8.0 * bench.chip.matrix_peak(vitruvian_quantity::Dtype::Fp16).get() * step.time;
    assert!((found / causal - 1.0).abs() < 1e-3, "{found} for {causal}");
}

/// arXiv 2205.05198, section 6: full recomputation runs the forward pass again: HFU over MFU is 4/3 for the layers.
#[test]
fn full_recomputation_is_a_third_more_work() {
    let bench = Bench::new("h100-sxm", "megatron-lm", "llama-3.1-8b");
    let with = |recompute| {
        let plan = Plan { recompute, ..Plan::new(Degrees { dp: 2, ..Degrees::ONE }) };
        let step = bench.step(&plan, Recipe::Bf16, 4096, 8, Detail::Closed);
        step.hfu * step.time
    };
    let more = with(Recompute::Full) / with(Recompute::None);
    // The head (1.05 of 15.0 GFLOP a token) is not run again.
    assert!((1.29..1.334).contains(&more), "{more}");
}

#[test]
fn the_closed_form_is_near_the_simulation() {
    let bench = Bench::new("h100-sxm", "megatron-lm", "llama-3.1-70b");
    for (pp, chunks, schedule) in [
        (4, 1, Schedule::OneFOneB),
        (4, 4, Schedule::OneFOneB),
        (8, 1, Schedule::ZbH1),
        (8, 1, Schedule::Zb2p),
        (8, 1, Schedule::DualPipe),
    ] {
        let plan = Plan { chunks, schedule, ..Plan::new(Degrees { tp: 4, pp, dp: 2, ..Degrees::ONE }) };
        let of = |detail| bench.step(&plan, Recipe::Bf16, 8192, 128, detail).time;
        let ratio = of(Detail::Closed) / of(Detail::Simulated);
        assert!((ratio - 1.0).abs() < 0.06, "{schedule} PP{pp} × {chunks}: {ratio}");
    }
}

#[test]
fn more_chips_are_never_slower_and_larger_batches_never_less_efficient() {
    let bench = Bench::new("h100-sxm", "megatron-lm", "llama-3.1-8b");
    let at = |dp, batch| {
        let plan = Plan::new(Degrees { tp: 2, pp: 2, dp, ..Degrees::ONE });
        bench.step(&plan, Recipe::Bf16, 4096, batch, Detail::Simulated)
    };
    assert!(at(4, 64).time < at(2, 64).time);
    assert!(at(2, 128).mfu > at(2, 16).mfu);
}

#[test]
fn a_step_takes_no_less_than_its_products_at_peak() {
    for chip in ["h100-sxm", "ascend-910b2", "a100-sxm"] {
        let stack = if chip.starts_with("ascend") { "mindspeed-llm" } else { "megatron-lm" };
        let bench = Bench::new(chip, stack, "llama-3.1-8b");
        let step = bench.step(
            &Plan::new(Degrees { dp: 8, ..Degrees::ONE }),
            Recipe::Bf16,
            4096,
            64,
            Detail::Simulated,
        );
        assert!(step.mfu > 0.1 && step.hfu < 1.0, "{chip}: {} {}", step.mfu, step.hfu);
    }
}

#[test]
fn every_stack_loads_and_every_figure_has_a_source_and_a_grade() {
    let grades = ["datasheet", "measured", "derived", "press", "rumour"];
    for name in catalog::names() {
        for [key, source, grade] in catalog::stack(name, "h100-sxm", &[]).unwrap().sources {
            assert!(!source.is_empty() && grades.contains(&grade.as_str()), "{name}.{key}: {grade}");
        }
    }
    assert_eq!(catalog::default_for("huawei", "ascend-910b2", &[]).unwrap().name, "mindspeed-llm");
    assert!(catalog::stack("megatron", "h100-sxm", &[]).unwrap_err().to_string().contains("megatron-lm"));
}

/// arXiv 2412.19437, sections 3.2 and 4.2: it ran on H800 of 80 GiB. The run's peak is not published, only that it fitted.
#[test]
fn deepseek_v3_fits_the_devices_that_trained_it() {
    let bench = Bench::new("h800-sxm", "hai-llm", "deepseek-v3");
    let plan = Plan {
        schedule: Schedule::DualPipe,
        recompute: Recompute::UpProjection,
        sharding: Sharding::Optimizer,
        ..Plan::new(Degrees { pp: 16, dp: 128, ep: 64, ..Degrees::ONE })
    };
    let step = bench.step(&plan, Recipe::Fp8Block, 4096, 15360, Detail::Closed);
    let peaks: Vec<f64> = step.memory.iter().map(|memory| memory.peak() / f64::from(1 << 30)).collect();
    assert!(peaks.iter().all(|peak| *peak < 80.0), "{peaks:?}");
    // Devices s and p − 1 − s hold the same two stages.
    assert!(peaks.iter().zip(peaks.iter().rev()).all(|(a, b)| (a - b).abs() < 1e-6), "{peaks:?}");
}

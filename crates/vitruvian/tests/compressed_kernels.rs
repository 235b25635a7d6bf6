//! Quantised and pruned layers on the simulated Da Vinci core: its kernels give what the quantiser says the layer computes.
//!
//! Weights and inputs are those of the small decoder in `examples/`. The kernel sees codes, places and scales only.
#![allow(clippy::unwrap_used, clippy::panic, clippy::cast_possible_wrap)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use vitruvian_compression::checkpoint::Memory;
use vitruvian_compression::forward::{
    Decoder, DecoderConfig, Detail, InputStatistics, Network, Run, byte_tokens,
};
use vitruvian_compression::method::{FourTwo, Gptq, Pattern, SparseGpt};
use vitruvian_compression::recipe::{Pruner, Rounder, Treatment, observe, treat};
use vitruvian_compression::{Checkpoint, Granularity, Grid, Matrix, Quantised, Scheme, quantise};
use vitruvian_davinci::functional::{GlobalMemory, execute};
use vitruvian_davinci::isa::Type;
use vitruvian_davinci::kernels::gemm::{Epilogue, GemmProblem, GemmTiling, kernel};
use vitruvian_davinci::tiling::is_legal;
use vitruvian_davinci::{CoreTiming, Machine};

const TOKENS: usize = 40;
const LAYERS: [(&str, &str); 3] = [
    ("model.layers.0.self_attn.v_proj.weight", "model.layers.0.self_attn.q_proj.weight"),
    ("model.layers.1.mlp.down_proj.weight", "model.layers.1.mlp.down_proj.weight"),
    ("model.layers.2.mlp.up_proj.weight", "model.layers.2.mlp.gate_proj.weight"),
];
const INT8: Scheme = Scheme::symmetric(Grid::Int8, Granularity::Channel);

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/small-decoder").join(name))
        .unwrap()
}

fn decoder() -> Decoder {
    let names = ["config.json", "model.safetensors"];
    let files = Memory(names.map(|name| (name.to_owned(), Arc::new(file(name)))).into());
    let checkpoint = Checkpoint::open(&files).unwrap_or_else(|_| panic!("no checkpoint"));
    let config = DecoderConfig::parse(&checkpoint.config().to_string()).unwrap();
    let has = |name: &str| checkpoint.tensors().contains_key(name);
    Decoder::load(config, has, |name| checkpoint.matrix(name).map_err(|error| error.message)).unwrap()
}

/// What layers read of a few tokens, by the name of the input.
fn inputs(decoder: &Decoder) -> BTreeMap<String, Matrix> {
    let mut found = BTreeMap::new();
    let mut hidden = decoder.embed(&byte_tokens(&file("heldout.txt")[..TOKENS])).unwrap();
    for block in 0..decoder.blocks() {
        let mut look = |name: &str, input: &Matrix| {
            found.insert(name.to_owned(), input.clone());
        };
        hidden =
            decoder.block(block, &hidden, &mut Run { observer: Some(&mut look), ..Run::plain() }).unwrap();
    }
    found
}

fn statistics(decoder: &Decoder) -> BTreeMap<String, InputStatistics> {
    let windows: Vec<Vec<u32>> =
        file("calibration.txt").chunks_exact(256).take(16).map(byte_tokens).collect();
    observe(decoder, &windows, Detail::Gram).unwrap()
}

/// One scale for all inputs, as static W8A8 kernels want it.
fn static_int8(inputs: &Matrix) -> Quantised {
    quantise(inputs, &Scheme::symmetric(Grid::Int8, Granularity::Tensor)).unwrap()
}

fn integers(quantised: &Quantised) -> Vec<i8> {
    quantised.codes.iter().map(|&code| code as i8).collect()
}

fn floats(values: &[i8]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// Σ of products of codes, exact.
fn sums(a: &Quantised, w: &Quantised) -> Vec<i64> {
    let (left, right) = (integers(a), integers(w));
    let dot = |a: &[i8], b: &[i8]| a.iter().zip(b).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
    left.chunks_exact(a.cols).flat_map(|a| right.chunks_exact(w.cols).map(move |w| dot(a, w))).collect()
}

/// What the quantiser says the layer computes: products of the matrices that codes and scales stand for.
fn layer(a: &Quantised, w: &Quantised) -> Vec<f64> {
    let (a, w) = (a.dequantise(), w.dequantise());
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    (0..a.rows)
        .flat_map(|token| (0..w.rows).map(|out| dot(a.row(token), w.row(out))).collect::<Vec<_>>())
        .collect()
}

fn machine() -> Machine {
    let chip = vitruvian_hardware::catalog::chip("ascend-910b2").unwrap();
    Machine::new(&chip, CoreTiming::of(chip.architecture).unwrap()).unwrap()
}

/// Runs a layer's kernel: dense, or with places of the kept weights.
fn run(a: &Quantised, w: &Quantised, problem: GemmProblem, packed: Option<&FourTwo>) -> Vec<f64> {
    let machine = machine();
    let problem = GemmProblem { sparse: packed.is_some(), ..problem };
    let tiling = GemmTiling { m: 32, n: 64, k_l1: 128, k_l0: 64, l0c_buffers: 2, split_k: 1, swizzle: 4 };
    assert!(is_legal(&machine, &problem, &tiling));
    let kernel = kernel(&machine, &problem, &tiling);
    let mut memory = GlobalMemory::new(&kernel);
    memory.fill("a", Type::S8, &floats(&integers(a)));
    memory.fill("b", Type::S8, &floats(&packed.map_or_else(|| integers(w), |packed| packed.values.clone())));
    if let Some(packed) = packed {
        let index: Vec<i8> = packed.index().into_iter().map(|byte| byte as i8).collect();
        memory.fill("index", Type::S8, &floats(&index));
    }
    if problem.epilogue == Epilogue::Dequantise {
        let scales: Vec<f64> =
            w.scales.iter().map(|scale| f64::from(scale.scale * a.scales[0].scale)).collect();
        memory.fill("scales", Type::F32, &scales);
    }
    execute(&machine, &kernel, &mut memory).unwrap_or_else(|fault| panic!("{fault}"));
    memory.read("c", problem.out)
}

/// The integers are the quantiser's to the last bit; the dequantised outputs are its outputs rounded once to FP16, but for
/// the rounding of the fp32 product of two scales (2⁻²⁴) and of the product with it (2⁻²⁴), which may cross a half.
fn check(name: &str, a: &Quantised, w: &Quantised, packed: Option<&FourTwo>) {
    let problem = GemmProblem::new(a.rows as u32, w.rows as u32, a.cols as u32, Type::S8);
    let exact: Vec<f64> = sums(a, w).into_iter().map(|sum| sum as f64).collect();
    assert_eq!(run(a, w, problem, packed), exact, "{name}");

    let problem = GemmProblem { epilogue: Epilogue::Dequantise, out: Type::F16, ..problem };
    let outputs = run(a, w, problem, packed);
    let wanted = layer(a, w);
    let largest = wanted.iter().fold(0.0f64, |most, value| most.max(value.abs()));
    for (index, (got, want)) in outputs.iter().zip(&wanted).enumerate() {
        let bound =
            want.abs() * (2f64.powi(-11) + 2f64.powi(-22)) + largest * 2f64.powi(-22) + 2f64.powi(-25);
        assert!((got - want).abs() <= bound, "{name}, output {index}: {got} and {want}");
    }
}

#[test]
fn w8a8_layers_compute_what_the_quantiser_says() {
    let decoder = decoder();
    let (inputs, seen) = (inputs(&decoder), statistics(&decoder));
    for (name, input) in LAYERS {
        let weights = decoder.parameters.matrix(name).unwrap();
        let a = static_int8(&inputs[input]);
        check(name, &a, &quantise(weights, &INT8).unwrap(), None);
        let gptq = Treatment { prune: None, round: Some((Rounder::Gptq(Gptq::default()), INT8)) };
        check(name, &a, &treat(weights.clone(), Some(&seen[input]), &gptq).unwrap().quantised.unwrap(), None);
    }
}

#[test]
fn layers_with_two_of_four_weights_compute_what_the_quantiser_says() {
    let decoder = decoder();
    let (inputs, seen) = (inputs(&decoder), statistics(&decoder));
    let sparsegpt = (Pruner::SparseGpt(SparseGpt::default()), Rounder::Gptq(Gptq::default()));
    for (pruner, rounder) in [(Pruner::Magnitude, Rounder::Nearest), sparsegpt] {
        let how = Treatment { prune: Some((pruner, Pattern::TWO_OF_FOUR)), round: Some((rounder, INT8)) };
        for (name, input) in LAYERS {
            let weights = decoder.parameters.matrix(name).unwrap();
            let pruned = treat(weights.clone(), Some(&seen[input]), &how).unwrap().quantised.unwrap();
            let packed = FourTwo::pack(&integers(&pruned), pruned.cols).unwrap();
            assert_eq!(packed.unpack(), integers(&pruned));
            check(name, &static_int8(&inputs[input]), &pruned, Some(&packed));
        }
    }
}

/// The test can fail: with the places of two kept weights exchanged the sums differ.
#[test]
fn wrong_places_are_noticed() {
    let decoder = decoder();
    let (name, input) = LAYERS[1];
    let weights = decoder.parameters.matrix(name).unwrap();
    let how = Treatment {
        prune: Some((Pruner::Magnitude, Pattern::TWO_OF_FOUR)),
        round: Some((Rounder::Nearest, INT8)),
    };
    let pruned = treat(weights.clone(), None, &how).unwrap().quantised.unwrap();
    let mut packed = FourTwo::pack(&integers(&pruned), pruned.cols).unwrap();
    packed.places.swap(0, 1);
    let a = static_int8(&inputs(&decoder)[input]);
    let problem = GemmProblem::new(a.rows as u32, pruned.rows as u32, a.cols as u32, Type::S8);
    let exact: Vec<f64> = sums(&a, &pruned).into_iter().map(|sum| sum as f64).collect();
    assert_ne!(run(&a, &pruned, problem, Some(&packed)), exact);
}

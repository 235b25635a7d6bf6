//! Every `config.json` of the published set: parameter counts against model cards or names, and quantisation.
//!
//! The files are not part of the repository; without them these tests say so and pass.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};

use vitruvian_diagnostics::SourceText;
use vitruvian_model::{Model, Scheme, parameters, read_config};
use vitruvian_quantity::Dtype;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/models");

/// Where a count comes from.
#[derive(Clone, Copy, PartialEq)]
enum Known {
    /// Model card or checkpoint; held to 1 %.
    Card,
    /// The rounded size in the model's name alone; held to 5 %.
    Name,
    /// Neither names a size: only read.
    Nothing,
}
use Known::{Card, Name, Nothing};

/// Part of the file name; billions in total, of which active; where from. The first that fits counts.
///
/// Active counts of model cards often include the embedding row or round: held to 8 %.
const TABLE: &[(&str, f64, f64, Known)] = &[
    ("MiniMax-M2.", 228.7, 10.0, Card),
    ("MiniMax-M3", 0.0, 0.0, Nothing),
    ("Qwen3-0.6B", 0.596, 0.596, Card),
    ("Qwen3-1.7B", 1.721, 1.721, Card),
    ("Qwen3-8B", 8.19, 7.57, Card),
    ("Qwen3-32B", 32.76, 31.98, Card),
    ("Qwen3-30B-A3B", 30.53, 3.3, Card),
    ("Qwen3-235B-A22B", 235.09, 22.0, Card),
    ("Qwen3-Coder-480B", 480.15, 35.0, Card),
    ("Qwen3-VL-2B", 2.127, 1.72, Card),
    ("Qwen3-VL-4B", 4.438, 4.02, Card),
    ("Qwen3-VL-8B", 8.767, 7.57, Card),
    ("Qwen3-VL-32B", 33.36, 31.98, Card),
    ("Qwen3-VL-30B-A3B", 31.07, 3.3, Card),
    ("Qwen3-VL-235B-A22B", 235.67, 22.0, Card),
    ("Qwen3.5-35B-A3B", 35.0, 3.0, Name),
    ("Qwen3.6-35B-A3B", 35.0, 3.0, Name),
    ("Qwen3.5-27B", 27.0, 27.0, Name),
    ("Qwen3.6-27B", 27.0, 27.0, Name),
    ("Qwen3.5-122B-A10B", 122.0, 10.0, Name),
    ("Qwen3.5-397B-A17B", 397.0, 17.0, Name),
    ("MiMo-7B", 7.62, 7.0, Card),
    ("MiMo-V2-Flash", 309.0, 15.0, Card),
    ("DeepSeek-V3.2", 671.9, 37.5, Card),
    ("DeepSeek-V3", 671.0, 36.6, Card),
    ("DeepSeek-R1", 671.0, 36.6, Card),
    ("DeepSeek-V4-Flash", 284.0, 13.0, Card),
    ("DeepSeek-V4-Pro", 1573.0, 49.0, Card),
    ("emma-4-26B-A4B", 25.8, 3.8, Card),
    ("Gemma-4-31B", 31.0, 31.0, Name),
    // Cards give 400 B and 109 B with the vision tower, which these files do not describe, and 17 B with the embedding.
    ("Llama-4-Maverick", 401.0, 17.0, Card),
    ("Llama-4-Scout", 108.0, 17.0, Card),
    ("Llama-3.1-405B", 405.85, 403.8, Card),
    ("Llama-3.1-70B", 70.55, 69.5, Card),
    ("Llama-3.1-8B", 8.03, 7.5, Card),
    ("Nemotron-Super-49B", 49.9, 48.8, Card),
    ("Mixtral-8x22B", 140.6, 39.0, Card),
    ("Mixtral-8x7B", 46.7, 12.75, Card),
    ("Kimi-K2", 1026.4, 32.0, Card),
    ("Kimi-K3", 0.0, 0.0, Nothing),
    ("GLM-5", 744.0, 40.0, Card),
    ("Nemotron-3-Nano-30B-A3B", 31.6, 3.2, Card),
    // Of the shape of Nemotron-3-Nano, whose card says 31.6 B.
    ("Nemotron-3.5-Lightning-30B-A3B", 31.6, 3.2, Card),
    ("Nemotron-3-Super-120B-A12B", 120.6, 12.0, Card),
    ("Nemotron-3-Ultra-550B-A55B", 550.0, 55.0, Name),
    ("Nemotron-H-56B", 56.0, 56.0, Name),
    ("gpt-oss-120b", 116.83, 5.13, Card),
    ("gpt-oss-20b", 20.91, 3.61, Card),
    // Step-3.5-Flash, of the same shape, has 196 B of which 11 B active.
    ("Step-3.7-Flash", 196.0, 11.0, Card),
];

fn files() -> Vec<PathBuf> {
    let Ok(folder) = std::fs::read_dir(FOLDER) else {
        println!("skipped: shared/data/models is not here");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = folder.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Model {
    let text = std::fs::read_to_string(path).unwrap();
    let source = SourceText::new(path.to_string_lossy().into_owned(), text);
    read_config(&source).unwrap_or_else(|diagnostic| panic!("{diagnostic}"))
}

#[test]
fn every_file_has_its_published_count() {
    for path in files() {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let model = read(&path);
        let count = parameters(&model);
        let row = TABLE.iter().find(|(part, ..)| file.contains(part));
        let (_, total, active, known) = row.unwrap_or_else(|| panic!("{file} is not in the table"));
        let tolerance = match known {
            Nothing => continue,
            Card => 0.01,
            Name => 0.05,
        };
        let off = |count: u64, stated: f64| (count as f64 / 1e9 / stated - 1.0).abs();
        assert!(off(count.total, *total) < tolerance, "{file}: {} of {total} B", count.total);
        let loose = if *known == Name { 0.11 } else { 0.08 };
        assert!(off(count.active, *active) < loose, "{file}: {} of {active} B active", count.active);
    }
}

#[test]
fn published_schemes() {
    // File; attention, dense layers, experts, shared experts, LM head; KV cache.
    use Scheme::{Bf16, Fp8Block, Fp8Tensor, Mxfp4, Mxfp8, Nvfp4, W4A16};
    let rows = [
        ("deepseek-ai--DeepSeek-V3", [Fp8Block, Fp8Block, Fp8Block, Fp8Block, Bf16], Dtype::Bf16),
        ("deepseek-ai--DeepSeek-V4-Flash", [Fp8Block, Fp8Block, Mxfp4, Fp8Block, Bf16], Dtype::Bf16),
        ("nvidia--DeepSeek-V4-Flash-NVFP4", [Fp8Block, Fp8Block, Nvfp4, Fp8Block, Bf16], Dtype::Bf16),
        ("openai--gpt-oss-120b", [Bf16, Bf16, Mxfp4, Bf16, Bf16], Dtype::Bf16),
        (
            "Qwen--Qwen3-32B-FP8-Static-PerTensor",
            [Fp8Tensor, Fp8Tensor, Fp8Tensor, Fp8Tensor, Bf16],
            Dtype::Fp8,
        ),
        ("moonshotai--Kimi-K2.5", [Bf16, Bf16, W4A16, Bf16, Bf16], Dtype::Bf16),
        ("moonshotai--Kimi-K3", [Bf16, Bf16, Mxfp4, Bf16, Bf16], Dtype::Bf16),
        ("nvidia--GLM-5.1-NVFP4", [Bf16, Bf16, Nvfp4, Bf16, Bf16], Dtype::Fp8),
        ("nvidia--Gemma-4-26B-A4B-NVFP4", [Bf16, Nvfp4, Nvfp4, Bf16, Bf16], Dtype::Fp8),
        ("nvidia--MiniMax-M3-NVFP4", [Mxfp8, Mxfp8, Nvfp4, Mxfp8, Bf16], Dtype::Bf16),
        ("nvidia--Qwen3.5-122B-A10B-NVFP4", [Bf16, Nvfp4, Nvfp4, Bf16, Bf16], Dtype::Fp8),
        ("nvidia--Qwen3.6-35B-A3B-NVFP4", [Fp8Tensor, Bf16, Nvfp4, Nvfp4, Nvfp4], Dtype::Bf16),
    ];
    if files().is_empty() {
        return;
    }
    for (file, schemes, kv) in rows {
        let plan = read(&Path::new(FOLDER).join(format!("{file}.json"))).published.unwrap();
        let found = [plan.attention, plan.dense_ffn, plan.experts, plan.shared_experts, plan.lm_head];
        assert_eq!((found, plan.kv), (schemes, kv), "{file}");
    }
}

#[test]
fn sixteen_bit_checkpoints_have_no_plan() {
    for path in files().iter().filter(|path| path.to_string_lossy().ends_with("Qwen3-8B.json")) {
        assert_eq!(read(path).published, None);
    }
}

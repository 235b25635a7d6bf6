//! What every method costs on the two models of the documentation, as the tables of `docs/compression-methods.md`:
//!
//! ```text
//! python3 tools/fetch_minilm.py
//! cargo run --release -p vitruvian-compression --example methods
//! ```
#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vitruvian_compression::checkpoint::Memory;
use vitruvian_compression::forward::{
    Decoder, DecoderConfig, Encoder, EncoderConfig, Precision, WordPiece, byte_tokens,
};
use vitruvian_compression::measure::{feature_agreement, perplexity, token_agreement};
use vitruvian_compression::recipe::{Assignment, LayerOutcome, Recipe, compress, rotate};
use vitruvian_compression::{Checkpoint, Granularity, Grid, Scheme};

const WINDOW: usize = 256;

/// Texts that the encoder is calibrated on, and as many that it is measured on.
const TEXTS: usize = 48;

const CHANNEL: Granularity = Granularity::Channel;
const INT8: (&str, Scheme) = ("INT8, channel", Scheme::symmetric(Grid::Int8, CHANNEL));
const FP8: (&str, Scheme) = ("FP8 E4M3, channel", Scheme::symmetric(Grid::E4m3, CHANNEL));
const INT4: (&str, Scheme) = ("INT4, channel", Scheme::symmetric(Grid::Int4, CHANNEL));
const INT4_GROUP: (&str, Scheme) = ("INT4, group 32", Scheme::symmetric(Grid::Int4, Granularity::Group(32)));
const INT4_ZERO: (&str, Scheme) =
    ("INT4, group 32, zero points", Scheme::asymmetric(Grid::Int4, Granularity::Group(32)));
const MXFP4: (&str, Scheme) = ("MXFP4", Scheme::mxfp4());
const NVFP4: (&str, Scheme) = ("NVFP4", Scheme::nvfp4());

/// Recipe, format of weights, and whether activations are INT8 by token.
type Row = (&'static str, Option<(&'static str, Scheme)>, bool);

const ROWS: [Row; 30] = [
    ("rtn", Some(INT8), false),
    ("rtn", Some(FP8), false),
    ("rtn", Some(INT8), true),
    ("smoothquant+rtn", Some(INT8), true),
    ("gptq", Some(INT8), true),
    ("rtn", Some(INT4), false),
    ("clip", Some(INT4), false),
    ("awq+rtn", Some(INT4), false),
    ("rotate+rtn", Some(INT4), false),
    ("gptq", Some(INT4), false),
    ("awq+gptq", Some(INT4), false),
    ("rotate+gptq", Some(INT4), false),
    ("rtn", Some(INT4_GROUP), false),
    ("clip", Some(INT4_GROUP), false),
    ("hqq", Some(INT4_GROUP), false),
    ("awq+rtn", Some(INT4_GROUP), false),
    ("gptq", Some(INT4_GROUP), false),
    ("rtn", Some(INT4_ZERO), false),
    ("hqq", Some(INT4_ZERO), false),
    ("gptq", Some(INT4_ZERO), false),
    ("rtn", Some(MXFP4), false),
    ("gptq", Some(MXFP4), false),
    ("rtn", Some(NVFP4), false),
    ("gptq", Some(NVFP4), false),
    ("magnitude=2:4", None, false),
    ("wanda=2:4", None, false),
    ("sparsegpt=2:4", None, false),
    ("sparsegpt=4:8", None, false),
    ("sparsegpt=50%", None, false),
    ("sparsegpt=4:2+gptq", Some(INT8), true),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn checkpoint(folder: &Path) -> Checkpoint {
    let read = |name: &str| (name.to_owned(), Arc::new(std::fs::read(folder.join(name)).unwrap()));
    let files = Memory(["config.json", "model.safetensors"].map(read).into());
    Checkpoint::open(&files).unwrap_or_else(|_| panic!("{} is no checkpoint", folder.display()))
}

fn recipe((name, format, eight): &Row) -> Recipe {
    let mut recipe: Recipe = name.parse().unwrap();
    recipe.formats = Assignment { default: format.map(|(_, scheme)| scheme), ..Assignment::default() };
    if *eight {
        recipe.activations = Precision::INT8_PER_TOKEN;
    }
    recipe
}

/// Method, formats, and means over layers: signal to noise of the weights, error of the outputs, and weighted error.
fn begin((name, format, eight): &Row, outcomes: &[LayerOutcome]) -> String {
    let mean = |value: &dyn Fn(&LayerOutcome) -> f64| {
        outcomes.iter().map(value).sum::<f64>() / outcomes.len() as f64
    };
    let sqnr = mean(&|layer| layer.error.sqnr_db);
    let output = mean(&|layer| layer.error.output_error.unwrap_or(0.0));
    let weighted = mean(&|layer| layer.error.hessian_error.unwrap_or(0.0));
    let format = format.map_or("as stored", |(name, _)| name);
    let inputs = if *eight { "INT8" } else { "–" };
    format!(
        "| `{name}` | {format} | {inputs} | {sqnr:.1} | {:.3} | {:.3} |",
        100.0 * output,
        100.0 * weighted
    )
}

fn decoder_table() {
    let folder = root().join("examples/small-decoder");
    let checkpoint = checkpoint(&folder);
    let config = DecoderConfig::parse(&checkpoint.config().to_string()).unwrap();
    let read = |name: &str| checkpoint.matrix(name).map_err(|error| error.message);
    let original = Decoder::load(config, |name| checkpoint.tensors().contains_key(name), read).unwrap();
    let text = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let calibration: Vec<Vec<u32>> = text("calibration.txt").chunks_exact(WINDOW).map(byte_tokens).collect();
    let held = byte_tokens(&text("heldout.txt"));
    let before = perplexity(&original, &held, WINDOW, Precision::Full).unwrap().per_token;
    println!("baseline {before:.4}\n");
    println!(
        "| method | weights | inputs | SQNR, dB | output error, % | weighted error, % | perplexity | change, % | same token, % | divergence, mnat |"
    );
    println!("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in &ROWS {
        let recipe = recipe(row);
        let mut kept = original.clone();
        if let Some(seed) = recipe.rotate {
            rotate(&mut kept, seed).unwrap();
        }
        let outcomes = compress(&mut kept, &recipe, &calibration).unwrap();
        let after = perplexity(&kept, &held, WINDOW, recipe.activations).unwrap().per_token;
        let agreement = token_agreement(&original, (&kept, recipe.activations), &held, WINDOW).unwrap();
        let (change, top1, nats) =
            (100.0 * (after / before - 1.0), 100.0 * agreement.top1, 1000.0 * agreement.divergence);
        println!("{} {after:.4} | {change:+.2} | {top1:.1} | {nats:.2} |", begin(row, &outcomes));
    }
}

/// Rotations need RMSNorms; the other methods are shown on fewer formats.
fn on_encoder((name, format, _): &Row) -> bool {
    let shown = [INT8.0, INT4.0, INT4_GROUP.0];
    !name.starts_with("rotate") && format.is_none_or(|(format, _)| shown.contains(&format))
}

fn encoder_table() {
    let folder = root().join("target/minilm");
    if !folder.join("model.safetensors").exists() {
        println!("no MiniLM in target/minilm: tools/fetch_minilm.py fetches it");
        return;
    }
    let checkpoint = checkpoint(&folder);
    let config = EncoderConfig::parse(&checkpoint.config().to_string()).unwrap();
    let original =
        Encoder::load(config, |name| checkpoint.matrix(name).map_err(|error| error.message)).unwrap();
    let tokeniser = WordPiece::parse(&std::fs::read_to_string(folder.join("vocab.txt")).unwrap()).unwrap();
    let texts = |name: &str| -> Vec<Vec<u32>> {
        let text = std::fs::read(root().join("examples/small-decoder").join(name)).unwrap();
        let texts = text.chunks_exact(WINDOW).take(TEXTS).map(String::from_utf8_lossy);
        texts.map(|text| tokeniser.encode(&text, 128)).collect()
    };
    let (calibration, held) = (texts("calibration.txt"), texts("heldout.txt"));
    println!(
        "| method | weights | inputs | SQNR, dB | output error, % | weighted error, % | cosine | worst cosine | same neighbour, % |"
    );
    println!("| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for row in ROWS.iter().filter(|row| on_encoder(row)) {
        let recipe = recipe(row);
        let mut kept = original.clone();
        let outcomes = compress(&mut kept, &recipe, &calibration).unwrap();
        let found = feature_agreement(&original, (&kept, recipe.activations), &held).unwrap();
        let (cosine, worst, nearest) = (found.cosine, found.worst_cosine, 100.0 * found.nearest);
        println!("{} {cosine:.4} | {worst:.4} | {nearest:.0} |", begin(row, &outcomes));
    }
}

/// Both tables, or one of them: `decoder`, `encoder`.
fn main() {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted != "encoder" {
        decoder_table();
        println!();
    }
    if wanted != "decoder" {
        encoder_table();
    }
}

//! Checkpoints as public packages write them, read as the same packages read them (`tools/quantised_layouts.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use vitruvian_compression::Checkpoint;
use vitruvian_compression::checkpoint::{Layout, Memory};

fn folder(files: &[(&str, &Path)]) -> Memory {
    let read =
        |(name, path): &(&str, &Path)| fs::read(path).ok().map(|bytes| ((*name).to_owned(), Arc::new(bytes)));
    Memory(files.iter().filter_map(read).collect())
}

fn open(name: &str) -> Checkpoint {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/layouts").join(name);
    let files = ["config.json", "model.safetensors", "model.gguf"];
    let paths = files.map(|file| root.join(file));
    let named: Vec<(&str, &Path)> = files.iter().copied().zip(paths.iter().map(AsRef::as_ref)).collect();
    Checkpoint::open(&folder(&named)).unwrap()
}

/// What the package reads back, by name.
fn expected(name: &str) -> BTreeMap<String, Vec<f32>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formats/layouts/{name}.expected"));
    let checkpoint = Checkpoint::open(&folder(&[("expected.safetensors", &path)])).unwrap();
    checkpoint.tensors().keys().map(|name| (name.clone(), checkpoint.floats(name).unwrap())).collect()
}

/// The one matrix of a checkpoint is, within some units of the last place, what the package makes of it.
fn reads(name: &str, layout: Layout, shape: (usize, usize)) {
    let checkpoint = open(name);
    assert_eq!(checkpoint.layout(), layout, "{name}");
    let weights = checkpoint.weights().unwrap();
    assert_eq!(weights.len(), 1, "{name}: {weights:?}");
    assert!(weights[0].quantised);
    assert_eq!((weights[0].rows, weights[0].cols), shape, "{name}");
    assert_eq!(weights[0].module, "model.layers.0.mlp.up_proj");
    let matrix = checkpoint.dequantised(&weights[0]).unwrap();
    let wanted = &expected(name)["expected"];
    assert_eq!(matrix.data.len(), wanted.len());
    for (index, (ours, theirs)) in matrix.data.iter().zip(wanted).enumerate() {
        let tolerance = f32::EPSILON * theirs.abs();
        assert!((ours - theirs).abs() <= tolerance, "{name} at {index}: {ours} against {theirs}");
    }
}

#[test]
fn compressed_tensors() {
    for name in [
        "ct-int4-group",
        "ct-int4-group-asymmetric",
        "ct-int8-channel",
        "ct-fp8-channel",
        "ct-mxfp4",
        "ct-mxfp8",
        "ct-nvfp4",
    ] {
        reads(name, Layout::CompressedTensors, (32, 64));
    }
}

#[test]
fn blocks_of_another_size_than_128_are_read_where_the_configuration_says_so() {
    reads("ct-fp8-block", Layout::CompressedTensors, (32, 64));
}

#[test]
fn gptq_and_awq() {
    reads("gptq", Layout::Gptq, (32, 64));
    reads("awq", Layout::Awq, (32, 64));
}

#[test]
fn gguf_blocks() {
    let checkpoint = open("gguf");
    assert_eq!(checkpoint.layout(), Layout::Gguf);
    let expected = expected("gguf");
    let weights = checkpoint.weights().unwrap();
    assert_eq!(weights.len(), 7);
    for weight in weights {
        let matrix = checkpoint.dequantised(&weight).unwrap();
        assert_eq!((matrix.rows, matrix.cols), (4, 512));
        for (ours, theirs) in matrix.data.iter().zip(&expected[&weight.tensor]) {
            let tolerance = 2.0 * f32::EPSILON * theirs.abs().max(1.0);
            assert!((ours - theirs).abs() <= tolerance, "{}: {ours} against {theirs}", weight.tensor);
        }
    }
}

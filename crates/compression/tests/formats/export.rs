//! Checkpoints written in each layout and read back.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;

use vitruvian_compression::checkpoint::{Layout, Memory};
use vitruvian_compression::export::{Export, Recipe, Style, Target};
use vitruvian_compression::{Checkpoint, Matrix, quantise};

use crate::common::{folder, rounded, safetensors, weights};

/// Files in memory; all space is used up after so many bytes.
#[derive(Default)]
struct Disk {
    files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    space: Option<usize>,
}

struct File {
    name: String,
    files: Rc<RefCell<BTreeMap<String, Vec<u8>>>>,
    space: Option<usize>,
}

impl Target for Disk {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + '_>> {
        self.files.borrow_mut().insert(name.to_owned(), Vec::new());
        Ok(Box::new(File { name: name.to_owned(), files: Rc::clone(&self.files), space: self.space }))
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut files = self.files.borrow_mut();
        let used: usize = files.values().map(Vec::len).sum();
        if self.space.is_some_and(|space| used + bytes.len() > space) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        files.get_mut(&self.name).unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const UP: &str = "model.layers.0.mlp.up_proj";
const GATE: &str = "model.layers.0.mlp.gate";

/// A model of two shards: a linear layer, a router, an embedding; the norm has an odd number of elements.
fn model(up: &Matrix) -> Checkpoint {
    let norm = Matrix::from_fn(1, 3, |_, col| col as f32);
    let first = safetensors(&[("model.layers.0.norm.weight", &norm), (&format!("{UP}.weight"), up)]);
    let second = safetensors(&[
        (&format!("{GATE}.weight"), &weights(8, 256)),
        ("model.embed_tokens.weight", &weights(16, 256)),
    ]);
    let index = format!(
        r#"{{"weight_map": {{"model.layers.0.norm.weight": "a.safetensors", "{UP}.weight": "a.safetensors",
        "{GATE}.weight": "b.safetensors", "model.embed_tokens.weight": "b.safetensors"}}}}"#
    );
    let config = br#"{"model_type": "llama", "hidden_size": 256}"#.to_vec();
    Checkpoint::open(&folder([
        ("a.safetensors", first),
        ("b.safetensors", second),
        ("model.safetensors.index.json", index.into_bytes()),
        ("config.json", config),
    ]))
    .unwrap()
}

fn written(checkpoint: &Checkpoint, style: Style, recipe: Recipe) -> Checkpoint {
    let export = Export::new(checkpoint, style, |_| Some(recipe)).unwrap();
    let mut disk = Disk::default();
    let report = export.write(&mut disk, &mut |_, matrix, recipe| quantise(&matrix, &recipe.scheme)).unwrap();
    assert_eq!((report.quantised, report.kept), (1, 3));
    let files = disk.files.borrow().clone();
    assert_eq!(report.files, files.keys().cloned().collect::<Vec<_>>());
    let files = files.into_iter().map(|(name, bytes)| (name, Arc::new(bytes))).collect();
    Checkpoint::open(&Memory(files)).unwrap()
}

fn styles() -> impl Iterator<Item = (Style, Recipe)> {
    let recipes = || Recipe::NAMES.into_iter().map(|name| Recipe::named(name, 64).unwrap());
    let pairs = Style::ALL.into_iter().flat_map(move |style| recipes().map(move |recipe| (style, recipe)));
    pairs.filter(|(style, recipe)| recipe.fits(*style))
}

#[test]
fn what_is_read_back_is_what_the_quantiser_kept() {
    let up = weights(200, 256);
    let checkpoint = model(&up);
    assert_eq!(styles().count(), 8 + 1 + 2);
    for (style, recipe) in styles() {
        let back = written(&checkpoint, style, recipe);
        let kept = quantise(&rounded(&up), &recipe.scheme).unwrap().dequantise();
        let weight = back.weights().unwrap().into_iter().find(|weight| weight.module == UP).unwrap();
        assert_eq!(back.dequantised(&weight).unwrap(), kept, "{} in {}", recipe.name, style.name());
        let layout = match style {
            Style::CompressedTensors => Layout::CompressedTensors,
            Style::Fp8Block => Layout::Fp8Block,
            Style::ModelSlim => Layout::ModelSlim,
        };
        assert_eq!(back.layout(), layout);
        for name in ["model.embed_tokens.weight", "model.layers.0.norm.weight"] {
            assert_eq!(back.matrix(name).unwrap(), checkpoint.matrix(name).unwrap());
        }
        assert_eq!(back.config()["hidden_size"], 256);
    }
}

#[test]
fn tensors_begin_at_multiples_of_their_elements() {
    let checkpoint = model(&weights(200, 256));
    for (style, recipe) in styles() {
        let export = Export::new(&checkpoint, style, |_| Some(recipe)).unwrap();
        let mut disk = Disk::default();
        export.write(&mut disk, &mut |_, matrix, recipe| quantise(&matrix, &recipe.scheme)).unwrap();
        for (name, bytes) in disk.files.borrow().iter().filter(|(name, _)| name.ends_with("safetensors")) {
            let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
            assert_eq!(length % 8, 0);
            let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
            for (tensor, entry) in
                header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__")
            {
                let size = match entry["dtype"].as_str().unwrap() {
                    "I64" => 8,
                    "F32" | "I32" => 4,
                    "BF16" => 2,
                    _ => 1,
                };
                assert_eq!(entry["data_offsets"][0].as_u64().unwrap() % size, 0, "{tensor} of {name}");
            }
        }
    }
}

#[test]
fn a_quantised_checkpoint_is_not_quantised_again() {
    let checkpoint = model(&weights(200, 256));
    let recipe = Recipe::named("fp8-block", 128).unwrap();
    let back = written(&checkpoint, Style::Fp8Block, recipe);
    let faults = Export::new(&back, Style::Fp8Block, |_| Some(recipe)).err().unwrap();
    assert_eq!(faults.0[0].code, "checkpoint-quantised");
    assert!(faults.0[0].message.contains("fp8-block"));
}

#[test]
fn a_weight_that_is_not_finite_is_named() {
    let mut up = weights(200, 256);
    up.data[300] = f32::INFINITY;
    let patched = safetensors(&[(&format!("{UP}.weight"), &up)]);
    // The encoder saturates; write the infinity's bits.
    let mut patched = patched;
    let at = patched.len() - 2 * (200 * 256 - 300);
    patched[at..at + 2].copy_from_slice(&0x7f80u16.to_le_bytes());
    let checkpoint = Checkpoint::open(&folder([("model.safetensors", patched)])).unwrap();
    let export = Export::new(&checkpoint, Style::CompressedTensors, |_| Recipe::named("fp8", 128)).unwrap();
    let fault =
        export.write(&mut Disk::default(), &mut |_, matrix, recipe| quantise(&matrix, &recipe.scheme));
    let message = fault.unwrap_err().message;
    assert_eq!(message, format!("`{UP}.weight` cannot be quantised: the weight in row 1, column 44 is inf"));
}

#[test]
fn shapes_that_no_group_divides_are_all_named() {
    let checkpoint = model(&weights(200, 256));
    let recipe = Recipe::named("w4a16", 96).unwrap();
    let faults = Export::new(&checkpoint, Style::CompressedTensors, |_| Some(recipe)).err().unwrap();
    assert_eq!(faults.0.len(), 1);
    assert!(faults.0[0].message.contains("rows of 256 weights are no whole number of groups of 96"));
}

#[test]
fn a_full_disk_is_told() {
    let checkpoint = model(&weights(200, 256));
    let export = Export::new(&checkpoint, Style::CompressedTensors, |_| Recipe::named("fp8", 128)).unwrap();
    let mut disk = Disk { space: Some(20_000), ..Disk::default() };
    let fault = export.write(&mut disk, &mut |_, matrix, recipe| quantise(&matrix, &recipe.scheme));
    assert_eq!(fault.unwrap_err().code, "output-full");
}

#[test]
fn a_style_that_cannot_say_it_names_one_that_can() {
    let checkpoint = model(&weights(200, 256));
    let faults = Export::new(&checkpoint, Style::ModelSlim, |_| Recipe::named("mxfp4", 32)).err().unwrap();
    assert_eq!(faults.0[0].help.as_deref(), Some("use compressed-tensors"));
}

//! Checkpoints that are not what they say, and folders that cannot be written.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{self, Folder};
use crate::{refused, refused_in};

/// The decoder that ships with the repository.
fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/small-decoder").canonicalize().unwrap()
}

/// A copy of its configuration and tensors, the tensors changed.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> Folder {
    let folder = Folder::new(name);
    std::fs::copy(example().join("config.json"), folder.join("config.json")).unwrap();
    let mut bytes = std::fs::read(example().join("model.safetensors")).unwrap();
    change(&mut bytes);
    std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
    folder
}

/// Names in a folder.
fn names(folder: &Folder) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join(".")).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_truncated_file() {
    let folder = changed("bad-truncated", |bytes| bytes.truncate(100_000));
    let told = refused_in(&folder, &["compress", "."]);
    assert!(
        told.starts_with("error[checkpoint-header]: `model.safetensors` is no whole safetensors file: `"),
        "{told}"
    );
    assert!(told.contains("it is truncated") && told.contains("download it again"), "{told}");
}

#[test]
fn a_header_of_impossible_length() {
    let folder = changed("bad-length", |bytes| bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes()));
    let told = refused_in(&folder, &["compress", "."]);
    assert!(told.contains("its header claims 18446744073709551615 bytes of a file of 1315672"), "{told}");
}

#[test]
fn missing_shards() {
    let folder = changed("bad-shards", |_| {});
    let index = r#"{"weight_map": {"lm_head.weight": "model-00001.safetensors"}}"#;
    std::fs::write(folder.join("model.safetensors.index.json"), index).unwrap();
    assert_eq!(
        refused_in(&folder, &["compress", "."]),
        "\
error[checkpoint-shard]: the shard `model-00001.safetensors` with 1 tensors is missing
 |
 = help: `model.safetensors.index.json` names it; download it again

"
    );
}

#[test]
fn weights_that_are_no_numbers_are_named_and_no_checkpoint_is_left() {
    let asked = ["compress", ".", "--schemes", "fp8-block", "--chips", "h20", "--write", "out"];
    // A NaN in the last element of a linear layer, and of whatever tensor the file ends with.
    for (tensor, told) in [
        (
            Some("model.layers.1.mlp.up_proj.weight"),
            "cannot be quantised: the weight in row 383, column 127 is NaN",
        ),
        (None, "holds NaN"),
    ] {
        let folder = changed("bad-nan", |bytes| {
            let end = tensor.map_or(bytes.len(), |tensor| end_of(bytes, tensor));
            bytes[end - 2..end].copy_from_slice(&0x7fc0u16.to_le_bytes());
        });
        let before = names(&folder);
        let refusal = refused_in(&folder, &asked);
        assert!(refusal.starts_with("error[weight]: `model.") && refusal.contains(told), "{refusal}");
        assert_eq!(names(&folder), before);
    }
}

/// Where a tensor of a file ends.
fn end_of(bytes: &[u8], tensor: &str) -> usize {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    8 + length + header[tensor]["data_offsets"][1].as_u64().unwrap() as usize
}

#[test]
fn a_checkpoint_that_is_quantised_already() {
    let folder = Folder::new("bad-quantised");
    let source = example();
    let written = Command::new(common::BINARY)
        .args(["compress", source.to_str().unwrap(), "--schemes", "fp8", "--chips", "h20", "--slo", "none"])
        .args(["--write", "out"])
        .current_dir(folder.join("."))
        .output()
        .unwrap();
    assert_eq!(written.status.code(), Some(0), "{}", String::from_utf8_lossy(&written.stderr));
    assert_eq!(names(&folder), ["out"]);
    assert_eq!(
        refused_in(&folder, &["compress", "out"]),
        "\
error[checkpoint-quantised]: the checkpoint is quantised already, in the layout compressed-tensors
 |
 = help: quantising twice adds both errors; start from the BF16 checkpoint

"
    );
    assert_eq!(
        refused_in(&folder, &["compress", source.to_str().unwrap(), "--schemes", "fp8", "--write", "out"]),
        "\
error[output-exists]: `out` exists already
 |
 = help: name a new folder; a checkpoint is not written over another

"
    );
}

#[test]
fn what_cannot_be_written() {
    let source = example();
    let asked = |more: &[&str]| {
        let mut arguments = vec!["compress", source.to_str().unwrap(), "--chips", "h20"];
        arguments.extend(more);
        refused(&arguments)
    };
    assert!(asked(&["--write", "/no/such/folder/x"]).contains("cannot write `/no/such/folder/x`"));
    let folder = Folder::new("bad-write");
    let out = folder.join("out");
    let out = out.to_str().unwrap();
    assert!(asked(&["--write", out]).contains("error[write-scheme]: a checkpoint is written in one scheme"));
    let told = asked(&["--schemes", "mxfp4", "--layout", "msmodelslim", "--write", out]);
    assert!(told.contains("error[style-recipe]") && told.contains("use compressed-tensors"), "{told}");
    let told = asked(&["--schemes", "w4a16", "--method", "gptq", "--write", out]);
    assert!(told.contains("error[calibration-missing]"), "{told}");
    let told = asked(&["--schemes", "w4a16", "--method", "awq", "--write", out]);
    assert!(told.contains("error[calibration-missing]"), "{told}");
    let told = asked(&["--mix", "h20=10%", "--write", out]);
    assert!(told.contains("error[mix-unknown]"), "{told}");
    assert!(names(&folder).is_empty());
}

#[test]
fn words_that_are_no_scheme_method_or_target() {
    let source = example();
    let asked = |more: &[&str]| {
        let mut arguments = vec!["compress", source.to_str().unwrap(), "--chips", "h20"];
        arguments.extend(more);
        refused(&arguments)
    };
    let told = asked(&["--schemes", "w9a9,nvfp5"]);
    assert!(told.contains("`w9a9` is not a scheme") && told.contains("`nvfp5` is not a scheme"), "{told}");
    assert!(asked(&["--slo", "ttft"]).contains("is no target such as tpot=50ms"));
    let texts = ["--calibration", "a", "--held-out", "b"];
    let told = asked(&texts);
    assert!(told.contains("`a` does not exist") && told.contains("`b` does not exist"), "{told}");
}

#[test]
fn a_checkpoint_of_another_model_is_not_held_against_this_one() {
    let source = example();
    let layouts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../compression/tests/formats/layouts");
    let other = layouts.join("gptq");
    let asked = ["compress", source.to_str().unwrap(), "--chips", "h20", "--schemes", "fp8", "--against"];
    let told = |other: &Path| refused(&[&asked[..], &[other.to_str().unwrap()]].concat());
    assert!(told(&other).contains("`model.layers.0.mlp.up_proj` is 32×64 in "), "{}", told(&other));
    assert!(
        told(&layouts.join("gguf")).contains("has none of the layers of"),
        "{}",
        told(&layouts.join("gguf"))
    );
}

/// Runs a question on the shipped decoder in a folder; what it printed.
fn answered(folder: &Folder, more: &[&str]) -> serde_json::Value {
    let source = example();
    let asked =
        ["compress", source.to_str().unwrap(), "--chips", "h20", "--schemes", "w4a16", "--format", "json"];
    let output =
        Command::new(common::BINARY).args(asked).args(more).current_dir(folder.join(".")).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Divergence of w4a16 from the original.
fn divergence(answer: &serde_json::Value) -> f64 {
    let schemes = answer["schemes"].as_array().unwrap();
    let found = schemes.iter().find(|scheme| scheme["scheme"] == "w4a16").unwrap();
    found
        .as_object()
        .unwrap()
        .iter()
        .find(|(key, _)| key.starts_with("divergence"))
        .unwrap()
        .1
        .as_f64()
        .unwrap()
}

#[test]
fn recorded_statistics_stand_for_the_text_and_must_fit_the_model() {
    let folder = Folder::new("recorded");
    let (source, file) = (example(), folder.join("seen.safetensors"));
    let text = |name: &str| source.join(name).to_str().unwrap().to_owned();
    let (calibration, held_out) = (text("calibration.txt"), text("heldout.txt"));
    let held = ["--windows", "4", "--held-out", &held_out];
    let run = |more: &[&str]| answered(&folder, &[&held[..], more].concat());
    let nearest = divergence(&run(&["--calibration", &calibration, "--record", "seen.safetensors"]));
    let direct = divergence(&run(&["--calibration", &calibration, "--method", "gptq"]));
    let recorded = divergence(&run(&["--statistics", "seen.safetensors", "--method", "gptq"]));
    // GPTQ gains on rounding to nearest either way. Recorded inputs are those of the original, direct ones those of the
    // compressed blocks before: not the same numbers, yet nearer to each other than to rounding.
    assert!(
        direct < nearest && (recorded - direct).abs() < (nearest - recorded).abs(),
        "{nearest} {direct} {recorded}"
    );
    answered(&folder, &["--statistics", "seen.safetensors", "--method", "gptq", "--write", "out"]);
    answered(&folder, &["--write", "plain"]);
    let tensors = |name: &str| std::fs::read(folder.join(name).join("model.safetensors")).unwrap();
    assert_ne!(tensors("out"), tensors("plain"), "the written weights know the statistics");

    // The statistics of one input under the name of another of other width, and the other's missing.
    let bytes = std::fs::read(&file).unwrap();
    let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let wrong = String::from_utf8(bytes[8..end].to_vec()).unwrap();
    let wrong = wrong.replace("layers.0.self_attn.o_proj.weight.gram", "layers.0.mlp.no_proj.weight.gram");
    let wrong = wrong.replace("layers.1.mlp.down_proj.weight.energy", "layers.1.mlp.gate_proj.weight.loud");
    let wrong = wrong.replacen("[384,384]", "[192,768]", 1);
    let whole = [&(wrong.len() as u64).to_le_bytes()[..], wrong.as_bytes(), &bytes[end..]].concat();
    std::fs::write(&file, whole).unwrap();
    let asked =
        ["compress", source.to_str().unwrap(), "--statistics", "seen.safetensors", "--method", "gptq"];
    let told = refused_in(&folder, &asked);
    for fault in [
        "`model.layers.0.mlp.down_proj.weight.gram` has the shape [192, 768], this model wants [384, 384]",
        "`model.layers.0.mlp.no_proj.weight.gram` belongs to no weight of this model",
        "`model.layers.0.self_attn.o_proj.weight.gram` is missing",
        "`model.layers.1.mlp.gate_proj.weight.loud` is no statistic of an input",
        "`model.layers.1.mlp.down_proj.weight.energy` is missing",
    ] {
        assert!(told.contains(&format!("error[statistics-unfit]: {fault}")), "{fault}: {told}");
    }
    assert!(
        refused_in(&folder, &["compress", source.to_str().unwrap(), "--statistics", "sean.safetensors"])
            .contains("`sean.safetensors` does not exist")
    );
}

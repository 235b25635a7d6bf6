//! Files that are truncated or say what cannot be.

use vitruvian_compression::Checkpoint;

use crate::common::{file, folder, safetensors, weights};

/// The faults of a folder with one file.
fn faults(name: &str, bytes: Vec<u8>) -> String {
    told(Checkpoint::open(&folder([(name, bytes)])))
}

fn told(opened: Result<Checkpoint, vitruvian_diagnostics::Diagnostics>) -> String {
    opened.err().unwrap().0.into_iter().map(|fault| fault.message).collect::<Vec<_>>().join("; ")
}

const NAME: &str = "model.safetensors";

#[test]
fn headers_that_lie() {
    let of = |header: &str, bytes: usize| faults(NAME, file(header, &vec![0; bytes]));
    let entry = |dtype: &str, shape: &str, from: u64, to: u64| {
        format!(r#"{{"w":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{from},{to}]}}}}"#)
    };
    assert!(faults(NAME, vec![1, 2, 3]).contains("too few for a header"));
    assert!(faults(NAME, u64::MAX.to_le_bytes().to_vec()).contains("claims 18446744073709551615 bytes"));
    assert!(of("[]", 0).contains("not a JSON object"));
    assert!(of("{\"w\": 3}", 0).contains("the entry of `w` is unreadable"));
    assert!(of(&entry("F99", "[2]", 0, 4), 4).contains("unknown type `F99`"));
    assert!(of(&entry("BF16", "[2]", 0, 8), 8).contains("needs 4 bytes and claims 0..8"));
    assert!(of(&entry("BF16", "[2]", 8, 4), 8).contains("claims 8..4"));
    assert!(of(&entry("BF16", "[2]", 0, 4), 2).contains("it is truncated"));
    assert!(of(&entry("BF16", "[2]", 0, 4), 6).contains("2 bytes belong to no tensor"));
    assert!(of(&entry("BF16", "[2]", 2, 6), 6).contains("leaves a gap"));
    assert!(of(&entry("F32", "[4294967296,4294967296,4294967296]", 0, 4), 4).contains("cannot be"));
    let twice = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#;
    assert!(of(twice, 6).contains("`b` overlaps"));
}

#[test]
fn a_truncated_file_is_told_wherever_it_ends() {
    let whole = safetensors(&[("model.layers.0.mlp.up_proj.weight", &weights(8, 64))]);
    for length in (0..whole.len()).step_by(7) {
        assert!(faults(NAME, whole[..length].to_vec()).contains("no whole safetensors file"), "{length}");
    }
}

#[test]
fn missing_shards_are_all_named() {
    let index = br#"{"weight_map": {"a": "1.safetensors", "b": "2.safetensors", "c": "2.safetensors"}}"#;
    let message = told(Checkpoint::open(&folder([("model.safetensors.index.json", index.to_vec())])));
    assert!(message.contains("`1.safetensors` with 1 tensors is missing"));
    assert!(message.contains("`2.safetensors` with 2 tensors is missing"));
    let shard = safetensors(&[("a", &weights(2, 8))]);
    let index = br#"{"weight_map": {"a": "1.safetensors", "b": "1.safetensors"}}"#.to_vec();
    let opened =
        Checkpoint::open(&folder([("1.safetensors", shard), ("model.safetensors.index.json", index)]));
    assert!(told(opened).contains("1 tensors are not in the shard"));
}

#[test]
fn gguf_headers_that_lie() {
    let header = |version: u32, tensors: u64, values: u64| {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(tensors.to_le_bytes());
        bytes.extend(values.to_le_bytes());
        bytes
    };
    let of = |bytes: Vec<u8>| faults("model.gguf", bytes);
    assert!(of(b"GGML".to_vec()).contains("does not begin with `GGUF`"));
    assert!(of(header(9, 0, 0)).contains("version is 9"));
    assert!(of(header(3, u64::MAX, 0)).contains("truncated"));
    assert!(of(header(3, 0, u64::MAX)).contains("truncated"));
    let mut text = header(3, 0, 1);
    text.extend(u64::MAX.to_le_bytes());
    assert!(of(text).contains("claims 18446744073709551615 bytes"));
    let mut tensor = header(3, 1, 0);
    tensor.extend(1u64.to_le_bytes());
    tensor.push(b'w');
    tensor.extend(1u32.to_le_bytes());
    tensor.extend(64u64.to_le_bytes());
    tensor.extend(8u32.to_le_bytes());
    tensor.extend(0u64.to_le_bytes());
    assert!(of(tensor).contains("beyond the end"));
}

#[test]
fn folders_without_weights() {
    assert!(faults("config.json", b"{}".to_vec()).contains("no *.safetensors and no *.gguf"));
    let opened = Checkpoint::open(&folder([("pytorch_model.bin", vec![0])]));
    assert!(opened.err().unwrap().0[0].help.as_ref().unwrap().contains("pickle"));
    assert!(faults("config.json", b"{".to_vec()).contains("not valid JSON"));
}

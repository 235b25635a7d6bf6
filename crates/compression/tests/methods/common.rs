//! The models that methods are tried on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vitruvian_compression::Checkpoint;
use vitruvian_compression::checkpoint::Memory;
use vitruvian_compression::forward::{
    Decoder, DecoderConfig, Encoder, EncoderConfig, WordPiece, byte_tokens,
};

/// Bytes of a window of the small decoder's texts.
pub(crate) const WINDOW: usize = 256;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/small-decoder")
}

/// A checkpoint read from a folder.
pub(crate) fn checkpoint(folder: &Path) -> Checkpoint {
    let mut memory = Memory::default();
    for name in ["config.json", "model.safetensors"] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        memory.0.insert(name.to_owned(), Arc::new(bytes));
    }
    Checkpoint::open(&memory).unwrap_or_else(|_| panic!("{} is no checkpoint", folder.display()))
}

/// The small decoder.
pub(crate) fn decoder() -> Decoder {
    let checkpoint = checkpoint(&folder());
    let config = DecoderConfig::parse(&checkpoint.config().to_string()).unwrap();
    let has = |name: &str| checkpoint.tensors().contains_key(name);
    Decoder::load(config, has, |name| checkpoint.matrix(name).map_err(|error| error.message)).unwrap()
}

/// Windows of one of its texts: `calibration.txt` or `heldout.txt`.
pub(crate) fn windows(name: &str, count: usize) -> Vec<Vec<u32>> {
    let text = std::fs::read(folder().join(name)).unwrap();
    text.chunks_exact(WINDOW).take(count).map(byte_tokens).collect()
}

/// The sentence encoder and its tokeniser, if `tools/fetch_minilm.py` has put them there; says why not otherwise.
pub(crate) fn encoder() -> Option<(Encoder, WordPiece)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/minilm");
    if !folder.join("model.safetensors").exists() {
        println!("skipped: no MiniLM in target/minilm; tools/fetch_minilm.py fetches it");
        return None;
    }
    let checkpoint = checkpoint(&folder);
    let config = EncoderConfig::parse(&checkpoint.config().to_string()).unwrap();
    let read = |name: &str| checkpoint.matrix(name).map_err(|error| error.message);
    let vocabulary = std::fs::read_to_string(folder.join("vocab.txt")).unwrap();
    Some((Encoder::load(config, read).unwrap(), WordPiece::parse(&vocabulary).unwrap()))
}

/// The first windows of a text, tokenised for the encoder.
pub(crate) fn sentences(tokeniser: &WordPiece, name: &str, count: usize) -> Vec<Vec<u32>> {
    let text = std::fs::read(folder().join(name)).unwrap();
    let texts = text.chunks_exact(WINDOW).take(count).map(String::from_utf8_lossy);
    texts.map(|text| tokeniser.encode(&text, 128)).collect()
}

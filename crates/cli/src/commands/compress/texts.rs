//! Texts as tokens.

use std::path::Path;

use vitruvian::compress::Texts;
use vitruvian_compression::Checkpoint;
use vitruvian_compression::forward::byte_tokens;
use vitruvian_compression::recipe::Recorded;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};

use super::CompressArgs;
use crate::checkpoint::ReadFolder;
use crate::io;

/// The two texts, where they are given.
pub(super) fn texts(arguments: &CompressArgs, checkpoint: &Checkpoint) -> Result<Option<Texts>, Diagnostics> {
    let from = arguments.calibration.as_ref().or(arguments.statistics.as_ref());
    let (Some(from), Some(held_out)) = (from, &arguments.held_out) else {
        return Ok(None);
    };
    let vocabulary = checkpoint.config().get("vocab_size").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let read = |path: &Path| tokens(path, vocabulary).map_err(Diagnostics::from);
    let first = arguments.calibration.as_deref().map(read).transpose();
    let (first, second) = both(first, read(held_out))?;
    let window = arguments.window.max(2);
    let most = arguments.windows.max(1);
    for (path, tokens) in [(from, first.as_ref()), (held_out, Some(&second))] {
        if let Some(tokens) = tokens.filter(|tokens| tokens.len() < window) {
            let message =
                format!("`{}` has {} tokens, fewer than a window of {window}", path.display(), tokens.len());
            return Err(Diagnostic::error("text-short", message)
                .help("give a longer text or a smaller --window")
                .into());
        }
    }
    let held: Vec<u32> = second.chunks_exact(window).take(most).flatten().copied().collect();
    Ok(Some(Texts {
        calibration: first
            .iter()
            .flat_map(|all| all.chunks_exact(window))
            .take(most)
            .map(<[u32]>::to_vec)
            .collect(),
        calibration_name: from.display().to_string(),
        held_out: held,
        held_out_name: held_out.display().to_string(),
        window,
        unit: if is_bytes(vocabulary) { "per byte" } else { "per token" }.to_owned(),
    }))
}

/// Recorded statistics, held against the checkpoint.
pub(super) fn statistics(path: &Path, checkpoint: &Checkpoint) -> Result<Recorded, Diagnostics> {
    Recorded::new(Checkpoint::open(&ReadFolder::file(path)?)?, checkpoint)
}

/// A vocabulary of all bytes and nothing else.
const fn is_bytes(vocabulary: u64) -> bool {
    vocabulary == 256
}

/// The tokens of a file: its bytes, or the numbers in its JSON lists.
fn tokens(path: &Path, vocabulary: u64) -> Result<Vec<u32>, Diagnostic> {
    let bytes = io::read_bytes(path)?;
    if is_bytes(vocabulary) {
        return Ok(byte_tokens(&bytes));
    }
    let fault = |what: String| {
        Diagnostic::error(
            "text-tokens",
            format!("`{}` is no JSON list of token numbers: {what}", path.display()),
        )
        .help("tokenise the text first, with the model's own tokeniser: [[1, 15043, …], …]")
    };
    let value: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| fault(error.to_string()))?;
    let mut tokens = Vec::new();
    collect(&value, vocabulary, &mut tokens).map_err(fault)?;
    Ok(tokens)
}

fn collect(value: &serde_json::Value, vocabulary: u64, tokens: &mut Vec<u32>) -> Result<(), String> {
    match value {
        serde_json::Value::Array(values) => {
            values.iter().try_for_each(|value| collect(value, vocabulary, tokens))
        }
        other => match other
            .as_u64()
            .filter(|token| *token < vocabulary)
            .and_then(|token| u32::try_from(token).ok())
        {
            Some(token) => {
                tokens.push(token);
                Ok(())
            }
            None => Err(format!("{other} is no token of a vocabulary of {vocabulary}")),
        },
    }
}

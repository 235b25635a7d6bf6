//! Rotating a decoder so that no channel is louder than another: QuaRot (arXiv 2404.00456), the part that needs no kernel.
//!
//! With the gain of every RMSNorm folded into what reads it, the norm commutes with any rotation Q of the residual stream:
//! `norm(x·Q) = norm(x)·Q`. So the embedding and every layer that writes the stream are turned by Q, every layer that reads it
//! by Qᵀ, and the model computes what it did (section 4, stage 1a). Value heads are turned too, undone by the output
//! projection (stage 1b). Rotations that a kernel would have to make at run time (queries, keys, the inner width of the MLP)
//! are left out.

use crate::forward::{Decoder, EMBEDDING, HEAD, LAST_NORM, Parameters, prefix};
use crate::method::{Hadamard, scale_columns};

/// Folds the norms of a decoder and rotates it; a seed chooses the signs of the Hadamard matrices.
///
/// The head is no longer the embedding afterwards, even if it was.
///
/// # Errors
/// A width without a Hadamard matrix; a missing tensor.
pub fn rotate(decoder: &mut Decoder, seed: u64) -> Result<(), String> {
    let stream = Hadamard::new(decoder.config.hidden_size, Some(seed))?;
    let head = Hadamard::new(decoder.config.head_width(), Some(seed ^ 1))?;
    decoder.config.tie_word_embeddings = false;
    let parameters = &mut decoder.parameters;
    stream.turn_rows(parameters.matrix_mut(EMBEDDING)?);
    fold_norm(parameters, LAST_NORM, &[HEAD.to_owned()])?;
    stream.turn_rows(parameters.matrix_mut(HEAD)?);
    for at in (0..decoder.config.num_hidden_layers).map(prefix) {
        rotate_block(parameters, &at, &stream, &head)?;
    }
    Ok(())
}

fn rotate_block(
    parameters: &mut Parameters,
    at: &str,
    stream: &Hadamard,
    head: &Hadamard,
) -> Result<(), String> {
    let named = |names: &[&str]| names.iter().map(|name| format!("{at}{name}.weight")).collect::<Vec<_>>();
    let attention = named(&["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]);
    let mlp = named(&["mlp.gate_proj", "mlp.up_proj"]);
    fold_norm(parameters, &format!("{at}input_layernorm.weight"), &attention)?;
    fold_norm(parameters, &format!("{at}post_attention_layernorm.weight"), &mlp)?;
    for name in attention.iter().chain(&mlp) {
        stream.turn_rows(parameters.matrix_mut(name)?);
    }
    for name in ["self_attn.o_proj", "mlp.down_proj"] {
        turn_outputs(parameters, &format!("{at}{name}"), stream)?;
    }
    turn_outputs(parameters, &format!("{at}self_attn.v_proj"), head)?;
    head.turn_rows(parameters.matrix_mut(&format!("{at}self_attn.o_proj.weight"))?);
    Ok(())
}

fn turn_outputs(parameters: &mut Parameters, name: &str, turn: &Hadamard) -> Result<(), String> {
    turn.turn_outputs(parameters.matrix_mut(&format!("{name}.weight"))?);
    if let Ok(bias) = parameters.matrix_mut(&format!("{name}.bias")) {
        turn.turn_rows(bias);
    }
    Ok(())
}

/// Moves the gain of a norm into what reads it.
fn fold_norm(parameters: &mut Parameters, norm: &str, readers: &[String]) -> Result<(), String> {
    let gain = parameters.matrix_mut(norm)?;
    let ones = vec![1.0; gain.data.len()];
    let gain = std::mem::replace(&mut gain.data, ones);
    readers.iter().try_for_each(|name| {
        scale_columns(parameters.matrix_mut(name)?, &gain);
        Ok(())
    })
}

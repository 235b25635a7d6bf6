//! A checkpoint that someone else quantised, against the original: what it loses, layer by layer.

use vitruvian_compression::checkpoint::{Layout, Weight};
use vitruvian_compression::{Checkpoint, Energy, Matrix};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::answer::AgainstAnswer;
use super::survey::Survey;
use super::{CompressStudy, finite, refused};

/// The other checkpoint.
pub struct Against<'a> {
    /// It.
    pub checkpoint: &'a Checkpoint,
    /// The name that a person knows it by.
    pub name: String,
}

/// What the other checkpoint loses of each linear layer that both have.
pub(super) fn against(
    study: &CompressStudy<'_>,
    other: &Against<'_>,
    survey: &Survey,
) -> Result<AgainstAnswer, Diagnostics> {
    let others = other.checkpoint.weights()?;
    let (mut total, mut worst, mut layers, mut missing) = (Energy::default(), None, 0, Vec::new());
    for weight in &survey.weights {
        let Some(found) = others.iter().find(|found| same(&found.module, &weight.module)) else {
            missing.push(weight.module.clone());
            continue;
        };
        let energy = energy(study, other, weight, found)?;
        total += energy;
        layers += 1;
        if worst.as_ref().is_none_or(|(relative, _)| energy.relative() > *relative) {
            worst = Some((energy.relative(), weight.module.clone()));
        }
    }
    if layers == 0 {
        let message = format!("`{}` has none of the layers of `{}`", other.name, study.name);
        return Err(refused("against-other", message));
    }
    Ok(AgainstAnswer {
        name: other.name.clone(),
        layout: other.checkpoint.layout().to_string(),
        checkpoint_bytes: other.checkpoint.tensors().values().map(|tensor| tensor.bytes).sum(),
        layers,
        missing,
        sqnr_db: finite(total.sqnr_db()),
        worst_layer: worst.filter(|(relative, _)| *relative > 0.0).map(|(_, module)| module),
    })
}

fn energy(
    study: &CompressStudy<'_>,
    other: &Against<'_>,
    weight: &Weight,
    found: &Weight,
) -> Result<Energy, Diagnostic> {
    let original = study.checkpoint.matrix(&weight.tensor)?;
    let mut kept = other.checkpoint.dequantised(found)?;
    if (kept.rows, kept.cols) != (original.rows, original.cols) {
        return Err(Diagnostic::error(
            "against-shape",
            format!(
                "`{}` is {}×{} in {} and {}×{} in {}",
                weight.module, kept.rows, kept.cols, other.name, original.rows, original.cols, study.name
            ),
        ));
    }
    if other.checkpoint.layout() == Layout::Gguf {
        unpermute(study, weight, &mut kept);
    }
    let square = |value: f32| f64::from(value) * f64::from(value);
    Ok(Energy {
        signal: original.data.iter().map(|weight| square(*weight)).sum(),
        noise: original.data.iter().zip(&kept.data).map(|(weight, kept)| square(weight - kept)).sum(),
    })
}

/// Whether two names are of one module: the same, or GGUF's name of it.
fn same(other: &str, module: &str) -> bool {
    other == module || gguf_name(module).is_some_and(|name| name == other)
}

/// GGUF's name of a module: `blk.3.attn_q` of `model.layers.3.self_attn.q_proj` (llama.cpp, `gguf-py/gguf/tensor_mapping.py`).
fn gguf_name(module: &str) -> Option<String> {
    const NAMES: [(&str, &str); 7] = [
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ];
    let (layer, inner) = module.strip_prefix("model.layers.")?.split_once('.')?;
    let (_, name) = NAMES.into_iter().find(|(known, _)| *known == inner)?;
    Some(format!("blk.{layer}.{name}"))
}

/// Undoes llama.cpp's order of query and key rows in models of the Llama family, whose rotary halves it interleaves:
/// row 2·i + h of a head there is row h·width/2 + i of the original.
fn unpermute(study: &CompressStudy<'_>, weight: &Weight, kept: &mut Matrix) {
    let config = study.checkpoint.config();
    let number = |key: &str| config.get(key).and_then(|value| Some(value.as_u64()? as usize));
    let family = config.get("model_type").and_then(|value| value.as_str());
    let heads = match weight.module.rsplit('.').next() {
        Some("q_proj") => number("num_attention_heads"),
        Some("k_proj") => number("num_key_value_heads").or_else(|| number("num_attention_heads")),
        _ => None,
    };
    let Some(heads) = heads.filter(|heads| {
        matches!(family, Some("llama" | "mistral")) && *heads > 0 && kept.rows.is_multiple_of(2 * heads)
    }) else {
        return;
    };
    *kept = reordered(kept, heads);
}

fn reordered(kept: &Matrix, heads: usize) -> Matrix {
    let width = kept.rows / heads;
    let source = |row: usize| {
        let (head, inner) = (row / width, row % width);
        head * width + 2 * (inner % (width / 2)) + inner / (width / 2)
    };
    let mut found = Matrix::zeros(kept.rows, kept.cols);
    for row in 0..kept.rows {
        found.row_mut(row).copy_from_slice(kept.row(source(row)));
    }
    found
}

#[cfg(test)]
mod tests {
    use vitruvian_compression::Matrix;

    use super::{gguf_name, reordered};

    #[test]
    fn names_of_llama_cpp() {
        assert_eq!(gguf_name("model.layers.12.mlp.down_proj").as_deref(), Some("blk.12.ffn_down"));
        assert_eq!(gguf_name("lm_head"), None);
    }

    #[test]
    fn rows_return_to_their_order() {
        // llama.cpp: reshape(heads, 2, width / 2).swapaxes(1, 2): rows 0 … 3 of a head of four become 0, 2, 1, 3.
        let theirs = Matrix { rows: 8, cols: 1, data: vec![0.0, 2.0, 1.0, 3.0, 4.0, 6.0, 5.0, 7.0] };
        assert_eq!(reordered(&theirs, 2).data, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    }
}

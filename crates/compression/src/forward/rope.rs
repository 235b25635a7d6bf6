//! Rotary frequencies, plain or stretched as Llama 3 does.

use serde::Deserialize;

/// How rotary frequencies are stretched for longer contexts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RopeScaling {
    /// `llama3`, `linear` or `default`, which an absent one is.
    pub rope_type: Option<String>,
    /// Older name of the same.
    #[serde(rename = "type")]
    pub older_type: Option<String>,
    /// Base of the frequencies, where it stands here.
    pub rope_theta: Option<f32>,
    /// By how much.
    #[serde(default = "one")]
    pub factor: f32,
    /// `llama3`: waves longer than the context over this are stretched.
    pub low_freq_factor: Option<f32>,
    /// `llama3`: waves shorter than the context over this are not.
    pub high_freq_factor: Option<f32>,
    /// `llama3`: the context that the model was first trained on.
    pub original_max_position_embeddings: Option<f32>,
}

fn one() -> f32 {
    1.0
}

/// `base^(−2i/d)` for half a head.
///
/// # Errors
/// A stretch that is not computed here.
pub(super) fn inverse_frequencies(
    width: usize,
    base: f32,
    scaling: Option<&RopeScaling>,
) -> Result<Vec<f32>, String> {
    let plain = (0..width / 2).map(|i| base.powf(-2.0 * i as f32 / width as f32));
    let Some(scaling) = scaling else { return Ok(plain.collect()) };
    let kind = scaling.rope_type.as_deref().or(scaling.older_type.as_deref());
    match kind.unwrap_or("default") {
        "default" => Ok(plain.collect()),
        "linear" => Ok(plain.map(|frequency| frequency / scaling.factor).collect()),
        "llama3" => {
            let read =
                |value: Option<f32>, name| value.ok_or_else(|| format!("rope_scaling has no `{name}`"));
            let low = read(scaling.low_freq_factor, "low_freq_factor")?;
            let high = read(scaling.high_freq_factor, "high_freq_factor")?;
            let context = read(scaling.original_max_position_embeddings, "original_max_position_embeddings")?;
            Ok(plain.map(|frequency| llama3(frequency, scaling.factor, low, high, context)).collect())
        }
        other => Err(format!(
            "rotary frequencies of type `{other}` are not computed; default, linear and llama3 are"
        )),
    }
}

/// Long waves are stretched by the factor, short ones stay, and those between are mixed by how often they fit the context.
fn llama3(frequency: f32, factor: f32, low: f32, high: f32, context: f32) -> f32 {
    let fits = context * frequency / std::f32::consts::TAU;
    let smooth = ((fits - low) / (high - low)).clamp(0.0, 1.0);
    frequency * (smooth + (1.0 - smooth) / factor)
}

#[cfg(test)]
mod tests {
    use super::{RopeScaling, inverse_frequencies};

    #[test]
    fn llama3_stretches_long_waves_only() {
        let scaling = RopeScaling {
            rope_type: Some("llama3".to_owned()),
            older_type: None,
            rope_theta: None,
            factor: 8.0,
            low_freq_factor: Some(1.0),
            high_freq_factor: Some(4.0),
            original_max_position_embeddings: Some(8192.0),
        };
        let plain = inverse_frequencies(128, 500_000.0, None).unwrap();
        let stretched = inverse_frequencies(128, 500_000.0, Some(&scaling)).unwrap();
        // The first wave fits 8192/2π = 1304 times: unchanged; the last 0.003 times: an eighth.
        assert_eq!(plain[0], stretched[0]);
        assert!((stretched[63] / plain[63] - 0.125).abs() < 1e-6);
    }
}

//! How often a compressed model says what the original says.

use crate::Matrix;
use crate::forward::{Network, Precision, forward};

/// Agreement of two decoders on the next token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TokenAgreement {
    /// Share of positions at which both find the same token likeliest.
    pub top1: f64,
    /// Mean Kullback–Leibler divergence of the second from the first, in nats a token.
    pub divergence: f64,
    /// Positions.
    pub tokens: u64,
}

/// Compares two decoders on windows of a text; the first is the original, in 32 bits.
///
/// # Errors
/// A text shorter than a window; what the forward passes refuse.
pub fn token_agreement(
    original: &dyn Network,
    (compressed, precision): (&dyn Network, Precision),
    tokens: &[u32],
    window: usize,
) -> Result<TokenAgreement, String> {
    if window == 0 || tokens.len() < window {
        return Err(format!("{} tokens do not fill a window of {window}", tokens.len()));
    }
    let (mut same, mut divergence, mut count) = (0u64, 0.0, 0u64);
    for window in tokens.chunks_exact(window) {
        let before = forward(original, window, Precision::Full)?;
        let after = forward(compressed, window, precision)?;
        for row in 0..window.len() {
            same += u64::from(likeliest(before.row(row)) == likeliest(after.row(row)));
            divergence += kl(before.row(row), after.row(row));
        }
        count += window.len() as u64;
    }
    Ok(TokenAgreement {
        top1: same as f64 / count as f64,
        divergence: divergence / count as f64,
        tokens: count,
    })
}

fn likeliest(logits: &[f32]) -> Option<usize> {
    (0..logits.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a)))
}

/// `Σ p·ln(p/q)` of two rows of logits.
fn kl(before: &[f32], after: &[f32]) -> f64 {
    let (p, q) = (log_softmax(before), log_softmax(after));
    p.iter().zip(&q).map(|(p, q)| p.exp() * (p - q)).sum::<f64>().max(0.0)
}

fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = logits.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
    logits.iter().map(|&logit| f64::from(logit) - largest - sum.ln()).collect()
}

/// Agreement of two encoders on the meaning of texts: features averaged over a text's tokens, as sentence embeddings are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FeatureAgreement {
    /// Mean cosine between a text's features before and after.
    pub cosine: f64,
    /// Smallest of them.
    pub worst_cosine: f64,
    /// Share of texts whose nearest other text is the same before and after.
    pub nearest: f64,
    /// Texts.
    pub texts: usize,
}

/// Compares two encoders on tokenised texts; the first is the original, in 32 bits.
///
/// # Errors
/// No texts; what the forward passes refuse.
pub fn feature_agreement(
    original: &dyn Network,
    (compressed, precision): (&dyn Network, Precision),
    texts: &[Vec<u32>],
) -> Result<FeatureAgreement, String> {
    if texts.is_empty() {
        return Err("no texts to compare on".to_owned());
    }
    let features = |network: &dyn Network, precision| -> Result<Vec<Vec<f64>>, String> {
        texts.iter().map(|tokens| Ok(mean_direction(&forward(network, tokens, precision)?))).collect()
    };
    let (before, after) = (features(original, Precision::Full)?, features(compressed, precision)?);
    let cosines: Vec<f64> = before.iter().zip(&after).map(|(a, b)| dot(a, b)).collect();
    let same = (0..texts.len()).filter(|&text| nearest(&before, text) == nearest(&after, text)).count();
    Ok(FeatureAgreement {
        cosine: cosines.iter().sum::<f64>() / cosines.len() as f64,
        worst_cosine: cosines.iter().copied().fold(1.0, f64::min),
        nearest: same as f64 / texts.len() as f64,
        texts: texts.len(),
    })
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Mean over tokens, of length one.
fn mean_direction(features: &Matrix) -> Vec<f64> {
    let mut sum = vec![0.0; features.cols];
    for row in features.data.chunks_exact(features.cols.max(1)) {
        sum.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let length = dot(&sum, &sum).sqrt().max(f64::MIN_POSITIVE);
    sum.into_iter().map(|value| value / length).collect()
}

fn nearest(features: &[Vec<f64>], text: usize) -> Option<usize> {
    let others = (0..features.len()).filter(|&other| other != text);
    others.max_by(|&a, &b| dot(&features[a], &features[text]).total_cmp(&dot(&features[b], &features[text])))
}

#[cfg(test)]
mod tests {
    use super::{kl, likeliest};

    #[test]
    fn divergence_of_two_coins() {
        // p = (1/2, 1/2), q = (3/4, 1/4): ½·ln(2/3) + ½·ln 2.
        let expected = 0.5 * (2.0f64 / 3.0).ln() + 0.5 * 2f64.ln();
        assert!((kl(&[0.0, 0.0], &[3f32.ln(), 0.0]) - expected).abs() < 1e-6);
        assert_eq!(likeliest(&[0.0, 2.0, 2.0]), Some(1));
    }
}

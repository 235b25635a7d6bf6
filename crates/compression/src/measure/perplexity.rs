//! How surprised a decoder is by a text.

use crate::Matrix;
use crate::forward::{Network, Precision, forward};

/// Perplexity under a protocol. Figures of different protocols do not compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Perplexity {
    /// `exp(mean −ln p)` over the predicted tokens.
    pub per_token: f64,
    /// Tokens predicted.
    pub tokens: u64,
    /// Tokens of a window; windows do not overlap, and each token after a window's first is predicted from those before it.
    pub window: usize,
}

/// Perplexity of a text in windows that do not overlap; a rest shorter than a window is left out.
///
/// # Errors
/// A text shorter than a window, a window of fewer than two tokens; what the forward pass refuses.
pub fn perplexity(
    network: &dyn Network,
    tokens: &[u32],
    window: usize,
    precision: Precision,
) -> Result<Perplexity, String> {
    if window < 2 || tokens.len() < window {
        return Err(format!("{} tokens do not fill a window of {window}", tokens.len()));
    }
    let (mut sum, mut count) = (0.0, 0);
    for window in tokens.chunks_exact(window) {
        let logits = forward(network, window, precision)?;
        sum += window[1..].iter().enumerate().map(|(row, &next)| surprise(&logits, row, next)).sum::<f64>();
        count += window.len() as u64 - 1;
    }
    Ok(Perplexity { per_token: (sum / count as f64).exp(), tokens: count, window })
}

/// `−ln softmax(logits)[next]`.
fn surprise(logits: &Matrix, row: usize, next: u32) -> f64 {
    let row = logits.row(row);
    let largest = f64::from(row.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let sum: f64 = row.iter().map(|&logit| (f64::from(logit) - largest).exp()).sum();
    sum.ln() + largest - f64::from(row.get(next as usize).copied().unwrap_or(f32::NEG_INFINITY))
}

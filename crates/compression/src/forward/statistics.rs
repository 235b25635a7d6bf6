//! What a calibration pass remembers of a linear layer's input.

use std::collections::BTreeMap;

use crate::Matrix;
use crate::algebra::{add_gram, linear};

/// What a calibration pass remembers of the input X (tokens × channels) of linear layers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputStatistics {
    /// Tokens seen.
    pub tokens: u64,
    /// Largest magnitude of each channel.
    pub abs_max: Vec<f32>,
    /// `Σ|x|` of each channel.
    pub abs_sum: Vec<f64>,
    /// `Σx²` of each channel.
    pub energy: Vec<f64>,
    /// `XᵀX`, where second-order methods or output errors are wanted.
    pub gram: Option<Matrix>,
}

/// What statistics shall hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Figures of each channel: a few numbers a channel.
    Channels,
    /// And the Gram matrix: channels² numbers.
    Gram,
}

impl InputStatistics {
    /// Nothing seen yet.
    pub fn new(width: usize, detail: Detail) -> Self {
        let gram = (detail == Detail::Gram).then(|| Matrix::zeros(width, width));
        Self {
            tokens: 0,
            abs_max: vec![0.0; width],
            abs_sum: vec![0.0; width],
            energy: vec![0.0; width],
            gram,
        }
    }

    /// Everything about one matrix of inputs.
    pub fn of(inputs: &Matrix) -> Self {
        let mut statistics = Self::new(inputs.cols, Detail::Gram);
        statistics.add(inputs);
        statistics
    }

    /// More tokens.
    pub fn add(&mut self, inputs: &Matrix) {
        self.tokens += inputs.rows as u64;
        for row in inputs.data.chunks_exact(inputs.cols.max(1)) {
            for (channel, &x) in row.iter().enumerate() {
                self.abs_max[channel] = self.abs_max[channel].max(x.abs());
                self.abs_sum[channel] += f64::from(x.abs());
                self.energy[channel] += f64::from(x) * f64::from(x);
            }
        }
        if let Some(gram) = &mut self.gram {
            add_gram(gram, inputs);
        }
    }

    /// Channels.
    pub fn width(&self) -> usize {
        self.abs_max.len()
    }

    /// `mean|x|` of each channel.
    pub fn abs_mean(&self) -> Vec<f32> {
        self.abs_sum.iter().map(|sum| (sum / self.tokens.max(1) as f64) as f32).collect()
    }

    /// `‖X_j‖₂` of each channel.
    pub fn norms(&self) -> Vec<f32> {
        self.energy.iter().map(|energy| energy.sqrt() as f32).collect()
    }

    /// Refuses a matrix of another width.
    ///
    /// # Errors
    /// As above.
    pub fn check(&self, cols: usize) -> Result<(), String> {
        if cols == self.width() {
            return Ok(());
        }
        Err(format!("the weights have {cols} input channels, the recorded activations {}", self.width()))
    }

    /// `Σ‖X·wᵀ‖²` over the rows of a matrix: `Σ wᵀ·(XᵀX)·w`.
    ///
    /// # Errors
    /// No Gram matrix; another width.
    pub fn output_energy(&self, weights: &Matrix) -> Result<f64, String> {
        self.check(weights.cols)?;
        let gram = self.gram.as_ref().ok_or("the output error needs the Gram matrix of the inputs")?;
        let turned = linear(weights, gram);
        Ok(turned.data.iter().zip(&weights.data).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum())
    }

    /// `Σ w²·diag(XᵀX)`: the same without what channels have in common.
    ///
    /// # Errors
    /// Another width.
    pub fn diagonal_energy(&self, weights: &Matrix) -> Result<f64, String> {
        self.check(weights.cols)?;
        let row = |row: &[f32]| -> f64 {
            row.iter().zip(&self.energy).map(|(w, energy)| f64::from(*w) * f64::from(*w) * energy).sum()
        };
        Ok(weights.data.chunks_exact(weights.cols.max(1)).map(row).sum())
    }

    /// As if channels had been divided by factors.
    #[must_use]
    pub fn divided(mut self, factors: &[f32]) -> Self {
        for (channel, &factor) in factors.iter().enumerate() {
            self.abs_max[channel] /= factor;
            self.abs_sum[channel] /= f64::from(factor);
            self.energy[channel] /= f64::from(factor) * f64::from(factor);
        }
        if let Some(gram) = &mut self.gram {
            for (row, values) in gram.data.chunks_exact_mut(factors.len()).enumerate() {
                values.iter_mut().zip(factors).for_each(|(value, factor)| *value /= factor * factors[row]);
            }
        }
        self
    }

    /// As matrices to store, by the suffix of their name.
    pub fn matrices(&self) -> BTreeMap<&'static str, Matrix> {
        let row = |data: Vec<f32>| Matrix { rows: 1, cols: data.len(), data };
        let narrow = |values: &[f64]| row(values.iter().map(|&value| value as f32).collect());
        let mut found = BTreeMap::from([
            ("tokens", row(vec![self.tokens as f32])),
            ("abs_max", row(self.abs_max.clone())),
            ("abs_sum", narrow(&self.abs_sum)),
            ("energy", narrow(&self.energy)),
        ]);
        found.extend(self.gram.clone().map(|gram| ("gram", gram)));
        found
    }

    /// From stored matrices, which a function gives by the suffix of their name.
    ///
    /// # Errors
    /// A missing matrix other than `gram`; matrices of different widths.
    pub fn from_matrices(mut get: impl FnMut(&'static str) -> Option<Matrix>) -> Result<Self, String> {
        let mut row =
            |name| get(name).map(|matrix| matrix.data).ok_or_else(|| format!("`{name}` is missing"));
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<_>>();
        let tokens = row("tokens")?.first().copied().unwrap_or(0.0) as u64;
        let abs_max = row("abs_max")?;
        let (abs_sum, energy) = (wide(row("abs_sum")?), wide(row("energy")?));
        let gram = get("gram");
        let width = abs_max.len();
        let square = gram.as_ref().is_none_or(|gram| gram.rows == width && gram.cols == width);
        if abs_sum.len() != width || energy.len() != width || !square {
            return Err(format!("statistics of {width} channels disagree about their number"));
        }
        Ok(Self { tokens, abs_max, abs_sum, energy, gram })
    }
}

#[cfg(test)]
mod tests {
    use super::InputStatistics;
    use crate::Matrix;

    #[test]
    fn the_output_energy_is_that_of_the_product() {
        let x = Matrix { rows: 2, cols: 2, data: vec![1.0, 2.0, 3.0, -1.0] };
        let w = Matrix { rows: 1, cols: 2, data: vec![2.0, 1.0] };
        let statistics = InputStatistics::of(&x);
        // X·wᵀ = (4, 5): 16 + 25. Diagonal: 4·(1 + 9) + 1·(4 + 1).
        assert_eq!(statistics.output_energy(&w), Ok(41.0));
        assert_eq!(statistics.diagonal_energy(&w), Ok(45.0));
        assert_eq!(statistics.abs_mean(), [2.0, 1.5]);
        let divided = statistics.divided(&[2.0, 1.0]);
        // X·(w·s)ᵀ with X/s is the same product.
        assert_eq!(divided.output_energy(&Matrix { rows: 1, cols: 2, data: vec![4.0, 1.0] }), Ok(41.0));
    }

    #[test]
    fn what_is_stored_comes_back() {
        let x = Matrix { rows: 2, cols: 3, data: vec![1.0, 2.0, 3.0, -1.0, 0.5, 0.25] };
        let statistics = InputStatistics::of(&x);
        let stored = statistics.matrices();
        assert_eq!(InputStatistics::from_matrices(|name| stored.get(name).cloned()), Ok(statistics));
        let error =
            InputStatistics::from_matrices(|name| stored.get(name).filter(|_| name != "energy").cloned());
        assert_eq!(error, Err("`energy` is missing".to_owned()));
    }
}

//! Factors between a layer and what produces its input.

use crate::forward::{InputStatistics, Network, Parameters, Producer, Reads};
use crate::method::{Awq, awq, divide_rows, scale_columns, smoothquant};
use crate::{Matrix, Scheme};

/// How inputs are scaled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Smoothing {
    /// Balances the largest activation and the largest weight of each channel.
    SmoothQuant {
        /// Share of the difficulty that goes to the weights.
        alpha: f32,
    },
    /// Scales loud channels up as far as rounding the weights to nearest gains by it.
    Awq(Awq),
}

impl Smoothing {
    /// With α = 0.5.
    pub fn smoothquant() -> Self {
        Self::SmoothQuant { alpha: 0.5 }
    }

    /// With 20 points.
    pub fn awq() -> Self {
        Self::Awq(Awq::default())
    }

    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SmoothQuant { .. } => "smoothquant",
            Self::Awq(_) => "awq",
        }
    }

    /// Factors of one input; none where they would have nowhere to go or would change nothing.
    pub(super) fn factors(
        self,
        network: &dyn Network,
        reads: &Reads,
        inputs: &InputStatistics,
        scheme: Option<&Scheme>,
    ) -> Result<Option<Vec<f32>>, String> {
        let weights: Vec<&Matrix> =
            reads.weights.iter().map(|name| network.parameters().matrix(name)).collect::<Result<_, _>>()?;
        match (self, scheme) {
            (Self::SmoothQuant { .. }, _) if reads.producer.is_none() => Ok(None),
            (Self::SmoothQuant { alpha }, _) => smoothquant(&weights, inputs, alpha).map(Some),
            (Self::Awq(search), Some(scheme)) => {
                let found = awq(&weights, inputs, scheme, search)?;
                Ok((found.exponent > 0.0).then_some(found.factors))
            }
            (Self::Awq(_), None) => Ok(None),
        }
    }
}

/// Multiplies what reads an input by factors and divides what produces it.
pub(super) fn fold(parameters: &mut Parameters, reads: &Reads, factors: &[f32]) -> Result<(), String> {
    for name in &reads.weights {
        scale_columns(parameters.matrix_mut(name)?, factors);
    }
    let (name, is_norm) = match &reads.producer {
        None => return Ok(()),
        Some(Producer::Norm(name)) => (name, true),
        Some(Producer::Rows(name)) => (name, false),
    };
    let weight = parameters.matrix_mut(&format!("{name}.weight"))?;
    let apply = if is_norm { divide } else { divide_rows };
    apply(weight, factors);
    if let Ok(bias) = parameters.matrix_mut(&format!("{name}.bias")) {
        divide(bias, factors);
    }
    Ok(())
}

fn divide(vector: &mut Matrix, factors: &[f32]) {
    vector.data.iter_mut().zip(factors).for_each(|(value, factor)| *value /= factor);
}

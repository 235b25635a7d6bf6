//! What activations are rounded to on their way into a linear layer.

use crate::{Granularity, Grid, Matrix, ScaleFormat, Scheme, Symmetry, quantise};

/// What activations are rounded to on their way into a linear layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Precision {
    /// 32 bits: no rounding.
    Full,
    /// Rounded at run time, with scales of each token as the scheme's granularity cuts its row.
    Dynamic(Scheme),
}

impl Precision {
    /// INT8 with a scale a token, what W8A8 kernels take: `absmax / 127`.
    pub const INT8_PER_TOKEN: Self = Self::Dynamic(Scheme {
        grid: Grid::Int8,
        granularity: Granularity::Channel,
        symmetry: Symmetry::Narrow,
        scales: ScaleFormat::F32,
    });

    /// Rounds tokens × channels in place; a row that is not finite stays as it is.
    pub fn round(self, inputs: &mut Matrix) {
        let Self::Dynamic(scheme) = self else { return };
        if scheme.granularity == Granularity::Channel {
            for row in inputs.data.chunks_exact_mut(inputs.cols.max(1)) {
                let (low, high) =
                    row.iter().fold((0.0f32, 0.0f32), |(low, high), &x| (low.min(x), high.max(x)));
                let scale = scheme.scale(low, high, 1.0);
                row.iter_mut().for_each(|x| *x = scale.round_trip(scheme.grid, *x));
            }
        } else if let Ok(rounded) = quantise(inputs, &scheme) {
            *inputs = rounded.dequantise();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Precision;
    use crate::Matrix;

    #[test]
    fn each_token_has_its_own_scale() {
        let mut inputs = Matrix { rows: 2, cols: 2, data: vec![127.0, 0.6, 1.27, 0.006] };
        Precision::INT8_PER_TOKEN.round(&mut inputs);
        // Steps 1 and 0.01.
        let expected = [127.0, 1.0, 1.27, 0.01];
        assert!(inputs.data.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{inputs:?}");
    }
}

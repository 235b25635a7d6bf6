//! What follows from a chip's figures: peaks, ridge points, cache bandwidth per core.

use vitruvian_quantity::{BytesPerSecond, Dtype, FlopsPerSecond};

use crate::chip::Chip;
use crate::provenance::Figure;

/// The peaks of one number format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Which format.
    pub dtype: Dtype,
    /// Dense matrix peak at the nominal clock.
    pub matrix: FlopsPerSecond,
    /// Dense matrix peak at the clock that a long load holds.
    pub sustained: FlopsPerSecond,
    /// Vector peak.
    pub vector: FlopsPerSecond,
    /// FLOP per byte at which the matrix unit and device memory balance; zero where the unit cannot.
    pub ridge: f64,
}

impl Chip {
    /// Dense matrix peak at the nominal clock: cores × FLOP/cycle/core × clock.
    pub fn matrix_peak(&self, dtype: Dtype) -> FlopsPerSecond {
        self.compute.clock.times_flops(f64::from(self.compute.cores) * self.compute.matrix.get(dtype))
    }

    /// Dense matrix peak at the sustained clock.
    pub fn sustained_matrix_peak(&self, dtype: Dtype) -> FlopsPerSecond {
        self.compute
            .sustained_clock
            .times_flops(f64::from(self.compute.cores) * self.compute.matrix.get(dtype))
    }

    /// Vector peak at the vector clock: units × FLOP/cycle/unit × clock.
    pub fn vector_peak(&self, dtype: Dtype) -> FlopsPerSecond {
        self.vector.clock.times_flops(f64::from(self.vector.units) * self.vector.rates.get(dtype))
    }

    /// What the maker states for all processing units together (`rated.*`) or for the matrix unit (`stated.*`), as the
    /// file has it.
    pub fn stated_peak(&self, table: &str, dtype: Dtype) -> Option<&Figure> {
        let key = format!("{table}.{dtype}");
        self.figures.iter().find(|figure| figure.key == key)
    }

    /// Arithmetic intensity, in FLOP per byte, at which the matrix unit and device memory balance
    /// (the ridge point of the roofline, Williams et al., CACM 52(4), 2009).
    pub fn ridge(&self, dtype: Dtype) -> f64 {
        self.matrix_peak(dtype).get() / self.hbm.bandwidth.get()
    }

    /// L2 read bandwidth of one core when all of them read.
    pub fn l2_read_per_core(&self) -> BytesPerSecond {
        self.l2.read_bandwidth / f64::from(self.compute.cores)
    }

    /// The peaks of every format that the matrix or vector unit supports, in declaration order.
    pub fn peaks(&self) -> Vec<Peak> {
        let supported =
            |dtype: &Dtype| self.compute.matrix.supports(*dtype) || self.vector.rates.supports(*dtype);
        Dtype::ALL.into_iter().filter(supported).map(|dtype| self.peak(dtype)).collect()
    }

    fn peak(&self, dtype: Dtype) -> Peak {
        Peak {
            dtype,
            matrix: self.matrix_peak(dtype),
            sustained: self.sustained_matrix_peak(dtype),
            vector: self.vector_peak(dtype),
            ridge: self.ridge(dtype),
        }
    }
}

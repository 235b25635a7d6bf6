//! Slices of L2 that reads keep busy.
//!
//! Memory goes round the slices of L2 piece by piece, so rows of a large power-of-two pitch all lie in a few of them. A read in flight
//! touches s of S slices, somewhere; all reads together keep busy
//!
//! ```text
//! 1 − Π (1 − s/S)
//! ```
//!
//! of the slices, and have that share of L2's bandwidth. One core alone is not slowed: a slice serves it as fast as its port.

/// The slices that reads in flight touch.
#[derive(Clone, Debug)]
pub(super) struct Slices {
    /// ln(1 − s/S) by the slices touched.
    idle: Vec<f64>,
    /// Reads in flight by the slices they touch; those that touch all are the last.
    reads: Vec<u32>,
    /// Slices touched, by flow.
    touched: Vec<u8>,
}

impl Slices {
    pub(super) fn new(slices: u32) -> Self {
        let idle = (0..=slices).map(|touched| (1.0 - f64::from(touched) / f64::from(slices)).ln());
        Self { idle: idle.collect(), reads: vec![0; slices as usize + 1], touched: Vec::new() }
    }

    /// A flow starts that touches so many slices; zero for writes.
    pub(super) fn start(&mut self, flow: u32, touched: u8) {
        let flow = flow as usize;
        if self.touched.len() <= flow {
            self.touched.resize(flow + 1, 0);
        }
        self.touched[flow] = touched;
        self.reads[usize::from(touched)] += 1;
    }

    /// The flow has ended.
    pub(super) fn end(&mut self, flow: u32) {
        self.reads[usize::from(self.touched[flow as usize])] -= 1;
    }

    /// Share of the slices that are busy; one if nothing is read.
    pub(super) fn busy(&self) -> f64 {
        let few = self.reads.len() - 1;
        if self.reads[few] > 0 || self.reads[1..few].iter().all(|reads| *reads == 0) {
            return 1.0;
        }
        let idle: f64 = self.idle[1..few]
            .iter()
            .zip(&self.reads[1..few])
            .map(|(idle, reads)| idle * f64::from(*reads))
            .sum();
        1.0 - idle.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_of_one_slice_keep_few_busy() {
        let mut slices = Slices::new(4);
        assert_eq!(slices.busy(), 1.0);
        slices.start(0, 1);
        // 1 − 3/4
        assert!((slices.busy() - 0.25).abs() < 1e-12);
        slices.start(1, 2);
        // 1 − 3/4 · 2/4
        assert!((slices.busy() - 0.625).abs() < 1e-12);
        slices.start(2, 4);
        assert_eq!(slices.busy(), 1.0, "a read of all slices");
        slices.end(2);
        slices.end(1);
        assert!((slices.busy() - 0.25).abs() < 1e-12);
    }
}

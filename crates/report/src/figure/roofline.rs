//! The roofline of one chip with operators under it (Williams, Waterman, Patterson, CACM 52(4), 2009).

use serde::{Deserialize, Serialize};
use vitruvian_quantity::three;

use super::{Axis, Mark, Plot, Point, Series, Xy};

/// What a roofline shows: ceilings, and points `(FLOP/B, TFLOP/s)` in named groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Roofline {
    /// One for each matrix format and for the vector unit, say; the highest is the chip's.
    pub roofs: Vec<Roof>,
    /// What the slope is called: `HBM`.
    pub memory: String,
    /// Memory bandwidth in TB/s: the slope.
    pub terabytes_per_second: f64,
    /// Operators, as series of points: `x` in FLOP/B, `y` in TFLOP/s, `weight` their share of time.
    pub operators: Vec<Series>,
}

/// One ceiling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roof {
    /// What computes so fast: `fp8 tensor`.
    pub name: String,
    /// How fast.
    pub teraflops_per_second: f64,
}

impl Roofline {
    /// The plot: attainable = min(peak, bandwidth × intensity), over the intensities that operators and ridges span.
    pub fn plot(self) -> Plot {
        let range = self.intensities();
        let levels = self.roofs.iter().map(|roof| self.level(roof, range));
        let series =
            std::iter::once(self.slope(range)).chain(levels).chain(self.operators.iter().cloned()).collect();
        let x = Axis { range: Some(range), ..Axis::log("arithmetic intensity", "FLOP/B") };
        Plot::Xy(Xy { x, y: Axis::log("attained rate", "TFLOP/s"), series, rules: Vec::new() })
    }

    /// bandwidth × intensity, up to the ridge of the highest roof.
    fn slope(&self, (low, _): (f64, f64)) -> Series {
        let highest = self.roofs.iter().map(|roof| roof.teraflops_per_second).fold(0.0, f64::max);
        let ends =
            [low, highest / self.terabytes_per_second].map(|x| Point::new(x, self.terabytes_per_second * x));
        let name = format!("{} {} TB/s", self.memory, three(self.terabytes_per_second));
        Series::new(name, Mark::Roof, ends)
    }

    /// The peak, from its ridge on.
    fn level(&self, roof: &Roof, (_, high): (f64, f64)) -> Series {
        let peak = roof.teraflops_per_second;
        let ends = [peak / self.terabytes_per_second, high].map(|x| Point::new(x, peak));
        Series::new(format!("{} {} TFLOP/s", roof.name, three(peak)), Mark::Roof, ends)
    }

    fn intensities(&self) -> (f64, f64) {
        let ridges = self.roofs.iter().map(|roof| roof.teraflops_per_second / self.terabytes_per_second);
        let points = self.operators.iter().flat_map(|series| &series.points).map(|point| point.x);
        let all: Vec<f64> = ridges.chain(points).filter(|x| x.is_finite() && *x > 0.0).collect();
        let low = all.iter().copied().fold(f64::INFINITY, f64::min);
        let high = all.iter().copied().fold(0.0, f64::max);
        if all.is_empty() { (1.0, 10.0) } else { (low / 3.0, high * 3.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roofs_meet_the_slope_at_their_ridge_points() {
        let roof = |name: &str, rate| Roof { name: name.to_owned(), teraflops_per_second: rate };
        let roofline = Roofline {
            roofs: vec![roof("fp8", 296.0), roof("bf16", 148.0)],
            memory: "HBM".to_owned(),
            terabytes_per_second: 4.0,
            operators: Vec::new(),
        };
        let Plot::Xy(plot) = roofline.plot() else { panic!("a roofline is an xy plot") };
        let [slope, fp8, bf16] = &plot.series[..] else { panic!("a slope and two roofs") };
        // Ridge = peak / bandwidth: 296 / 4.0 = 74 FLOP/B, 148 / 4.0 = 37 FLOP/B.
        assert_eq!((slope.points[1].x, slope.points[1].y), (74.0, 296.0));
        assert_eq!((fp8.points[0].x, fp8.points[0].y), (74.0, 296.0));
        assert_eq!((bf16.points[0].x, bf16.points[0].y), (37.0, 148.0));
        assert_eq!(slope.name, "HBM 4.00 TB/s");
        assert_eq!(fp8.name, "fp8 296 TFLOP/s");
    }
}

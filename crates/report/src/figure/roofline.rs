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
    /// The plot: attainable = min(peak, bandwidth × intensity), around the operators and the ridge points.
    ///
    /// Roofs run beyond what the axes show; renderers clip them, so that panels may share their axes.
    pub fn plot(self) -> Plot {
        let (x, y) = (self.intensities(), self.rates());
        let levels = self.roofs.iter().map(|roof| self.level(roof, x.1 * BEYOND));
        let slope = std::iter::once(self.slope(x.0 / BEYOND));
        let series = slope.chain(levels).chain(self.operators.iter().cloned()).collect();
        let x = Axis { range: Some(x), ..Axis::log("arithmetic intensity", "FLOP/B") };
        let y = Axis { range: Some(y), ..Axis::log("attained rate", "TFLOP/s") };
        Plot::Xy(Xy { x, y, series, rules: Vec::new() })
    }

    /// bandwidth × intensity, up to the ridge of the highest roof.
    fn slope(&self, low: f64) -> Series {
        let ends = [low, self.ridge(self.peak())].map(|x| Point::new(x, self.terabytes_per_second * x));
        let name = format!("{} {} TB/s", self.memory, three(self.terabytes_per_second));
        Series::new(name, Mark::Roof, ends)
    }

    /// The peak, from its ridge on; its name gives it in the unit of the axis.
    fn level(&self, roof: &Roof, high: f64) -> Series {
        let peak = roof.teraflops_per_second;
        let ends = [self.ridge(peak), high].map(|x| Point::new(x, peak));
        Series::new(format!("{}: {}", roof.name, three(peak)), Mark::Roof, ends)
    }

    /// The intensity at which a rate and the slope meet.
    fn ridge(&self, teraflops_per_second: f64) -> f64 {
        teraflops_per_second / self.terabytes_per_second
    }

    fn peak(&self) -> f64 {
        self.roofs.iter().map(|roof| roof.teraflops_per_second).fold(0.0, f64::max)
    }

    /// A factor to spare on the left, and more than a decade on the right for the names of the roofs.
    fn intensities(&self) -> (f64, f64) {
        let ridges = self.roofs.iter().map(|roof| self.ridge(roof.teraflops_per_second));
        let (low, high) = ends(ridges.chain(self.points().map(|point| point.x)));
        (low / 3.0, high * 20.0)
    }

    /// A factor to spare below; above, room for the name of the highest roof and a label on it.
    fn rates(&self) -> (f64, f64) {
        let (low, high) = ends(self.points().map(|point| point.y).chain([self.peak()]));
        (low.min(high / 100.0) / 2.0, high * 4.0)
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        self.operators.iter().flat_map(|series| &series.points)
    }
}

/// How far roofs run beyond the axes.
const BEYOND: f64 = 1e3;

/// The least and the greatest positive value; one to ten if there is none.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let shown: Vec<f64> = values.filter(|value| value.is_finite() && *value > 0.0).collect();
    let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
    let high = shown.iter().copied().fold(0.0, f64::max);
    if shown.is_empty() { (1.0, 10.0) } else { (low, high) }
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
        assert_eq!(fp8.name, "fp8: 296");
    }
}

//! The roofline of one chip with operators under it (Williams, Waterman, Patterson, CACM 52(4), 2009).

use serde::{Deserialize, Serialize};

use super::{Axis, Mark, Plot, Point, Series, Xy};

/// What a roofline shows: ceilings, and points `(FLOP/B, TFLOP/s)` in named groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Roofline {
    /// One for each matrix format and for the vector unit, say; the highest is the chip's.
    pub roofs: Vec<Roof>,
    /// Memory bandwidth in TB/s: the slope.
    pub terabytes_per_second: f64,
    /// Operators, as series of points: `x` in FLOP/B, `y` in TFLOP/s, `weight` their share of time.
    pub operators: Vec<Series>,
}

/// One ceiling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roof {
    /// What computes so fast: `FP8 296 TFLOP/s`.
    pub name: String,
    /// How fast.
    pub teraflops_per_second: f64,
}

impl Roofline {
    /// The plot: attainable = min(peak, bandwidth × intensity), over the decades that the operators and ridges span.
    pub fn plot(self) -> Plot {
        let range = self.intensities();
        let highest = self.roofs.iter().map(|roof| roof.teraflops_per_second).fold(0.0, f64::max);
        let slope = self.terabytes_per_second;
        let roofs = self.roofs.iter().map(|roof| {
            let lowest =
                if roof.teraflops_per_second < highest { roof.teraflops_per_second / slope } else { range.0 };
            roof_line(roof, slope, (lowest.max(range.0), range.1))
        });
        let series = roofs.chain(self.operators.iter().cloned()).collect();
        let mut x = Axis::log("arithmetic intensity", "FLOP/B");
        x.range = Some(range);
        Plot::Xy(Xy { x, y: Axis::log("attained rate", "TFLOP/s"), series, rules: Vec::new() })
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

/// Up the slope to the ridge point, then level.
fn roof_line(roof: &Roof, slope: f64, (low, high): (f64, f64)) -> Series {
    let peak = roof.teraflops_per_second;
    let ridge = (peak / slope).clamp(low, high);
    let xs = [low, ridge, high];
    let points = xs.map(|x| Point::new(x, peak.min(slope * x)));
    Series::new(roof.name.clone(), Mark::Roof, points)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roof_turns_at_the_ridge_point() {
        // Ridge = peak / bandwidth = 296 / 4.0 = 74 FLOP/B; attainable at 1 FLOP/B = 4.0 TFLOP/s.
        let roof = Roof { name: "fp8".to_owned(), teraflops_per_second: 296.0 };
        let line = roof_line(&roof, 4.0, (1.0, 1000.0));
        let places: Vec<(f64, f64)> = line.points.iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(places, [(1.0, 4.0), (74.0, 296.0), (1000.0, 296.0)]);
    }

    #[test]
    fn lower_roofs_begin_at_the_slope() {
        let roof = |name: &str, rate| Roof { name: name.to_owned(), teraflops_per_second: rate };
        let roofline = Roofline {
            roofs: vec![roof("fp8", 296.0), roof("bf16", 148.0)],
            terabytes_per_second: 4.0,
            operators: Vec::new(),
        };
        let Plot::Xy(plot) = roofline.plot() else { panic!("a roofline is an xy plot") };
        // The bf16 roof meets the slope at 148 / 4.0 = 37 FLOP/B.
        assert_eq!(plot.series[1].points[0].x, 37.0);
    }
}

//! Dies per wafer.
//!
//! The count is exact: a grid of dies with scribe lanes is shifted over the wafer, and dies that lie wholly inside the
//! usable circle are counted; the best shift wins, as a fab would choose it.

use std::f64::consts::PI;

/// A wafer and what may not be used of it, in mm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wafer {
    /// Diameter.
    pub diameter: f64,
    /// Ring at the edge without dies.
    pub edge: f64,
    /// Lane between dies.
    pub scribe: f64,
}

/// Shifts tried in each direction of a grid cell. The count changes by one die in about 1/200 of a cell.
const SHIFTS: u32 = 128;

impl Wafer {
    fn radius(self) -> f64 {
        self.diameter / 2.0 - self.edge
    }
}

/// Whole dies of `width` × `height` mm on a wafer, at the best shift of the grid.
pub fn dies_per_wafer(wafer: Wafer, width: f64, height: f64) -> u32 {
    let shift = |index: u32, pitch: f64| pitch * f64::from(index) / f64::from(SHIFTS);
    let (across, up) = (width + wafer.scribe, height + wafer.scribe);
    // Mirrored shifts give the same count.
    let shifts = (0..=SHIFTS / 2).flat_map(|x| (0..=SHIFTS / 2).map(move |y| (x, y)));
    shifts
        .map(|(x, y)| {
            columns(wafer.radius(), [width, height], [across, up], [shift(x, across), shift(y, up)])
        })
        .max()
        .unwrap_or(0)
}

/// Dies of a shifted grid that lie wholly in a circle, column by column.
fn columns(radius: f64, [width, height]: [f64; 2], [across, up]: [f64; 2], [dx, dy]: [f64; 2]) -> u32 {
    let first = ((-radius - dx) / across).floor() as i32;
    let last = ((radius - dx) / across).ceil() as i32;
    let rows = |column: i32| {
        let left = dx + f64::from(column) * across;
        let far = left.abs().max((left + width).abs());
        if far > radius {
            return 0;
        }
        let half = (radius * radius - far * far).sqrt();
        let lowest = ((-half - dy) / up).ceil() as i32;
        let highest = ((half - height - dy) / up).floor() as i32;
        (highest - lowest + 1).max(0) as u32
    };
    (first..=last).map(rows).sum()
}

/// The usual estimate: π(d/2)²/S − πd/√(2S), with S the area of a die and its lanes, and d the usable diameter.
pub fn estimate(usable: f64, area: f64) -> f64 {
    PI * (usable / 2.0).powi(2) / area - PI * usable / (2.0 * area).sqrt()
}

/// Another: πd²/4S · e^(−2√S/d) (de Vries).
pub fn estimate_exponential(usable: f64, area: f64) -> f64 {
    PI * usable * usable / (4.0 * area) * (-2.0 * area.sqrt() / usable).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAFER: Wafer = Wafer { diameter: 300.0, edge: 3.0, scribe: 0.1 };

    #[test]
    fn exact_counts_are_those_published() {
        // Counted independently, 3 mm edge, 0.1 mm scribe: Ascend 910, 910B, GH100.
        assert_eq!(dies_per_wafer(WAFER, 14.6, 31.25), 123);
        assert_eq!(dies_per_wafer(WAFER, 21.32, 31.22), 85);
        assert_eq!(dies_per_wafer(WAFER, 26.1, 31.2), 67);
    }

    #[test]
    fn estimates_are_those_published() {
        // π 150²/S − π 300/√(2S): 63 of 814 mm² and 80 of 665.6; with 3 mm of edge 60 and 76.
        for (usable, area, count) in
            [(300.0, 814.0, 63.0), (300.0, 665.6, 80.0), (294.0, 814.0, 60.0), (294.0, 665.6, 76.0)]
        {
            assert_eq!(estimate(usable, area).floor(), count, "{usable} {area}");
        }
    }

    #[test]
    fn the_estimates_bracket_what_is_counted_for_small_dies() {
        let count = f64::from(dies_per_wafer(Wafer { scribe: 0.0, ..WAFER }, 5.0, 5.0));
        let (low, high) = (estimate(294.0, 25.0), estimate_exponential(294.0, 25.0));
        assert!(
            (count / low - 1.0).abs() < 0.02 && (count / high - 1.0).abs() < 0.02,
            "{count} {low} {high}"
        );
    }

    #[test]
    fn one_die_fits_where_its_diagonal_does() {
        let bare = Wafer { diameter: 50.0, edge: 0.0, scribe: 0.0 };
        // 30² + 40² = 50²: the corners lie on the circle.
        assert_eq!(dies_per_wafer(bare, 29.9, 39.9), 1);
        assert_eq!(dies_per_wafer(bare, 30.1, 40.1), 0);
    }
}

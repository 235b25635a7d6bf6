//! A figure that is not known for certain.

/// A typical value and the ends beyond which one truth in ten lies on either side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// One in ten lies below.
    pub low: f64,
    /// As often above as below.
    pub typical: f64,
    /// One in ten lies above.
    pub high: f64,
}

/// Standard normal quantile of 90 %.
const Z90: f64 = 1.281_551_565_545;

impl Spread {
    /// A figure known for certain.
    pub const fn certain(value: f64) -> Self {
        Self { low: value, typical: value, high: value }
    }

    /// The value at a number of standard deviations from the median: each side is lognormal, so that P10, the median and
    /// P90 are the three figures; a figure that may be zero is normal on that side.
    pub fn at(&self, z: f64) -> f64 {
        let end = if z < 0.0 { self.low } else { self.high };
        let share = z.abs() / Z90;
        if self.typical > 0.0 && end > 0.0 {
            self.typical * (end / self.typical).powf(share)
        } else {
            (self.typical + (end - self.typical) * share).max(0.0)
        }
    }

    /// Whether there is any spread.
    pub fn is_certain(&self) -> bool {
        self.low == self.high
    }

    /// Every figure through a function that rises.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { low: f(self.low), typical: f(self.typical), high: f(self.high) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_figures_are_quantiles() {
        let spread = Spread { low: 7.0, typical: 9.0, high: 12.0 };
        assert_eq!(spread.at(0.0), 9.0);
        assert!((spread.at(-Z90) - 7.0).abs() < 1e-12);
        assert!((spread.at(Z90) - 12.0).abs() < 1e-12);
        assert_eq!(Spread::certain(3.0).at(2.0), 3.0);
    }

    #[test]
    fn nothing_falls_below_zero() {
        let spread = Spread { low: 0.0, typical: 1.0, high: 2.0 };
        assert_eq!(spread.at(-3.0), 0.0);
    }
}

//! Numbers as a person reads them: three significant digits and a fitting unit.

use std::fmt;

use crate::unit::Quantity;

/// A number to `digits` significant digits, without exponent for magnitudes a person reads at a glance.
///
/// ```
/// assert_eq!(vitruvian_quantity::significant(0.012_345, 3), "0.0123");
/// assert_eq!(vitruvian_quantity::significant(123_456.0, 3), "123000");
/// ```
pub fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0".to_owned() } else { value.to_string() };
    }
    let exponent = format!("{value:.*e}", digits - 1).split('e').nth(1).and_then(|e| e.parse::<i32>().ok());
    let exponent = exponent.unwrap_or(0);
    let decimals = i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent;
    if decimals >= 0 {
        return format!("{value:.*}", decimals as usize);
    }
    let step = 10f64.powi(-decimals);
    format!("{:.0}", (value / step).round() * step)
}

/// A number to three significant digits.
pub fn three(value: f64) -> String {
    significant(value, 3)
}

/// Prints in the largest decimal unit that leaves at least one; `{:.N}` sets the significant digits.
pub(crate) fn quantity<Q: Quantity>(value: Q, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let digits = f.precision().unwrap_or(3);
    let (unit, size) = fitting_unit::<Q>(value.base().abs());
    let text = format!("{} {unit}", significant(value.base() / size, digits));
    // `f.pad` would take the precision for a maximum width.
    match (f.width(), f.align()) {
        (Some(width), Some(fmt::Alignment::Left)) => write!(f, "{text:<width$}"),
        (Some(width), _) => write!(f, "{text:>width$}"),
        (None, _) => f.write_str(&text),
    }
}

fn fitting_unit<Q: Quantity>(magnitude: f64) -> (&'static str, f64) {
    let mut best = smallest_or_base::<Q>(magnitude);
    for &(name, size) in Q::UNITS.iter().filter(|(name, _)| is_printed(name)) {
        // 0.9995 of a unit prints as 1.00 of it.
        if magnitude >= size * 0.9995 && size > best.1 {
            best = (name, size);
        }
    }
    best
}

fn smallest_or_base<Q: Quantity>(magnitude: f64) -> (&'static str, f64) {
    let printed = || Q::UNITS.iter().filter(|(name, _)| is_printed(name)).copied();
    if magnitude == 0.0 {
        return printed().find(|(_, size)| *size == 1.0).unwrap_or(Q::UNITS[0]);
    }
    printed().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(Q::UNITS[0])
}

/// Units that are read but not written: binary sizes, bits, spellings, and long times.
fn is_printed(unit: &str) -> bool {
    const READ_ONLY: [&str; 22] = [
        "KB", "KiB", "MiB", "GiB", "TiB", "KiB/s", "MiB/s", "GiB/s", "TiB/s", "Gb/s", "Tb/s", "TFLOPS",
        "PFLOPS", "TOPS", "us", "OP", "Wh", "MWh", "pJ/bit", "cm2", "cm²", "mm2",
    ];
    const NOT_SCALED_TO: [&str; 6] = ["year", "kWh", "d", "min", "kUSD", "MUSD"];
    !READ_ONLY.contains(&unit) && !NOT_SCALED_TO.contains(&unit)
}

#[cfg(test)]
mod tests {
    use super::significant;
    use crate::{Bytes, BytesPerSecond, FlopsPerSecond, Seconds};

    #[test]
    fn three_digits_and_a_fitting_unit() {
        assert_eq!(BytesPerSecond::new(4.0e12).to_string(), "4.00 TB/s");
        assert_eq!(Seconds::new(0.0123).to_string(), "12.3 ms");
        assert_eq!(Seconds::new(0.000_999_9).to_string(), "1.00 ms");
        assert_eq!(FlopsPerSecond::new(353.9e12).to_string(), "354 TFLOP/s");
        assert_eq!(Bytes::ZERO.to_string(), "0 B");
    }

    #[test]
    fn precision_sets_the_digits() {
        assert_eq!(format!("{:.4}", FlopsPerSecond::new(353.9e12)), "353.9 TFLOP/s");
    }

    #[test]
    fn rounding_carries() {
        assert_eq!(significant(99.96, 3), "100");
        assert_eq!(significant(-0.001_234, 2), "-0.0012");
    }
}

//! Quarters of a year: `2026-Q1`.

use std::fmt;
use std::str::FromStr;

/// A quarter of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter(u32);

const A_YEAR: u32 = 4;

impl Quarter {
    /// So many quarters later.
    #[must_use]
    pub const fn plus(self, quarters: u32) -> Self {
        Self(self.0 + quarters)
    }

    /// Quarters from `start` to this one; negative before it.
    pub fn since(self, start: Self) -> i64 {
        i64::from(self.0) - i64::from(start.0)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-Q{}", self.0 / A_YEAR, self.0 % A_YEAR + 1))
    }
}

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault = || format!("`{text}` is no quarter: write for example 2026-Q1");
        let (year, quarter) = text.split_once("-Q").ok_or_else(fault)?;
        let (year, quarter): (u32, u32) =
            (year.parse().map_err(|_| fault())?, quarter.parse().map_err(|_| fault())?);
        if !(1..=A_YEAR).contains(&quarter) || !(1000..=9999).contains(&year) {
            return Err(fault());
        }
        Ok(Self(year * A_YEAR + quarter - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Quarter;

    #[test]
    fn quarters_count_over_the_turn_of_a_year() {
        let last: Quarter = "2026-Q4".parse().unwrap();
        assert_eq!(last.plus(1).to_string(), "2027-Q1");
        assert_eq!(last.plus(5).since(last), 5);
        assert_eq!(last.since(last.plus(2)), -2);
    }

    #[test]
    fn what_is_no_quarter_is_refused() {
        for text in ["2026", "2026-Q5", "2026-Q0", "26-Q1", "2026-q1", "2026-Qx"] {
            assert!(text.parse::<Quarter>().is_err(), "{text}");
        }
    }
}

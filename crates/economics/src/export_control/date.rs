//! A day of the calendar.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};
use toml::value::Datetime;

/// A day: `"2023-11-17"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// Why a text is no day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotADate(pub String);

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a day of the calendar: write year, month and day, such as 2023-11-17", self.0)
    }
}

impl FromStr for Date {
    type Err = NotADate;

    fn from_str(text: &str) -> Result<Self, NotADate> {
        let wrong = || NotADate(text.to_owned());
        let moment: Datetime = text.trim().parse().map_err(|_| wrong())?;
        match (moment.date, moment.time) {
            (Some(date), None) => Ok(Self { year: date.year, month: date.month, day: date.day }),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}-{:02}", self.year, self.month, self.day))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Date;

    #[test]
    fn days_are_ordered_and_printed_as_written() {
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert!(day("2022-10-21") < day("2023-01-01"));
        assert_eq!(day("2024-02-29").to_string(), "2024-02-29");
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "2023-13-01",
            "2023-02-29",
            "2023-04-31",
            "17.11.2023",
            "2023-11",
            "2023-11-17T00:00:00",
            "soon",
            "",
        ] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
    }
}

//! Times as traces write them.

/// Seconds: a number of units, or a date and a time of day.
pub(super) fn seconds(name: &str, text: &str, unit: f64) -> Result<f64, String> {
    let text = text.trim();
    if let Ok(number) = text.parse::<f64>() {
        return if number.is_finite() {
            Ok(number * unit)
        } else {
            Err(format!("`{name}` is {text}, which is no time"))
        };
    }
    date(text).ok_or_else(|| format!("`{name}` must be a number or a date, not `{text}`"))
}

/// `2023-11-16 18:15:46.6805900`, also with a `T` and a `Z`; seconds since the epoch.
fn date(text: &str) -> Option<f64> {
    let (day, time) = text.split_once([' ', 'T'])?;
    let time = time.trim_end_matches('Z').split('+').next()?;
    let mut days = day.splitn(3, '-').map(str::parse::<i64>);
    let (year, month, day) = (days.next()?.ok()?, days.next()?.ok()?, days.next()?.ok()?);
    let mut parts = time.splitn(3, ':');
    let (hour, minute): (f64, f64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let second: f64 = parts.next()?.parse().ok()?;
    let valid =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24.0 && minute < 60.0 && second < 61.0;
    valid.then(|| {
        days_since_epoch(year, month, day) as f64 * 86_400.0 + hour * 3600.0 + minute * 60.0 + second
    })
}

/// Days since 1970-01-01 in the Gregorian calendar: years begin in March, so that the leap day is their last.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_count_from_the_epoch() {
        assert_eq!(days_since_epoch(1970, 1, 1), 0);
        // 30 years of 365 days and seven leap days; 2000 is one itself.
        assert_eq!(days_since_epoch(2000, 3, 1), 30 * 365 + 7 + 31 + 29);
        assert_eq!(date("1970-01-02 00:00:01.5"), Some(86_401.5));
        assert_eq!(date("1970-01-02T00:00:01.5Z"), Some(86_401.5));
        assert_eq!(date("1970-13-02 00:00:00"), None);
    }

    #[test]
    fn numbers_are_in_their_unit() {
        assert_eq!(seconds("t", "250", 1e-3), Ok(0.25));
        assert!(seconds("t", "nan", 1.0).is_err() && seconds("t", "soon", 1.0).is_err());
    }
}

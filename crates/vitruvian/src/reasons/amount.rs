//! One figure against another, in words that say no more than their uncertainty allows.

use vitruvian_quantity::significant;

use crate::answer::Range;

/// How sure it is which of two figures is larger, taking their errors as independent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Odds {
    /// Below three in four.
    Even,
    /// Below nine in ten.
    Probable,
    /// Nine in ten or more.
    Sure,
}

/// Quantile of 75 % over that of 90 % of a normal distribution.
const THREE_IN_FOUR: f64 = 0.674_490 / 1.281_552;

/// Both are lognormal with P90/P50 = exp(z₉₀·σ): a is the larger with probability Φ(ln(a/b) / √(σa² + σb²)).
fn odds(a: Range, b: Range) -> Odds {
    let spread = (a.p90 / a.p50).ln().hypot((b.p90 / b.p50).ln());
    let distance = (a.p50 / b.p50).ln().abs();
    match distance {
        d if d < THREE_IN_FOUR * spread || d < 0.01 => Odds::Even,
        d if d < spread => Odds::Probable,
        _ => Odds::Sure,
    }
}

/// `2.4 times the output of`, `36 % less output than`, `about the same output as`.
pub(super) fn compared(a: Range, b: Range, what: &str) -> String {
    let Some(difference) = difference(a, b, what) else { return format!("about the same {what} as") };
    let joint = if difference.contains(" times ") { "of" } else { "than" };
    format!("{difference} {joint}")
}

/// Several figures of `a` against those of `b`: `36 % less energy and about the same time and money`.
pub(super) fn amounts(figures: &[(&str, Range, Range)]) -> String {
    let (mut parts, mut even) = (Vec::new(), Vec::new());
    for (what, a, b) in figures {
        match difference(*a, *b, what) {
            Some(difference) => parts.push(difference),
            None => even.push((*what).to_owned()),
        }
    }
    if !even.is_empty() {
        parts.push(format!("about the same {}", listed(&even)));
    }
    listed(&parts)
}

/// What is sure or probable; nothing where the figures are about even.
fn difference(a: Range, b: Range, what: &str) -> Option<String> {
    let hedge = match odds(a, b) {
        Odds::Even => return None,
        Odds::Probable => "probably ",
        Odds::Sure => "",
    };
    let ratio = a.p50 / b.p50;
    Some(match ratio {
        r if r >= 1.5 => format!("{hedge}{} times the {what}", significant(r, 2)),
        r if r > 1.0 => format!("{hedge}{:.0} % more {what}", 100.0 * (r - 1.0)),
        r => format!("{hedge}{:.0} % less {what}", 100.0 * (1.0 - r)),
    })
}

/// `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => parts.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(median: f64, sigma: f64) -> Range {
        Range::new(median, sigma)
    }

    #[test]
    fn words_say_no_more_than_the_spread_allows() {
        // ln 1.2 = 0.182 against z₉₀ · √2 · σ: 0.127 at σ = 0.07, 0.272 at 0.15, 0.906 at 0.5.
        let told = |sigma: f64| compared(at(1.2, sigma), at(1.0, sigma), "energy");
        assert_eq!(told(0.07), "20 % more energy than");
        assert_eq!(told(0.15), "probably 20 % more energy than");
        assert_eq!(told(0.5), "about the same energy as");
    }

    #[test]
    fn large_ratios_are_told_as_times_and_small_ones_as_parts() {
        let told = |a: f64| compared(at(a, 0.01), at(1.0, 0.01), "output");
        assert_eq!(told(2.42), "2.4 times the output of");
        assert_eq!(told(0.64), "36 % less output than");
        assert_eq!(told(1.0), "about the same output as");
    }

    #[test]
    fn what_is_even_is_told_together() {
        let (less, same) = (at(0.5, 0.01), at(1.0, 0.01));
        let figures = [("time", same, same), ("energy", less, same), ("money", same, same)];
        assert_eq!(amounts(&figures), "50 % less energy and about the same time and money");
        assert_eq!(amounts(&figures[..1]), "about the same time");
    }
}

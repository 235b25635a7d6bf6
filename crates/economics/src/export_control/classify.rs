//! What the rules say of a chip.

use super::catalog::Collection;
use super::condition::Truth;
use super::date::Date;
use super::facts::Facts;
use super::rule::{Exemption, LicenceException, Outcome, Rule};

/// A chip as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Its name in the catalog.
    pub name: &'a str,
    /// What the tests look at.
    pub facts: &'a Facts,
}

/// What one rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict<'a> {
    /// One of its outcomes holds.
    Caught(&'a Outcome, Option<&'a LicenceException>),
    /// None of its outcomes holds, and the rule says what then follows.
    Otherwise(&'a str),
    /// An outcome holds, and the rule frees the chip again.
    Exempt(&'a Exemption),
    /// No outcome holds.
    Free,
    /// The rule does not look at such chips.
    OutOfScope,
    /// The chip's description does not say enough.
    Unknown,
}

/// What one rule says, and whether it counts on the day asked about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// What it says.
    pub verdict: Verdict<'a>,
    /// Whether it is in force.
    pub in_force: bool,
}

/// What every rule of the collection says of a chip, whether in force on the day or not.
pub fn classify<'a>(collection: &'a Collection, subject: Subject<'_>, day: Date) -> Vec<Finding<'a>> {
    let finding = |rule: &'a Rule| Finding {
        rule,
        verdict: verdict(rule, collection, subject),
        in_force: rule.in_force(day),
    };
    collection.rules.iter().map(finding).collect()
}

/// What one rule says of a chip.
pub fn verdict<'a>(rule: &'a Rule, collection: &'a Collection, subject: Subject<'_>) -> Verdict<'a> {
    let facts = subject.facts;
    let named = rule.chips.is_empty() || rule.chips.iter().any(|name| name == subject.name);
    let subjected = Truth::from(named).and(rule.scope.holds(facts)).and(required(rule, collection, subject));
    match subjected {
        Truth::No => return Verdict::OutOfScope,
        Truth::Unknown => return Verdict::Unknown,
        Truth::Yes => {}
    }
    let mut caught = Truth::No;
    for outcome in &rule.outcomes {
        match outcome.when.holds(facts) {
            Truth::Yes => {
                return freed(rule, facts).unwrap_or(Verdict::Caught(outcome, exception(outcome, facts)));
            }
            holds => caught = caught.or(holds),
        }
    }
    if caught == Truth::Unknown {
        return freed(rule, facts).unwrap_or(Verdict::Unknown);
    }
    rule.otherwise.as_deref().map_or(Verdict::Free, Verdict::Otherwise)
}

/// Whether one of the rules that this one builds on catches the chip.
fn required(rule: &Rule, collection: &Collection, subject: Subject<'_>) -> Truth {
    if rule.requires.is_empty() {
        return Truth::Yes;
    }
    let catches = |needed: &String| {
        let (id, wanted) =
            needed.split_once('/').map_or((needed.as_str(), None), |(id, one)| (id, Some(one)));
        let Some(base) = collection.rules.iter().find(|rule| rule.id == id) else { return Truth::No };
        match verdict(base, collection, subject) {
            Verdict::Caught(outcome, _) => wanted.is_none_or(|wanted| wanted == outcome.id).into(),
            Verdict::Unknown => Truth::Unknown,
            _ => Truth::No,
        }
    };
    rule.requires.iter().map(catches).fold(Truth::No, Truth::or)
}

/// Whether an exemption frees the chip, or might.
fn freed<'a>(rule: &'a Rule, facts: &Facts) -> Option<Verdict<'a>> {
    let of = |truth| rule.exemptions.iter().find(|exemption| exemption.when.holds(facts) == truth);
    let maybe = || of(Truth::Unknown).map(|_| Verdict::Unknown);
    of(Truth::Yes).map(Verdict::Exempt).or_else(maybe)
}

fn exception<'a>(outcome: &'a Outcome, facts: &Facts) -> Option<&'a LicenceException> {
    outcome.exceptions.iter().find(|exception| exception.when.holds(facts) == Truth::Yes)
}

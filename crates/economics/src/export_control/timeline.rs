//! What changes for a chip, day by day.

use super::catalog::Collection;
use super::classify::{Subject, Verdict, verdict};
use super::date::Date;
use super::rule::{Rule, Status};

/// Something that changes on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Change<'a> {
    /// When.
    pub day: Date,
    /// What.
    pub what: What<'a>,
}

/// What changes.
#[derive(Clone, Debug, PartialEq)]
pub enum What<'a> {
    /// A rule takes effect and says this.
    Begins(&'a Rule, Verdict<'a>),
    /// A rule ends.
    Ends(&'a Rule),
    /// A bill is proposed, which would say this.
    Proposed(&'a Rule, Verdict<'a>),
    /// A rule was published and never took effect.
    Never(&'a Rule),
    /// Something happened around the rules.
    Event(&'a str, &'a str),
}

/// The time line of a chip. Rules that do not look at such chips are left out.
pub fn timeline<'a>(collection: &'a Collection, subject: Subject<'_>, vendor: &str) -> Vec<Change<'a>> {
    let rules = collection.rules.iter().flat_map(|rule| of_rule(rule, collection, subject));
    let concerns = |chips: &[String], vendors: &[String]| {
        chips.iter().any(|chip| chip == subject.name) || vendors.iter().any(|name| name == vendor)
    };
    let events = collection.events.iter().filter(|event| concerns(&event.chips, &event.vendors));
    let events =
        events.map(|event| Change { day: event.date, what: What::Event(&event.text, &event.source) });
    let mut changes: Vec<Change<'_>> = rules.chain(events).collect();
    changes.sort_by_key(|change| change.day);
    changes
}

fn of_rule<'a>(rule: &'a Rule, collection: &'a Collection, subject: Subject<'_>) -> Vec<Change<'a>> {
    let said = verdict(rule, collection, subject);
    if said == Verdict::OutOfScope {
        return Vec::new();
    }
    if rule.status == Status::Proposed {
        return vec![Change { day: rule.published, what: What::Proposed(rule, said) }];
    }
    if !rule.ever_in_force() {
        return vec![Change { day: rule.published, what: What::Never(rule) }];
    }
    let begins = Change { day: rule.effective, what: What::Begins(rule, said) };
    let ends = rule.ends.map(|day| Change { day, what: What::Ends(rule) });
    std::iter::once(begins).chain(ends).collect()
}

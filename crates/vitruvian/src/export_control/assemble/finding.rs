//! What one rule says of a chip.

use vitruvian_economics::export_control::classify::Finding;
use vitruvian_economics::export_control::{Clause, Condition, Facts, Field, Rule, Truth, Verdict};

use crate::export_control::answer::{RuleFinding, Test};

pub(super) fn rule_finding(finding: &Finding<'_>, facts: &Facts) -> RuleFinding {
    let rule = finding.rule;
    let (verdict, applies) = verdict_words(&finding.verdict);
    let (outcome, effect) = match finding.verdict {
        Verdict::Caught(outcome, _) => (Some(outcome.id.clone()), Some(outcome.effect.clone())),
        Verdict::Otherwise(text) => (Some(text.to_owned()), Some(text.to_owned())),
        Verdict::Exempt(exemption) => (Some(exemption.id.clone()), Some(exemption.text.clone())),
        _ => (None, None),
    };
    let exception = match finding.verdict {
        Verdict::Caught(_, Some(exception)) => Some(exception.text.clone()),
        _ => None,
    };
    RuleFinding {
        id: rule.id.clone(),
        title: rule.title.clone(),
        kind: rule.kind.name().to_owned(),
        status: rule.status.name().to_owned(),
        in_force: finding.in_force,
        applies,
        verdict: verdict.to_owned(),
        outcome,
        effect,
        exception,
        effective: rule.effective.to_string(),
        ends: rule.ends.map(|day| day.to_string()),
        destinations: rule.destinations.clone(),
        citation: rule.citation.clone(),
        grade: rule.grade.name().to_owned(),
        note: rule.note.clone(),
        tests: tests(rule, facts),
    }
}

pub(super) fn verdict_words(verdict: &Verdict<'_>) -> (&'static str, Option<bool>) {
    match verdict {
        Verdict::Caught(..) | Verdict::Otherwise(_) => ("applies", Some(true)),
        Verdict::Exempt(_) => ("exempt", Some(false)),
        Verdict::Free => ("does-not-apply", Some(false)),
        Verdict::OutOfScope => ("out-of-scope", Some(false)),
        Verdict::Unknown => ("unknown", None),
    }
}

fn tests(rule: &Rule, facts: &Facts) -> Vec<Test> {
    let outcomes = rule.outcomes.iter().map(|outcome| (outcome.id.as_str(), &outcome.when));
    let exemptions = rule.exemptions.iter().map(|exemption| (exemption.id.as_str(), &exemption.when));
    outcomes.chain(exemptions).flat_map(|(id, when)| of_condition(id, when, facts)).collect()
}

fn of_condition(id: &str, when: &Condition, facts: &Facts) -> Vec<Test> {
    let numbered = when.clauses(facts).into_iter().zip(1..);
    numbered
        .flat_map(|(list, number)| list.into_iter().map(move |clause| (clause, number)))
        .map(|(clause, number)| test(id, number, &clause))
        .collect()
}

fn test(outcome: &str, alternative: u32, clause: &Clause) -> Test {
    let comparison = &clause.comparison;
    let flag = comparison.fields.iter().any(|field| field.is_flag());
    let line = (!flag).then_some(comparison.threshold);
    Test {
        outcome: outcome.to_owned(),
        alternative,
        test: comparison.text.clone(),
        value: clause.value,
        line,
        unit: comparison.fields.first().map_or("", |field| Field::unit(*field)).to_owned(),
        distance: line.and_then(|line| Some(clause.value? / line - 1.0)),
        holds: match clause.holds {
            Truth::Yes => Some(true),
            Truth::No => Some(false),
            Truth::Unknown => None,
        },
    }
}

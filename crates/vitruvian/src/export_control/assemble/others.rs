//! Time lines, lists of rules, memory stacks.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_economics::export_control::classify::{Finding, Subject};
use vitruvian_economics::export_control::timeline::What;
use vitruvian_economics::export_control::{
    Change as Changed, Collection, Condition, Date, Facts, Field, Kind, Rule, Verdict, classify,
};
use vitruvian_hardware::Chip;

use super::finding::{rule_finding, verdict_words};
use crate::export_control::MemoryStudy;
use crate::export_control::answer::{
    Change, ChipLine, ChipsAnswer, MemoryAnswer, RuleTest, RuleText, RulesAnswer, TimelineAnswer,
};

pub(in crate::export_control) fn timeline(
    collection: &Collection,
    chip: &Chip,
    changes: &[Changed<'_>],
    proposed: bool,
    mut notes: Vec<String>,
) -> TimelineAnswer {
    let definitions = &collection.definitions;
    if definitions.hypothetical.vendors.iter().any(|name| name == chip.vendor.name()) {
        notes.push(definitions.hypothetical.note.clone());
    }
    let shown = changes.iter().filter(|change| proposed || !matches!(change.what, What::Proposed(..)));
    TimelineAnswer {
        banner: definitions.banner.clone(),
        chip: chip.name.clone(),
        title: chip.title.clone(),
        known_until: definitions.known_until.to_string(),
        changes: shown.map(change).collect(),
        notes,
    }
}

fn change(change: &Changed<'_>) -> Change {
    let (rule, what, text, controlled) = match &change.what {
        What::Begins(rule, verdict) => {
            let decides = rule.kind == Kind::Control;
            let controlled = verdict_words(verdict).1.filter(|_| decides);
            (Some(rule.id.clone()), "begins", said(rule, verdict), controlled)
        }
        What::Ends(rule) => (Some(rule.id.clone()), "ends", format!("{} ends", rule.title), None),
        What::Proposed(rule, verdict) => (Some(rule.id.clone()), "proposed", said(rule, verdict), None),
        What::Never(rule) => {
            (Some(rule.id.clone()), "never", format!("{}: published, never enforced", rule.title), None)
        }
        What::Event(text, source) => (None, "event", format!("{text} ({source})"), None),
    };
    Change { date: change.day.to_string(), rule, what: what.to_owned(), text, controlled }
}

fn said(rule: &Rule, verdict: &Verdict<'_>) -> String {
    let said = match verdict {
        Verdict::Caught(outcome, exception) => {
            let with = exception.map_or(String::new(), |exception| format!(", exception {}", exception.id));
            format!("{}, {}{with}", outcome.id, outcome.effect)
        }
        Verdict::Otherwise(text) => (*text).to_owned(),
        Verdict::Exempt(exemption) => format!("exempt: {}", exemption.text),
        Verdict::Free | Verdict::OutOfScope => "not caught".to_owned(),
        Verdict::Unknown => "cannot be decided from the chip's file".to_owned(),
    };
    format!("{}: {said}", rule.title)
}

pub(in crate::export_control) fn rules(
    collection: &Collection,
    day: Option<Date>,
    only: Option<&Rule>,
) -> RulesAnswer {
    let wanted =
        |rule: &&Rule| day.is_none_or(|day| rule.in_force(day)) && only.is_none_or(|only| only.id == rule.id);
    RulesAnswer {
        banner: collection.definitions.banner.clone(),
        date: day.map(|day| day.to_string()),
        known_until: collection.definitions.known_until.to_string(),
        rules: collection.rules.iter().filter(wanted).map(rule_text).collect(),
    }
}

fn rule_text(rule: &Rule) -> RuleText {
    let outcomes = rule.outcomes.iter().map(|outcome| RuleTest {
        outcome: outcome.id.clone(),
        effect: outcome.effect.clone(),
        when: written(&outcome.when),
    });
    let exemptions = rule.exemptions.iter().map(|exemption| RuleTest {
        outcome: exemption.id.clone(),
        effect: format!("free: {}", exemption.text),
        when: written(&exemption.when),
    });
    RuleText {
        id: rule.id.clone(),
        title: rule.title.clone(),
        kind: rule.kind.name().to_owned(),
        status: rule.status.name().to_owned(),
        published: rule.published.to_string(),
        effective: rule.effective.to_string(),
        ends: rule.ends.map(|day| day.to_string()),
        destinations: rule.destinations.clone(),
        citation: rule.citation.clone(),
        source: rule.source.clone(),
        grade: rule.grade.name().to_owned(),
        note: rule.note.clone(),
        tests: outcomes.chain(exemptions).collect(),
    }
}

/// A condition in words: alternatives joined by "or", tests of one by "and".
fn written(condition: &Condition) -> String {
    let lists = condition.0.iter();
    let all = lists.map(|list| list.iter().map(|one| one.text.as_str()).collect::<Vec<_>>().join(" and "));
    let all: Vec<String> = all.collect();
    if all.is_empty() { "always".to_owned() } else { all.join("; or ") }
}

/// Bandwidth and area of a stack must be positive.
pub(in crate::export_control) fn positive(study: &MemoryStudy) -> Result<(), Diagnostics> {
    let figures = [("bandwidth", study.bandwidth.get()), ("area", study.area.get())];
    let wrong = figures.into_iter().filter(|(_, figure)| *figure <= 0.0);
    let faults: Vec<Diagnostic> = wrong
        .map(|(name, _)| {
            Diagnostic::error("out-of-range", format!("the {name} of a stack must be more than zero"))
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
}

pub(in crate::export_control) fn memory(
    collection: &Collection,
    study: &MemoryStudy,
    day: Date,
) -> MemoryAnswer {
    let (bandwidth, area) = (study.bandwidth.in_unit("GB/s"), study.area.get());
    let facts = Facts::of_memory(bandwidth, area);
    let found = classify(collection, Subject { name: "", facts: &facts }, day);
    let on_memory = |finding: &&Finding<'_>| {
        let conditions = finding.rule.outcomes.iter().flat_map(|outcome| outcome.when.0.iter().flatten());
        conditions.into_iter().any(|one| one.fields.contains(&Field::MemoryBandwidthDensity))
    };
    MemoryAnswer {
        banner: collection.definitions.banner.clone(),
        date: day.to_string(),
        bandwidth_gb_per_s: bandwidth,
        area_mm2: area,
        memory_bandwidth_density: bandwidth / area,
        rules: found.iter().filter(on_memory).map(|finding| rule_finding(finding, &facts)).collect(),
    }
}

/// One chip of a list.
pub(in crate::export_control) fn line(chip: &Chip, facts: &Facts, findings: &[Finding<'_>]) -> ChipLine {
    let in_force = |kind: Kind| findings.iter().filter(move |one| one.in_force && one.rule.kind == kind);
    let caught = in_force(Kind::Control).filter_map(|one| match one.verdict {
        Verdict::Caught(outcome, exception) => {
            let with = exception.map_or(String::new(), |exception| format!(" ({})", exception.id));
            Some(format!("{} {}{with}", one.rule.id, outcome.id))
        }
        _ => None,
    });
    let open = in_force(Kind::Control).filter(|one| one.verdict == Verdict::Unknown);
    let mut review = in_force(Kind::Review).filter_map(|one| match one.verdict {
        Verdict::Caught(outcome, _) => Some(outcome.id.clone()),
        Verdict::Otherwise(text) => Some(text.to_owned()),
        _ => None,
    });
    ChipLine {
        chip: chip.name.clone(),
        tpp: facts.tpp.value().unwrap_or(0.0),
        performance_density: facts.performance_density.value(),
        io_bandwidth_gb_per_s: facts.io_bandwidth.value(),
        dram_bandwidth_gb_per_s: facts.dram_bandwidth.value(),
        caught: caught.collect(),
        open: open.map(|one| one.rule.id.clone()).collect(),
        review: review.next_back(),
    }
}

pub(in crate::export_control) fn chips(
    collection: &Collection,
    day: Date,
    chips: Vec<ChipLine>,
) -> ChipsAnswer {
    let definitions = &collection.definitions;
    ChipsAnswer {
        banner: definitions.banner.clone(),
        date: day.to_string(),
        known_until: definitions.known_until.to_string(),
        chips,
    }
}

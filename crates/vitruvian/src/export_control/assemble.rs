//! From what the rules say to an answer.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_economics::export_control::classify::{Finding, Subject};
use vitruvian_economics::export_control::comply::{Question, Settings as Own};
use vitruvian_economics::export_control::facts::{Account, CountedDie, Performance as Peak};
use vitruvian_economics::export_control::rule::Outcome;
use vitruvian_economics::export_control::timeline::What;
use vitruvian_economics::export_control::{
    Change as Changed, Clause, Collection, Condition, Date, Facts, Field, Kind, Knob, Rule, Status, Truth, Verdict,
    classify, comply as bounds, together as settings_below,
};
use vitruvian_hardware::Chip;

use super::MemoryStudy;
use super::answer::{
    Change, CheckAnswer, Comply, Die, MemoryAnswer, Performance, RuleFinding, RuleTest, RuleText, RulesAnswer,
    Settings, Test, TimelineAnswer,
};

/// A chip, and what was found out about it.
pub(super) struct Case<'a> {
    pub(super) collection: &'a Collection,
    pub(super) chip: &'a Chip,
    pub(super) account: &'a Account,
    pub(super) day: Date,
    pub(super) findings: &'a [Finding<'a>],
    pub(super) proposed: bool,
}

impl Case<'_> {
    fn facts(&self) -> &Facts {
        &self.account.facts
    }

    /// Whether a rule counts: it is in force, or it is a bill and bills are asked for.
    fn counts(&self, rule: &Rule) -> bool {
        rule.in_force(self.day) || (self.proposed && rule.status == Status::Proposed && rule.published <= self.day)
    }

    fn hypothetical(&self) -> bool {
        self.collection.definitions.hypothetical.vendors.iter().any(|name| name == self.chip.vendor.name())
    }

    /// Rules on licences that count and catch the chip.
    fn catching(&self) -> Vec<&Rule> {
        let caught = |finding: &&Finding<'_>| matches!(finding.verdict, Verdict::Caught(..));
        let control = |finding: &&Finding<'_>| finding.rule.kind == Kind::Control && self.counts(finding.rule);
        self.findings.iter().filter(caught).filter(control).map(|finding| finding.rule).collect()
    }

    fn question<'b>(&'b self, rules: &'b [&'b Rule]) -> Question<'b> {
        let facts = self.facts();
        let settings = Own {
            cores: f64::from(self.chip.compute.cores),
            clock: self.chip.compute.clock.in_unit("MHz"),
            memory: facts.dram_bandwidth.value().unwrap_or(0.0),
            io: facts.io_bandwidth.value().unwrap_or(0.0),
        };
        let subject = Subject { name: &self.chip.name, facts };
        Question { collection: self.collection, subject, settings, rules }
    }
}

pub(super) fn check(case: &Case<'_>, mut notes: Vec<String>) -> CheckAnswer {
    let (facts, definitions) = (case.facts(), &case.collection.definitions);
    let catching = case.catching();
    notes.extend(doubts(case));
    let range = case.account.performance.first().map_or([0.0; 2], |best| best.range);
    let tpp = facts.tpp.value().unwrap_or(0.0);
    CheckAnswer {
        banner: definitions.banner.clone(),
        chip: case.chip.name.clone(),
        title: case.chip.title.clone(),
        date: case.day.to_string(),
        known_until: definitions.known_until.to_string(),
        summary: summary(case, &catching),
        tpp,
        tpp_low: range[0],
        tpp_high: range[1],
        performance_density: facts.performance_density.value(),
        die_area_mm2: case.account.area,
        io_bandwidth_gb_per_s: facts.io_bandwidth.value(),
        dram_bandwidth_gb_per_s: facts.dram_bandwidth.value(),
        data_centre: facts.data_centre.value().map(|flag| flag > 0.0),
        performance: case.account.performance.iter().map(performance).collect(),
        dies: case.account.dies.iter().map(die).collect(),
        rules: case.findings.iter().map(|finding| rule_finding(finding, facts)).collect(),
        comply: comply(case, &catching),
        together: together(case, &catching),
        notes,
    }
}

fn summary(case: &Case<'_>, catching: &[&Rule]) -> String {
    let would = if case.hypothetical() { "would be caught" } else { "is caught" };
    let names: Vec<String> = case
        .findings
        .iter()
        .filter(|finding| catching.iter().any(|rule| rule.id == finding.rule.id))
        .filter_map(|finding| match finding.verdict {
            Verdict::Caught(outcome, exception) => Some(named(finding.rule, outcome, exception.map(|e| e.id.as_str()))),
            _ => None,
        })
        .collect();
    let unknown: Vec<&str> = case
        .findings
        .iter()
        .filter(|finding| finding.verdict == Verdict::Unknown && finding.rule.kind == Kind::Control)
        .filter(|finding| case.counts(finding.rule))
        .map(|finding| finding.rule.id.as_str())
        .collect();
    let said = if names.is_empty() {
        format!("on {} no rule on licences of the collection catches {}", case.day, case.chip.title)
    } else {
        format!("on {} {} {would} by {}", case.day, case.chip.title, names.join(" and "))
    };
    if unknown.is_empty() { said } else { format!("{said}; {} cannot be decided", unknown.join(", ")) }
}

fn named(rule: &Rule, outcome: &Outcome, exception: Option<&str>) -> String {
    let with = exception.map_or(String::new(), |id| format!(", exception {id}"));
    format!("{} ({}{with})", outcome.id, rule.id)
}

/// What a reader should know of the figures.
fn doubts(case: &Case<'_>) -> Vec<String> {
    let definitions = &case.collection.definitions;
    let mut notes = Vec::new();
    if case.hypothetical() {
        notes.push(definitions.hypothetical.note.clone());
    }
    if case.day > definitions.known_until {
        notes.push(format!("the collection looks back from {}: later rules are not in it", definitions.known_until));
    }
    notes.extend(conflict(case));
    if case.account.area.is_none() {
        notes.push("area or transistors of a die are not given (`die.area`, `die.transistor`): tests of density are open".to_owned());
    }
    if case.facts().data_centre.value().is_none() {
        notes.push("the file does not say whether the chip is for data centres (`market.data_centre`)".to_owned());
    }
    notes
}

/// Whether sources of the deciding figure disagree so far that a rule's verdict changes.
fn conflict(case: &Case<'_>) -> Option<String> {
    let best = case.account.performance.first()?;
    let [low, high] = best.range;
    let verdicts = |tpp: f64| -> Vec<String> {
        let scale = tpp / best.tpp;
        let own = case.facts();
        let facts = Facts {
            tpp: own.tpp.scaled(scale),
            performance_density: own.performance_density.scaled(scale),
            ..*own
        };
        let found = classify(case.collection, Subject { name: &case.chip.name, facts: &facts }, case.day);
        found.iter().filter(|one| case.counts(one.rule)).map(|one| format!("{:?}", verdict_words(&one.verdict))).collect()
    };
    if low == high {
        return None;
    }
    let changes = verdicts(low) != verdicts(high);
    let what = if changes { "and verdicts change with it" } else { "no verdict changes with it" };
    Some(format!("sources put the deciding peak at a TPP of {low:.0} to {high:.0}; {what}"))
}

fn performance(peak: &Peak) -> Performance {
    Performance {
        dtype: peak.dtype.to_string(),
        bits: peak.bits,
        peak_tops: peak.peak.in_unit("TOPS"),
        tpp: peak.tpp,
        tpp_low: peak.range[0],
        tpp_high: peak.range[1],
        basis: peak.basis.clone(),
    }
}

fn die(die: &CountedDie) -> Die {
    Die {
        kind: die.kind.to_owned(),
        count: die.count,
        area_mm2: die.area.get(),
        transistor: die.transistor.map(|transistor| transistor.name().to_owned()),
        counts: die.counts,
    }
}

fn rule_finding(finding: &Finding<'_>, facts: &Facts) -> RuleFinding {
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

fn verdict_words(verdict: &Verdict<'_>) -> (&'static str, Option<bool>) {
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

fn comply(case: &Case<'_>, catching: &[&Rule]) -> Vec<Comply> {
    let row = |name: &str, rules: &[&Rule]| {
        let found = bounds(&case.question(rules));
        let most = |knob| found.iter().find(|bound| bound.knob == knob).and_then(|bound| bound.most);
        Comply {
            rule: name.to_owned(),
            cores: most(Knob::Cores),
            clock_mhz: most(Knob::Clock),
            dram_bandwidth_gb_per_s: most(Knob::Memory),
            io_bandwidth_gb_per_s: most(Knob::Io),
        }
    };
    let each = catching.iter().map(|rule| row(&rule.id, &[*rule]));
    each.chain((catching.len() > 1).then(|| row("all", catching))).collect()
}

fn together(case: &Case<'_>, catching: &[&Rule]) -> Option<Settings> {
    let found = settings_below(&case.question(catching)).filter(|found| found.changed)?.settings;
    Some(Settings {
        cores: found.cores,
        clock_mhz: found.clock,
        dram_bandwidth_gb_per_s: found.memory,
        io_bandwidth_gb_per_s: found.io,
    })
}

pub(super) fn timeline(
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

pub(super) fn rules(collection: &Collection, day: Option<Date>, only: Option<&Rule>) -> RulesAnswer {
    let wanted = |rule: &&Rule| {
        day.is_none_or(|day| rule.in_force(day)) && only.is_none_or(|only| only.id == rule.id)
    };
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
pub(super) fn positive(study: &MemoryStudy) -> Result<(), Diagnostics> {
    let figures = [("bandwidth", study.bandwidth.get()), ("area", study.area.get())];
    let wrong = figures.into_iter().filter(|(_, figure)| *figure <= 0.0);
    let faults: Vec<Diagnostic> = wrong
        .map(|(name, _)| Diagnostic::error("out-of-range", format!("the {name} of a stack must be more than zero")))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
}

pub(super) fn memory(collection: &Collection, study: &MemoryStudy, day: Date) -> MemoryAnswer {
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

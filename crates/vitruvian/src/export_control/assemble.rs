//! From what the rules say to an answer.

mod finding;
mod others;

use vitruvian_economics::export_control::classify::{Finding, Subject};
use vitruvian_economics::export_control::comply::{Question, Settings as Own};
use vitruvian_economics::export_control::facts::{Account, CountedDie, Performance as Peak};
use vitruvian_economics::export_control::rule::Outcome;
use vitruvian_economics::export_control::{
    Collection, Date, Facts, Kind, Knob, Rule, Status, Verdict, classify, comply as bounds,
    together as settings_below,
};
use vitruvian_hardware::Chip;

use super::answer::{CheckAnswer, Comply, Die, Performance, Settings};
use finding::{rule_finding, verdict_words};
pub(super) use others::{chips, line, memory, positive, rules, timeline};

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
        rule.in_force(self.day)
            || (self.proposed && rule.status == Status::Proposed && rule.published <= self.day)
    }

    fn hypothetical(&self) -> bool {
        self.collection.definitions.hypothetical.vendors.iter().any(|name| name == self.chip.vendor.name())
    }

    /// Rules on licences that count and catch the chip.
    fn catching(&self) -> Vec<&Rule> {
        let caught = |finding: &&Finding<'_>| matches!(finding.verdict, Verdict::Caught(..));
        let control =
            |finding: &&Finding<'_>| finding.rule.kind == Kind::Control && self.counts(finding.rule);
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
    let needs = if case.hypothetical() { "would need a licence" } else { "needs a licence" };
    let names: Vec<String> = case
        .findings
        .iter()
        .filter(|finding| catching.iter().any(|rule| rule.id == finding.rule.id))
        .filter_map(|finding| match finding.verdict {
            Verdict::Caught(outcome, exception) => {
                Some(named(finding.rule, outcome, exception.map(|e| e.id.as_str())))
            }
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
        format!("on {} no rule of the collection asks a licence for {}", case.day, case.chip.title)
    } else {
        format!("on {} {} {needs} under {}", case.day, case.chip.title, names.join(" and "))
    };
    if unknown.is_empty() { said } else { format!("{said}; {} cannot be decided", unknown.join(", ")) }
}

fn named(rule: &Rule, outcome: &Outcome, exception: Option<&str>) -> String {
    let with = exception.map_or(String::new(), |id| format!(", exception {id}"));
    format!("{} ({}{with})", rule.id, outcome.id)
}

/// What a reader should know of the figures.
fn doubts(case: &Case<'_>) -> Vec<String> {
    let definitions = &case.collection.definitions;
    let mut notes = Vec::new();
    if case.hypothetical() {
        notes.push(definitions.hypothetical.note.clone());
    }
    if case.day > definitions.known_until {
        notes.push(format!(
            "the collection looks back from {}: later rules are not in it",
            definitions.known_until
        ));
    }
    notes.extend(conflict(case));
    if case.account.area.is_none() {
        notes.push("Area or transistors of a die are not given (`die.area`, `die.transistor`): tests of density are open".to_owned());
    }
    if case.facts().data_centre.value().is_none() {
        notes.push(
            "The file does not say whether the chip is for data centres (`market.data_centre`)".to_owned(),
        );
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
        found
            .iter()
            .filter(|one| case.counts(one.rule))
            .map(|one| format!("{:?}", verdict_words(&one.verdict)))
            .collect()
    };
    if low == high {
        return None;
    }
    let changes = verdicts(low) != verdicts(high);
    let what = if changes { "and verdicts change with it" } else { "no verdict changes with it" };
    Some(format!("Sources put the deciding peak at a TPP of {low:.0} to {high:.0}; {what}"))
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

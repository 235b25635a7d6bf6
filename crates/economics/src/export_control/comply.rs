//! What would stay below a rule: the largest number of cores, clock or bandwidth that it does not catch.
//!
//! TPP and density follow cores and clock in proportion, bandwidths follow themselves. Values are tried from the chip's
//! own downwards in steps of a core, a megahertz or a gigabyte per second, so the answer is the largest that can be built,
//! whatever shape the rule has.

use super::catalog::Collection;
use super::classify::{Subject, Verdict, verdict};
use super::facts::Facts;
use super::rule::Rule;

/// What can be changed of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knob {
    /// Cores that are enabled.
    Cores,
    /// Clock, MHz.
    Clock,
    /// Memory bandwidth, GB/s.
    Memory,
    /// Links and other inputs and outputs, both directions, GB/s.
    Io,
}

/// A chip's own settings, in the units of the knobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Cores.
    pub cores: f64,
    /// Clock, MHz.
    pub clock: f64,
    /// Memory bandwidth, GB/s.
    pub memory: f64,
    /// Inputs and outputs, GB/s.
    pub io: f64,
}

/// The largest setting of one knob that stays below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Which knob.
    pub knob: Knob,
    /// The largest setting; nothing where this knob alone does not help.
    pub most: Option<f64>,
}

/// Settings that stay below several rules at once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Together {
    /// The settings.
    pub settings: Settings,
    /// Whether they differ from the chip's own.
    pub changed: bool,
}

impl Knob {
    /// All knobs.
    pub const ALL: [Self; 4] = [Self::Cores, Self::Clock, Self::Memory, Self::Io];

    /// As a table says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cores => "cores",
            Self::Clock => "clock",
            Self::Memory => "memory bandwidth",
            Self::Io => "links, both directions",
        }
    }

    /// Unit of a setting.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Cores => "",
            Self::Clock => "MHz",
            Self::Memory | Self::Io => "GB/s",
        }
    }
}

impl Settings {
    /// The setting of a knob.
    pub fn get(&self, knob: Knob) -> f64 {
        match knob {
            Knob::Cores => self.cores,
            Knob::Clock => self.clock,
            Knob::Memory => self.memory,
            Knob::Io => self.io,
        }
    }

    fn with(mut self, knob: Knob, setting: f64) -> Self {
        match knob {
            Knob::Cores => self.cores = setting,
            Knob::Clock => self.clock = setting,
            Knob::Memory => self.memory = setting,
            Knob::Io => self.io = setting,
        }
        self
    }
}

/// A chip, its settings, and the rules to stay below.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Where the rules hang together.
    pub collection: &'a Collection,
    /// The chip.
    pub subject: Subject<'a>,
    /// Its settings.
    pub settings: Settings,
    /// The rules.
    pub rules: &'a [&'a Rule],
}

impl Question<'_> {
    /// Whether a chip with these settings is below every rule.
    fn below(&self, settings: &Settings) -> bool {
        let facts = moved(self.subject.facts, &self.settings, settings);
        let subject = Subject { facts: &facts, ..self.subject };
        self.rules.iter().all(|rule| {
            let said = verdict(rule, self.collection, subject);
            matches!(said, Verdict::Free | Verdict::Exempt(_) | Verdict::OutOfScope)
        })
    }

    /// The largest setting of a knob, the others as they are in `from`, that is below every rule.
    fn largest(&self, knob: Knob, from: &Settings) -> Option<f64> {
        let own = self.settings.get(knob);
        let steps = std::iter::successors(Some(own.ceil() - 1.0), |setting| Some(setting - 1.0));
        let settings = std::iter::once(own).chain(steps.take_while(|setting| *setting >= 1.0));
        settings.into_iter().find(|setting| self.below(&from.with(knob, *setting)))
    }
}

/// The largest setting of each knob alone that stays below the rules.
pub fn comply(question: &Question<'_>) -> Vec<Bound> {
    let bound = |knob| Bound { knob, most: question.largest(knob, &question.settings) };
    Knob::ALL.into_iter().map(bound).collect()
}

/// Settings that together stay below the rules: as many cores as the rules allow at all, then as much memory bandwidth,
/// then links. Nothing where no chip of its kind would.
pub fn together(question: &Question<'_>) -> Option<Together> {
    let own = question.settings;
    let mut settings = own.with(Knob::Memory, 1.0).with(Knob::Io, 1.0);
    for knob in [Knob::Cores, Knob::Memory, Knob::Io] {
        settings = settings.with(knob, question.largest(knob, &settings)?);
    }
    Some(Together { settings, changed: settings != own })
}

/// The facts of a chip whose settings are changed.
fn moved(facts: &Facts, own: &Settings, new: &Settings) -> Facts {
    let share = |knob: Knob| if own.get(knob) > 0.0 { new.get(knob) / own.get(knob) } else { 1.0 };
    let compute = share(Knob::Cores) * share(Knob::Clock);
    Facts {
        tpp: facts.tpp.scaled(compute),
        performance_density: facts.performance_density.scaled(compute),
        dram_bandwidth: facts.dram_bandwidth.scaled(share(Knob::Memory)),
        io_bandwidth: facts.io_bandwidth.scaled(share(Knob::Io)),
        ..*facts
    }
}

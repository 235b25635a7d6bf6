//! A rule as its file gives it.

use serde::Deserialize;

use super::condition::Condition;
use super::date::Date;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Whether a licence is needed.
    Control,
    /// How a licence is reviewed.
    Review,
    /// A duty at the border.
    Tariff,
    /// What a foundry must presume.
    Presumption,
    /// What an authority has said.
    Guidance,
}

/// What standing it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A published rule.
    Law,
    /// Letters to makers, whose numbers are not public.
    Letter,
    /// Announced practice or guidance.
    Policy,
    /// Published, and announced not to be enforced.
    NotEnforced,
    /// A bill.
    Proposed,
}

/// How well the text is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Read in the primary text.
    Primary,
    /// Quoted by press or a public note.
    Press,
    /// Numbers of another text stand for numbers that are not public.
    Proxy,
}

/// One rule with its thresholds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Short name: `"V23"`.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// What it is about.
    pub kind: Kind,
    /// What standing it has.
    pub status: Status,
    /// Where it is published.
    pub citation: String,
    /// Day of publication.
    pub published: Date,
    /// First day in force.
    pub effective: Date,
    /// First day no longer in force.
    pub ends: Option<Date>,
    /// Where it holds.
    pub destinations: String,
    /// Where the text was read.
    pub source: String,
    /// How well the text is known.
    pub grade: Grade,
    /// What a reader should know.
    pub note: Option<String>,
    /// Chips it is about, by name; empty: all.
    #[serde(default)]
    pub chips: Vec<String>,
    /// Which chips it looks at; empty: all.
    #[serde(default)]
    pub scope: Condition,
    /// Rules, one of which must catch the chip: `"V23"`, or one outcome of it: `"V23/3A090.a"`.
    #[serde(default)]
    pub requires: Vec<String>,
    /// What frees a chip that an outcome catches.
    #[serde(default, rename = "exempt")]
    pub exemptions: Vec<Exemption>,
    /// What the rule can say; the first that holds counts.
    #[serde(default, rename = "outcome")]
    pub outcomes: Vec<Outcome>,
    /// What it says where none holds.
    pub otherwise: Option<String>,
}

/// What frees a chip.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// Short name: `"Note 2"`.
    pub id: String,
    /// In words.
    pub text: String,
    /// When it holds.
    pub when: Condition,
}

/// One thing that a rule can say.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Short name: `"3A090.a"`.
    pub id: String,
    /// What follows.
    pub effect: String,
    /// When it holds.
    #[serde(default)]
    pub when: Condition,
    /// Licence exceptions.
    #[serde(default, rename = "exception")]
    pub exceptions: Vec<LicenceException>,
}

/// A licence exception.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LicenceException {
    /// Short name: `"NAC/ACA"`.
    pub id: String,
    /// In words.
    pub text: String,
    /// When it may be used.
    #[serde(default)]
    pub when: Condition,
}

impl Rule {
    /// Whether it is in force on a day. A bill never is.
    pub fn in_force(&self, day: Date) -> bool {
        let begun = self.effective <= day && self.ends.is_none_or(|end| day < end);
        begun && self.status != Status::Proposed
    }

    /// Whether it was ever in force: an end before the beginning means never.
    pub fn ever_in_force(&self) -> bool {
        self.in_force(self.effective)
    }
}

impl Kind {
    /// The word used in files and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Review => "review",
            Self::Tariff => "tariff",
            Self::Presumption => "presumption",
            Self::Guidance => "guidance",
        }
    }
}

impl Status {
    /// The word used in files and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Letter => "letter",
            Self::Policy => "policy",
            Self::NotEnforced => "not-enforced",
            Self::Proposed => "proposed",
        }
    }
}

impl Grade {
    /// The word used in files and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Press => "press",
            Self::Proxy => "proxy",
        }
    }
}

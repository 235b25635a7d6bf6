//! The collection of rules: files embedded in the program.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Table;
use vitruvian_diagnostics::{Diagnostic, SourceText};

use super::date::Date;
use super::rule::Rule;

macro_rules! embedded {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../catalog/rules/", $name, ".toml")))),+]
    };
}

/// Name and text of each file of `catalog/rules`.
static RULES: &[(&str, &str)] = embedded!(
    "v22",
    "v23",
    "v24c",
    "v25f",
    "v25d",
    "v25i",
    "v25g",
    "p25j",
    "v26",
    "t26",
    "g26",
    "bill-overwatch",
    "bill-variant",
    "bill-gain",
);
static OTHERS: &[(&str, &str)] = embedded!("definitions", "events");

/// Everything that is known of the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// The rules, by first day in force.
    pub rules: Vec<Rule>,
    /// What the tests count.
    pub definitions: Definitions,
    /// What happened around the rules, by day.
    pub events: Vec<Event>,
}

/// What the tests count, and how far the collection reaches.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definitions {
    /// What every answer says of itself.
    pub banner: String,
    /// Questions about earlier days are refused.
    pub earliest: Date,
    /// Questions about later days are refused.
    pub latest: Date,
    /// Last day that the sources look back from.
    pub known_until: Date,
    /// Bit length of an operation by number format, with `source`, `grade` and `note`.
    pub bit_length: Table,
    /// Makers that the rules do not bind as such.
    pub hypothetical: Hypothetical,
}

/// Makers for whose chips a result is what would hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hypothetical {
    /// By the words of chip files.
    pub vendors: Vec<String>,
    /// Why.
    pub note: String,
}

/// Something that happened around the rules.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When.
    pub date: Date,
    /// What.
    pub text: String,
    /// To which chips; empty where makers are named.
    #[serde(default)]
    pub chips: Vec<String>,
    /// To the chips of which makers.
    #[serde(default)]
    pub vendors: Vec<String>,
    /// Who says so.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Events {
    event: Vec<Event>,
}

/// Reads the embedded files.
///
/// # Errors
/// A mistake in an embedded file, which a test rules out.
pub fn collection() -> Result<Collection, Diagnostic> {
    let mut rules: Vec<Rule> = RULES.iter().map(read).collect::<Result<_, _>>()?;
    rules.sort_by_key(|rule| rule.effective);
    let Events { mut event } = read(&OTHERS[1])?;
    event.sort_by_key(|event| event.date);
    Ok(Collection { rules, definitions: read(&OTHERS[0])?, events: event })
}

fn read<T: DeserializeOwned>((name, text): &(&str, &str)) -> Result<T, Diagnostic> {
    toml::from_str(text).map_err(|error| {
        let source = SourceText::new(format!("catalog/rules/{name}.toml"), *text);
        let span = error.span().unwrap_or_default().into();
        Diagnostic::error("rule-file", "a rule of the catalog cannot be read").at(
            &source,
            span,
            error.message(),
        )
    })
}

impl Collection {
    /// Adds a rule of the user's own; a rule of that name is replaced.
    ///
    /// # Errors
    /// What is wrong with the file, at its line and column; a rule that it builds on and that does not exist.
    pub fn add(&mut self, source: &SourceText) -> Result<(), Diagnostic> {
        let rule: Rule = toml::from_str(source.text()).map_err(|error| {
            let span = error.span().unwrap_or_default().into();
            let message = error.message().lines().next().unwrap_or_default().to_owned();
            Diagnostic::error("rule-file", "the rule cannot be read").at(source, span, message)
        })?;
        for needed in &rule.requires {
            self.rule(needed.split('/').next().unwrap_or_default())?;
        }
        self.rules.retain(|other| !other.id.eq_ignore_ascii_case(&rule.id));
        self.rules.push(rule);
        self.rules.sort_by_key(|rule| rule.effective);
        Ok(())
    }

    /// The rule of a name; case does not matter.
    ///
    /// # Errors
    /// If there is none, with the nearest names.
    pub fn rule(&self, id: &str) -> Result<&Rule, Diagnostic> {
        let found = self.rules.iter().find(|rule| rule.id.eq_ignore_ascii_case(id));
        found.ok_or_else(|| {
            let names: Vec<&str> = self.rules.iter().map(|rule| rule.id.as_str()).collect();
            let near = crate::near::did_you_mean(id, &names);
            let help = near.unwrap_or_else(|| format!("the collection has {}", names.join(", ")));
            Diagnostic::error("unknown-rule", format!("no rule is called `{id}`")).help(help)
        })
    }

    /// A day on which a question can be asked; without one, the last day that the collection knows.
    ///
    /// # Errors
    /// If it is no day, or out of the collection's span.
    pub fn day(&self, text: Option<&str>) -> Result<Date, Diagnostic> {
        let definitions = &self.definitions;
        let Some(text) = text else { return Ok(definitions.known_until) };
        let day: Date = text
            .parse()
            .map_err(|error: super::date::NotADate| Diagnostic::error("date", error.to_string()))?;
        if day < definitions.earliest || day > definitions.latest {
            let message = format!("{day} is out of range");
            let span = format!("ask about a day from {} to {}", definitions.earliest, definitions.latest);
            return Err(Diagnostic::error("date-out-of-range", message).help(span));
        }
        Ok(day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_read_and_says_where_it_comes_from() {
        let collection = collection().unwrap();
        assert_eq!(collection.rules.len(), RULES.len());
        for rule in &collection.rules {
            assert!(!rule.source.is_empty() && !rule.citation.is_empty(), "{}", rule.id);
            for needed in &rule.requires {
                let id = needed.split('/').next().unwrap();
                assert!(collection.rule(id).is_ok(), "{}", rule.id);
            }
        }
    }

    #[test]
    fn the_diffusion_rule_was_never_in_force_and_bills_are_not() {
        let collection = collection().unwrap();
        let never: Vec<&str> = collection
            .rules
            .iter()
            .filter(|rule| !rule.ever_in_force())
            .map(|rule| rule.id.as_str())
            .collect();
        assert_eq!(never, ["V25d", "bill-gain", "bill-overwatch", "bill-variant"]);
    }

    #[test]
    fn a_rule_of_the_users_own_is_added_or_replaces_one() {
        let mut collection = collection().unwrap();
        let text = |id: &str, test: &str| {
            let days = "published = \"2027-01-01\"\neffective = \"2027-01-01\"\n";
            let words = "title = \"t\"\nkind = \"control\"\nstatus = \"law\"\ncitation = \"c\"\ndestinations = \"d\"\n";
            let when = format!("[[outcome]]\nid = \"o\"\neffect = \"e\"\nwhen = [[\"{test}\"]]\n");
            SourceText::new(
                "my.toml",
                format!("id = \"{id}\"\n{words}{days}source = \"s\"\ngrade = \"press\"\n{when}"),
            )
        };
        let before = collection.rules.len();
        collection.add(&text("mine", "tpp >= 100")).unwrap();
        collection.add(&text("v26", "tpp >= 100")).unwrap();
        assert_eq!(collection.rules.len(), before + 1);
        let told = collection.add(&text("mine", "tps >= 100")).unwrap_err();
        assert_eq!(told.labels.len(), 1);
        assert!(told.to_string().contains("`tps` is not a field"), "{told}");
    }

    #[test]
    fn an_unknown_rule_is_told_the_nearest() {
        let collection = collection().unwrap();
        assert!(collection.rule("v24").unwrap_err().to_string().contains("V24c"));
        assert_eq!(collection.rule("v23").unwrap().id, "V23");
    }
}

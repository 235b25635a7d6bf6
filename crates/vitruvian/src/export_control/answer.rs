//! Answers about export rules, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

/// What the rules say of a chip on a day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CheckAnswer {
    /// What this answer is and is not.
    pub banner: String,
    /// The chip, by name.
    pub chip: String,
    /// The name a person reads.
    pub title: String,
    /// The day asked about.
    pub date: String,
    /// The last day that the collection of rules looks back from.
    pub known_until: String,
    /// One sentence.
    pub summary: String,
    /// Total processing performance: dense peak in TOPS × bit length, the largest over the number formats.
    pub tpp: f64,
    /// The same by the lowest figure that any source of the chip's file gives.
    pub tpp_low: f64,
    /// The same by the highest.
    pub tpp_high: f64,
    /// TPP over the area of the logic dies that are not planar, 1/mm²; `null` where there is none or it is not known.
    pub performance_density: Option<f64>,
    /// Area that counts.
    pub die_area_mm2: Option<f64>,
    /// All inputs and outputs but those to memory, both directions.
    pub io_bandwidth_gb_per_s: Option<f64>,
    /// All device memory.
    pub dram_bandwidth_gb_per_s: Option<f64>,
    /// Designed or marketed for data centres.
    pub data_centre: Option<bool>,
    /// TPP by number format, largest first.
    pub performance: Vec<Performance>,
    /// Logic dies of the package.
    pub dies: Vec<Die>,
    /// What each rule says, whether in force or not; `in_force` tells.
    pub rules: Vec<RuleFinding>,
    /// What would stay below each rule on licences that catches the chip on that day.
    pub comply: Vec<Comply>,
    /// Settings that together stay below all of them.
    pub together: Option<Settings>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// TPP of one number format.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Performance {
    /// Number format.
    pub dtype: String,
    /// Bit length of one operation.
    pub bits: f64,
    /// Dense peak of all processing units.
    pub peak_tops: f64,
    /// Peak × bit length.
    pub tpp: f64,
    /// The same by the lowest figure of any source.
    pub tpp_low: f64,
    /// The same by the highest.
    pub tpp_high: f64,
    /// The key of the chip's file that gives it, or `arithmetic`.
    pub basis: String,
}

/// One kind of logic die.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Die {
    /// `compute`, `input and output` or `memory base`.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// Area of one.
    pub area_mm2: f64,
    /// `planar`, `finfet` or `gaa`, where known.
    pub transistor: Option<String>,
    /// Whether its area counts.
    pub counts: bool,
}

/// What one rule says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleFinding {
    /// Short name.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// `control`, `review`, `tariff`, `presumption` or `guidance`.
    pub kind: String,
    /// `law`, `letter`, `policy`, `not-enforced` or `proposed`.
    pub status: String,
    /// Whether it is in force on the day asked about.
    pub in_force: bool,
    /// Whether one of its outcomes holds; `null` where the chip's description does not say enough.
    pub applies: Option<bool>,
    /// `applies`, `exempt`, `does-not-apply`, `out-of-scope` or `unknown`.
    pub verdict: String,
    /// The outcome or exemption: `3A090.a`.
    pub outcome: Option<String>,
    /// What follows.
    pub effect: Option<String>,
    /// Licence exceptions that may be used.
    pub exception: Option<String>,
    /// First day in force.
    pub effective: String,
    /// First day no longer in force.
    pub ends: Option<String>,
    /// Where it holds.
    pub destinations: String,
    /// Where it is published.
    pub citation: String,
    /// `primary`, `press` or `proxy`.
    pub grade: String,
    /// What a reader should know.
    pub note: Option<String>,
    /// Each test with the distance from its line.
    pub tests: Vec<Test>,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Test {
    /// Outcome or exemption that it belongs to.
    pub outcome: String,
    /// Tests of one number must all hold; one number is enough.
    pub alternative: u32,
    /// As the rule writes it.
    pub test: String,
    /// The chip's figure, in the unit of the line.
    pub value: Option<f64>,
    /// The line; `null` for a test that is true or false.
    pub line: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// Figure over line, less one: how far above (positive) or below the chip is.
    pub distance: Option<f64>,
    /// Whether it holds.
    pub holds: Option<bool>,
}

/// What would stay below one rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comply {
    /// The rule; `all` for all that are in force.
    pub rule: String,
    /// The most of each setting alone, the others as they are; `null` where that alone does not help.
    pub cores: Option<f64>,
    /// Clock.
    pub clock_mhz: Option<f64>,
    /// Memory bandwidth.
    pub dram_bandwidth_gb_per_s: Option<f64>,
    /// Inputs and outputs, both directions.
    pub io_bandwidth_gb_per_s: Option<f64>,
}

/// Settings of a chip.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Settings {
    /// Cores.
    pub cores: f64,
    /// Clock.
    pub clock_mhz: f64,
    /// Memory bandwidth.
    pub dram_bandwidth_gb_per_s: f64,
    /// Inputs and outputs, both directions.
    pub io_bandwidth_gb_per_s: f64,
}

/// The time line of a chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TimelineAnswer {
    /// What this answer is and is not.
    pub banner: String,
    /// The chip, by name.
    pub chip: String,
    /// The name a person reads.
    pub title: String,
    /// The last day that the collection of rules looks back from.
    pub known_until: String,
    /// What changed, by day.
    pub changes: Vec<Change>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// What changed on a day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// When.
    pub date: String,
    /// The rule; `null` for an event.
    pub rule: Option<String>,
    /// `begins`, `ends`, `proposed`, `never` or `event`.
    pub what: String,
    /// In words.
    pub text: String,
    /// Whether a licence is needed from then on; `null` where the rule does not decide it.
    pub controlled: Option<bool>,
}

/// The rules of the collection.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RulesAnswer {
    /// What this answer is and is not.
    pub banner: String,
    /// The day asked about, if any.
    pub date: Option<String>,
    /// The last day that the collection looks back from.
    pub known_until: String,
    /// The rules, by first day in force.
    pub rules: Vec<RuleText>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleText {
    /// Short name.
    pub id: String,
    /// What people call it.
    pub title: String,
    /// `control`, `review`, `tariff`, `presumption` or `guidance`.
    pub kind: String,
    /// `law`, `letter`, `policy`, `not-enforced` or `proposed`.
    pub status: String,
    /// Day of publication.
    pub published: String,
    /// First day in force.
    pub effective: String,
    /// First day no longer in force.
    pub ends: Option<String>,
    /// Where it holds.
    pub destinations: String,
    /// Where it is published.
    pub citation: String,
    /// Where it was read.
    pub source: String,
    /// `primary`, `press` or `proxy`.
    pub grade: String,
    /// What a reader should know.
    pub note: Option<String>,
    /// Its outcomes and exemptions, each with its tests.
    pub tests: Vec<RuleTest>,
}

/// One outcome or exemption of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RuleTest {
    /// Short name.
    pub outcome: String,
    /// What follows.
    pub effect: String,
    /// When, as the rule's file writes it.
    pub when: String,
}

/// Whether the rule on memory catches a stack.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct MemoryAnswer {
    /// What this answer is and is not.
    pub banner: String,
    /// The day asked about.
    pub date: String,
    /// Bandwidth of the stack.
    pub bandwidth_gb_per_s: f64,
    /// Area of the stack.
    pub area_mm2: f64,
    /// Bandwidth over area.
    pub memory_bandwidth_density: f64,
    /// What each rule on memory says.
    pub rules: Vec<RuleFinding>,
}

/// The chips of the catalog on a day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChipsAnswer {
    /// What this answer is and is not.
    pub banner: String,
    /// The day asked about.
    pub date: String,
    /// The last day that the collection of rules looks back from.
    pub known_until: String,
    /// One entry a chip.
    pub chips: Vec<ChipLine>,
}

/// One chip on a day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChipLine {
    /// The chip, by name.
    pub chip: String,
    /// Total processing performance.
    pub tpp: f64,
    /// TPP over the area that counts, 1/mm².
    pub performance_density: Option<f64>,
    /// All inputs and outputs but those to memory, both directions.
    pub io_bandwidth_gb_per_s: Option<f64>,
    /// All device memory.
    pub dram_bandwidth_gb_per_s: Option<f64>,
    /// Rules on licences in force that catch it, with their outcomes: `V23 3A090.a`.
    pub caught: Vec<String>,
    /// Rules on licences in force that its file does not let decide.
    pub open: Vec<String>,
    /// How a licence would be reviewed, where one is needed and a rule says.
    pub review: Option<String>,
}

//! Answers about owning and renting, as plain data.

use schemars::JsonSchema;
use serde::Serialize;

use crate::answer::{Deployment, Question, Range};

/// What serving costs, chip against chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServeAnswers {
    /// One entry a chip, in the order asked.
    pub chips: Vec<ServeAnswer>,
}

/// What serving costs on one chip.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ServeAnswer {
    /// What was asked, with defaults filled in.
    pub question: Question,
    /// Chip.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// Node.
    pub node: String,
    /// Engine and version.
    pub engine: String,
    /// The deployment under load.
    pub deployment: Deployment,
    /// One chip with its share of the server and host; `null` where no price is known.
    pub chip_hour: Option<ChipHour>,
    /// Money per million tokens by phase; `null` where no price is known.
    pub tokens: Option<TokenMoney>,
    /// Energy and carbon by phase, from the power that the engine's steps draw.
    pub energy: TokenEnergy,
    /// Renting instead, by quoted rent.
    pub rents: Vec<RentOption>,
    /// What tokens would have to be sold for, or what selling them brings.
    pub sale: Option<Sale>,
    /// Every price and assumption with its source.
    pub assumptions: Vec<Assumption>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// One used hour of one chip, and what it is made of.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ChipHour {
    /// Chip and its share of the server.
    pub capital_usd: Range,
    /// Capital of chip and server.
    pub server_usd: f64,
    /// Capital of network and storage.
    pub network_usd: f64,
    /// Staff, maintenance, rack.
    pub operations_usd: f64,
    /// Capital of the building; zero where it is rented.
    pub building_usd: f64,
    /// Electricity at the power drawn.
    pub energy_usd: f64,
    /// Electricity if the chip drew its cap all the time, as a bill by data sheet has it.
    pub energy_at_cap_usd: f64,
    /// Everything.
    pub total_usd: Range,
    /// Share of the hours that are used.
    pub utilisation: f64,
    /// Years of service.
    pub years: f64,
}

/// Money per million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TokenMoney {
    /// Per million input tokens: prefill's share of the time.
    pub input_usd: Range,
    /// Per million output tokens: decode's share of the time.
    pub output_usd: Range,
    /// All cost over all output tokens, per million.
    pub all_over_output_usd: Range,
    /// Of the output price, what is electricity.
    pub output_electricity_usd: f64,
}

/// Energy and carbon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TokenEnergy {
    /// Mean power of one chip with its share of the host.
    pub wall_power_w: Range,
    /// The same if the chip drew its cap.
    pub wall_power_at_cap_w: f64,
    /// Wall energy of one input token.
    pub input_j: f64,
    /// Wall energy of one output token.
    pub output_j: f64,
    /// Facility energy of a million input tokens.
    pub input_kwh_per_million: f64,
    /// Facility energy of a million output tokens.
    pub output_kwh_per_million: f64,
    /// Carbon dioxide of a million input tokens.
    pub input_kg_per_million: f64,
    /// Carbon dioxide of a million output tokens.
    pub output_kg_per_million: f64,
}

/// Renting instead of owning.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RentOption {
    /// As quoted.
    pub quoted: String,
    /// Of one chip.
    pub usd_per_chip_hour: Range,
    /// Per million input tokens.
    pub input_usd: f64,
    /// Per million output tokens.
    pub output_usd: f64,
    /// Share of the hours that must be used for owning to cost the same; above one: renting is always cheaper.
    pub break_even_utilisation: Option<f64>,
    /// Months after which owning has cost less, at the utilisation assumed; `null`: never.
    pub break_even_months: Option<f64>,
    /// Day or year.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// Selling the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Sale {
    /// Price of a million input tokens.
    pub input_price_usd: f64,
    /// Price of a million output tokens.
    pub output_price_usd: f64,
    /// What one chip earns in a used hour.
    pub usd_per_chip_hour: f64,
    /// Earnings over cost, less one.
    pub margin: Option<f64>,
    /// Share of the hours that must be sold to pay for owning.
    pub break_even_utilisation: Option<f64>,
    /// Months after which capital is repaid; `null`: never.
    pub payback_months: Option<f64>,
}

/// A price or assumption.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Assumption {
    /// What.
    pub key: String,
    /// As written, with its currency.
    pub value: String,
    /// Low and high end of the sources.
    pub span: Option<[String; 2]>,
    /// The day or year it holds for.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

/// What renting chips for a while costs, and a token of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RentAnswer {
    /// Chip.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// Chips rented, on the mean.
    pub chips: f64,
    /// Hours.
    pub hours: f64,
    /// Of one chip.
    pub usd_per_chip_hour: Range,
    /// Everything.
    pub total_usd: f64,
    /// By the ends of the quoted rent.
    pub total_range_usd: Range,
    /// Money per million tokens, where tokens are given.
    pub tokens: Option<RentTokens>,
    /// Where the rent comes from.
    pub source: Assumption,
}

/// Tokens of a rented fleet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RentTokens {
    /// Input tokens.
    pub input: f64,
    /// Input tokens that the cache served.
    pub cached: f64,
    /// Output tokens.
    pub output: f64,
    /// Input tokens a second and server.
    pub input_per_s_per_node: f64,
    /// Output tokens a second and server.
    pub output_per_s_per_node: f64,
    /// All cost over all tokens, per million.
    pub all_usd_per_million: f64,
    /// All cost over output tokens, per million.
    pub all_over_output_usd_per_million: f64,
}

/// What a training run costs.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TrainCostAnswer {
    /// Chip.
    pub chip: String,
    /// Name a person reads.
    pub title: String,
    /// Model.
    pub model: String,
    /// Chips.
    pub chips: u32,
    /// Parallel degrees.
    pub layout: String,
    /// Tokens of the run.
    pub tokens: f64,
    /// Days, with checkpoints, failures and restarts.
    pub days: Range,
    /// Share of that time that is progress.
    pub goodput: f64,
    /// Hours of all chips.
    pub chip_hours: f64,
    /// One chip with its share of the server and host; `null` where no price is known.
    pub chip_hour: Option<ChipHour>,
    /// The whole run, owned.
    pub total_usd: Option<Range>,
    /// The same per million tokens trained on.
    pub usd_per_million_tokens: Option<f64>,
    /// Of the total, what is electricity.
    pub electricity_usd: f64,
    /// Facility energy at the power that the steps draw.
    pub energy_mwh: f64,
    /// The same if every chip drew its cap.
    pub energy_at_cap_mwh: f64,
    /// Carbon dioxide, tonnes.
    pub carbon_t: f64,
    /// Renting instead, by quoted rent.
    pub rents: Vec<RunRent>,
    /// Every price and assumption with its source.
    pub assumptions: Vec<Assumption>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Renting for a run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RunRent {
    /// As quoted.
    pub quoted: String,
    /// The whole run.
    pub total_usd: Range,
    /// Share of the hours that must be used for owning to cost the same.
    pub break_even_utilisation: Option<f64>,
    /// Day or year.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
}

//! `vitruvian export-control`: what export rules say of a chip, by day.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vitruvian::export_control::{CheckStudy, MemoryStudy, RulesStudy, TimelineStudy};
use vitruvian::present::export_control as present;
use vitruvian_diagnostics::{Diagnostics, all, both};
use vitruvian_quantity::{Area, BytesPerSecond};

use crate::answer::Answer;
use crate::{inputs, io};

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportControlCommand {
    /// Classify a chip: TPP, performance density, what each rule says, how far from each line, what would stay below
    Check(CheckArgs),
    /// Classify every chip of the catalog on a day
    Chips(ChipsArgs),
    /// Show what changed for a chip, day by day
    Timeline(TimelineArgs),
    /// List the rules with their tests
    Rules(RulesArgs),
    /// Classify a memory stack that is sold by itself
    Memory(MemoryArgs),
}

/// Arguments of `export-control check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "CHIP")]
    chip: String,
    /// The day, as 2023-11-17; without it, the last day that the collection of rules knows
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Show every number format, die and test, and the rules that are not in force
    #[arg(long)]
    explain: bool,
    /// Count bills as if they were rules
    #[arg(long)]
    proposed: bool,
    /// A rule of your own, as a TOML file such as those of catalog/rules; may be repeated
    #[arg(long = "rule", value_name = "FILE.toml")]
    rules: Vec<PathBuf>,
    /// Count logic dies below memory stacks as logic dies; whether they are is open
    #[arg(long)]
    count_base_dies: bool,
}

/// Arguments of `export-control chips`.
#[derive(Debug, Args)]
pub(crate) struct ChipsArgs {
    /// The day, as 2023-11-17; without it, the last day that the collection of rules knows
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
}

/// Arguments of `export-control timeline`.
#[derive(Debug, Args)]
pub(crate) struct TimelineArgs {
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "CHIP")]
    chip: String,
    /// List bills too
    #[arg(long)]
    proposed: bool,
}

/// Arguments of `export-control rules`.
#[derive(Debug, Args)]
pub(crate) struct RulesArgs {
    /// Only this rule, such as V23
    #[arg(value_name = "RULE")]
    rule: Option<String>,
    /// Only rules in force on this day
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
}

/// Arguments of `export-control memory`.
#[derive(Debug, Args)]
pub(crate) struct MemoryArgs {
    /// Bandwidth of one stack, such as "819 GB/s"
    #[arg(long, value_name = "BANDWIDTH")]
    bandwidth: BytesPerSecond,
    /// Area of one stack, such as "110 mm2"
    #[arg(long, value_name = "AREA")]
    area: Area,
    /// The day, as 2024-12-02; without it, the last day that the collection of rules knows
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
}

/// Runs one of them.
pub(crate) fn run(command: &ExportControlCommand) -> Result<Answer, Diagnostics> {
    match command {
        ExportControlCommand::Check(arguments) => check(arguments),
        ExportControlCommand::Chips(arguments) => chips(arguments),
        ExportControlCommand::Timeline(arguments) => timeline(arguments),
        ExportControlCommand::Rules(arguments) => rules(arguments),
        ExportControlCommand::Memory(arguments) => memory(arguments),
    }
}

fn check(arguments: &CheckArgs) -> Result<Answer, Diagnostics> {
    let read = |path: &PathBuf| {
        let source = io::read_text(path)?;
        Ok((source.name().to_owned(), source.text().to_owned()))
    };
    let rules = all(arguments.rules.iter().map(read));
    let (chip, rules) = both(inputs::chip_input(&arguments.chip), rules)?;
    let study = CheckStudy {
        chip,
        rules,
        date: arguments.date.clone(),
        proposed: arguments.proposed,
        base_dies: arguments.count_base_dies,
    };
    let answer = vitruvian::export_control::check(&study)?;
    Ok(Answer::new(present::check(&answer, arguments.explain, arguments.proposed), &answer))
}

fn chips(arguments: &ChipsArgs) -> Result<Answer, Diagnostics> {
    let answer = vitruvian::export_control::chips(arguments.date.as_deref())?;
    Ok(Answer::new(present::chips(&answer), &answer))
}

fn timeline(arguments: &TimelineArgs) -> Result<Answer, Diagnostics> {
    let study = TimelineStudy { chip: inputs::chip_input(&arguments.chip)?, proposed: arguments.proposed };
    let answer = vitruvian::export_control::timeline(&study)?;
    Ok(Answer::new(present::timeline(&answer), &answer))
}

fn rules(arguments: &RulesArgs) -> Result<Answer, Diagnostics> {
    let study = RulesStudy { date: arguments.date.clone(), rule: arguments.rule.clone() };
    let answer = vitruvian::export_control::rules(&study)?;
    Ok(Answer::new(present::rules(&answer), &answer))
}

fn memory(arguments: &MemoryArgs) -> Result<Answer, Diagnostics> {
    let study =
        MemoryStudy { bandwidth: arguments.bandwidth, area: arguments.area, date: arguments.date.clone() };
    let answer = vitruvian::export_control::memory(&study)?;
    Ok(Answer::new(present::memory(&answer), &answer))
}

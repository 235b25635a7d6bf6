//! The command line as data. Help texts are the doc comments; `docs/cli.md` is generated from them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    calibrate, chip, compare, compress, cost, estimate, export_control, fleet, kernel, model, plan, simulate,
    train, validate,
};

/// Predict, compare and plan LLM inference and training on AI accelerators
#[derive(Debug, Parser)]
#[command(name = "vitruvian", version, propagate_version = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// One line a command; each has its file under `commands/`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Find the best deployment on each chip and say which wins where, and why
    Compare(compare::CompareArgs),
    /// Cost one deployment: prefill, decode, and both under load
    Estimate(estimate::EstimateArgs),
    /// Plan the chips at hand for a traffic: which layouts and pools, how many replicas, and what to start
    Plan(Box<plan::PlanArgs>),
    /// Serve a trace or made-up traffic with a deployment, request by request
    Simulate(Box<simulate::SimulateArgs>),
    /// Predict a training step and run, or find the best layout
    Train(Box<train::TrainArgs>),
    /// Weigh what quantisation and sparsity cost in quality and gain on each chip; write the checkpoint
    Compress(compress::CompressArgs),
    /// Cost chips and tokens: to make, to own, to rent
    #[command(subcommand)]
    Cost(cost::CostCommand),
    /// Plan a fleet over quarters under a shortage
    #[command(subcommand)]
    Fleet(fleet::FleetCommand),
    /// Classify chips by export rules, by day
    #[command(subcommand)]
    ExportControl(export_control::ExportControlCommand),
    /// Look at the chips of the catalog: figures, sources, differences
    #[command(subcommand)]
    Chip(chip::ChipCommand),
    /// Look at models: parameters, KV cache, layers
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Run kernels on the simulated Da Vinci core
    #[command(subcommand)]
    Kernel(kernel::KernelCommand),
    /// Hold predictions against measurements
    #[command(subcommand)]
    Validate(validate::ValidateCommand),
    /// Fit kernel profiles to your own measurements
    Calibrate(calibrate::CalibrateArgs),
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// How to print the answer
    #[arg(long, global = true, value_enum, default_value_t, help_heading = "Output")]
    pub(crate) format: Format,
    /// Write the answer there instead of to the terminal; the file appears whole or not at all
    #[arg(long, global = true, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,
    /// When to use colour; `auto` is on a terminal, unless `NO_COLOR` is set
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", help_heading = "Output")]
    pub(crate) color: Color,
}

/// How to print an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people: aligned, three significant digits
    #[default]
    Table,
    /// For scripts: everything, exact, units in the keys
    Json,
    /// For spreadsheets: the main table, exact, units in the header
    Csv,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

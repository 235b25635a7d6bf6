//! `vitruvian cost die`: what a good chip costs to make.

use clap::Args;
use vitruvian::die::DieStudy;
use vitruvian::present::die as present;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_economics::manufacture::Choices;

use crate::answer::Answer;
use crate::inputs;

/// Arguments of `cost die`.
#[derive(Debug, Args)]
pub(crate) struct DieArgs {
    /// A name of the catalog, or a TOML file
    #[arg(value_name = "CHIP")]
    chip: String,
    /// Processes, such as smic-n2,tsmc-n7,tsmc-4n; without it, that of the chip's file
    #[arg(long = "process", value_delimiter = ',', value_name = "PROCESS")]
    processes: Vec<String>,
    /// Yield model: negative-binomial, poisson, murphy, seeds or bose-einstein
    #[arg(long, default_value = "negative-binomial", value_name = "MODEL")]
    model: String,
    /// Defects a cm² (a cm² and layer for bose-einstein); without it, those of the process
    #[arg(long, value_name = "DENSITY", allow_negative_numbers = true)]
    defects: Option<f64>,
    /// Share of whole dies without a defect, from which the density follows
    #[arg(long = "yield", value_name = "SHARE", allow_negative_numbers = true)]
    good: Option<f64>,
    /// Clustering of the negative binomial model
    #[arg(long, value_name = "ALPHA", allow_negative_numbers = true)]
    alpha: Option<f64>,
    /// How far a cluster of defects reaches: over a core, or over the whole die
    #[arg(long, default_value = "core", value_name = "REACH")]
    clusters: String,
    /// Price of a wafer, such as "14500 USD" or "100000 CNY"
    #[arg(long, value_name = "MONEY")]
    wafer_price: Option<String>,
    /// Share of packages that survive assembly
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    assembly_yield: Option<f64>,
    /// Good cores that one die needs; without it, those of the chip
    #[arg(long, value_name = "CORES")]
    cores: Option<u32>,
    /// Let the area of the die follow the density of transistors of each process
    #[arg(long)]
    scale_area: bool,
    /// US dollars for one unit of a currency, such as CNY=0.139; may be repeated
    #[arg(long = "rate", value_name = "CURRENCY=USD")]
    rates: Vec<String>,
    /// Chips of the simulation
    #[arg(long, default_value_t = 10_000, value_name = "CHIPS")]
    samples: u32,
    /// Seed of the simulation
    #[arg(long, default_value_t = 1, value_name = "SEED")]
    seed: u64,
    /// Show where each input comes from, and what other sources say
    #[arg(long)]
    sources: bool,
}

/// Answers the question.
pub(crate) fn run(arguments: &DieArgs) -> Result<Answer, Diagnostics> {
    let study = DieStudy {
        chip: inputs::chip_input(&arguments.chip)?,
        processes: arguments.processes.clone(),
        choices: Choices {
            model: Some(arguments.model.clone()),
            defects: arguments.defects,
            good: arguments.good,
            alpha: arguments.alpha,
            wafer_price: arguments.wafer_price.clone(),
            assembly_yield: arguments.assembly_yield,
            cores: arguments.cores,
            clusters: Some(arguments.clusters.clone()),
            scale_area: arguments.scale_area,
        },
        rates: arguments.rates.clone(),
        seed: arguments.seed,
        samples: arguments.samples,
    };
    let answer = vitruvian::die::die(&study)?;
    Ok(Answer::new(present::page(&answer, arguments.sources), &answer))
}

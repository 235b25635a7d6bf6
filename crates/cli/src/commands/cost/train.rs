//! `vitruvian cost train`: what a training run costs.

use clap::Args;
use vitruvian::ownership::TrainCostStudy;
use vitruvian::present::ownership as present;
use vitruvian::train::study::RunSpec;
use vitruvian::train::{PlanSpec, TrainStudy};
use vitruvian_diagnostics::{Diagnostics, both};

use super::money::MoneyArgs;
use crate::answer::Answer;
use crate::inputs;

/// Arguments of `cost train`.
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Chip: a name of the catalog (`chip list`) or a TOML file
    #[arg(long, default_value = "h20", value_name = "CHIP")]
    chip: String,
    /// The model: a name of the catalog (`model list`), a config.json, or a folder that holds one
    #[arg(long, default_value = "llama-3.1-8b", value_name = "MODEL")]
    model: String,
    /// Tokens to train on, such as 15T or 300B
    #[arg(long, default_value = "1T", value_name = "TOKENS", value_parser = tokens)]
    tokens: f64,
    /// Chips; the best layout on them is searched unless degrees are given
    #[arg(long, value_name = "N")]
    chips: Option<u32>,
    /// Tokens of a sequence
    #[arg(long, default_value_t = 4096, value_name = "TOKENS")]
    seq: u32,
    /// Sequences of a step
    #[arg(long, default_value_t = 1024, value_name = "SEQUENCES")]
    global_batch: u32,
    /// Sequences of a micro-batch
    #[arg(long, value_name = "SEQUENCES")]
    micro_batch: Option<u32>,
    /// Tensor-parallel degree
    #[arg(long, value_name = "N")]
    tp: Option<u32>,
    /// Pipeline-parallel degree
    #[arg(long, value_name = "N")]
    pp: Option<u32>,
    /// Data-parallel degree
    #[arg(long, value_name = "N")]
    dp: Option<u32>,
    /// Context-parallel degree
    #[arg(long, value_name = "N")]
    cp: Option<u32>,
    /// Expert-parallel degree
    #[arg(long, value_name = "N")]
    ep: Option<u32>,
    /// Precision: bf16, fp16, fp8, fp8-block or int8; without it, the stack's
    #[arg(long, value_name = "SCHEME")]
    precision: Option<String>,
    /// Training stack; without it, the first that runs on the chip
    #[arg(long, value_name = "STACK")]
    stack: Option<String>,
    /// What is computed again in the backward pass: none, selective or full
    #[arg(long, value_name = "WHAT")]
    recompute: Option<String>,
    /// Node the chips sit in: a name of the catalog or a TOML file; without it, the one they are usually sold in
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Region whose tariff and prices hold: cn, cn-coast, us or eu
    #[arg(long, default_value = "cn", value_name = "REGION")]
    region: String,
    #[command(flatten)]
    money: MoneyArgs,
    /// Show every price and assumption with its date, span and source
    #[arg(long)]
    sources: bool,
}

/// `15T`, `300B`, `2.5e12`.
fn tokens(text: &str) -> Result<f64, String> {
    let (digits, size) = match text.char_indices().last() {
        Some((at, 'T')) => (&text[..at], 1e12),
        Some((at, 'B')) => (&text[..at], 1e9),
        Some((at, 'M')) => (&text[..at], 1e6),
        _ => (text, 1.0),
    };
    let number = digits.trim().parse::<f64>().ok().map(|number| number * size);
    number
        .filter(|tokens| tokens.is_finite() && *tokens > 0.0)
        .ok_or_else(|| format!("`{text}` is no number of tokens: write for example 15T or 300B"))
}

/// Answers the question.
pub(crate) fn run(arguments: &TrainArgs) -> Result<Answer, Diagnostics> {
    let study = TrainCostStudy { train: study(arguments)?, assumptions: arguments.money.assumptions() };
    let answer = vitruvian::ownership::train(&study)?;
    Ok(Answer::new(present::train(&answer, arguments.sources), &answer))
}

fn study(arguments: &TrainArgs) -> Result<TrainStudy, Diagnostics> {
    let node = arguments.node.as_deref().map(inputs::node_input).transpose();
    let model = inputs::model_input(&arguments.model);
    let (chip, (model, node)) = both(inputs::chip_input(&arguments.chip), both(model, node))?;
    let plan = PlanSpec {
        tp: arguments.tp,
        pp: arguments.pp,
        dp: arguments.dp,
        cp: arguments.cp,
        ep: arguments.ep,
        micro_batch: arguments.micro_batch,
        recompute: arguments.recompute.clone(),
        ..PlanSpec::default()
    };
    Ok(TrainStudy {
        chip,
        model,
        node,
        chips: arguments.chips,
        stack: arguments.stack.clone(),
        precision: arguments.precision.clone(),
        sequence: arguments.seq,
        global_batch: arguments.global_batch,
        search: arguments.chips.is_some() && !plan.has_degrees(),
        plan,
        run: Some(RunSpec { tokens: arguments.tokens, ..RunSpec::default() }),
        region: Some(arguments.region.clone()),
        ..TrainStudy::default()
    })
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn tokens_are_counted_in_trillions_and_billions() {
        assert_eq!(tokens("15T"), Ok(15e12));
        assert_eq!(tokens("300B"), Ok(300e9));
        assert_eq!(tokens("2.5e12"), Ok(2.5e12));
        assert!(tokens("-1T").is_err() && tokens("many").is_err() && tokens("").is_err());
    }
}

//! `vitruvian compress`: what quantisation and sparsity cost in quality and gain on each chip, and the checkpoint.

mod texts;

use std::path::{Path, PathBuf};

use clap::Args;
use vitruvian::compress::{Against, CompressStudy, WriteStudy, answer::CompressAnswer, write};
use vitruvian::present::compress as present;
use vitruvian::study::{Input, Service};
use vitruvian_compression::Checkpoint;
use vitruvian_compression::export::Style;
use vitruvian_diagnostics::{Diagnostic, Diagnostics, all, both};
use vitruvian_quantity::Seconds;
use vitruvian_report::{Block, html};

use crate::answer::{Answer, OutputFile};
use crate::checkpoint::{NewFolder, ReadFolder};
use crate::{inputs, io};

/// Arguments of `compress`.
#[derive(Debug, Args)]
pub(crate) struct CompressArgs {
    /// Folder of the checkpoint: config.json and *.safetensors
    #[arg(value_name = "MODEL_DIR")]
    folder: PathBuf,
    /// Chips: names of the catalog (`chip list`) or TOML files
    #[arg(long, value_delimiter = ',', default_values = ["h20", "ascend-910b2"], value_name = "CHIP")]
    chips: Vec<String>,
    /// Schemes: w8a8-dynamic, w8a16, w4a16, fp8, fp8-block, mxfp8, mxfp4, nvfp4, with +2:4 or +4:2 for zeros; or auto for
    /// those that the chips multiply
    #[arg(long, value_delimiter = ',', default_values = ["auto"], value_name = "SCHEME")]
    schemes: Vec<String>,
    /// Targets: mean time to first token and per output token at most; `none` sets none
    #[arg(long, default_value = "ttft=2s,tpot=50ms", value_name = "TARGETS", value_parser = slo)]
    slo: Slo,
    /// Number of chips of each kind, all of which are used
    #[arg(long, default_value_t = 8, value_name = "N")]
    count: u32,
    /// What is best: throughput, cost, energy or latency
    #[arg(long, default_value = "throughput", value_name = "OBJECTIVE")]
    objective: String,
    /// Prompt tokens of a request (ISL)
    #[arg(long, default_value_t = 4096, value_name = "TOKENS")]
    isl: u32,
    /// Generated tokens of a request (OSL)
    #[arg(long, default_value_t = 1024, value_name = "TOKENS")]
    osl: u32,
    /// Serving engine; without it, the first that runs on each chip
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// Region whose tariff and prices hold: cn or us
    #[arg(long, default_value = "cn", value_name = "REGION")]
    region: String,
    /// Cost the deployment of another model, a name of the catalog or a config.json, with this checkpoint's errors
    #[arg(long, value_name = "MODEL")]
    deploy_as: Option<String>,
    /// How weights are rounded and zeroed: rtn, clip, hqq, gptq, awq, smoothquant, rotate, magnitude, wanda, sparsegpt,
    /// joined by `+`; all but rtn need --calibration to be measured
    #[arg(long, default_value = "rtn", value_name = "METHOD")]
    method: String,
    /// Also measure a checkpoint of the same model that is quantised already, a folder or a GGUF file
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,
    /// Weights that share a scale in w4a16
    #[arg(long, default_value_t = 128, value_name = "WEIGHTS")]
    group: usize,
    /// Text that methods are calibrated on: bytes for a model of bytes, else JSON lists of token numbers
    #[arg(long, value_name = "FILE", requires = "held_out", group = "calibrated")]
    calibration: Option<PathBuf>,
    /// Text that perplexity is measured on; not the one calibrated on
    #[arg(long, value_name = "FILE", requires = "calibrated")]
    held_out: Option<PathBuf>,
    /// Write what the calibration text shows of every input, for --statistics
    #[arg(long, value_name = "FILE.safetensors", requires = "calibration")]
    record: Option<PathBuf>,
    /// Calibrate on what --record wrote instead of running the model on a text
    #[arg(long, value_name = "FILE.safetensors", group = "calibrated")]
    statistics: Option<PathBuf>,
    /// Tokens of a window of text
    #[arg(long, default_value_t = 256, value_name = "TOKENS")]
    window: usize,
    /// Windows used of each text, at most
    #[arg(long, default_value_t = 16, value_name = "N")]
    windows: usize,
    /// Write one self-contained HTML page with tables and a figure
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Write the compressed checkpoint into a new folder; give one scheme, or --mix
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// Layout of the written checkpoint: compressed-tensors or fp8-block (vLLM, SGLang), msmodelslim (vllm-ascend, MindIE)
    #[arg(long, requires = "write", value_name = "LAYOUT")]
    layout: Option<String>,
    /// Write the mixed layers of a chip: its name and a share of the saving that the answer shows, such as h20=75%
    #[arg(long, requires = "write", value_name = "CHIP=SHARE")]
    mix: Option<String>,
}

/// Service levels.
#[derive(Clone, Copy, Debug, Default)]
struct Slo {
    ttft: Option<Seconds>,
    tpot: Option<Seconds>,
}

fn slo(text: &str) -> Result<Slo, String> {
    let mut found = Slo::default();
    for part in text.split(',').map(str::trim).filter(|part| *part != "none") {
        let (name, time) =
            part.split_once('=').ok_or_else(|| format!("`{part}` is no target such as tpot=50ms"))?;
        let time = time.parse().map_err(|error: vitruvian_quantity::ParseError| error.to_string())?;
        match name {
            "ttft" => found.ttft = Some(time),
            "tpot" => found.tpot = Some(time),
            _ => return Err(format!("`{name}` is no target: use ttft or tpot")),
        }
    }
    Ok(found)
}

/// Answers the question, and writes the checkpoint if asked.
pub(crate) fn run(arguments: &CompressArgs) -> Result<Answer, Diagnostics> {
    let folder = ReadFolder::new(&arguments.folder)?;
    let chips = all(arguments.chips.iter().map(|chip| inputs::chip_input(chip)));
    let (checkpoint, chips) = both(Checkpoint::open(&folder), chips)?;
    let other = arguments.against.as_deref().map(other).transpose()?;
    let against = other
        .as_ref()
        .zip(arguments.against.as_ref())
        .map(|(checkpoint, path)| Against { checkpoint, name: path.display().to_string() });
    let recorded =
        arguments.statistics.as_deref().map(|path| texts::statistics(path, &checkpoint)).transpose()?;
    let statistics = recorded.as_ref();
    let study = CompressStudy { against, statistics, ..study(arguments, &checkpoint, chips)? };
    let new = arguments.write.as_deref().map(NewFolder::beside).transpose()?;
    let mut traces = Vec::new();
    if let Some(path) = &arguments.record {
        io::progress("Recording what linear layers read");
        traces.push((path.clone(), vitruvian::compress::record(&study)?));
    }
    io::progress("Rounding every weight to every scheme");
    let answer = vitruvian::compress(&study)?;
    let mut page = present::page(&answer);
    if let Some(new) = new {
        page.blocks.push(Block::Text(written(arguments, &study, &answer, &folder, new)?));
    }
    let report = arguments
        .report
        .iter()
        .map(|path| OutputFile { path: path.clone(), contents: html::render(&present::report(&answer)) });
    let files = report.collect();
    let able =
        |chip: &vitruvian::compress::answer::ChipTrade| chip.schemes.iter().any(|s| s.deployment.is_some());
    let infeasible = !answer.chips.iter().any(able);
    Ok(Answer { files, traces, infeasible, ..Answer::new(page, &answer) })
}

/// The checkpoint that is quantised already.
fn other(path: &Path) -> Result<Checkpoint, Diagnostics> {
    Checkpoint::open(&ReadFolder::new(path)?)
}

fn study<'a>(
    arguments: &CompressArgs,
    checkpoint: &'a Checkpoint,
    chips: Vec<Input>,
) -> Result<CompressStudy<'a>, Diagnostics> {
    let model = match &arguments.deploy_as {
        Some(name) => inputs::model_input(name)?,
        None => config(arguments, checkpoint)?,
    };
    let service = Service {
        model,
        input_tokens: arguments.isl,
        output_tokens: arguments.osl,
        engine: arguments.engine.clone(),
        region: Some(arguments.region.clone()),
        ..Service::default()
    };
    let auto = arguments.schemes.iter().any(|name| name == "auto");
    Ok(CompressStudy {
        checkpoint,
        name: arguments.folder.display().to_string(),
        service,
        deployed_as: arguments.deploy_as.is_some(),
        chips,
        count: arguments.count,
        ttft: arguments.slo.ttft,
        tpot: arguments.slo.tpot,
        objective: arguments.objective.clone(),
        schemes: if auto { Vec::new() } else { arguments.schemes.clone() },
        method: arguments.method.clone(),
        group: arguments.group,
        texts: texts::texts(arguments, checkpoint)?,
        statistics: None,
        against: None,
    })
}

/// The checkpoint's own model.
fn config(arguments: &CompressArgs, checkpoint: &Checkpoint) -> Result<Input, Diagnostics> {
    if checkpoint.config().is_null() {
        return Err(Diagnostic::error("checkpoint-config", "there is no config.json beside the tensors")
            .help("name the model with --deploy-as")
            .into());
    }
    let path = arguments.folder.join("config.json");
    inputs::model_input(&path.display().to_string())
}

/// Writes the checkpoint and says what it holds.
fn written(
    arguments: &CompressArgs,
    study: &CompressStudy<'_>,
    answer: &CompressAnswer,
    folder: &ReadFolder,
    mut new: NewFolder,
) -> Result<String, Diagnostics> {
    let mixed = arguments.mix.as_deref().map(|mix| chosen(answer, mix)).transpose()?;
    let scheme = match (&mixed, &study.schemes[..]) {
        (Some(_), _) => None,
        (None, [one]) => Some(one.clone()),
        (None, _) => {
            return Err(Diagnostic::error("write-scheme", "a checkpoint is written in one scheme")
                .help("name it with --schemes, or a mixed choice with --mix")
                .into());
        }
    };
    let style = arguments.layout.as_deref().map(style).transpose()?;
    let what = WriteStudy { study, scheme, layers: mixed.unwrap_or_default(), style };
    io::progress("Writing the checkpoint");
    let written = write(&what, &mut new)?;
    new.copy_rest(folder, &written.files)?;
    let target = new.finish()?;
    Ok(format!(
        "Wrote {}: {} linear layers quantised, {} matrices as they were, {:.4} GB.",
        target.display(),
        written.quantised,
        written.kept,
        written.bytes as f64 / 1e9
    ))
}

fn style(name: &str) -> Result<Style, Diagnostic> {
    Style::ALL.into_iter().find(|style| style.name() == name).ok_or_else(|| {
        let names = Style::ALL.map(Style::name).join(", ");
        Diagnostic::error("layout-unknown", format!("`{name}` is not a layout of checkpoints"))
            .help(format!("use one of {names}"))
    })
}

/// Schemes by module of a mixed choice.
fn chosen(
    answer: &CompressAnswer,
    mix: &str,
) -> Result<std::collections::BTreeMap<String, String>, Diagnostic> {
    let fault = |what: String| Diagnostic::error("mix-unknown", what);
    let parsed = mix
        .split_once('=')
        .and_then(|(chip, share)| Some((chip, share.trim_end_matches('%').parse::<f64>().ok()? / 100.0)));
    let (name, share) = parsed.ok_or_else(|| fault(format!("`{mix}` is no choice such as h20=75%")))?;
    let chip = answer.chips.iter().find(|chip| chip.chip == name);
    let chip = chip.ok_or_else(|| fault(format!("`{name}` is none of the chips asked")))?;
    let found = chip.mixes.iter().find(|mix| (mix.saving - share).abs() < 1e-9);
    let found = found.ok_or_else(|| {
        let shares: Vec<String> =
            chip.mixes.iter().map(|mix| format!("{:.0}%", 100.0 * mix.saving)).collect();
        fault(format!("{name} has no mixed choice at {:.0} %", 100.0 * share)).help(if shares.is_empty() {
            "no scheme saves time there".to_owned()
        } else {
            format!("there are {}", shares.join(", "))
        })
    })?;
    let modules = found
        .layers
        .iter()
        .flat_map(|layer| layer.modules.iter().map(|module| (module.clone(), layer.scheme.clone())));
    Ok(modules.collect())
}

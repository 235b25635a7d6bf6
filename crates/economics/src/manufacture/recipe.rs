//! From a chip's description, a process and the catalog to what its cost depends on.

mod sheet;

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_hardware::Chip;

use super::catalog::{Manufacture, Process, process};
use super::cost::Recipe;
use super::harvest::Clusters;
use super::inputs::Input;
use super::wafer::dies_per_wafer;
use super::yields::YieldModel;
use crate::currency::Exchange;
use sheet::Sheet;

/// What the user sets; nothing where the catalog holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
    /// Yield model.
    pub model: Option<String>,
    /// Defects a cm² (a cm² and layer for Bose–Einstein).
    pub defects: Option<f64>,
    /// Share of good whole dies, from which the density follows.
    pub good: Option<f64>,
    /// Clustering of the negative binomial model.
    pub alpha: Option<f64>,
    /// Price of a wafer, with its currency.
    pub wafer_price: Option<String>,
    /// Share of packages that survive assembly.
    pub assembly_yield: Option<f64>,
    /// Cores of one die that must be good.
    pub cores: Option<u32>,
    /// How far a cluster of defects reaches: `core` or `die`.
    pub clusters: Option<String>,
    /// Whether the die shrinks or grows with the density of the process.
    pub scale_area: bool,
}

/// A recipe, and where its inputs come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The process of the compute dies.
    pub process: Process,
    /// What the cost depends on.
    pub recipe: Recipe,
    /// Width and height of a compute die, mm.
    pub outline: [f64; 2],
    /// Usable diameter of the wafer, mm.
    pub usable: f64,
    /// Where each input comes from.
    pub origins: Vec<Origin>,
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// Which.
    pub input: Input,
    /// The day or year it holds for.
    pub date: String,
    /// Who says so.
    pub source: String,
    /// How far it can be trusted.
    pub grade: String,
    /// What others say.
    pub others: Vec<String>,
}

/// The yield model of a name.
///
/// # Errors
/// If there is none, with the nearest.
pub fn model(name: &str, alpha: f64, layers: f64) -> Result<YieldModel, Diagnostic> {
    let known = [
        YieldModel::NegativeBinomial { alpha },
        YieldModel::Poisson,
        YieldModel::Murphy,
        YieldModel::Seeds,
        YieldModel::BoseEinstein { layers },
    ];
    known.into_iter().find(|model| model.name() == name).ok_or_else(|| {
        let help = crate::near::did_you_mean(name, &YieldModel::NAMES);
        Diagnostic::error("unknown-yield-model", format!("no yield model is called `{name}`"))
            .help(help.unwrap_or_else(|| format!("use one of {}", YieldModel::NAMES.join(", "))))
    })
}

/// The recipe of a chip on a process; without a name, on that of the chip's file.
///
/// # Errors
/// Every choice that cannot be, a chip whose file lacks what is needed, a die larger than the reticle.
pub fn recipe(
    chip: &Chip,
    process_name: Option<&str>,
    choices: &Choices,
    catalog: &Manufacture,
    exchange: &Exchange,
) -> Result<Made, Diagnostics> {
    check(choices)?;
    let process = process(process_name.unwrap_or(&chip.die.process)).map_err(|error| named(chip, error))?;
    let alpha = choices.alpha.unwrap_or(catalog.yields.alpha.value);
    let name = choices.model.as_deref().unwrap_or(YieldModel::NAMES[0]);
    let model = model(name, alpha, catalog.yields.critical_layers.value)?;
    let outline = outline(chip, &process, choices, catalog)?;
    let area = outline[0] * outline[1] / 100.0;
    let wafer = catalog.wafer();
    let sheet = Sheet { chip, process: &process, choices, catalog, exchange, model, area };
    let (inputs, origins) = sheet.inputs()?;
    let recipe = Recipe {
        model,
        clusters: clusters(choices, model)?,
        dies: f64::from(chip.compute.dies),
        area,
        per_wafer: f64::from(dies_per_wafer(wafer, outline[0], outline[1])),
        cores: cores(chip, choices)?,
        others: sheet.others(wafer)?,
        further: sheet.further()?,
        memory_gb: binary_gb(chip),
        on_interposer: sheet.on_interposer()?,
        interposer_diameter: wafer.diameter - 2.0 * wafer.edge,
        inputs,
    };
    Ok(Made { process, recipe, outline, usable: wafer.diameter - 2.0 * wafer.edge, origins })
}

fn clusters(choices: &Choices, model: YieldModel) -> Result<Clusters, Diagnostic> {
    let known = ["core", "die"];
    match choices.clusters.as_deref().unwrap_or(known[0]) {
        "core" => Ok(Clusters::Core),
        "die" if model.clustering().is_some() => Ok(Clusters::Die),
        "die" => Err(Diagnostic::error("clusters", format!("the model {model} has no clusters over a die"))
            .help("use --model negative-binomial or seeds")),
        other => {
            let help = crate::near::did_you_mean(other, &known);
            Err(Diagnostic::error("clusters", format!("clusters do not reach over a `{other}`"))
                .help(help.unwrap_or_else(|| "use core or die".to_owned())))
        }
    }
}

/// Memory is bought by the GB of its data sheet, which are binary.
fn binary_gb(chip: &Chip) -> f64 {
    chip.hbm.capacity.in_unit("GiB").round()
}

fn check(choices: &Choices) -> Result<(), Diagnostics> {
    let mut faults = Vec::new();
    let mut wrong = |what: &str, wanted: &str, value: f64| {
        faults.push(Diagnostic::error("out-of-range", format!("the {what} must be {wanted}, not {value}")));
    };
    if let Some(defects) = choices.defects.filter(|defects| !(0.0..=1e3).contains(defects)) {
        wrong("defect density", "between 0 and 1000 a cm2", defects);
    }
    for (what, share) in [("yield", choices.good), ("assembly yield", choices.assembly_yield)] {
        if let Some(share) = share.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
            wrong(what, "more than 0 and at most 1", share);
        }
    }
    if let Some(alpha) = choices.alpha.filter(|alpha| !(*alpha > 0.0 && alpha.is_finite())) {
        wrong("clustering", "more than zero", alpha);
    }
    if choices.defects.is_some() && choices.good.is_some() {
        let message = "a defect density and a yield are two ways to say the same";
        faults.push(Diagnostic::error("conflict", message).help("give one of --defects and --yield"));
    }
    if faults.is_empty() { Ok(()) } else { Err(Diagnostics(faults)) }
}

fn named(chip: &Chip, error: Diagnostic) -> Diagnostic {
    if chip.die.process.is_empty() {
        let message = format!("the file of {} does not say on which process it is made", chip.name);
        return Diagnostic::error("process-missing", message)
            .help("name one with `--process`, or give `die.process`");
    }
    error
}

/// Width and height of a compute die, mm.
fn outline(
    chip: &Chip,
    process: &Process,
    choices: &Choices,
    catalog: &Manufacture,
) -> Result<[f64; 2], Diagnostics> {
    let area = chip.die.area.ok_or_else(|| {
        Diagnostic::error(
            "area-missing",
            format!("the file of {} does not give the area of its die", chip.name),
        )
        .help("give `die.area`, such as \"814 mm2\"")
    })?;
    let own = self::process(&chip.die.process).ok().filter(|_| choices.scale_area);
    let scale = own.map_or(1.0, |own| own.density.value / process.density.value);
    let (area, reticle) = (area.get() * scale, catalog.reticle());
    let square = area.sqrt();
    let aspect = chip.die.aspect.unwrap_or(if square > reticle.width {
        reticle.width * reticle.width / area
    } else {
        1.0
    });
    let sides = [(area * aspect).sqrt(), (area / aspect).sqrt()];
    let (short, long) = (sides[0].min(sides[1]), sides[0].max(sides[1]));
    let slack = 1.0 + 1e-3;
    if short > reticle.width.min(reticle.height) * slack || long > reticle.width.max(reticle.height) * slack {
        let message = format!(
            "a die of {:.1} × {:.1} mm is larger than the field of a scanner, {} × {} mm",
            sides[0], sides[1], reticle.width, reticle.height
        );
        return Err(Diagnostic::error("die-reticle", message)
            .help("split it into several dies (`dies`), or give another shape with `die.aspect`")
            .into());
    }
    Ok(sides)
}

/// Cores on one die and how many of them must be good.
fn cores(chip: &Chip, choices: &Choices) -> Result<Option<(u32, u32)>, Diagnostic> {
    let Some(on_die) = chip.die.cores_on_die else { return Ok(None) };
    let needed = choices.cores.unwrap_or(chip.compute.cores.div_ceil(chip.compute.dies));
    if needed > on_die || needed == 0 {
        let message = format!("{needed} cores cannot be good on a die of {on_die}");
        return Err(Diagnostic::error("cores", message).help(format!("give 1 to {on_die}")));
    }
    Ok(Some((on_die, needed)))
}

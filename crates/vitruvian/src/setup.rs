//! From names and texts to the values that the engines compute with.

use vitruvian_cost::{Costs, Fidelity, Library as KernelLibrary, ProfileSet};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_economics::{Capital, Region, region};
use vitruvian_engine::{EngineProfile, ExchangeOverlap, catalog as engines};
use vitruvian_hardware::{Chip, Figure, Node, ParsedChip, Status, Vendor, catalog, parse_chip};
use vitruvian_model::{Model, catalog as models, read_config};
use vitruvian_network::{CollectiveProfile, Library as CollectiveLibrary, Network};
use vitruvian_planner::performance::Finance;

use crate::node::node;
use crate::study::{Input, Service};

/// The fitted profiles of the catalog.
#[derive(Debug)]
pub struct Profiles {
    kernels: KernelLibrary,
    collectives: CollectiveLibrary,
}

impl Profiles {
    /// Reads the embedded profiles.
    ///
    /// # Errors
    /// Mistakes in the embedded files, which a test rules out.
    pub fn catalog() -> Result<Self, Diagnostics> {
        Ok(Self { kernels: KernelLibrary::catalog()?, collectives: CollectiveLibrary::catalog()? })
    }
}

/// Everything about one chip that a question needs.
#[derive(Debug)]
pub struct Setup {
    /// The chip.
    pub chip: Chip,
    /// The chip that a user's file extends.
    pub extends: Option<String>,
    /// The node it sits in.
    pub node: Node,
    /// The engine that serves on it.
    pub engine: EngineProfile,
    /// Its fitted profiles.
    pub profiles: ProfileSet,
    /// What its communication library makes of the links.
    pub collectives: CollectiveProfile,
    /// How closely kernels are looked at.
    pub fidelity: Fidelity,
    /// Place of prices and tariff.
    pub region: Region,
    /// What a reader should know.
    pub notes: Vec<String>,
}

impl Setup {
    /// Finds or reads the chip, and what goes with it.
    ///
    /// # Errors
    /// Every mistake found in the chip's file, or an unknown name with the nearest ones.
    pub fn new(chip: &Input, service: &Service, profiles: &Profiles) -> Result<Self, Diagnostics> {
        let own = matches!(chip, Input::File { .. });
        let (chip, mut notes) = load_chip(chip)?;
        let extends = chip.lineage.first().filter(|_| own).cloned();
        let node = node(&chip, service.node.as_ref())?;
        let mut engine = match &service.engine {
            Some(name) => engines::engine(name)?,
            None => engines::default_for(maker(&chip))?,
        };
        if !engine.vendors.iter().any(|vendor| vendor == maker(&chip)) {
            return Err(wrong_engine(&chip, &engine).into());
        }
        let collectives = profiles.collectives.profile(&chip, Some(&engine.name))?;
        let profiles = profiles.kernels.profiles(&chip, Some(&engine.name))?;
        if chip.status == Status::Roadmap {
            notes.push(format!(
                "{} is announced, not shipping: its figures are its maker's plans",
                chip.title
            ));
        }
        notes.extend(overlap_experts(service, &mut engine)?);
        let fidelity = fidelity(service, &chip)?;
        let region = region::region(service.region.as_deref().unwrap_or("cn"))?;
        Ok(Self { chip, extends, node, engine, profiles, collectives, fidelity, region, notes })
    }

    /// The cost functions of the chip.
    pub fn costs(&self) -> Costs<'_> {
        Costs::new(&self.chip, &self.profiles, self.fidelity)
    }

    /// The links of the node and beyond.
    pub fn network(&self) -> Network<'_> {
        Network::new(&self.chip, &self.node, &self.collectives)
    }

    /// Money, where the price of the chip is known.
    pub fn finance(&self) -> Finance<'_> {
        Finance { capital: self.capital(), region: &self.region, power_sigma: POWER_SIGMA }
    }

    /// One chip's price with its share of the server.
    fn capital(&self) -> Option<Capital> {
        let price = self.chip.price?;
        let share = |index: usize| self.node.price[index] / f64::from(self.node.size);
        Some(Capital {
            low: price.low + share(0),
            typical: price.typical + share(1),
            high: price.high + share(2),
        })
    }
}

/// Modelled against measured power, where nothing is calibrated (`methods` 8: ±25 %).
const POWER_SIGMA: f64 = 0.2;

/// The model of a question.
///
/// # Errors
/// What is wrong with the configuration, or an unknown name with the nearest ones.
pub fn load_model(input: &Input) -> Result<Model, Diagnostics> {
    match input {
        Input::Name(name) => Ok(models::model(name)?),
        Input::File { path, text } => Ok(read_config(&SourceText::new(path.as_str(), text.as_str()))?),
    }
}

/// The chip of a question, and what a reader should know of it.
pub(crate) fn load_chip(input: &Input) -> Result<(Chip, Vec<String>), Diagnostics> {
    match input {
        Input::Name(name) => Ok((catalog::chip(name)?, Vec::new())),
        Input::File { path, text } => what_if(&SourceText::new(path.as_str(), text.as_str())),
    }
}

/// A user's chip under a title of its own, with what it changes of the chip that it extends.
fn what_if(source: &SourceText) -> Result<(Chip, Vec<String>), Diagnostics> {
    let ParsedChip { mut chip, warnings } = parse_chip(source, &catalog::chip_source)?;
    let mut notes: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    if let Some(parent) = chip.lineage.first().filter(|name| catalog::chip_source(name).is_some()) {
        let parent = catalog::chip(parent)?;
        notes.push(format!("{} is {} with {}", chip.name, parent.name, changes(&parent, &chip)));
        if chip.title == parent.title {
            chip.title = format!("{} ({})", chip.name, parent.title);
        }
    }
    Ok((chip, notes))
}

/// The figures of `chip` that its parent has not or has otherwise, as written.
fn changes(parent: &Chip, chip: &Chip) -> String {
    let known =
        |figure: &&Figure| parent.figures.iter().any(|f| f.key == figure.key && f.value == figure.value);
    let new = chip.figures.iter().filter(|figure| figure.key != "title" && !known(figure));
    let list: Vec<String> = new.map(|figure| format!("{} = {}", figure.key, figure.value)).collect();
    if list.is_empty() { "nothing changed".to_owned() } else { list.join(", ") }
}

/// The maker's name as engine files write it.
pub fn maker(chip: &Chip) -> &'static str {
    match chip.vendor {
        Vendor::Nvidia => "nvidia",
        Vendor::Huawei => "huawei",
        Vendor::Amd => "amd",
        Vendor::Other => "other",
    }
}

fn wrong_engine(chip: &Chip, engine: &EngineProfile) -> Diagnostic {
    let fitting: Vec<&str> = engines::names()
        .filter(|name| {
            engines::engine(name).is_ok_and(|other| other.vendors.iter().any(|v| v == maker(chip)))
        })
        .collect();
    Diagnostic::error("engine-chip", format!("{} does not run on {}", engine.title, chip.title))
        .help(format!("use {}, or leave --engine out", fitting.join(" or ")))
}

/// Switches on what hides the exchange between experts, or says that the engine does not have it.
fn overlap_experts(service: &Service, engine: &mut EngineProfile) -> Result<Option<String>, Diagnostic> {
    let Some(asked) = &service.overlap_experts else { return Ok(None) };
    let names = ExchangeOverlap::ALL.map(ExchangeOverlap::name);
    let how = ExchangeOverlap::ALL.into_iter().find(|how| how.name() == asked).ok_or_else(|| {
        Diagnostic::error("overlap-unknown", format!("there is no overlap of experts `{asked}`"))
            .help(format!("use {}", names.join(" or ")))
    })?;
    if engine.exchange_overlaps.contains(&how) {
        engine.exchange = Some(how);
        return Ok(None);
    }
    Ok(Some(format!(
        "{} has no {asked} overlap: its exchange between experts stays in the open",
        engine.title
    )))
}

fn fidelity(service: &Service, chip: &Chip) -> Result<Fidelity, Diagnostic> {
    let fidelity = match service.fidelity.as_deref().unwrap_or("tile") {
        "tile" => Fidelity::Tile,
        "roofline" => Fidelity::Roofline,
        "simulated" => Fidelity::Simulated,
        other => {
            return Err(Diagnostic::error("fidelity-unknown", format!("there is no fidelity `{other}`"))
                .help("use tile, roofline or simulated"));
        }
    };
    if fidelity.fits(chip) {
        return Ok(fidelity);
    }
    let message = format!("{} has no Da Vinci core to simulate", chip.title);
    Err(Diagnostic::error("fidelity-chip", message).help("use tile, or an Ascend chip"))
}

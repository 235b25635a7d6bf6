//! A study with its names looked up.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_hardware::catalog as chips;
use vitruvian_model::{Model, QuantPlan};
use vitruvian_network::Network;
use vitruvian_training::{Job, Overlap, Plan, Recipe, Space, Stack, catalog as stacks};

use super::study::{Choices, TrainStudy};
use crate::setup::{Profiles, Setup, load_model, maker};
use crate::study::Service;

/// Everything that a training question needs.
#[derive(Debug)]
pub struct Question {
    pub(crate) study: TrainStudy,
    pub(crate) setup: Setup,
    pub(crate) model: Model,
    pub(crate) stack: Stack,
    pub(crate) recipe: Recipe,
    quant: QuantPlan,
    choices: Choices,
    pub(crate) sequence: u32,
    pub(crate) global_batch: u32,
    pub(crate) chips: u32,
}

impl Question {
    /// Looks the names of a study up.
    ///
    /// # Errors
    /// Every name that is not known, with the nearest ones.
    pub fn new(study: &TrainStudy, profiles: &Profiles) -> Result<Self, Diagnostics> {
        let service =
            Service { node: study.node.clone(), region: study.region.clone(), ..Service::default() };
        let setup = Setup::new(&study.chip, &service, profiles);
        let (setup, model) = both(setup, load_model(&study.model))?;
        let ((mut stack, recipe), choices) =
            both(both(stack(study, &setup), recipe(study)), study.plan.choices())?;
        if !stack.vendors.iter().any(|vendor| vendor == maker(&setup.chip)) {
            return Err(wrong_stack(&stack, &setup).into());
        }
        stack.attention = choices.attention.unwrap_or(stack.attention);
        let degrees = study.plan.degrees(study.chips, model.has_experts());
        let question = Self {
            sequence: study.sequence,
            global_batch: study.global_batch,
            chips: if study.search { study.chips.unwrap_or(1) } else { degrees.chips() },
            quant: recipe.plan(),
            study: study.clone(),
            setup,
            model,
            stack,
            recipe,
            choices,
        };
        question.check_chips()?;
        Ok(question)
    }

    fn check_chips(&self) -> Result<(), Diagnostics> {
        let asked = self.study.chips.unwrap_or(self.chips);
        if asked == self.chips {
            return Ok(());
        }
        let plan = self.plan();
        let message = format!("{} takes {} chips, not {asked}", plan.degrees, self.chips);
        let near = vitruvian_training::check::nearest_divisor(asked, self.chips);
        Err(Diagnostic::error("chips", message)
            .help(format!(
                "leave --chips or one of the degrees out; the nearest divisor of {asked} is {near}"
            ))
            .into())
    }

    /// The job on these links.
    pub(crate) fn job<'a>(&'a self, network: &'a Network<'a>) -> Job<'a> {
        Job {
            model: &self.model,
            chip: &self.setup.chip,
            node: &self.setup.node,
            network,
            stack: &self.stack,
            recipe: self.recipe,
            quant: &self.quant,
            sequence: self.sequence,
            global_batch: self.global_batch,
            balanced: self.study.balanced,
            reuse_master: self.study.plan.reuse_master,
        }
    }

    /// The plan asked for, degrees not given being one.
    pub(crate) fn plan(&self) -> Plan {
        let spec = &self.study.plan;
        spec.plan(spec.degrees(self.study.chips, self.model.has_experts()), &self.choices)
    }

    /// The plans to search, degrees given being fixed.
    pub(crate) fn space(&self) -> Space {
        let (spec, choices) = (&self.study.plan, &self.choices);
        let fixed = |degree: Option<u32>| degree.into_iter().collect::<Vec<u32>>();
        let default = Overlap { gradients: true, parameters: true, tensor: true, ..Overlap::default() };
        Space {
            chips: self.chips,
            tp: fixed(spec.tp),
            pp: fixed(spec.pp),
            cp: fixed(spec.cp),
            ep: fixed(spec.ep),
            chunks: fixed(spec.chunks),
            micro_batch: fixed(spec.micro_batch),
            schedules: choices.schedule.into_iter().collect(),
            recompute: choices.recompute.into_iter().collect(),
            sharding: choices.sharding.into_iter().collect(),
            offload: choices.offload.unwrap_or_default(),
            overlap: choices.overlap.unwrap_or(default),
            context: choices.context.unwrap_or_default(),
        }
    }

    /// Memory of a chip that the job may take, in bytes.
    pub(crate) fn usable(&self) -> f64 {
        let capacity = self.setup.chip.hbm.capacity;
        self.study.memory.map_or(capacity, |asked| asked.min(capacity)).get()
    }
}

fn recipe(study: &TrainStudy) -> Result<Recipe, Diagnostics> {
    let name = study.precision.as_deref().unwrap_or("bf16");
    name.parse().map_err(|error: String| Diagnostic::error("precision-unknown", error).into())
}

/// The stack asked for, or the first that runs on the chip; figures come from chips of the same architecture where the
/// chip has none of its own.
fn stack(study: &TrainStudy, setup: &Setup) -> Result<Stack, Diagnostics> {
    let chip = &setup.chip;
    let mut relatives = chip.lineage.clone();
    for name in chips::names() {
        if chips::chip(name)?.architecture == chip.architecture {
            relatives.push(name.to_owned());
        }
    }
    Ok(match &study.stack {
        Some(name) => stacks::stack(name, &chip.name, &relatives)?,
        None => stacks::default_for(maker(chip), &chip.name, &relatives)?,
    })
}

fn wrong_stack(stack: &Stack, setup: &Setup) -> Diagnostic {
    Diagnostic::error("stack-chip", format!("{} does not run on {}", stack.title, setup.chip.title))
        .help("leave --stack out")
}

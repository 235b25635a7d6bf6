//! What a training run costs.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_economics::{Ownership, ownership};
use vitruvian_quantity::{Joules, Money, Watts};

use super::answer::{RunRent, TrainCostAnswer};
use super::assumptions::{Assumptions, Finances};
use crate::answer::Range;
use crate::node::node;
use crate::setup::load_chip;
use crate::train::answer::RunAnswer;
use crate::train::{TrainStudy, train as train_step};

/// What does a training run cost?
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainCostStudy {
    /// The run.
    pub train: TrainStudy,
    /// What is assumed of money and power.
    pub assumptions: Assumptions,
}

const MILLION: f64 = 1e6;
const JOULES_A_MWH: f64 = 3.6e9;
const KG_A_TONNE: f64 = 1000.0;

/// Costs a run: the best layout, or the one given.
///
/// # Errors
/// As [`train_step`]; a run without tokens, a layout that does not fit, and every assumption that cannot be.
pub fn train(study: &TrainCostStudy) -> Result<TrainCostAnswer, Diagnostics> {
    let (chip, _) = load_chip(&study.train.chip)?;
    let node = node(&chip, study.train.node.as_ref())?;
    let region = study.train.region.as_deref().unwrap_or("cn");
    let money = study.assumptions.of(&chip, &node, region)?;
    let answer = train_step(&study.train)?;
    let (Some(plan), Some(run)) = (answer.plans.first(), &answer.run) else {
        let message =
            format!("{} does not fit on {} × {} in that layout", answer.model, answer.chips, chip.title);
        return Err(Diagnostic::error("does-not-fit", message)
            .help("use more chips or other degrees; with `--chips` and no degrees the layout is searched")
            .into());
    };
    let host = node.host_power / f64::from(node.size);
    let case = Case {
        run,
        money: &money,
        wall: Watts::new(plan.chip_power_w) + host,
        cap: chip.power.cap + host,
        building: study.assumptions.building,
    };
    let own = case.ownership(1);
    let mut notes = answer.notes.clone();
    if own.is_none() {
        notes.push(format!("no price of {} is known: give one with `--price`", chip.title));
    }
    Ok(TrainCostAnswer {
        chip: answer.chip.clone(),
        title: chip.title.clone(),
        model: answer.model.clone(),
        chips: answer.chips,
        layout: plan.layout.clone(),
        tokens: run.tokens,
        days: run.days,
        goodput: run.goodput,
        chip_hours: run.chip_hours,
        chip_hour: own.map(|own| case.money.chip_hour(&own, case.cap, case.hour())),
        total_usd: own.map(|_| case.total()),
        usd_per_million_tokens: own.map(|own| own.hour() * run.chip_hours / run.tokens * MILLION),
        electricity_usd: case.energy_mwh() * KWH_A_MWH * money.region.electricity,
        energy_mwh: case.energy_mwh(),
        energy_at_cap_mwh: case.facility_mwh(case.cap),
        carbon_t: case.energy_mwh() * KWH_A_MWH * money.region.carbon / KG_A_TONNE,
        rents: case.rents(),
        assumptions: money.listed.clone(),
        notes,
    })
}

const KWH_A_MWH: f64 = 1000.0;

struct Case<'a> {
    run: &'a RunAnswer,
    money: &'a Finances,
    /// Power of one chip with its share of the host, in a step.
    wall: Watts,
    /// The same at the power cap.
    cap: Watts,
    building: vitruvian_economics::Building,
}

impl Case<'_> {
    fn ownership(&self, end: usize) -> Option<Ownership> {
        let of = |capital: [Money; 3]| {
            ownership(capital[end], self.wall, self.cap, &self.money.region, self.building)
        };
        self.money.capital.map(of)
    }

    fn hour(&self) -> Range {
        let at = |end| self.ownership(end).map_or(0.0, |own| own.hour());
        Range { p10: at(0), p50: at(1), p90: at(2) }
    }

    /// The whole run: by the span of prices and of time, as if they were independent.
    fn total(&self) -> Range {
        let (hour, days) = (self.hour(), self.run.days);
        let typical = hour.p50 * self.run.chip_hours;
        let side = |price: f64, time: f64| (price / hour.p50).ln().hypot((time / days.p50).ln());
        Range {
            p10: typical / side(hour.p10, days.p10).exp(),
            p50: typical,
            p90: typical * side(hour.p90, days.p90).exp(),
        }
    }

    /// Facility energy of all chip hours at a power of one chip with its share of the host.
    fn facility_mwh(&self, power: Watts) -> f64 {
        let joules = Joules::new(power.get() * self.run.chip_hours * 3600.0);
        joules.get() / JOULES_A_MWH * self.money.region.pue
    }

    fn energy_mwh(&self) -> f64 {
        self.facility_mwh(self.wall)
    }

    fn rents(&self) -> Vec<RunRent> {
        let rents = self.money.rents.iter().map(|rent| {
            let spread = rent.per_chip_hour;
            RunRent {
                quoted: rent.written.clone(),
                total_usd: Range { p10: spread.low, p50: spread.typical, p90: spread.high }
                    .times(self.run.chip_hours),
                break_even_utilisation: self
                    .ownership(1)
                    .and_then(|own| own.break_even(spread.typical).utilisation),
                date: rent.date.clone(),
                source: rent.source.clone(),
                grade: rent.grade.clone(),
            }
        });
        rents.collect()
    }
}

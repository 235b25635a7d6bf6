//! What a served token costs.

use vitruvian_diagnostics::{Diagnostic, Diagnostics};
use vitruvian_economics::rent::Rent;
use vitruvian_economics::{Ownership, ownership, per_million};
use vitruvian_hardware::{Chip, Node};
use vitruvian_quantity::{Joules, Money, Seconds, Watts};

use super::answer::{RentOption, Sale, ServeAnswer, TokenEnergy, TokenMoney};
use super::assumptions::{Assumptions, Finances, positive};
use crate::answer::{Deployment, EstimateAnswer, Range};
use crate::node::node;
use crate::precision::precisions;
use crate::setup::{load_chip, load_model};
use crate::study::{CompareStudy, Degrees, EstimateStudy, Phase, Service};
use crate::{compare, estimate};

/// What does a served token cost?
#[derive(Clone, Debug, PartialEq)]
pub struct ServeStudy {
    /// The deployment; layout, batch and chunk are found where a fleet is given.
    pub estimate: EstimateStudy,
    /// Chips on which the cheapest deployment is searched.
    pub fleet: Option<Fleet>,
    /// What is assumed of money and power.
    pub assumptions: Assumptions,
    /// Price that a million input tokens are sold for, with its currency.
    pub input_price: Option<String>,
    /// Price that a million output tokens are sold for, with its currency.
    pub output_price: Option<String>,
}

/// Chips to deploy on, and what users are promised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fleet {
    /// Chips, all of which are used.
    pub chips: u32,
    /// Mean time to first token at most.
    pub ttft: Option<Seconds>,
    /// Mean time per output token at most.
    pub tpot: Option<Seconds>,
}

const MILLION: f64 = 1e6;
const SECONDS_AN_HOUR: f64 = 3600.0;
/// Standard normal quantile of 90 %.
const Z90: f64 = 1.281_551_565_545;

/// Costs a deployment under load.
///
/// # Errors
/// As [`estimate::estimate`], and every assumption that cannot be.
pub fn serve(study: &ServeStudy) -> Result<ServeAnswer, Diagnostics> {
    let service = &study.estimate.service;
    let (chip, _) = load_chip(&study.estimate.chip)?;
    let node = node(&chip, service.node.as_ref())?;
    let region = service.region.as_deref().unwrap_or("cn");
    let money = study.assumptions.of(&chip, &node, region)?;
    let deployed = study.fleet.map_or_else(|| Ok(study.estimate.clone()), |fleet| cheapest(study, fleet))?;
    let answer = estimate(&EstimateStudy { phase: Phase::Both, ..deployed })?;
    let deployment = answer.deployment.clone().ok_or_else(|| {
        Diagnostic::error("phase", "only a deployment that serves both phases has a price a token")
    })?;
    let case =
        Case { study, chip: &chip, node: &node, money: &money, answer: &answer, deployment: &deployment };
    let own = case.ownership(1);
    let mut notes = answer.notes.clone();
    if own.is_none() {
        notes.push(format!("no price of {} is known: give one with `--price`", chip.title));
    }
    Ok(ServeAnswer {
        chip_hour: own.map(|own| case.money.chip_hour(&own, case.cap(), case.by_price(Ownership::hour))),
        tokens: own.map(|own| case.tokens(&own)),
        energy: case.energy(),
        rents: money.rents.iter().map(|rent| case.rent(rent, own.as_ref())).collect(),
        sale: case.sale(own.as_ref())?,
        assumptions: money.listed.clone(),
        question: answer.question.clone(),
        chip: answer.chip.clone(),
        title: answer.title.clone(),
        node: answer.node.clone(),
        engine: answer.engine.clone(),
        deployment: deployment.clone(),
        notes,
    })
}

/// One replica of the cheapest deployment of a fleet that keeps what users are promised.
fn cheapest(study: &ServeStudy, fleet: Fleet) -> Result<EstimateStudy, Diagnostics> {
    let asked = &study.estimate;
    let found = compare(&CompareStudy {
        chips: vec![asked.chip.clone()],
        service: asked.service.clone(),
        count: fleet.chips,
        ttft: fleet.ttft,
        tpot: fleet.tpot,
        objective: Some("cost".to_owned()),
        all: false,
    })?;
    let chip = found.chips.into_iter().next();
    let (best, closest) = chip.map_or((None, None), |chip| (chip.best, chip.closest));
    let best = best.ok_or_else(|| {
        let why = closest.map_or(String::new(), |miss| format!(": {} ({})", miss.stops, miss.candidate));
        Diagnostic::error(
            "no-deployment",
            format!("no deployment on {} chips keeps the promise{why}", fleet.chips),
        )
        .help("use more chips, or a looser --ttft or --tpot")
    })?;
    let service = Service { precisions: vec![word(study, &best)?], ..asked.service.clone() };
    Ok(EstimateStudy {
        service,
        layout: Degrees { tp: best.tp, pp: best.pp, dp: best.dp, ep: best.ep },
        batch: best.batch,
        chunk: Some(best.chunk),
        ..asked.clone()
    })
}

/// The word that asks for the precision of a deployment: one of those asked for, or of those that a search suggests.
fn word(study: &ServeStudy, best: &Deployment) -> Result<String, Diagnostics> {
    let service = &study.estimate.service;
    let (chip, _) = load_chip(&study.estimate.chip)?;
    let model = load_model(&service.model)?;
    let suggested = ["published", "bf16", "fp16", "fp8-block", "w8a8-dynamic"].map(str::to_owned);
    let words = if service.precisions.is_empty() { suggested.to_vec() } else { service.precisions.clone() };
    let names = |word: &String| {
        let one = Service { precisions: vec![word.clone()], ..service.clone() };
        precisions(&one, &model, &chip).is_ok_and(|found| found.iter().any(|p| p.name == best.precision))
    };
    words.into_iter().find(names).ok_or_else(|| {
        let message = format!("the precision of the deployment, {}, has no name of its own", best.precision);
        Diagnostic::error("precision", message).help("name one with `--precision`").into()
    })
}

struct Case<'a> {
    study: &'a ServeStudy,
    chip: &'a Chip,
    node: &'a Node,
    money: &'a Finances,
    answer: &'a EstimateAnswer,
    deployment: &'a Deployment,
}

impl Case<'_> {
    fn chips(&self) -> f64 {
        f64::from(self.answer.question.chips)
    }

    fn host(&self) -> Watts {
        self.node.host_power / f64::from(self.node.size)
    }

    /// The most that chip and host draw: what a building is sized for, and a bill by data sheet.
    fn cap(&self) -> Watts {
        self.chip.power.cap + self.host()
    }

    /// Owning at the low, typical or high price.
    fn ownership(&self, end: usize) -> Option<Ownership> {
        let power = Watts::new(self.deployment.wall_power_w.p50);
        let building = self.study.assumptions.building;
        self.money
            .capital
            .map(|capital| ownership(capital[end], power, self.cap(), &self.money.region, building))
    }

    /// A figure of owning, by the spread of prices.
    fn by_price(&self, of: impl Fn(&Ownership) -> f64) -> Range {
        let at = |end| self.ownership(end).map_or(0.0, |own| of(&own));
        Range { p10: at(0), p50: at(1), p90: at(2) }
    }

    /// US dollars per million tokens at a cost of one chip's hour: input, output, all over output.
    fn per_million(&self, chip_hour: f64) -> [f64; 3] {
        let (input, output) = self.rates();
        let hour = Money::new(chip_hour * self.chips());
        let cost = per_million(hour, self.deployment.prefill_share, input, output);
        [cost.input.get(), cost.output.get(), cost.blended_output.get()]
    }

    /// Input and output tokens a second, all chips.
    fn rates(&self) -> (f64, f64) {
        (self.deployment.input_tokens_per_s.p50, self.deployment.output_tokens_per_s.p50)
    }

    fn tokens(&self, own: &Ownership) -> TokenMoney {
        let typical = self.per_million(own.hour());
        let hour = self.by_price(Ownership::hour);
        let price_sigma = (hour.p90 / hour.p10).ln() / (2.0 * Z90);
        let speed = self.deployment.output_tokens_per_s;
        let sigma = price_sigma.hypot((speed.p90 / speed.p10).ln() / (2.0 * Z90));
        TokenMoney {
            input_usd: Range::new(typical[0], sigma),
            output_usd: Range::new(typical[1], sigma),
            all_over_output_usd: Range::new(typical[2], sigma),
            output_electricity_usd: self.output_kwh() * self.money.region.electricity,
        }
    }

    /// Joules of one input and one output token: what a request draws, shared by time and by the power of each phase.
    fn joules(&self) -> (f64, f64) {
        let (deployment, question) = (self.deployment, &self.answer.question);
        let request = deployment.wall_power_w.p50 * self.chips() / deployment.requests_per_s.p50;
        let host = self.host().get();
        let power = |phase: &Option<crate::answer::PhaseAnswer>| {
            phase.as_ref().map_or(deployment.wall_power_w.p50, |phase| phase.chip_power_w + host)
        };
        let prefill = power(&self.answer.prefill) * deployment.prefill_share;
        let decode = power(&self.answer.decode) * (1.0 - deployment.prefill_share);
        let share = prefill / (prefill + decode);
        let each = |part: f64, tokens: u32| request * part / f64::from(tokens);
        (each(share, question.input_tokens), each(1.0 - share, question.output_tokens))
    }

    /// Facility energy of a million tokens.
    fn kwh(&self, joules: f64) -> f64 {
        Joules::new(joules * MILLION).in_unit("kWh") * self.money.region.pue
    }

    fn output_kwh(&self) -> f64 {
        self.kwh(self.joules().1)
    }

    fn energy(&self) -> TokenEnergy {
        let (input, output) = self.joules();
        let carbon = self.money.region.carbon;
        TokenEnergy {
            wall_power_w: self.deployment.wall_power_w,
            wall_power_at_cap_w: self.cap().get(),
            input_j: input,
            output_j: output,
            input_kwh_per_million: self.kwh(input),
            output_kwh_per_million: self.kwh(output),
            input_kg_per_million: self.kwh(input) * carbon,
            output_kg_per_million: self.kwh(output) * carbon,
        }
    }

    fn rent(&self, rent: &Rent, own: Option<&Ownership>) -> RentOption {
        let quoted = rent.per_chip_hour;
        let [input, output, _] = self.per_million(quoted.typical);
        let even = own.map(|own| own.break_even(quoted.typical));
        RentOption {
            quoted: rent.written.clone(),
            usd_per_chip_hour: Range { p10: quoted.low, p50: quoted.typical, p90: quoted.high },
            input_usd: input,
            output_usd: output,
            break_even_utilisation: even.and_then(|even| even.utilisation),
            break_even_months: even.and_then(|even| even.months),
            date: rent.date.clone(),
            source: rent.source.clone(),
            grade: rent.grade.clone(),
        }
    }

    fn sale(&self, own: Option<&Ownership>) -> Result<Option<Sale>, Diagnostic> {
        let price = |text: &Option<String>| {
            text.as_deref().map(|text| positive(text, &self.money.exchange).map(Money::get)).transpose()
        };
        let (input_price, output_price) = (price(&self.study.input_price)?, price(&self.study.output_price)?);
        if input_price.is_none() && output_price.is_none() {
            return Ok(None);
        }
        let (input_price, output_price) = (input_price.unwrap_or(0.0), output_price.unwrap_or(0.0));
        let (input, output) = self.rates();
        let earned = (input * input_price + output * output_price) / MILLION * SECONDS_AN_HOUR / self.chips();
        let even = own.map(|own| own.break_even(earned));
        Ok(Some(Sale {
            input_price_usd: input_price,
            output_price_usd: output_price,
            usd_per_chip_hour: earned,
            margin: own.map(|own| earned / own.hour() - 1.0),
            break_even_utilisation: even.and_then(|even| even.utilisation),
            payback_months: even.and_then(|even| even.months),
        }))
    }
}

//! What came closest where nothing answers the question.

use vitruvian_planner::plan::{Found, fit};
use vitruvian_planner::{Fall, Question};
use vitruvian_quantity::three;

use super::answer::PlanRow;
use super::{Asked, rows};
use crate::deployment::in_one_line;

/// One sentence a kind of chip, and one on the whole where a rate is asked that nothing carries.
pub(super) fn closest(asked: &Asked<'_>, kinds: &[Question<'_>], found: &Found) -> Vec<String> {
    if let (Some(most), Some(rate)) = (&found.most, asked.rate) {
        return vec![format!(
            "Nothing carries {} requests/s within the targets; most carries {}: {} requests/s; {} stops it.",
            three(rate),
            rows::name(asked, most),
            three(most.capacity),
            most.limit
        )];
    }
    kinds.iter().enumerate().map(|(kind, question)| on_kind(asked, kind, question, found)).collect()
}

/// Where a rate is asked and the simulation says that no listed plan serves it within the targets.
pub(super) fn unconfirmed(asked: &Asked<'_>, rows: &[PlanRow]) -> Option<String> {
    let (rate, needed) = (asked.rate?, asked.study.attainment);
    let simulated = rows.iter().filter_map(|row| row.simulated.as_ref().map(|s| (row, s)));
    let (best, s) = simulated.max_by(|a, b| a.1.attainment.total_cmp(&b.1.attainment))?;
    (s.attainment < needed).then(|| {
        format!(
            "In simulation no listed plan serves {} requests/s with {:.0} % of the requests within the targets; closest is \
             {}: {:.0} %.",
            three(rate),
            100.0 * needed,
            best.name,
            100.0 * s.attainment
        )
    })
}

fn on_kind(asked: &Asked<'_>, kind: usize, question: &Question<'_>, found: &Found) -> String {
    let title = &asked.setups[kind].chip.title;
    let misses = found.census.get(kind).into_iter().flat_map(|census| census.nearest.iter().flatten());
    let nearest = misses.min_by(|a, b| over(question, &a.fall).total_cmp(&over(question, &b.fall)));
    match nearest.map(|miss| (miss, &miss.fall)) {
        Some((miss, Fall::Ttft(_) | Fall::Tpot(_) | Fall::Saturated { .. })) => format!(
            "On {} × {title} nothing meets the targets; closest is {}: {}.",
            question.space.chips,
            in_one_line(&miss.candidate, &question.space.precisions),
            miss.fall
        ),
        _ => does_not_fit(asked, kind, question),
    }
}

/// The model fits nowhere: how many chips it would take.
fn does_not_fit(asked: &Asked<'_>, kind: usize, question: &Question<'_>) -> String {
    let (title, model) = (&asked.setups[kind].chip.title, &asked.model.name);
    let head = format!("{model} does not fit {} × {title}", question.space.chips);
    match fit::fewest(question) {
        Some(fit) => format!(
            "{head}; the nearest that does is {} × {title}: {}, {}.",
            fit.layout.chips(),
            fit.layout,
            question.space.precisions[fit.precision].name
        ),
        None => format!("{head}, nor any number that was looked at."),
    }
}

/// How far from passing, comparable over kinds of miss: targets first, then prefill, then memory.
fn over(question: &Question<'_>, fall: &Fall) -> f64 {
    match fall {
        Fall::Ttft(time) => question.targets.ttft.map_or(f64::INFINITY, |most| *time / most),
        Fall::Tpot(time) => question.targets.tpot.map_or(f64::INFINITY, |most| *time / most),
        Fall::Saturated { load } => 1e3 * load,
        Fall::DoesNotFit { missing, .. } => 1e6 * missing.get(),
        Fall::DoesNotDivide(_) | Fall::Unsupported(_) | Fall::Dominated => f64::INFINITY,
    }
}

//! The answer of an estimate.

use vitruvian_report::{Block, Cell, Page, Table};

use super::operators::operator_table;
use super::range;
use crate::answer::{EstimateAnswer, PhaseAnswer, Range};

/// The deployment and its phases.
pub fn table(answer: &EstimateAnswer) -> Table {
    let question = &answer.question;
    let mut table = Table::side_by_side([answer.title.clone()]).title(format!(
        "{} on {} × {}: {} input and {} output tokens",
        question.model, question.chips, answer.title, question.input_tokens, question.output_tokens
    ));
    if let Some(prefill) = &answer.prefill {
        phase(&mut table, "prefill of one prompt", prefill);
    }
    if let Some(decode) = &answer.decode {
        phase(&mut table, "one decode step", decode);
    }
    load(&mut table, answer);
    table.note(format!("{}, {}.", answer.engine, answer.node));
    question.left_out.iter().for_each(|part| table.note(format!("Held in memory but not costed: {part}.")));
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

fn phase(table: &mut Table, title: &str, phase: &PhaseAnswer) {
    table.section(title);
    table.metric("time", "ms", [range(phase.time_ms)]);
    table.metric("tokens", "", [Cell::integer(phase.tokens)]);
    table.metric("rate", "token/s", [range(phase.tokens_per_s)]);
    let shares: Vec<String> = phase
        .by_bound
        .iter()
        .take(3)
        .map(|part| format!("{} {:.0} %", part.bound, 100.0 * part.share))
        .collect();
    table.metric("bound", "", [Cell::text(shares.join(", "))]);
    if phase.hidden_exchange_ms != 0.0 {
        table.metric("expert exchange hidden", "ms", [Cell::number(phase.hidden_exchange_ms)]);
    }
    table.metric("MFU", "", [Cell::share(phase.mfu)]);
    table.metric("memory bandwidth used", "", [Cell::share(phase.mbu)]);
    table.metric("chip power", "W", [Cell::number(phase.chip_power_w)]);
}

fn load(table: &mut Table, answer: &EstimateAnswer) {
    let Some(deployment) = &answer.deployment else { return };
    table.section(format!("under load, batch {} ({})", deployment.batch, deployment.precision));
    let mut metric = |name: &str, unit: &str, figure: Option<Range>| {
        table.metric(name, unit, [Cell::from(figure.map(range))]);
    };
    metric("TTFT", "ms", Some(deployment.ttft_ms));
    metric("TPOT", "ms", Some(deployment.tpot_ms));
    metric("request", "s", Some(deployment.request_time_s));
    metric("output", "token/s", Some(deployment.output_tokens_per_s));
    metric("output per chip", "token/s", Some(deployment.output_tokens_per_s_per_chip));
    metric("energy per token", "J", Some(deployment.energy_per_token_j));
    metric("10⁶ input tokens", "USD", deployment.cost_per_million_input_usd);
    metric("10⁶ output tokens", "USD", deployment.cost_per_million_output_usd);
    table.metric("memory used", "GB", [Cell::number(deployment.memory_used_gb)]);
    table.metric("memory free", "GB", [Cell::number(deployment.memory_free_gb)]);
}

/// Every operator of each phase asked for.
pub fn explanation(answer: &EstimateAnswer) -> Vec<Table> {
    let phases = [("Prefill of one prompt", &answer.prefill), ("One decode step", &answer.decode)];
    phases
        .into_iter()
        .filter_map(|(title, phase)| phase.as_ref().map(|phase| operator_table(title, &phase.operators)))
        .collect()
}

/// The whole answer as one page.
pub fn page(answer: &EstimateAnswer) -> Page {
    let mut blocks = vec![Block::Table(table(answer))];
    blocks.extend(explanation(answer).into_iter().map(Block::Table));
    Page { title: answer.question.model.clone(), subtitle: answer.title.clone(), blocks, ..Page::default() }
}

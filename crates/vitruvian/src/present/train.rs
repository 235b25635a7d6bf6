//! The answer of `train` as tables, figures and a page.

mod trace;

use vitruvian_report::{
    Axis, Block, Cell, Column, Figure, Mark, Page, Panel, Plot, Point, Scale, Series, Table, Xy,
};

use super::range;
use crate::train::TrainAnswer;
use crate::train::answer::{CensusAnswer, PlanAnswer, RunAnswer, ScalingPoint, TimelineEvent};

pub use trace::perfetto;

/// The answer in one table: the best plan, its time, its memory, its run.
pub fn table(answer: &TrainAnswer) -> Table {
    let mut table = Table::side_by_side([answer.title.clone()]);
    let asked = answer.misfit.as_ref().map(|misfit| &misfit.asked);
    if let Some(plan) = answer.plans.first().or(asked) {
        step(&mut table, plan);
        memory(&mut table, plan);
    }
    if let Some(run) = &answer.run {
        run_section(&mut table, run);
    }
    if let Some(census) = answer.census.as_ref().filter(|_| answer.plans.is_empty()) {
        table.note(counts(census));
    }
    answer.reasons.iter().for_each(|reason| table.note(format!("{}.", capital(reason))));
    answer.notes.iter().for_each(|note| table.note(format!("{}.", capital(note))));
    table
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// Three significant digits.
fn digits(value: f64) -> String {
    let decimals = if value > 0.0 { (2 - value.log10().floor() as i32).clamp(0, 6) } else { 0 };
    format!("{value:.*}", decimals as usize)
}

fn step(table: &mut Table, plan: &PlanAnswer) {
    table.section(format!("step: {}", plan.layout));
    table.metric("step time", "s", [range(plan.step_time_s)]);
    table.metric("tokens", "token/s", [Cell::number(plan.tokens_per_s)]);
    table.metric("tokens per chip", "token/s", [Cell::number(plan.tokens_per_s_per_chip)]);
    table.metric("model FLOPs per chip", "TFLOP/s", [Cell::number(plan.model_tflops_per_chip)]);
    table.metric("MFU", "", [Cell::share(plan.mfu)]);
    table.metric("HFU", "", [Cell::share(plan.hfu)]);
    table.metric("micro-batches", "", [Cell::integer(plan.micro_batches)]);
    let p = &plan.parts_s;
    let parts = [
        ("products", p.products),
        ("attention", p.attention),
        ("element-wise", p.vector),
        ("launches", p.launch),
        ("TP and CP exchange", p.tensor_exchange),
        ("expert exchange", p.expert_exchange),
        ("gradients, parameters", p.data_exchange),
        ("bubble and sends", p.bubble),
        ("optimizer", p.optimizer),
        ("host", p.host),
    ];
    for (name, time) in parts {
        if time > 0.0005 * plan.step_time_s.p50 {
            table.metric(name, "s", [Cell::number(time)]);
        }
    }
    table.metric("chip power", "W", [Cell::number(plan.chip_power_w)]);
}

fn memory(table: &mut Table, plan: &PlanAnswer) {
    let Some(fullest) = plan.memory.iter().max_by(|a, b| a.peak_gb.total_cmp(&b.peak_gb)) else { return };
    table.section(format!("memory of the fullest device ({} of {})", fullest.device + 1, plan.pp));
    let parts = [
        ("parameters", fullest.parameters_gb),
        ("gradients", fullest.gradients_gb),
        ("optimizer states", fullest.optimizer_gb),
        ("activations in flight", fullest.activations_gb),
        ("one layer at work", fullest.working_gb),
        ("logits", fullest.logits_gb),
        ("gathered parameters", fullest.gathered_gb),
        ("runtime", fullest.runtime_gb),
        ("allocator slack", fullest.slack_gb),
    ];
    for (name, size) in parts {
        if size > 0.0 {
            table.metric(name, "GB", [Cell::number(size)]);
        }
    }
    table.metric("peak", "GB", [Cell::number(fullest.peak_gb)]);
}

fn run_section(table: &mut Table, run: &RunAnswer) {
    table.section(format!("run of {:.3e} tokens", run.tokens));
    table.metric("steps", "", [Cell::number(run.steps)]);
    table.metric("wall time", "d", [range(run.days)]);
    table.metric("without failures", "d", [Cell::number(run.ideal_days)]);
    table.metric("failures", "", [Cell::number(run.failures)]);
    table.metric("checkpoint every", "min", [Cell::number(run.checkpoint_interval_s / 60.0)]);
    table.metric("one checkpoint", "s", [Cell::number(run.checkpoint_s)]);
    table.metric("goodput", "", [Cell::share(run.goodput)]);
    table.metric("chip hours", "h", [Cell::number(run.chip_hours)]);
    table.metric("energy at the wall", "MWh", [Cell::number(run.energy_mwh)]);
    table.metric("cost", "USD", [Cell::from(run.cost_usd.map(range))]);
}

/// The plans of a search, best first, and what became of the others.
pub fn plans(answer: &TrainAnswer) -> Option<Table> {
    let census = answer.census.as_ref().filter(|_| !answer.plans.is_empty())?;
    let mut table = Table::new([
        Column::name("layout"),
        Column::number("step", "s"),
        Column::number("tokens per chip", "token/s"),
        Column::number("MFU", ""),
        Column::number("bubble", ""),
        Column::number("peak memory", "GB"),
    ])
    .title("Best layouts");
    for plan in &answer.plans {
        table.row([
            Cell::text(&*plan.layout),
            Cell::number(plan.step_time_s.p50),
            Cell::number(plan.tokens_per_s_per_chip),
            Cell::share(plan.mfu),
            Cell::share(plan.parts_s.bubble / plan.step_time_s.p50),
            Cell::number(plan.peak_memory_gb),
        ]);
    }
    table.note(counts(census));
    if let Some(miss) = &census.nearest_miss {
        table.note(format!("The nearest that does not fit: {miss}."));
    }
    Some(table)
}

fn counts(census: &CensusAnswer) -> String {
    format!(
        "{} layouts looked at: {} do not divide the model, {} not the batch, {} need more memory, {} fit.",
        census.looked_at, census.shape, census.batch, census.memory, census.fit
    )
}

/// Memory of every device of the first plan.
pub fn devices(answer: &TrainAnswer) -> Option<Table> {
    let plan = answer.plans.first().filter(|plan| plan.memory.len() > 1)?;
    let mut table = Table::new([
        Column::number("device", ""),
        Column::number("states", "GB"),
        Column::number("activations", "GB"),
        Column::number("in flight", "chunk"),
        Column::number("at work", "GB"),
        Column::number("peak", "GB"),
        Column::text("most"),
    ])
    .title("Memory by pipeline device");
    for memory in &plan.memory {
        table.row([
            Cell::integer(memory.device + 1),
            Cell::number(memory.parameters_gb + memory.gradients_gb + memory.optimizer_gb),
            Cell::number(memory.activations_gb),
            Cell::integer(memory.in_flight),
            Cell::number(memory.working_gb + memory.logits_gb + memory.gathered_gb),
            Cell::number(memory.peak_gb),
            Cell::text(&*memory.largest),
        ]);
    }
    Some(table)
}

/// The scaling curve.
pub fn scaling(answer: &TrainAnswer) -> Option<Table> {
    if answer.scaling.is_empty() {
        return None;
    }
    let mut table = Table::new([
        Column::number("chips", ""),
        Column::text("layout"),
        Column::number("tokens", "token/s"),
        Column::number("efficiency", ""),
        Column::number("MFU", ""),
    ])
    .title("Scaling");
    for point in &answer.scaling {
        let layout = point.layout.clone().unwrap_or_else(|| "nothing fits".to_owned());
        let share = |value: Option<f64>| value.map_or(Cell::text("–"), Cell::share);
        let tokens = point.tokens_per_s.map_or(Cell::text("–"), Cell::number);
        table.row([
            Cell::integer(point.chips),
            Cell::text(layout),
            tokens,
            share(point.efficiency),
            share(point.mfu),
        ]);
    }
    Some(table)
}

/// The scaling curve drawn.
fn scaling_figure(points: &[ScalingPoint]) -> Figure {
    let at = |point: &ScalingPoint| {
        let label = point.layout.clone();
        Some(Point { x: f64::from(point.chips), y: point.tokens_per_s?, interval: None, label, weight: None })
    };
    let series = Series {
        name: "best layout".to_owned(),
        mark: Mark::LinePoints,
        points: points.iter().filter_map(at).collect(),
    };
    let axis = |label: &str, unit: &str| Axis {
        label: label.to_owned(),
        unit: unit.to_owned(),
        scale: Scale::Log,
        range: None,
    };
    let xy =
        Xy { x: axis("chips", ""), y: axis("tokens", "token/s"), series: vec![series], rules: Vec::new() };
    Figure {
        title: "Scaling".to_owned(),
        caption: "Tokens a second of the best layout at each number of chips.".to_owned(),
        panels: vec![Panel { title: String::new(), plot: Plot::Xy(xy) }],
    }
}

/// One step drawn with letters: a row a device, a column a slice of time; what runs longest in a slice names it.
pub fn timeline(answer: &TrainAnswer, width: usize) -> Option<String> {
    let end = answer.timeline.iter().map(|event| event.end_us).fold(0.0, f64::max);
    let devices = answer.timeline.iter().map(|event| event.device).max()? + 1;
    let row = |device: u32| {
        let own: Vec<&TimelineEvent> =
            answer.timeline.iter().filter(|event| event.device == device).collect();
        let cell = |column: usize| {
            let (from, to) = (column as f64 * end / width as f64, (column + 1) as f64 * end / width as f64);
            letter(&own, from, to)
        };
        format!("{:>4} {}", device + 1, (0..width).map(cell).collect::<String>())
    };
    let rows: Vec<String> = (0..devices).map(row).collect();
    let legend =
        "F forward, B backward, I input gradient, W weight gradient, X forward beside backward, · waiting";
    Some(format!("{}\n     {} ms; {legend}\n", rows.join("\n"), digits(end / 1e3)))
}

fn letter(events: &[&TimelineEvent], from: f64, to: f64) -> char {
    let mut shares = [('F', 0.0), ('B', 0.0), ('I', 0.0), ('W', 0.0), ('X', 0.0), ('·', 0.0)];
    let mut busy = 0.0;
    for event in events.iter().filter(|event| event.end_us > from && event.start_us < to) {
        let time = event.end_us.min(to) - event.start_us.max(from);
        let index = match event.work {
            "forward" => 0,
            "backward" => 1,
            "input" => 2,
            "weight" => 3,
            _ => 4,
        };
        shares[index].1 += time;
        busy += time;
    }
    shares[5].1 = to - from - busy;
    shares.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or('·', |(letter, _)| *letter)
}

/// The whole answer as one page.
pub fn page(answer: &TrainAnswer) -> Page {
    let tables = [Some(table(answer)), plans(answer), devices(answer), scaling(answer)];
    let mut blocks: Vec<Block> = tables.into_iter().flatten().map(Block::Table).collect();
    if !answer.scaling.is_empty() {
        blocks.push(Block::Figure(scaling_figure(&answer.scaling)));
    }
    if let Some(text) = timeline(answer, 120) {
        blocks.push(Block::Heading("One step".to_owned()));
        blocks.push(Block::Code(text));
    }
    Page { title: "Training".to_owned(), subtitle: answer.title.clone(), blocks, ..Page::default() }
}

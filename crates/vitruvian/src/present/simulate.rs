//! The answer of a simulation.

mod files;

use vitruvian_report::{Axis, Block, Cell, Figure, Mark, Page, Plot, Point, Rule, Series, Table, Xy};

pub use files::{request_columns, trace};

use crate::simulate::{Latency, PoolAnswer, SimulateAnswer, TimeSeries};

/// Latencies, then rates and costs.
pub fn tables(answer: &SimulateAnswer) -> [Table; 2] {
    [latencies(answer), figures(answer)]
}

/// Everything that is one figure.
fn figures(answer: &SimulateAnswer) -> Table {
    let mut table = Table::side_by_side(["value"]).title("The service");
    let mut part = |title: &str, rows: &[(&str, &str, Cell)]| {
        table.section(title);
        rows.iter().for_each(|(name, unit, cell)| table.metric(name, unit, [cell.clone()]));
    };
    part("throughput", &throughput(answer));
    part("cache and queue", &cache(answer));
    part("energy and money", &money(answer));
    answer.pools.iter().for_each(|pool| table.note(pool_line(pool)));
    table.note(format!(
        "Steps are worth ±{:.0} % on TPOT and ±{:.0} % on TTFT (one standard deviation).",
        100.0 * answer.tpot_sigma,
        100.0 * answer.ttft_sigma
    ));
    answer.notes.iter().for_each(|note| table.note(note.clone()));
    table
}

fn pool_line(pool: &PoolAnswer) -> String {
    let role = match pool.role.as_str() {
        "prefill" => "Prefill: ",
        "decode" => "Decode: ",
        _ => "",
    };
    let PoolAnswer { replicas, layout, precision, engine, node, cache_tokens, utilisation, .. } = pool;
    format!(
        "{role}{replicas} × {layout}, {precision}, {engine} ({} scheduler), {node}; cache of {cache_tokens} tokens; busy {:.0} % of the time.",
        pool.scheduler,
        100.0 * utilisation
    )
}

fn title(answer: &SimulateAnswer) -> String {
    let chips: Vec<String> =
        answer.pools.iter().map(|pool| format!("{} × {}", pool.chips, pool.title)).collect();
    format!(
        "{} on {}: {} requests in {:.1} s",
        answer.model,
        chips.join(" and "),
        answer.requests,
        answer.duration_s
    )
}

fn latencies(answer: &SimulateAnswer) -> Table {
    let mut table = Table::side_by_side(["mean", "P50", "P90", "P99"]).title(title(answer));
    let mut row = |name: &str, latency: &Latency| {
        let Latency { mean, p50, p90, p99 } = *latency;
        table.metric(name, "ms", [mean, p50, p90, p99].map(Cell::number));
    };
    row("TTFT", &answer.ttft_ms);
    row("TPOT", &answer.tpot_ms);
    row("between tokens (ITL)", &answer.itl_ms);
    row("whole request", &answer.e2e_ms);
    row("until first step", &answer.queue_ms);
    table
}

fn throughput(answer: &SimulateAnswer) -> Vec<(&'static str, &'static str, Cell)> {
    vec![
        ("requests", "1/s", Cell::number(answer.requests_per_s)),
        ("output", "token/s", Cell::number(answer.output_tokens_per_s)),
        ("output per chip", "token/s", Cell::number(answer.output_tokens_per_s_per_chip)),
        ("input", "token/s", Cell::number(answer.input_tokens_per_s)),
        ("goodput", "1/s", Cell::number(answer.goodput_per_s)),
        ("requests within the service level", "", Cell::share(answer.slo_attainment)),
    ]
}

fn cache(answer: &SimulateAnswer) -> Vec<(&'static str, &'static str, Cell)> {
    vec![
        ("mean waiting", "", Cell::number(answer.mean_waiting)),
        ("mean in the service", "", Cell::number(answer.mean_in_flight)),
        ("fullest KV cache", "", Cell::share(answer.kv_peak_share)),
        ("prompt tokens found in the cache", "", Cell::share(answer.cache_hit_rate)),
        ("preemptions", "", Cell::number(answer.preemptions as f64)),
        ("turned away", "", Cell::number(answer.rejected as f64)),
    ]
}

fn money(answer: &SimulateAnswer) -> Vec<(&'static str, &'static str, Cell)> {
    vec![
        ("energy, hosts included", "kJ", Cell::number(answer.energy_j / 1e3)),
        ("mean power", "W", Cell::number(answer.mean_power_w)),
        ("energy per output token", "J", Cell::number(answer.energy_per_token_j)),
        ("cost", "USD", Cell::from(answer.cost_usd.map(Cell::number))),
        ("10⁶ output tokens", "USD", Cell::from(answer.cost_per_million_output_usd.map(Cell::number))),
    ]
}

/// The whole answer as one page with its figures over time.
pub fn page(answer: &SimulateAnswer) -> Page {
    let series = &answer.series;
    let line = |values: &[f64], name: &str, axis: Axis, rules: Vec<Rule>| {
        over_time(series, &[(name, values)], axis, rules)
    };
    let figures = [
        Figure::new(
            "Requests",
            "How many requests wait and run: a queue that keeps growing means more traffic than the service can take.",
            over_time(
                series,
                &[("waiting", &series.waiting), ("running", &series.running)],
                Axis::linear("requests", ""),
                Vec::new(),
            ),
        ),
        Figure::new(
            "Tokens",
            "Tokens made, and prompt tokens computed, per second.",
            over_time(
                series,
                &[("output", &series.output_tokens_per_s), ("prompt", &series.prompt_tokens_per_s)],
                Axis::linear("rate", "token/s"),
                Vec::new(),
            ),
        ),
        Figure::new(
            "KV cache",
            "Share of the KV blocks in use. Near one, requests wait for room or are preempted.",
            line(
                &series.kv_share,
                "blocks in use",
                Axis { range: Some((0.0, 1.0)), ..Axis::linear("share", "") },
                Vec::new(),
            ),
        ),
        Figure::new(
            "Power",
            "Power of all chips with their share of hosts, fans and NICs.",
            line(
                &series.power_w,
                "power",
                Axis::linear("power", "W"),
                vec![Rule::Y(answer.mean_power_w, "mean".to_owned())],
            ),
        ),
    ];
    let mut blocks: Vec<Block> = tables(answer).into_iter().map(Block::Table).collect();
    blocks.extend(figures.into_iter().map(Block::Figure));
    Page {
        title: title(answer),
        subtitle: format!("simulated request by request; routing {}", answer.routing),
        blocks,
        ..Page::default()
    }
}

/// Lines over the buckets of a series, each at the middle of its bucket.
fn over_time(series: &TimeSeries, lines: &[(&str, &[f64])], axis: Axis, rules: Vec<Rule>) -> Plot {
    let each = lines.iter().map(|(name, values)| {
        let points = values.iter().enumerate();
        let points =
            points.map(|(bucket, value)| Point::new((bucket as f64 + 0.5) * series.bucket_s, *value));
        Series::new(*name, Mark::Line, points)
    });
    Plot::Xy(Xy { x: Axis::linear("time", "s"), y: axis, series: each.collect(), rules })
}

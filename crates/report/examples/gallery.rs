//! Writes `gallery.html` and one SVG a figure into the folder named as the argument: every kind of table and figure,
//! with made-up values, to look at after a change to a renderer.

use vitruvian_report::figure::{Roof, Roofline};
use vitruvian_report::{
    Axis, Bar, Bars, Block, Cell, Column, Figure, Mark, Page, Plot, Point, Rule, Series, Table, Tone, Xy,
    html, svg,
};

fn main() -> std::io::Result<()> {
    let folder = std::path::PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let figures = [pareto(), rooflines(), breakdown()];
    for (index, figure) in figures.iter().enumerate() {
        std::fs::write(folder.join(format!("figure-{index}.svg")), svg::document(figure))?;
    }
    let blocks = [Block::Heading("Side by side".to_owned()), Block::Table(comparison())];
    let blocks = blocks.into_iter().chain(figures.map(Block::Figure));
    let blocks = blocks.chain([Block::Heading("Operators".to_owned()), Block::Table(operators())]);
    let page = Page {
        title: "Chip A against Chip B for a 32B model".to_owned(),
        subtitle: "ISL 4096 · OSL 1024 · TTFT ≤ 2 s · TPOT ≤ 50 ms · 8 chips each · made-up values".to_owned(),
        summary: vec![
            "Chip A serves 1.6 times the tokens per second and chip, because decode is bound by memory and it has 2.5 \
             times the bandwidth. Chip B answers a prompt sooner: prefill is bound by compute."
                .to_owned(),
        ],
        blocks: blocks.chain([Block::Code("serve model --tensor-parallel-size 4 \\\n  --max-num-seqs 64".to_owned())]).collect(),
        footer: vec!["Made by the gallery of the report crate.".to_owned()],
    };
    std::fs::write(folder.join("gallery.html"), html::render(&page))
}

fn comparison() -> Table {
    let mut table = Table::side_by_side(["chip A", "chip B"]);
    table.section("Deployment");
    table.metric("layout", "", [Cell::text("TP2 × DP4"), Cell::text("TP8")]);
    table.metric("precision", "", [Cell::text("fp8, KV fp8"), Cell::text("w8a8, KV bf16")]);
    table.section("Latency");
    table.metric(
        "TTFT",
        "ms",
        [Cell::range(1412.0, 1280.0, 1650.0), Cell::range(812.0, 700.0, 990.0).tone(Tone::Good)],
    );
    table.metric(
        "TPOT",
        "ms",
        [Cell::range(21.4, 19.8, 23.4).tone(Tone::Good), Cell::range(48.2, 41.0, 57.0)],
    );
    table.section("Throughput");
    let rates = [Cell::range(1523.0, 1400.0, 1690.0).tone(Tone::Good), Cell::range(934.0, 800.0, 1100.0)];
    table.metric("output tokens/s per chip", "", rates);
    table.metric("memory free", "GB", [Cell::number(31.2), Cell::number(-3.1).tone(Tone::Bad)]);
    table.note("Small figures are P10–P90; green is the better one.");
    table
}

fn operators() -> Table {
    let mut table = Table::new([
        Column::name("operator"),
        Column::number("count", ""),
        Column::number("time", "µs"),
        Column::number("share", ""),
        Column::text("bound"),
        Column::detail("why"),
    ]);
    for (name, share) in
        [("gate_up", 0.34), ("down", 0.17), ("attention", 0.28), ("qkv", 0.09), ("norm", 0.02)]
    {
        table.row([
            Cell::text(name),
            Cell::integer(64),
            Cell::number(share * 21_400.0),
            Cell::share(share),
            Cell::text("memory"),
            Cell::text("reads its weights once for each step"),
        ]);
    }
    table
}

fn pareto() -> Figure {
    let front = |name: &str, scale: f64| {
        let points = (1..=9).map(|step| {
            let speed = 12.0 * f64::from(step) * scale.sqrt();
            let rate = scale * 2400.0 / (1.0 + (speed / 40.0).powi(2));
            let point = Point::new(speed, rate).interval(rate * 0.88, rate * 1.14);
            if step % 4 == 1 { point.label(format!("TP{} b{}", step.min(8), 256 / step)) } else { point }
        });
        Series::new(name, Mark::Front, points)
    };
    let xy = Xy {
        x: Axis::linear("tokens/s per user", ""),
        y: Axis::linear("output tokens/s per chip", ""),
        series: vec![front("chip A", 1.0), front("chip B", 0.6)],
        rules: vec![Rule::X(20.0, "TPOT ≤ 50 ms".to_owned())],
    };
    let caption = "Each point is a deployment that no other beats in both. Up and right is better; whiskers are P10–P90.";
    Figure::new("Throughput against speed", caption, Plot::Xy(xy))
}

fn rooflines() -> Figure {
    let roofline = |memory: f64, roofs: &[(&str, f64)]| {
        let peak = roofs.iter().map(|roof| roof.1).fold(0.0, f64::max);
        Roofline {
            roofs: roofs
                .iter()
                .map(|&(name, rate)| Roof { name: name.to_owned(), teraflops_per_second: rate })
                .collect(),
            memory: "HBM".to_owned(),
            terabytes_per_second: memory,
            operators: vec![
                operator_points("prefill", 30.0, memory, peak),
                operator_points("decode", 1.0, memory, peak),
            ],
        }
        .plot()
    };
    let panels = [
        ("chip A".to_owned(), roofline(4.0, &[("fp8", 296.0), ("bf16", 148.0), ("vector", 44.0)])),
        ("chip B".to_owned(), roofline(1.6, &[("int8", 640.0), ("bf16", 320.0), ("vector", 11.0)])),
    ];
    let caption = "Area is the share of the step's time. Operators on the slope wait for memory, those under the level for compute.";
    Figure::of_panels("Rooflines with the model's operators", caption, panels)
}

fn operator_points(name: &str, batch: f64, memory: f64, peak: f64) -> Series {
    let operators = [
        ("gate_up", 31.0, 0.34),
        ("down", 30.0, 0.17),
        ("attention", 8.0, 0.28),
        ("qkv", 28.0, 0.09),
        ("o_proj", 27.0, 0.07),
        ("norm", 0.7, 0.02),
        ("lm_head", 33.0, 0.03),
    ];
    let points = operators.map(|(label, intensity, share)| {
        let x = intensity * batch;
        Point::new(x, 0.8 * peak.min(memory * x)).label(label).weight(share)
    });
    Series::new(name, Mark::Points, points)
}

fn breakdown() -> Figure {
    let parts = |label: &str, total: f64, shares: &[(&str, f64)]| {
        Bar::new(label, shares.iter().map(|&(name, share)| (name.to_owned(), share * total)))
    };
    let shares_a = [
        ("attention", 0.28),
        ("dense GEMM", 0.42),
        ("all-reduce", 0.12),
        ("norm", 0.08),
        ("head", 0.06),
        ("host", 0.04),
    ];
    let shares_b = [
        ("attention", 0.22),
        ("dense GEMM", 0.33),
        ("all-reduce", 0.25),
        ("norm", 0.1),
        ("head", 0.06),
        ("host", 0.04),
    ];
    let panel = |title: &str, unit: &str, totals: [f64; 2]| {
        let bars = vec![parts("chip A", totals[0], &shares_a), parts("chip B", totals[1], &shares_b)];
        (
            title.to_owned(),
            Plot::Bars(Bars { axis: Axis::linear(&format!("time of a {title} step"), unit), bars }),
        )
    };
    let panels = [panel("prefill", "ms", [412.0, 240.0]), panel("decode", "ms", [21.4, 48.2])];
    Figure::of_panels("Where the time goes", "Shares of each step by kind of operator.", panels)
}

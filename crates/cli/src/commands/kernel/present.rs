//! A run of a kernel as tables, text and JSON.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_davinci::Machine;
use vitruvian_davinci::answer::{Answer as Run, KERNELS, timeline};
use vitruvian_report::{Block, Column, Page, Table};

use crate::answer::Answer;

/// Stalls that a table shows.
const STALLS: usize = 8;

/// Characters of a timeline.
const WIDTH: usize = 96;

/// A run, as `--format json` gives it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Shown {
    kernel: String,
    chip: String,
    cycles: u64,
    time_us: f64,
    tflop_per_s: f64,
    peak_share: f64,
    utilisation: Vec<Pipe>,
    stalls: Vec<Stall>,
    l2_bytes: u64,
    hbm_bytes: u64,
    instructions: u64,
    reason: String,
    tiling: Option<Tiling>,
}

/// How much of the run a pipe was occupied, over the cores that used it.
#[derive(Debug, Serialize, JsonSchema)]
struct Pipe {
    pipe: &'static str,
    share: f64,
}

/// How much of the run a pipe stood still for one cause.
#[derive(Debug, Serialize, JsonSchema)]
struct Stall {
    pipe: &'static str,
    cause: &'static str,
    share: f64,
}

/// The tiling that a search chose.
#[derive(Debug, Serialize, JsonSchema)]
struct Tiling {
    m: u32,
    n: u32,
    k_l1: u32,
    k_l0: u32,
    split_k: u32,
    swizzle: u32,
    considered: usize,
    legal: usize,
    legality: Vec<String>,
}

pub(super) fn run(machine: &Machine, run: &Run, with_timeline: bool) -> Answer {
    let shown = shown(machine, run);
    let mut blocks = vec![Block::Table(table(&shown)), Block::Text(format!("Why: {}.", shown.reason))];
    blocks.extend(shown.tiling.as_ref().map(|tiling| Block::Text(explained(tiling))));
    if with_timeline {
        blocks.push(Block::Code(drawn(run)));
    }
    Answer::new(Page { blocks, ..Page::default() }, &shown)
}

fn shown(machine: &Machine, run: &Run) -> Shown {
    let pipe =
        |(pipe, share): &(vitruvian_davinci::isa::Pipe, f64)| Pipe { pipe: pipe.name(), share: *share };
    let stalls = run.stalls.iter().map(|(pipe, cause, share)| Stall {
        pipe: pipe.name(),
        cause: cause.name(),
        share: *share,
    });
    let tiling = run.search.as_ref().map(|found| Tiling {
        m: found.tiling.m,
        n: found.tiling.n,
        k_l1: found.tiling.k_l1,
        k_l0: found.tiling.k_l0,
        split_k: found.tiling.split_k,
        swizzle: found.tiling.swizzle,
        considered: found.considered,
        legal: found.legal,
        legality: found.legality.iter().map(ToString::to_string).collect(),
    });
    Shown {
        kernel: run.kernel.name.clone(),
        chip: machine.chip.clone(),
        cycles: run.cycles,
        time_us: run.time.in_unit("us"),
        tflop_per_s: run.tflops,
        peak_share: run.peak_share,
        utilisation: run.utilisation.iter().map(pipe).collect(),
        stalls: stalls.collect(),
        l2_bytes: run.report.l2_bytes,
        hbm_bytes: run.report.hbm_bytes,
        instructions: run.report.instructions,
        reason: run.reason.clone(),
        tiling,
    }
}

fn table(shown: &Shown) -> Table {
    let mut table = Table::new([Column::name("figure"), Column::number("value", ""), Column::detail("unit")]);
    let mut line = |name: &str, value: f64, unit: &str| {
        table.row([name.into(), value.into(), unit.into()] as [vitruvian_report::Cell; 3]);
    };
    line("time, launch included", shown.time_us, "µs");
    line("cycles", shown.cycles as f64, "");
    line("rate", shown.tflop_per_s, "TFLOP/s");
    line("of the cube's peak", shown.peak_share * 100.0, "%");
    for pipe in &shown.utilisation {
        line(&format!("{} occupied", pipe.pipe), pipe.share * 100.0, "%");
    }
    for stall in shown.stalls.iter().take(STALLS) {
        line(&format!("{} waits: {}", stall.pipe, stall.cause), stall.share * 100.0, "%");
    }
    line("moved over L2", shown.l2_bytes as f64 / 1e6, "MB");
    line("moved over HBM", shown.hbm_bytes as f64 / 1e6, "MB");
    table.title(format!("{} on {}", shown.kernel, shown.chip))
}

fn explained(tiling: &Tiling) -> String {
    let Tiling { m, n, k_l1, k_l0, split_k, swizzle, considered, legal, legality } = tiling;
    let limits = legality.join("; ");
    format!(
        "Tiling: blocks of {m} x {n}, chunks of {k_l1} in L1, steps of {k_l0} in L0, K in {split_k}, bands of {swizzle} block columns; \
         {legal} of {considered} candidates fit ({limits})."
    )
}

fn drawn(run: &Run) -> String {
    let group = run.kernel.cores.first().map_or(0, |core| core.group);
    let cores = run.kernel.cores.iter().take_while(|core| core.group == group).count() as u32;
    let lanes = timeline(&run.report.events, run.cycles, cores.max(1), WIDTH);
    let lines = lanes.iter().map(|lane| format!("{:2} {:9} |{}|", lane.core, lane.pipe.name(), lane.cells));
    lines.map(|line| line + "\n").collect()
}

pub(super) fn list() -> Answer {
    let mut table = Table::new([Column::name("kernel"), Column::text("computes")]);
    KERNELS.iter().for_each(|(name, what)| table.row([*name, *what]));
    Answer::table(table, &KERNELS)
}

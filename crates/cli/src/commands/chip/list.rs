//! `vitruvian chip list`: one line a chip.

use schemars::JsonSchema;
use serde::Serialize;
use vitruvian_diagnostics::Diagnostics;
use vitruvian_hardware::{Chip, Status, catalog};
use vitruvian_quantity::{Bytes, Dtype};
use vitruvian_report::{Cell, Column, Row, Table, Tone};

use crate::answer::Answer;

/// The main figures of a chip, as `--format json` gives them.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Line {
    name: String,
    title: String,
    vendor: &'static str,
    architecture: &'static str,
    status: &'static str,
    dense_16_bit_tflop_per_s: f64,
    dense_8_bit_tflop_per_s: f64,
    memory_gb: f64,
    bandwidth_tb_per_s: f64,
    links_gb_per_s: f64,
    power_cap_w: f64,
}

pub(super) fn run() -> Result<Answer, Diagnostics> {
    let chips: Vec<Chip> = catalog::names().map(catalog::chip).collect::<Result<_, _>>()?;
    let lines: Vec<Line> = chips.iter().map(line).collect();
    Ok(Answer::table(table(&lines), &lines))
}

fn line(chip: &Chip) -> Line {
    Line {
        name: chip.name.clone(),
        title: chip.title.clone(),
        vendor: chip.vendor.name(),
        architecture: chip.architecture.name(),
        status: chip.status.name(),
        dense_16_bit_tflop_per_s: peak(chip, &[Dtype::Bf16, Dtype::Fp16]),
        dense_8_bit_tflop_per_s: peak(chip, &[Dtype::Fp8, Dtype::Int8]),
        memory_gb: chip.hbm.capacity.in_unit("GB"),
        bandwidth_tb_per_s: chip.hbm.bandwidth.in_unit("TB/s"),
        links_gb_per_s: chip.scale_up.bandwidth.in_unit("GB/s"),
        power_cap_w: chip.power.cap.get(),
    }
}

/// The best dense matrix peak of several formats, in TFLOP/s; zero if the chip multiplies none of them.
fn peak(chip: &Chip, dtypes: &[Dtype]) -> f64 {
    dtypes.iter().map(|dtype| chip.matrix_peak(*dtype).in_unit("TFLOP/s")).fold(0.0, f64::max)
}

fn table(lines: &[Line]) -> Table {
    let mut table = Table::new([
        Column::name("chip"),
        Column::text("architecture"),
        Column::number("16-bit", "TFLOP/s"),
        Column::number("8-bit", "TFLOP/s"),
        Column::number("memory", "GiB"),
        Column::number("bandwidth", "TB/s"),
        Column::number("links", "GB/s"),
        Column::number("power", "W"),
        Column::detail("title"),
    ]);
    for line in lines {
        table.push(row(line));
    }
    table.note(
        "Dense matrix peaks at the nominal clock; links are all scale-up links of a chip, per direction.",
    );
    let plans: Vec<&str> = lines.iter().filter(|line| !ships(line)).map(|line| line.name.as_str()).collect();
    if !plans.is_empty() {
        table.note(format!("Announced, not shipping, with figures that are plans: {}.", plans.join(", ")));
    }
    table
}

fn row(line: &Line) -> Row {
    let row = Row::new([
        Cell::text(&line.name),
        Cell::text(line.architecture),
        positive(line.dense_16_bit_tflop_per_s),
        positive(line.dense_8_bit_tflop_per_s),
        Cell::number(Bytes::new(line.memory_gb * 1e9).in_unit("GiB")),
        Cell::number(line.bandwidth_tb_per_s),
        positive(line.links_gb_per_s),
        Cell::number(line.power_cap_w),
        Cell::text(&line.title),
    ]);
    row.tone(if ships(line) { Tone::Plain } else { Tone::Dim })
}

fn ships(line: &Line) -> bool {
    line.status == Status::Shipping.name()
}

/// A dash where the chip has none of it.
fn positive(value: f64) -> Cell {
    if value > 0.0 { Cell::number(value) } else { Cell::text("–") }
}

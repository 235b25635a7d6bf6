//! The figures of a comparison.

use std::collections::BTreeMap;

use vitruvian_report::{Axis, Bar, Bars, Figure, Mark, Plot, Point, Roof, Roofline, Rule, Series, Xy};

use crate::answer::{ChipAnswer, CompareAnswer, OperatorShare};

/// Throughput per chip against speed per user, one front a chip; dashed where the targets are set aside.
pub(super) fn fronts(answer: &CompareAnswer) -> Figure {
    let series = answer.chips.iter().map(|chip| {
        let points = chip.unbound_front.iter().map(|point| {
            Point::new(point.output_tokens_per_s_per_user, point.output_tokens_per_s_per_chip)
                .label(&*point.deployment)
        });
        Series::new(&*chip.title, Mark::Front, points)
    });
    let target = answer.question.tpot_ms.map(|tpot| Rule::X(1e3 / tpot, "TPOT target".to_owned()));
    let plot = Xy {
        x: Axis::linear("speed of one user", "token/s"),
        y: Axis::linear("output per chip", "token/s"),
        series: series.collect(),
        rules: target.into_iter().collect(),
    };
    Figure::new(
        "Throughput against speed",
        "Each step is a deployment that no other of the same chip beats in both; right of the target line users are served fast enough, and higher is cheaper.",
        Plot::Xy(plot),
    )
}

/// One roofline a chip with the operators of prefill and decode.
pub(super) fn rooflines(answer: &CompareAnswer) -> Figure {
    let panels = answer.chips.iter().map(|chip| (chip.title.clone(), roofline(chip).plot()));
    Figure::of_panels(
        "Rooflines",
        "Operators of one prompt's prefill and of one decode step under the roofs of each chip; the larger the mark, the more of the step's time. What stands far below its roof waits for launches, links or too few tiles.",
        panels,
    )
}

fn roofline(chip: &ChipAnswer) -> Roofline {
    let shown = ["bf16", "fp16", "fp8", "int8"];
    let mut roofs: Vec<Roof> = Vec::new();
    for peak in chip.roofline.peaks.iter().filter(|peak| shown.contains(&peak.dtype.as_str())) {
        let rate = peak.flop_per_s / 1e12;
        match roofs.iter_mut().find(|roof| roof.teraflops_per_second == rate) {
            Some(roof) => roof.name = format!("{}, {}", roof.name, peak.dtype),
            None => roofs.push(Roof { name: peak.dtype.clone(), teraflops_per_second: rate }),
        }
    }
    Roofline {
        roofs,
        memory: "HBM".to_owned(),
        terabytes_per_second: chip.roofline.bandwidth_bytes_per_s / 1e12,
        operators: vec![
            Series::new("prefill", Mark::Points, points(&chip.prefill)),
            Series::new("decode", Mark::Points, points(&chip.decode)),
        ],
    }
}

fn points(operators: &[OperatorShare]) -> Vec<Point> {
    let on_chip = operators.iter().filter(|op| op.flop > 0.0 && op.bytes > 0.0);
    on_chip
        .map(|op| {
            Point::new(op.flop / op.bytes, op.flop_per_s / 1e12)
                .label(&*op.operator)
                .weight(op.share.clamp(0.0, 1.0))
        })
        .collect()
}

/// Where the time of prefill and decode goes, a bar a chip.
pub(super) fn breakdown(answer: &CompareAnswer) -> Figure {
    let panel = |title: &str, operators: fn(&ChipAnswer) -> &[OperatorShare]| {
        let bars =
            answer.chips.iter().map(|chip| Bar::new(&*chip.title, segments(operators(chip)))).collect();
        (title.to_owned(), Plot::Bars(Bars { axis: Axis::linear("time", "ms"), bars }))
    };
    Figure::of_panels(
        "Where the time goes",
        "Device time of one prompt's prefill and of one decode step of the deployments above, by operator.",
        [panel("prefill", |chip| &chip.prefill), panel("decode step", |chip| &chip.decode)],
    )
}

/// Operators in the groups that a reader tells apart.
fn segments(operators: &[OperatorShare]) -> Vec<(String, f64)> {
    let mut groups: BTreeMap<usize, f64> = BTreeMap::new();
    for operator in operators {
        *groups.entry(group(&operator.operator)).or_default() += operator.total_us / 1e3;
    }
    groups.into_iter().map(|(index, time)| (GROUPS[index].0.to_owned(), time)).collect()
}

/// Group names, and the parts of an operator's name that put it there; the last takes the rest.
const GROUPS: [(&str, &[&str]); 7] = [
    ("experts", &["expert"]),
    ("dense FFN", &["gate", "up_proj", "down", "ffn", "mlp"]),
    (
        "communication",
        &[
            "all_reduce",
            "all_gather",
            "reduce_scatter",
            "all_to_all",
            "dispatch",
            "combine",
            "send",
            "allreduce",
        ],
    ),
    ("head", &["lm_head", "sampling", "embedding", "logits"]),
    ("projections", &["proj", "kv_b", "q_b", "absorb"]),
    ("attention", &["attention", "attn", "mla", "indexer", "delta", "mamba", "linear"]),
    ("norms and other vector work", &[]),
];

fn group(name: &str) -> usize {
    let last = GROUPS.len() - 1;
    (0..last).find(|&index| GROUPS[index].1.iter().any(|part| name.contains(part))).unwrap_or(last)
}

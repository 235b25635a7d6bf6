//! Which chip wins where, and why: sentences made of the figures of the answer.

use vitruvian_quantity::three;

use crate::answer::{ChipAnswer, Deployment, Question, Range};

/// A figure on which chips are compared.
struct Contest {
    what: &'static str,
    verb: &'static str,
    larger_wins: bool,
    figure: fn(&Deployment) -> Option<Range>,
}

const CONTESTS: [Contest; 4] = [
    Contest {
        what: "output tokens per second and chip",
        verb: "gives",
        larger_wins: true,
        figure: |d| Some(d.output_tokens_per_s_per_chip),
    },
    Contest {
        what: "the time per output token",
        verb: "takes",
        larger_wins: false,
        figure: |d| Some(d.tpot_ms),
    },
    Contest {
        what: "the energy of an output token",
        verb: "takes",
        larger_wins: false,
        figure: |d| Some(d.energy_per_token_j),
    },
    Contest {
        what: "the money for an output token",
        verb: "takes",
        larger_wins: false,
        figure: |d| d.cost_per_million_output_usd,
    },
];

/// One paragraph as sentences: who meets the targets, who wins what, and which resource decides.
pub fn reasons(question: &Question, chips: &[ChipAnswer]) -> Vec<String> {
    let mut sentences = unmet(chips);
    let able: Vec<(&ChipAnswer, &Deployment)> =
        chips.iter().filter_map(|chip| chip.best.as_ref().map(|best| (chip, best))).collect();
    let Some((first, others)) = able.split_first() else { return sentences };
    for other in others {
        sentences.extend(CONTESTS.iter().filter_map(|contest| verdict(contest, *first, *other)));
        sentences.push(decode_reason(*first, *other));
        sentences.push(prefill_reason(*first, *other));
        sentences.extend(memory_reason(*first, *other));
    }
    if others.is_empty() {
        sentences.push(alone(*first));
    }
    sentences.extend(leave_out(question));
    sentences
}

fn unmet(chips: &[ChipAnswer]) -> Vec<String> {
    let failing = chips.iter().filter_map(|chip| chip.closest.as_ref().map(|closest| (chip, closest)));
    failing
        .map(|(chip, closest)| {
            format!(
                "Nothing on {} meets the question; the closest is {}, stopped by: {}.",
                chip.title, closest.candidate, closest.stops
            )
        })
        .collect()
}

fn verdict(
    contest: &Contest,
    a: (&ChipAnswer, &Deployment),
    b: (&ChipAnswer, &Deployment),
) -> Option<String> {
    let (x, y) = ((contest.figure)(a.1)?, (contest.figure)(b.1)?);
    let a_wins = (x.p50 >= y.p50) == contest.larger_wins;
    let (winner, loser, ratio) = if a_wins { (a.0, b.0, x.p50 / y.p50) } else { (b.0, a.0, y.p50 / x.p50) };
    let doubt = if overlap(&x, &y) { ", though their P10–P90 overlap" } else { "" };
    let ratio = three(ratio);
    Some(format!(
        "{} {} {ratio} times {} of {}{doubt}.",
        winner.title, contest.verb, contest.what, loser.title
    ))
}

fn overlap(a: &Range, b: &Range) -> bool {
    a.p10 <= b.p90 && b.p10 <= a.p90
}

fn decode_reason(a: (&ChipAnswer, &Deployment), b: (&ChipAnswer, &Deployment)) -> String {
    if a.1.decode_bound == b.1.decode_bound {
        return format!(
            "Decode is bound by {} on both{}.",
            a.1.decode_bound,
            resources(&a.1.decode_bound, a, b)
        );
    }
    format!(
        "Decode is bound by {} on {} and by {} on {}{}.",
        a.1.decode_bound,
        a.0.title,
        b.1.decode_bound,
        b.0.title,
        resources(&a.1.decode_bound, a, b)
    )
}

fn prefill_reason(a: (&ChipAnswer, &Deployment), b: (&ChipAnswer, &Deployment)) -> String {
    format!(
        "Prefill takes {:.0} % of the time on {} (bound by {}) and {:.0} % on {} (bound by {}){}.",
        100.0 * a.1.prefill_share,
        a.0.title,
        a.1.prefill_bound,
        100.0 * b.1.prefill_share,
        b.0.title,
        b.1.prefill_bound,
        resources(&a.1.prefill_bound, a, b)
    )
}

/// What the two chips have of the resource that binds.
fn resources(bound: &str, a: (&ChipAnswer, &Deployment), b: (&ChipAnswer, &Deployment)) -> String {
    match bound {
        "HBM" | "latency" => format!(
            ": {} TB/s against {} TB/s",
            three(a.0.roofline.bandwidth_bytes_per_s / 1e12),
            three(b.0.roofline.bandwidth_bytes_per_s / 1e12)
        ),
        "matrix" => format!(": {} against {}", fastest(a.0), fastest(b.0)),
        _ => String::new(),
    }
}

fn fastest(chip: &ChipAnswer) -> String {
    let peaks = chip
        .roofline
        .peaks
        .iter()
        .filter(|peak| ["bf16", "fp16", "fp8", "int8"].contains(&peak.dtype.as_str()));
    let peak = peaks.max_by(|x, y| x.flop_per_s.total_cmp(&y.flop_per_s));
    peak.map_or_else(String::new, |peak| format!("{} TFLOP/s {}", three(peak.flop_per_s / 1e12), peak.dtype))
}

/// Which chip holds more sequences, where memory decides the batch.
fn memory_reason(a: (&ChipAnswer, &Deployment), b: (&ChipAnswer, &Deployment)) -> Option<String> {
    let sequences = |d: &Deployment| f64::from(d.batch * d.replicas);
    let (x, y) = (sequences(a.1), sequences(b.1));
    let (more, less, ratio) = if x >= y { (a, b, x / y) } else { (b, a, y / x) };
    let gigabytes = |d: &Deployment| d.memory_used_gb + d.memory_free_gb;
    (ratio >= 1.5).then(|| {
        format!(
            "{} keeps {} sequences running against {}: {} GB a chip against {} GB.",
            more.0.title,
            three(sequences(more.1)),
            three(sequences(less.1)),
            three(gigabytes(more.1)),
            three(gigabytes(less.1))
        )
    })
}

fn alone((chip, best): (&ChipAnswer, &Deployment)) -> String {
    format!(
        "{} is bound by {} in decode and by {} in prefill, which takes {:.0} % of the time.",
        chip.title,
        best.decode_bound,
        best.prefill_bound,
        100.0 * best.prefill_share
    )
}

fn leave_out(question: &Question) -> Option<String> {
    let parts = question.left_out.join(", ");
    (!parts.is_empty()).then(|| format!("Held in memory but not costed: {parts}."))
}

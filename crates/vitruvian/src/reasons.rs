//! Which chip wins where, and why: sentences made of the figures of the answer alone.

mod amount;
mod resource;

use vitruvian_quantity::three;

use crate::answer::{ChipAnswer, Deployment, Question};
use amount::{amounts, compared};
use resource::{bound, contrast};

/// A chip that meets the targets, under the name that sentences use.
#[derive(Clone, Copy)]
struct Able<'a> {
    name: &'a str,
    chip: &'a ChipAnswer,
    best: &'a Deployment,
}

/// One paragraph as sentences: who misses the targets, what binds each phase, and what follows from it.
pub(crate) fn reasons(question: &Question, chips: &[ChipAnswer]) -> Vec<String> {
    let names = short_names(chips);
    let mut sentences: Vec<String> =
        chips.iter().zip(&names).filter_map(|(chip, name)| unmet(chip, name)).collect();
    let able: Vec<Able<'_>> = chips
        .iter()
        .zip(&names)
        .filter_map(|(chip, name)| chip.best.as_ref().map(|best| Able { name, chip, best }))
        .collect();
    match able.split_first() {
        None => {}
        Some((one, [])) => sentences.push(alone(*one)),
        Some((first, others)) => others.iter().for_each(|other| sentences.extend(pair(*first, *other))),
    }
    sentences.extend(left_out(question));
    sentences
}

/// `H20` of `NVIDIA H20 96 GB`: the first word with letters and digits, a what-if's own name, the whole title in doubt.
fn short_names(chips: &[ChipAnswer]) -> Vec<String> {
    let short = |chip: &ChipAnswer| {
        if chip.title.starts_with(&format!("{} (", chip.chip)) {
            return chip.chip.clone();
        }
        let named = |word: &&str| word.contains(char::is_alphabetic) && word.contains(char::is_numeric);
        chip.title.split_whitespace().find(named).unwrap_or(&chip.title).to_owned()
    };
    let names: Vec<String> = chips.iter().map(short).collect();
    let twice = names.iter().enumerate().any(|(index, name)| names[..index].contains(name));
    if twice { chips.iter().map(|chip| chip.title.clone()).collect() } else { names }
}

fn unmet(chip: &ChipAnswer, name: &str) -> Option<String> {
    let closest = chip.closest.as_ref()?;
    Some(format!("Nothing on {name} meets the targets; closest is {}: {}.", closest.candidate, closest.stops))
}

fn alone(Able { name, chip, best }: Able<'_>) -> String {
    format!(
        "Decode on {name} is bound by {}; prefill, {} of the time, by {}.",
        bound(&best.decode_bound, chip, best),
        percent(best.prefill_share),
        bound(&best.prefill_bound, chip, best)
    )
}

/// What binds the two chips, then what comes of it.
fn pair(first: Able<'_>, other: Able<'_>) -> Vec<String> {
    let (winner, loser) = by_output(first, other);
    let mut sentences = vec![decode(winner, loser), prefill(winner, loser)];
    sentences.extend(memory(winner, loser));
    sentences.push(output(winner, loser));
    sentences.push(token(winner, loser));
    sentences
}

fn by_output<'a>(a: Able<'a>, b: Able<'a>) -> (Able<'a>, Able<'a>) {
    let rate = |able: Able<'_>| able.best.output_tokens_per_s_per_chip.p50;
    if rate(b) > rate(a) { (b, a) } else { (a, b) }
}

fn decode(a: Able<'_>, b: Able<'_>) -> String {
    format!("Decode is bound by {}.", contrast(a, b, |best| best.decode_bound.as_str()))
}

fn prefill(a: Able<'_>, b: Able<'_>) -> String {
    let (share, other) = (percent(a.best.prefill_share), percent(b.best.prefill_share));
    let time = if share == other {
        format!("{share} of the time on both")
    } else {
        format!("{share} of the time on {} and {other} on {}", a.name, b.name)
    };
    format!("Prefill, {time}, is bound by {}.", contrast(a, b, |best| best.prefill_bound.as_str()))
}

/// Free memory below this share of all is what engines leave unused: the cache is full.
const FULL: f64 = 0.15;

/// Which chip holds more sequences, where memory sets the limit of the one that holds fewer.
fn memory(a: Able<'_>, b: Able<'_>) -> Option<String> {
    let sequences = |able: Able<'_>| f64::from(able.best.batch * able.best.replicas);
    let gigabytes = |able: Able<'_>| able.best.memory_used_gb + able.best.memory_free_gb;
    let (more, less) = if sequences(a) >= sequences(b) { (a, b) } else { (b, a) };
    let limited = less.best.memory_free_gb < FULL * gigabytes(less) && gigabytes(more) > gigabytes(less);
    limited.then(|| {
        format!(
            "Memory is full on {} at {} sequences with {} GB a chip; {} runs {} with {} GB.",
            less.name,
            sequences(less),
            three(gigabytes(less)),
            more.name,
            sequences(more),
            three(gigabytes(more))
        )
    })
}

fn output(a: Able<'_>, b: Able<'_>) -> String {
    let (x, y) = (a.best.output_tokens_per_s_per_chip, b.best.output_tokens_per_s_per_chip);
    format!(
        "In all, {} gives {} {} ({} against {} token/s).",
        a.name,
        compared(x, y, "output per chip"),
        b.name,
        three(x.p50),
        three(y.p50)
    )
}

fn token(a: Able<'_>, b: Able<'_>) -> String {
    let mut figures = vec![
        ("time", a.best.tpot_ms, b.best.tpot_ms),
        ("energy", a.best.energy_per_token_j, b.best.energy_per_token_j),
    ];
    let money = a.best.cost_per_million_output_usd.zip(b.best.cost_per_million_output_usd);
    figures.extend(money.map(|(x, y)| ("money", x, y)));
    format!("Against {}, each output token on {} takes {}.", b.name, a.name, amounts(&figures))
}

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

fn left_out(question: &Question) -> Option<String> {
    let parts = question.left_out.join(", ");
    (!parts.is_empty()).then(|| format!("Held in memory but not costed: {parts}."))
}

//! Figures of a chip that cannot all hold.

use vitruvian_diagnostics::{Diagnostic, Severity};
use vitruvian_quantity::Dtype;

use crate::chip::Chip;
use crate::file::{Entry, Kin, Sheet, contradiction};

/// A stated figure may differ by this much from the arithmetic: stated peaks are rounded.
const TOLERANCE: f64 = 0.015;

/// Finds figures that contradict each other.
pub(super) fn check(sheet: &Sheet<Chip>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for dtype in Dtype::ALL {
        found.extend(stated(sheet, "stated", "matrix", dtype, ["cores", "clock"]));
        found.extend(stated(sheet, "stated_vector", "vector", dtype, ["vector.units", "vector.clock"]));
    }
    found.extend(product(sheet, "hbm.bandwidth", "hbm.stacks", "hbm.stack_bandwidth"));
    found.extend(product(sheet, "scale_up.bandwidth", "scale_up.links", "scale_up.link_bandwidth"));
    let ordered = [
        ("sustained_clock", "clock"),
        ("power.idle", "power.active_idle"),
        ("power.active_idle", "power.cap"),
        ("price.low", "price.typical"),
        ("price.typical", "price.high"),
    ];
    found.extend(ordered.iter().filter_map(|(low, high)| not_above(sheet, low, high)));
    found.extend(more_cores_than_silicon(sheet));
    found
}

/// A stated peak must be units × FLOP/cycle × clock.
fn stated(
    sheet: &Sheet<Chip>,
    table: &str,
    rates: &str,
    dtype: Dtype,
    [units, clock]: [&str; 2],
) -> Option<Diagnostic> {
    let stated = sheet.get_dtype(table, dtype)?;
    let (units, clock) = (sheet.get(units)?, sheet.get(clock)?);
    let rate = sheet.get_dtype(rates, dtype);
    let per_cycle = rate.map_or(0.0, |rate| rate.value.number());
    if per_cycle == 0.0 {
        let message = format!("`{}` is stated, but `{rates}.{dtype}` gives no rate", stated.path());
        return Some(point(message, stated, &rate.into_iter().collect::<Vec<_>>()));
    }
    let derived = units.value.number() * per_cycle * clock.value.number();
    let arithmetic =
        format!("{} {} × {per_cycle} FLOP/cycle × {}", units.written, units.last(), clock.written);
    let others = [Some(units), rate, Some(clock)];
    disagree(stated, derived, &arithmetic, &others.into_iter().flatten().collect::<Vec<_>>())
}

fn product(sheet: &Sheet<Chip>, whole: &str, count: &str, part: &str) -> Option<Diagnostic> {
    let (whole, count, part) = (sheet.get(whole)?, sheet.get(count)?, sheet.get(part)?);
    let derived = count.value.number() * part.value.number();
    let arithmetic = format!("{} {} × {}", count.written, count.last(), part.written);
    disagree(whole, derived, &arithmetic, &[count, part])
}

fn disagree(
    stated: &Entry<Chip>,
    derived: f64,
    arithmetic: &str,
    others: &[&Entry<Chip>],
) -> Option<Diagnostic> {
    let number = stated.value.number();
    if (number - derived).abs() <= TOLERANCE * number.max(derived) {
        return None;
    }
    let derived = stated.key.kind.print(derived);
    let message = format!("`{}` is {}, but {arithmetic} = {derived}", stated.path(), stated.written);
    Some(point(message, stated, others))
}

fn not_above(sheet: &Sheet<Chip>, low: &str, high: &str) -> Option<Diagnostic> {
    let (low, high) = (sheet.get(low)?, sheet.get(high)?);
    if low.value.number() <= high.value.number() {
        return None;
    }
    let message =
        format!("`{}` is {}, more than `{}` of {}", low.path(), low.written, high.path(), high.written);
    Some(point(message, low, &[high]))
}

/// An inherited die may be too small for a what-if: then yield and price are those of the real die, which is a doubt
/// and no contradiction.
fn more_cores_than_silicon(sheet: &Sheet<Chip>) -> Option<Diagnostic> {
    let (cores, dies, on_die) = (sheet.get("cores")?, sheet.get("dies")?, sheet.get("die.cores_on_die")?);
    if cores.value.number() <= dies.value.number() * on_die.value.number() {
        return None;
    }
    let message = format!(
        "`cores` is {}, but `dies` × `die.cores_on_die` is {} × {}",
        cores.written, dies.written, on_die.written
    );
    let found = point(message, cores, &[dies, on_die]);
    if on_die.kin == Kin::Own {
        return Some(found);
    }
    let found = Diagnostic { severity: Severity::Warning, ..found };
    Some(found.help("set `die.cores_on_die` too, or die area, yield and price stay those of the smaller die"))
}

/// Points at the file's own figure first: that is the one to change.
fn point(message: String, doubted: &Entry<Chip>, others: &[&Entry<Chip>]) -> Diagnostic {
    let all = std::iter::once(doubted).chain(others.iter().copied());
    let all: Vec<&Entry<Chip>> = all.filter(|entry| entry.kin != Kin::Computed).collect();
    let first = all.iter().find(|entry| entry.kin == Kin::Own).or(all.first()).copied().unwrap_or(doubted);
    let labels: Vec<_> = all.iter().map(|entry| (&entry.place, format!("`{}` here", entry.path()))).collect();
    contradiction(message, &first.place, &labels)
}

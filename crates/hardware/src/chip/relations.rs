//! How the figures of a chip hang together: what gives way, what follows, what contradicts.

use vitruvian_diagnostics::{Diagnostic, Severity};
use vitruvian_quantity::Dtype;

use crate::chip::Chip;
use crate::file::{Entry, Kin, Sheet, contradiction};

/// A stated figure may differ by this much from the arithmetic: stated peaks are rounded.
const TOLERANCE: f64 = 0.015;

/// `(driver, follower)`: a file that sets the driver and not the follower scales the inherited follower with it.
/// A what-if of `clock = "2 GHz"` moves the clock that a long load holds, and so on.
const IN_PROPORTION: [(&str, &str); 6] = [
    ("clock", "sustained_clock"),
    ("clock", "vector.clock"),
    ("cores", "vector.units"),
    ("hbm.stacks", "hbm.bandwidth"),
    ("hbm.stacks", "hbm.capacity"),
    ("scale_up.links", "scale_up.bandwidth"),
];

/// `(driver, follower)`: a file that sets the driver and not the follower has no use for the inherited follower.
/// `*` is any number format.
const FALLS: [(&str, &str); 16] = [
    ("cores", "stated.*"),
    ("clock", "stated.*"),
    ("cores", "stated_vector.*"),
    ("clock", "stated_vector.*"),
    ("vector.units", "stated_vector.*"),
    ("vector.clock", "stated_vector.*"),
    ("hbm.bandwidth", "hbm.stack_bandwidth"),
    ("hbm.stack_bandwidth", "hbm.bandwidth"),
    ("scale_up.bandwidth", "scale_up.link_bandwidth"),
    ("scale_up.link_bandwidth", "scale_up.bandwidth"),
    ("price.typical", "price.low"),
    ("price.typical", "price.high"),
    ("l2.per_cycle", "l2.read_bandwidth"),
    ("l2.per_cycle", "l2.write_bandwidth"),
    ("paths.l2_core_read", "l2.read_bandwidth"),
    ("paths.l2_core_write", "l2.write_bandwidth"),
];

/// Lets inherited figures follow, or give way to, what the file itself sets.
pub(super) fn give_way(own: &Sheet<Chip>, inherited: &mut Sheet<Chip>) {
    for (driver, follower) in IN_PROPORTION {
        if let (Some(new), Some(old)) = (own.number(driver), inherited.number(driver)) {
            inherited.scale(follower, new / old, driver);
        }
    }
    let falls = |entry: &Entry<Chip>| FALLS.iter().any(|(by, what)| entry.key.path == *what && own.get(by).is_some());
    let restated = |entry: &Entry<Chip>| {
        let rates = match entry.key.dtype_table() {
            Some("stated") => "matrix",
            Some("stated_vector") => "vector",
            _ => return false,
        };
        entry.dtype.is_some_and(|dtype| own.get_dtype(rates, dtype).is_some())
    };
    inherited.retain(|entry| !falls(entry) && !restated(entry));
}

/// Computes what follows from other figures and is not given.
pub(super) fn complete(sheet: &mut Sheet<Chip>) {
    same_as(sheet, "sustained_clock", "clock", "no lower clock under load is known");
    same_as(sheet, "vector.clock", "clock", "the same clock as the matrix unit");
    same_as(sheet, "vector.units", "cores", "one a core");
    same_as(sheet, "eager_launch", "launch", "no other figure is known");
    same_as(sheet, "price.low", "price.typical", "one price is known");
    same_as(sheet, "price.high", "price.typical", "one price is known");
    links(sheet);
    stacks(sheet);
    l2(sheet);
}

fn same_as(sheet: &mut Sheet<Chip>, path: &str, other: &str, why: &str) {
    if let Some(number) = sheet.number(other) {
        sheet.compute(path, number, format!("= {other}: {why}"), other);
    }
}

fn links(sheet: &mut Sheet<Chip>) {
    let Some(links) = sheet.number("scale_up.links") else { return };
    if let Some(one) = sheet.number("scale_up.link_bandwidth") {
        sheet.compute("scale_up.bandwidth", links * one, format!("{links} links × link_bandwidth"), "scale_up.links");
    }
    if let Some(all) = sheet.number("scale_up.bandwidth") {
        let one = if links > 0.0 { all / links } else { 0.0 };
        sheet.compute("scale_up.link_bandwidth", one, format!("bandwidth / {links} links"), "scale_up.links");
    }
}

fn stacks(sheet: &mut Sheet<Chip>) {
    let Some(stacks) = sheet.number("hbm.stacks") else { return };
    if let Some(one) = sheet.number("hbm.stack_bandwidth") {
        sheet.compute("hbm.bandwidth", stacks * one, format!("{stacks} stacks × stack_bandwidth"), "hbm.stacks");
    }
    if let Some(all) = sheet.number("hbm.bandwidth") {
        sheet.compute("hbm.stack_bandwidth", all / stacks, format!("bandwidth / {stacks} stacks"), "hbm.stacks");
    }
}

/// The cores' ports together, or the slices where they deliver less.
fn l2(sheet: &mut Sheet<Chip>) {
    for (path, port) in
        [("l2.read_bandwidth", "paths.l2_core_read"), ("l2.write_bandwidth", "paths.l2_core_write")]
    {
        let inputs = (sheet.number(port), sheet.number("cores"), sheet.number("clock"));
        let (Some(width), Some(cores), Some(clock)) = inputs else { return };
        let slices = sheet.number("l2.per_cycle").unwrap_or(f64::INFINITY);
        let ports = width * cores;
        let (limit, what) = if slices < ports {
            (slices, format!("{slices} B/cycle of all slices"))
        } else {
            (ports, format!("{width} B/cycle × {cores} cores"))
        };
        sheet.compute(path, limit * clock, format!("{what} × {} GHz", clock / 1e9), port);
    }
}

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
    let derived = units.value.number() * per_cycle * clock.value.number();
    let arithmetic = format!("{} {} × {per_cycle} FLOP/cycle × {}", units.written, units.path(), clock.written);
    let others = [Some(units), rate, Some(clock)];
    disagree(stated, derived, &arithmetic, &others.into_iter().flatten().collect::<Vec<_>>())
}

fn product(sheet: &Sheet<Chip>, whole: &str, count: &str, part: &str) -> Option<Diagnostic> {
    let (whole, count, part) = (sheet.get(whole)?, sheet.get(count)?, sheet.get(part)?);
    let derived = count.value.number() * part.value.number();
    let arithmetic = format!("{} {} × {}", count.written, count.path(), part.written);
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
        "`cores` is {}, but {} dies × {} `die.cores_on_die` hold fewer",
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

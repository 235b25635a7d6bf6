//! How the figures of a chip hang together: what gives way to a file's own figures, and what follows from them.

use crate::chip::Chip;
use crate::file::{Entry, Sheet};

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
const FALLS: [(&str, &str); 25] = [
    ("cores", "stated.*"),
    ("clock", "stated.*"),
    ("cores", "rated.*"),
    ("clock", "rated.*"),
    ("dies", "rated.*"),
    ("scale_up.bandwidth", "io.bandwidth"),
    ("scale_up.link_bandwidth", "io.bandwidth"),
    ("scale_up.links", "io.bandwidth"),
    ("host.bandwidth", "io.bandwidth"),
    ("nic.bandwidth", "io.bandwidth"),
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
    ("price.typical", "price.date"),
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
    let falls =
        |entry: &Entry<Chip>| FALLS.iter().any(|(by, what)| entry.key.path == *what && own.get(by).is_some());
    let restated = |entry: &Entry<Chip>| {
        let rates = match entry.key.dtype_table() {
            Some("stated" | "rated") => "matrix",
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
    io(sheet);
}

/// Links to other chips, to the host and to the network, both directions.
fn io(sheet: &mut Sheet<Chip>) {
    let paths = ["scale_up.bandwidth", "host.bandwidth", "nic.bandwidth"];
    let parts: Vec<(&str, f64)> = paths
        .into_iter()
        .filter_map(|path| Some((path, sheet.number(path)?)))
        .filter(|(_, x)| *x > 0.0)
        .collect();
    let Some((first, _)) = parts.first().copied() else { return };
    let names: Vec<&str> = parts.iter().map(|(path, _)| *path).collect();
    let sum: f64 = parts.iter().map(|(_, number)| number).sum();
    sheet.compute("io.bandwidth", 2.0 * sum, format!("2 × ({})", names.join(" + ")), first);
}

fn same_as(sheet: &mut Sheet<Chip>, path: &str, other: &str, why: &str) {
    if let Some(number) = sheet.number(other) {
        sheet.compute(path, number, format!("= {other}: {why}"), other);
    }
}

fn links(sheet: &mut Sheet<Chip>) {
    let Some(links) = sheet.number("scale_up.links") else { return };
    if let Some(one) = sheet.number("scale_up.link_bandwidth") {
        sheet.compute(
            "scale_up.bandwidth",
            links * one,
            format!("{links} links × link_bandwidth"),
            "scale_up.links",
        );
    }
    if let Some(all) = sheet.number("scale_up.bandwidth") {
        let one = if links > 0.0 { all / links } else { 0.0 };
        sheet.compute("scale_up.link_bandwidth", one, format!("bandwidth / {links} links"), "scale_up.links");
    }
}

fn stacks(sheet: &mut Sheet<Chip>) {
    let Some(stacks) = sheet.number("hbm.stacks") else { return };
    if let Some(one) = sheet.number("hbm.stack_bandwidth") {
        sheet.compute(
            "hbm.bandwidth",
            stacks * one,
            format!("{stacks} stacks × stack_bandwidth"),
            "hbm.stacks",
        );
    }
    if let Some(all) = sheet.number("hbm.bandwidth") {
        sheet.compute(
            "hbm.stack_bandwidth",
            all / stacks,
            format!("bandwidth / {stacks} stacks"),
            "hbm.stacks",
        );
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

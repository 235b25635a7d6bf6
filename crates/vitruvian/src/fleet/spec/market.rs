//! Chips on the market, and the software stacks that they need.

use vitruvian_diagnostics::Diagnostics;
use vitruvian_quantity::Watts;

use super::{Frame, index, once};
use crate::fleet::file::{Faults, Named, Table};
use crate::setup::{Profiles, Setup};
use crate::study::Service;

/// A chip on the market, counted in nodes.
pub(in crate::fleet) struct SupplySpec {
    pub(in crate::fleet) setup: Setup,
    /// The name that the file uses.
    pub(in crate::fleet) name: String,
    /// US dollars a node, by quarter.
    pub(in crate::fleet) price: Vec<f64>,
    /// Nodes that can be had, by quarter.
    pub(in crate::fleet) offered: Vec<f64>,
    /// Nodes that are there, by quarter.
    pub(in crate::fleet) stock: Vec<f64>,
    pub(in crate::fleet) spread: f64,
    pub(in crate::fleet) racks_per_node: f64,
}

/// A software stack.
pub(in crate::fleet) struct StackSpec {
    pub(in crate::fleet) name: String,
    pub(in crate::fleet) chips: Vec<usize>,
    pub(in crate::fleet) migration: f64,
    pub(in crate::fleet) upkeep: f64,
    pub(in crate::fleet) ready: usize,
}

/// Whether racks are limited, and what one can be given.
#[derive(Clone, Copy)]
pub(super) struct Space {
    pub(super) limited: bool,
    pub(super) rack_power: Option<f64>,
}

/// The market of a file; chips with mistakes are left out.
pub(super) fn supplies(
    table: &Table,
    frame: &Frame,
    profiles: &Profiles,
    space: Space,
    faults: &mut Faults<'_>,
) -> Vec<SupplySpec> {
    let names: Vec<_> = frame.chips.iter().map(|chip| (chip.name.clone(), chip.span)).collect();
    once("[[supply]]", &names, faults);
    table.tables("supply").filter_map(|supply| one(supply, frame, profiles, space, faults)).collect()
}

fn one(
    table: &Table,
    frame: &Frame,
    profiles: &Profiles,
    space: Space,
    faults: &mut Faults<'_>,
) -> Option<SupplySpec> {
    let named = table.text("chip")?;
    let setup = setup(table, &named, frame, profiles, faults)?;
    let price = price(table, &named, &setup, frame, faults)?;
    let size = f64::from(setup.node.size);
    let nodes = |chips: f64| (chips / size).floor();
    let first = table.quarter("first").map_or(0, |quarter| index(quarter, frame.start));
    let retire = table.quarter("retire").map_or(frame.quarters, |quarter| index(quarter, frame.start));
    let offered = table.series("offered", frame.quarters).unwrap_or_else(|| vec![0.0; frame.quarters]);
    let stock = nodes(table.number("stock").unwrap_or(0.0));
    Some(SupplySpec {
        name: named.name,
        price: price.into_iter().map(|chip| chip * size).collect(),
        offered: (0..).zip(offered).map(|(q, chips)| if q < first { 0.0 } else { nodes(chips) }).collect(),
        stock: (0..frame.quarters).map(|quarter| if quarter < retire { stock } else { 0.0 }).collect(),
        spread: table.number("spread").unwrap_or(0.0),
        racks_per_node: racks_per_node(table, &setup, space, faults),
        setup,
    })
}

fn setup(
    table: &Table,
    named: &Named,
    frame: &Frame,
    profiles: &Profiles,
    faults: &mut Faults<'_>,
) -> Option<Setup> {
    let service = Service {
        engine: table.text("engine").map(|engine| engine.name),
        region: Some(frame.region.name.clone()),
        ..Service::default()
    };
    let put = |found: Diagnostics| {
        let of_engine = found.0.iter().any(|fault| fault.code.starts_with("engine"));
        let place = if of_engine { table.place("engine") } else { named.span };
        faults.named(found, place);
    };
    Setup::new(&frame.input(&named.name), &service, profiles).map_err(put).ok()
}

/// US dollars a chip with its share of the server, by quarter.
fn price(
    table: &Table,
    named: &Named,
    setup: &Setup,
    frame: &Frame,
    faults: &mut Faults<'_>,
) -> Option<Vec<f64>> {
    let known = setup.finance().capital.map(|capital| vec![capital.typical.get(); frame.quarters]);
    let given = table.series("price", frame.quarters);
    if given.is_none() && known.is_none() && !table.has("price") {
        let message = format!("the catalog has no price for {}", setup.chip.title);
        faults.add("price-unknown", message, named.span, Some("give `price`, a chip".to_owned()));
    }
    let growth = 1.0 + table.number("price_growth").unwrap_or(0.0);
    let grown =
        |(quarter, price): (usize, f64)| price * growth.powi(i32::try_from(quarter).unwrap_or(i32::MAX));
    Some(given.or(known)?.into_iter().enumerate().map(grown).collect())
}

/// Racks of one node: what the file says, or what the power of a rack allows at the power cap of all chips.
fn racks_per_node(table: &Table, setup: &Setup, space: Space, faults: &mut Faults<'_>) -> f64 {
    if let Some(nodes) = table.number("nodes_per_rack") {
        return 1.0 / nodes;
    }
    if !space.limited {
        return 0.0;
    }
    let most: Watts = setup.chip.power.cap * f64::from(setup.node.size) + setup.node.host_power;
    let Some(rack) = space.rack_power else {
        let message = "racks are limited, but not how many nodes go into one".to_owned();
        let help = "give `rack_power` under `[limits]`, or `nodes_per_rack` here".to_owned();
        faults.add("rack-unknown", message, table.span, Some(help));
        return 0.0;
    };
    // A node that is too much for one rack takes several.
    1.0 / (rack / most.get()).floor().max(1.0 / (most.get() / rack).ceil())
}

/// The stacks of a file.
pub(super) fn stacks(table: &Table, frame: &Frame, faults: &mut Faults<'_>) -> Vec<StackSpec> {
    let mut taken: Vec<(String, vitruvian_diagnostics::Span)> = Vec::new();
    let mut all = Vec::new();
    for stack in table.tables("stack") {
        let named = stack.texts("chips");
        taken.extend(named.iter().map(|chip| (chip.name.clone(), chip.span)));
        let chips = frame.chips_of(&named, faults);
        let (Some(name), Some(migration)) = (stack.text("name"), stack.number("migration")) else { continue };
        all.push(StackSpec {
            name: name.name,
            chips,
            migration,
            upkeep: stack.number("upkeep").unwrap_or(0.0),
            ready: stack.quarter("ready").map_or(0, |quarter| index(quarter, frame.start)),
        });
    }
    for (position, (name, span)) in taken.iter().enumerate() {
        if taken[..position].iter().any(|(other, _)| other == name) {
            let message = format!("`{name}` is in two stacks: a chip needs one");
            faults.add("stack-twice", message, *span, None);
        }
    }
    all
}

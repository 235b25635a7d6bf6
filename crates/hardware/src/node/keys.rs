//! The keys of a node file, each declared once.

use crate::file::Kind::{Bandwidth, Count, Money, Power, Text, Time, Word};
use crate::file::{Key, optional, required};
use crate::node::load::Draft;

type K = Key<Draft>;

/// What joins the chips of a node, as a file says it.
pub(super) const FABRICS: [&str; 3] = ["switch", "full-mesh", "pcie"];

/// The keys, in the order in which figures are shown.
pub(crate) static KEYS: &[Key<Draft>] = &[
    optional!("title", Text, title, "The name a person reads."),
    K::new("chips", Text, "The chips it is built with, separated by commas.", |n, v| {
        n.chips = v.text().split(',').map(|name| name.trim().to_owned()).collect();
    }),
    required!("size", Count, size, "Chips in one node."),
    required!("fabric.kind", Word(&FABRICS), fabric.kind, "What joins the chips of a node."),
    optional!(
        "fabric.ring_bandwidth",
        Bandwidth,
        fabric.ring,
        "What a large ring gets, per chip and direction."
    ),
    K::new("fabric.in_network_bandwidth", Bandwidth, "Bus bandwidth of an in-switch all-reduce.", |n, v| {
        n.fabric.in_network = Some(v.into());
    })
    .optional(),
    optional!(
        "fabric.all_to_all_bandwidth",
        Bandwidth,
        fabric.all_to_all,
        "All-to-all, per chip and direction."
    ),
    K::new("fabric.die_bandwidth", Bandwidth, "Between the dies of a package, per direction.", |n, v| {
        n.fabric.die = Some(v.into());
    })
    .optional(),
    optional!("fabric.link_bandwidth", Bandwidth, fabric.link, "One link of a full mesh, per direction."),
    required!("fabric.step_latency", Time, fabric.step, "Latency of one step (hop) of a ring."),
    required!("fabric.base_latency", Time, fabric.base, "Fixed latency of one collective."),
    required!(
        "scale_out.bandwidth",
        Bandwidth,
        scale_out.bandwidth,
        "A chip's share of the NICs, per direction."
    ),
    required!("scale_out.latency", Time, scale_out.latency, "Latency of one message."),
    required!("scale_out.base_latency", Time, scale_out.base_latency, "Fixed latency of a collective."),
    required!("host_power", Power, host_power, "Host, fans and NICs at load, without the chips."),
    K::new("price.low", Money, "Price without the chips, low end.", |n, v| n.price[0] = v.into()).optional(),
    K::new("price.typical", Money, "Price without the chips that comparisons use.", |n, v| {
        n.price[1] = v.into();
    }),
    K::new("price.high", Money, "Price without the chips, high end.", |n, v| n.price[2] = v.into())
        .optional(),
    K::shown("price.date", Text, "When the prices held."),
];

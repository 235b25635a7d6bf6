//! The keys of a node file, each declared once.

use crate::file::{Key, Kind};
use crate::node::load::Draft;

type K = Key<Draft>;

/// What joins the chips of a node, as a file says it.
pub(super) const FABRICS: [&str; 3] = ["switch", "full-mesh", "pcie"];

/// The keys, in the order in which figures are shown.
pub(crate) static KEYS: &[Key<Draft>] = &[
    K::new("title", Kind::Text, "The name a person reads.", |n, v| n.title = v.into()).optional(),
    K::new("chips", Kind::Text, "The chips it is built with, separated by commas.", |n, v| {
        n.chips = v.text().split(',').map(|name| name.trim().to_owned()).collect();
    }),
    K::new("size", Kind::Count, "Chips in one node.", |n, v| n.size = v.into()),
    K::new("fabric.kind", Kind::Word(&FABRICS), "What joins the chips of a node.", |n, v| n.fabric.kind = v.into()),
    K::new("fabric.ring_bandwidth", Kind::Bandwidth, "What a large ring collective gets, per chip and direction.", |n, v| {
        n.fabric.ring = v.into();
    })
    .optional(),
    K::new("fabric.in_network_bandwidth", Kind::Bandwidth, "Bus bandwidth of an in-switch all-reduce.", |n, v| {
        n.fabric.in_network = Some(v.into());
    })
    .optional(),
    K::new("fabric.all_to_all_bandwidth", Kind::Bandwidth, "All-to-all, per chip and direction.", |n, v| {
        n.fabric.all_to_all = v.into();
    })
    .optional(),
    K::new("fabric.die_bandwidth", Kind::Bandwidth, "Between the dies of a package, per direction.", |n, v| {
        n.fabric.die = Some(v.into());
    })
    .optional(),
    K::new("fabric.link_bandwidth", Kind::Bandwidth, "What one link of a full mesh delivers, per direction.", |n, v| {
        n.fabric.link = v.into();
    })
    .optional(),
    K::new("fabric.step_latency", Kind::Time, "Latency of one step (hop) of a ring.", |n, v| n.fabric.step = v.into()),
    K::new("fabric.base_latency", Kind::Time, "Fixed latency of one collective.", |n, v| n.fabric.base = v.into()),
    K::new("scale_out.bandwidth", Kind::Bandwidth, "What one chip's share of the NICs delivers, per direction.", |n, v| {
        n.scale_out.bandwidth = v.into();
    }),
    K::new("scale_out.latency", Kind::Time, "Latency of one message.", |n, v| n.scale_out.latency = v.into()),
    K::new("scale_out.base_latency", Kind::Time, "Fixed latency of one collective that leaves the node.", |n, v| {
        n.scale_out.base_latency = v.into();
    }),
    K::new("host_power", Kind::Power, "Host, fans and NICs at load, without the chips.", |n, v| n.host_power = v.into()),
    K::new("price.low", Kind::Money, "Price without the chips, low end.", |n, v| n.price[0] = v.into()).optional(),
    K::new("price.typical", Kind::Money, "Price without the chips that comparisons use.", |n, v| n.price[1] = v.into()),
    K::new("price.high", Kind::Money, "Price without the chips, high end.", |n, v| n.price[2] = v.into()).optional(),
];

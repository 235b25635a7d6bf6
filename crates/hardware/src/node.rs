//! A server of several chips, and what joins servers.

mod keys;
mod load;

pub(crate) use keys::KEYS;
pub use load::{ParsedNode, parse_node};

use vitruvian_quantity::{BytesPerSecond, Money, Seconds, Watts};

use crate::provenance::Figure;

/// A server: how many chips, how they are joined, how it reaches other servers.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The name used in files: `"atlas-800t-a2"`.
    pub name: String,
    /// The name a person reads.
    pub title: String,
    /// Names of the chips it is built with.
    pub chips: Vec<String>,
    /// Chips in one node.
    pub size: u32,
    /// What joins the chips of a node.
    pub fabric: Fabric,
    /// What joins nodes.
    pub scale_out: ScaleOut,
    /// Host, fans and NICs at load, without the chips.
    pub host_power: Watts,
    /// Price without the chips: low, typical, high.
    pub price: [Money; 3],
    /// Every figure of the file and of those it extends, in the order of the key table.
    pub figures: Vec<Figure>,
}

/// What joins the chips of a node. Rates are per chip and direction, as a large message gets them: what the wires and
/// the library's steady state deliver, not the datasheet peak and not the busbw at one message size.
///
/// Latencies are read off small collectives: an all-gather of a few hundred bytes over p ranks takes
/// `base_latency + (p − 1) · step_latency`, an all-reduce `base_latency + 2(p − 1) · step_latency`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fabric {
    /// Any pair gets a chip's whole bandwidth (`NVSwitch`, UB).
    Switch {
        /// What a large ring collective gets of one chip's links, per direction: the slope of time over bytes sent.
        ring_bandwidth: BytesPerSecond,
        /// Bus bandwidth of an in-switch all-reduce over the whole node (NVLS), if it has one.
        in_network_bandwidth: Option<BytesPerSecond>,
        /// All-to-all bandwidth per chip and direction.
        all_to_all_bandwidth: BytesPerSecond,
        /// Between the dies of one package, per direction, if the chip is a package of several dies (910C: SIO).
        die_bandwidth: Option<BytesPerSecond>,
        /// Latency of one step of a ring.
        step_latency: Seconds,
        /// Fixed latency of one collective.
        base_latency: Seconds,
    },
    /// One link between each pair (HCCS): a pair gets one link, and a chip's bandwidth grows with the group.
    FullMesh {
        /// What one link delivers, per direction.
        link_bandwidth: BytesPerSecond,
        /// Latency of one hop.
        step_latency: Seconds,
        /// Fixed latency of one collective.
        base_latency: Seconds,
    },
    /// Through the host's `PCIe` root.
    Pcie {
        /// What a ring gets, per direction.
        ring_bandwidth: BytesPerSecond,
        /// Latency of one step of a ring.
        step_latency: Seconds,
        /// Fixed latency of one collective.
        base_latency: Seconds,
    },
}

/// What joins nodes: per chip and direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ScaleOut {
    /// What one chip's NIC share delivers.
    pub bandwidth: BytesPerSecond,
    /// Latency of one message.
    pub latency: Seconds,
    /// Fixed latency of one collective that leaves the node.
    pub base_latency: Seconds,
}

impl Fabric {
    /// The same fabric with links `factor` times as fast; latencies stay.
    #[must_use]
    pub fn faster(self, factor: f64) -> Self {
        match self {
            Self::Switch {
                ring_bandwidth,
                in_network_bandwidth,
                all_to_all_bandwidth,
                die_bandwidth,
                step_latency,
                base_latency,
            } => Self::Switch {
                ring_bandwidth: ring_bandwidth * factor,
                in_network_bandwidth: in_network_bandwidth.map(|bandwidth| bandwidth * factor),
                all_to_all_bandwidth: all_to_all_bandwidth * factor,
                die_bandwidth,
                step_latency,
                base_latency,
            },
            Self::FullMesh { link_bandwidth, step_latency, base_latency } => {
                Self::FullMesh { link_bandwidth: link_bandwidth * factor, step_latency, base_latency }
            }
            Self::Pcie { ring_bandwidth, step_latency, base_latency } => {
                Self::Pcie { ring_bandwidth: ring_bandwidth * factor, step_latency, base_latency }
            }
        }
    }
}

//! A model spread over chips, and the meter that costs its operators.

use rustc_hash::FxHashMap;
use vitruvian_cost::{Bound, Choice, Costs, Estimate, Memo, Refusal, Work};
use vitruvian_hardware::{Chip, Node};
use vitruvian_model::{Collective, Ffn, Layout, Model, Operator, QuantPlan, Task};
use vitruvian_network::Network;
use vitruvian_quantity::{Bytes, Seconds};

use crate::profile::EngineProfile;

/// One replica: what runs, how it is spread, under which engine.
#[derive(Clone, Copy, Debug)]
pub struct Replica<'a> {
    /// The model.
    pub model: &'a Model,
    /// Formats of its weights and cache.
    pub plan: &'a QuantPlan,
    /// How it is spread over chips.
    pub layout: Layout,
    /// The serving engine.
    pub engine: &'a EngineProfile,
}

impl Replica<'_> {
    /// What a request spends outside of steps before its first token, with `clients` requests in flight.
    pub fn request_time(&self, clients: u32) -> Seconds {
        self.engine.request_time(clients, self.expert_layers())
    }

    /// Layers of experts.
    pub(crate) fn expert_layers(&self) -> u32 {
        let kinds = self.model.kinds_in(0..self.model.depth());
        kinds.filter(|(layer, _)| matches!(layer.ffn, Ffn::Moe(_))).map(|(_, count)| count).sum()
    }
}

/// Costs tasks on one chip in one kind of node, remembering each operator and each collective.
pub struct Meter<'a> {
    chip: &'a Chip,
    node: &'a Node,
    memo: Memo<'a>,
    network: &'a Network<'a>,
    collectives: FxHashMap<Collective, Estimate>,
    pub(crate) tasks: Vec<Task>,
}

impl<'a> Meter<'a> {
    /// A meter that remembers nothing yet.
    pub fn new(node: &'a Node, costs: Costs<'a>, network: &'a Network<'a>) -> Self {
        Self {
            chip: costs.chip,
            node,
            memo: Memo::new(costs),
            network,
            collectives: FxHashMap::default(),
            tasks: Vec::new(),
        }
    }

    /// The chip.
    pub fn chip(&self) -> &'a Chip {
        self.chip
    }

    /// The node it sits in.
    pub fn node(&self) -> &'a Node {
        self.node
    }

    /// The links.
    pub fn network(&self) -> &'a Network<'a> {
        self.network
    }

    /// What one operator costs one rank.
    ///
    /// # Errors
    /// The chip cannot do it, with the reason.
    pub fn operator(&mut self, operator: &Operator) -> Result<Estimate, Refusal> {
        match operator {
            Operator::Collective(collective) => Ok(self.collective(*collective)),
            other => self.memo.estimate(other),
        }
    }

    fn collective(&mut self, collective: Collective) -> Estimate {
        let (network, chip) = (self.network, self.chip);
        *self.collectives.entry(collective).or_insert_with(|| {
            let estimate = network.collective(&collective);
            let hbm = Bytes::new(2.0 * collective.bytes as f64);
            Estimate {
                time: estimate.time,
                uncapped: estimate.time,
                floor: Seconds::ZERO,
                work: Work { hbm, ..Work::default() },
                energy: chip.power.link * estimate.bytes_on_links + chip.power.hbm * hbm,
                bound: Bound::Network,
                choice: Choice::None,
                sigma: estimate.sigma,
            }
        })
    }
}

//! A language model as plain data.

use crate::ffn::Ffn;
use crate::mixer::Mixer;
use crate::quant::QuantPlan;
use crate::weights::{Module, Split, Weight};

/// A language model: its layers in order, and what stands before, after and beside them.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Name in reports.
    pub name: String,
    /// `model_type` of its `config.json`.
    pub family: String,
    /// Width of the residual stream.
    pub hidden: u32,
    /// Rows of the embedding table.
    pub vocab: u32,
    /// Whether embedding and LM head are one matrix.
    pub tied: bool,
    /// Longest sequence it is made for.
    pub max_context: u32,
    /// Parallel residual streams (hyper-connections, arXiv 2409.19606); one for an ordinary residual.
    pub streams: u32,
    /// The different layers that occur.
    pub kinds: Vec<Layer>,
    /// Which of `kinds` each layer is, first to last.
    pub order: Vec<u8>,
    /// Multi-token-prediction module.
    pub mtp: Option<Mtp>,
    /// Vision tower and projector.
    pub vision: Option<Vision>,
    /// Quantisation the weights are published in; none for 16-bit.
    pub published: Option<QuantPlan>,
    /// What the model has that is not counted or not simulated, for a person to read.
    pub left_out: Vec<String>,
}

/// One layer: a mixer and a feed-forward part, each with a norm before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layer {
    /// What mixes tokens.
    pub mixer: Mixer,
    /// What follows.
    pub ffn: Ffn,
    /// Norms of the hidden width.
    pub norms: u32,
}

/// Modules that draft further tokens: embedding and hidden state joined by a projection, then `layers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mtp {
    /// Modules, one a drafted token.
    pub modules: u32,
    /// Layers of one module.
    pub layers: Vec<Layer>,
}

/// A vision tower, counted in memory only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vision {
    /// Parameters of tower and projector.
    pub parameters: u64,
}

impl Layer {
    /// A mixer and a feed-forward part with a norm each.
    pub fn new(mixer: Mixer, ffn: Ffn) -> Self {
        let norms = u32::from(mixer != Mixer::None) + u32::from(ffn != Ffn::None);
        Self { mixer, ffn, norms }
    }

    /// Visits its weights.
    pub fn weights(&self, hidden: u32, visit: &mut dyn FnMut(Weight)) {
        self.mixer.weights(hidden, visit);
        self.ffn.weights(hidden, visit);
        visit(Weight::small(u64::from(self.norms) * u64::from(hidden)));
    }
}

impl Model {
    /// Number of layers.
    pub fn depth(&self) -> usize {
        self.order.len()
    }

    /// The layers, first to last.
    pub fn layers(&self) -> impl Iterator<Item = &Layer> {
        self.order.iter().map(|kind| &self.kinds[usize::from(*kind)])
    }

    /// The different layers among `range`, with how often each occurs.
    pub fn kinds_in(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = (&Layer, u32)> {
        let order = self.order.get(range).unwrap_or_default();
        self.kinds.iter().enumerate().filter_map(move |(kind, layer)| {
            let count = order.iter().filter(|one| usize::from(**one) == kind).count();
            (count > 0).then_some((layer, count as u32))
        })
    }

    /// Whether any layer routes tokens to experts.
    pub fn has_experts(&self) -> bool {
        self.kinds.iter().any(|layer| matches!(layer.ffn, crate::ffn::Ffn::Moe(_)))
    }

    /// The scheme to run in when none is asked for: as published, else BF16.
    pub fn default_plan(&self) -> QuantPlan {
        self.published.unwrap_or(QuantPlan::BF16)
    }

    /// What a step does not include, in words.
    pub fn left_out(&self) -> Vec<String> {
        let vision = self.vision.map(|vision| {
            format!("vision tower ({:.2} B parameters, counted in memory)", vision.parameters as f64 / 1e9)
        });
        vision.into_iter().chain(self.left_out.iter().cloned()).collect()
    }

    /// Visits the weights before the first layer: the embedding and, beside it, the vision tower.
    pub fn first_weights(&self, visit: &mut dyn FnMut(Weight)) {
        let table = u128::from(self.hidden) * u128::from(self.vocab);
        visit(Weight { module: Module::Embedding, parameters: table, active: 0, split: Split::Tensor });
        if let Some(vision) = self.vision {
            let parameters = vision.parameters.into();
            visit(Weight { module: Module::Vision, parameters, active: 0, split: Split::Tensor });
        }
    }

    /// Visits the weights after the last layer: final norm, the mixing of streams, and the LM head.
    pub fn last_weights(&self, visit: &mut dyn FnMut(Weight)) {
        visit(Weight::small(self.hidden.into()));
        if self.streams > 1 {
            let streams = u64::from(self.streams);
            visit(Weight::small(streams * (streams * u64::from(self.hidden) + 1) + 1));
        }
        visit(self.head());
    }

    /// Visits the weights of one layer, hyper-connections included.
    pub fn layer_weights(&self, layer: &Layer, visit: &mut dyn FnMut(Weight)) {
        layer.weights(self.hidden, visit);
        if self.streams > 1 {
            visit(Weight::small(2 * self.mixing_weights()));
        }
    }

    /// Visits the weights of one MTP module, which shares embedding and head: projection, its norms, its layers.
    pub fn mtp_weights(&self, mtp: &Mtp, visit: &mut dyn FnMut(Weight)) {
        visit(Weight::matrix(Module::Attention, self.hidden, 2 * u64::from(self.hidden), Split::Replicated));
        visit(Weight::small(3 * u64::from(self.hidden)));
        mtp.layers.iter().for_each(|layer| self.layer_weights(layer, visit));
    }

    /// Outputs of the projection that mixes residual streams around a sublayer: s to read, s to write, s² to mix.
    pub fn mixing_width(&self) -> u32 {
        (2 + self.streams) * self.streams
    }

    /// Projection from all streams, a bias and three scales.
    fn mixing_weights(&self) -> u64 {
        u64::from(self.mixing_width()) * (u64::from(self.streams) * u64::from(self.hidden) + 1) + 3
    }

    fn head(&self) -> Weight {
        let active = u128::from(self.hidden) * u128::from(self.vocab);
        let parameters = if self.tied { 0 } else { active };
        Weight { module: Module::LmHead, parameters, active, split: Split::Tensor }
    }
}

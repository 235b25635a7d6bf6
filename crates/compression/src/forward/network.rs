//! What a forward pass needs to know of a model, whatever its family.

use crate::Matrix;

use super::{Parameters, Precision};

/// Sees the input of each linear layer: the name of its input and tokens × channels.
pub type Observer<'a> = dyn FnMut(&str, &Matrix) + 'a;

/// Linear layers that read the same input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Name of the input: that of the first layer.
    pub input: String,
    /// Names of the weights, `….weight`.
    pub weights: Vec<String>,
    /// What produces the input and could be divided by a factor a channel without another change.
    pub producer: Option<Producer>,
}

/// A tensor that produces an input channel by channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Producer {
    /// The weight of a norm, and its bias if it has one.
    Norm(String),
    /// A linear layer whose output channels are the input's, up to an elementwise product.
    Rows(String),
}

/// A model as a row of blocks.
pub trait Network {
    /// Its tensors.
    fn parameters(&self) -> &Parameters;

    /// Its tensors, to change.
    fn parameters_mut(&mut self) -> &mut Parameters;

    /// Blocks between the embedding and the head.
    fn blocks(&self) -> usize;

    /// The linear layers of a block.
    fn reads(&self, block: usize) -> Vec<Reads>;

    /// What enters the first block: tokens × hidden.
    ///
    /// # Errors
    /// A token beyond the vocabulary; a missing tensor.
    fn embed(&self, tokens: &[u32]) -> Result<Matrix, String>;

    /// What leaves a block.
    ///
    /// # Errors
    /// A missing tensor or one of another shape.
    fn block(&self, block: usize, hidden: &Matrix, run: &mut Run<'_, '_>) -> Result<Matrix, String>;

    /// What the model says: logits of the next token, tokens × vocabulary, for a decoder; features for an encoder.
    ///
    /// # Errors
    /// A missing tensor or one of another shape.
    fn head(&self, hidden: &Matrix) -> Result<Matrix, String>;
}

/// How a pass is run.
pub struct Run<'a, 'b> {
    /// To what activations are rounded before each linear layer of a block.
    pub precision: Precision,
    /// Who looks on.
    pub observer: Option<&'a mut Observer<'b>>,
}

impl Run<'_, '_> {
    /// In 32 bits, unobserved.
    pub fn plain() -> Self {
        Self { precision: Precision::Full, observer: None }
    }

    /// In some precision, unobserved.
    pub fn rounded(precision: Precision) -> Self {
        Self { precision, observer: None }
    }

    /// An input on its way to linear layers: shown to the observer, then rounded.
    pub(super) fn input(&mut self, name: &str, mut input: Matrix) -> Matrix {
        if let Some(observer) = &mut self.observer {
            observer(name, &input);
        }
        self.precision.round(&mut input);
        input
    }
}

/// What a model says of a sequence.
///
/// # Errors
/// A token beyond the vocabulary; a missing tensor or one of another shape.
pub fn forward(network: &dyn Network, tokens: &[u32], precision: Precision) -> Result<Matrix, String> {
    let mut hidden = network.embed(tokens)?;
    for block in 0..network.blocks() {
        hidden = network.block(block, &hidden, &mut Run::rounded(precision))?;
    }
    network.head(&hidden)
}

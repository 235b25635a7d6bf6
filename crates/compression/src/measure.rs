//! What compression costs in quality: of a tensor, of a layer's output, of a model.

mod agreement;
mod layer;
mod perplexity;

pub use agreement::{FeatureAgreement, TokenAgreement, feature_agreement, token_agreement};
pub use layer::{LayerError, layer_error, sqnr_db};
pub use perplexity::{Perplexity, perplexity};

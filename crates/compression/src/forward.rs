//! A forward pass on the CPU, for calibration statistics and for end-to-end errors of small models.
//!
//! Everything is in 32 bits, a sequence at a time, so that a block needs no more than its own weights and one sequence.

mod attention;
mod decoder;
mod encoder;
mod network;
mod norm;
mod parameters;
mod precision;
mod rope;
mod statistics;
mod wordpiece;

pub use decoder::{Decoder, DecoderConfig};
pub(crate) use decoder::{EMBEDDING, HEAD, LAST_NORM, prefix};
pub use encoder::{Encoder, EncoderConfig};
pub use network::{Network, Observer, Producer, Reads, Run, forward};
pub use parameters::Parameters;
pub use precision::Precision;
pub use rope::RopeScaling;
pub use statistics::{Detail, InputStatistics};
pub use wordpiece::WordPiece;

/// The bytes of a text as tokens.
pub fn byte_tokens(text: &[u8]) -> Vec<u32> {
    text.iter().copied().map(u32::from).collect()
}

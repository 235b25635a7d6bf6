//! Products and factors of dense matrices, large enough to need blocking.

mod factor;
mod product;

pub(crate) use factor::inverse_factor;
pub(crate) use product::{Part, Turn, multiply_into, product, transpose};
pub use product::{add_gram, linear};

//! Methods applied to a model: block after block, each calibrated on what the compressed blocks before it put out.
//!
//! ```text
//! rotate (whole model)      norms folded, residual stream and value heads turned by Hadamard matrices
//!   then for each block:
//! observe                   statistics of the four inputs of a decoder block
//! smooth (inputs)           factors folded into what produces the input
//! prune, round (matrices)   one treatment a matrix
//! run again                 what the next block gets
//! ```

mod apply;
mod observe;
mod recorded;
mod rotate;
mod smoothing;
mod steps;
mod treat;

pub use apply::{LayerOutcome, compress, compress_recorded};
pub use observe::observe;
pub use recorded::{Recorded, record};
pub use rotate::rotate;
pub use smoothing::Smoothing;
pub use steps::{Assignment, Pruner, Recipe, Rounder, WORDS};
pub use treat::{Treated, Treatment, treat};

/// The class of a layer: the last part of its name that is a word, `q_proj` or `output.dense`.
pub fn class(name: &str) -> &str {
    let name = name.strip_suffix(".weight").unwrap_or(name);
    let number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut at = 0;
    for part in name.split_inclusive('.') {
        let end = at + part.len();
        if number(part.trim_end_matches('.')) {
            return &name[end..];
        }
        at = end;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn layers_of_one_kind_share_a_class() {
        assert_eq!(class("model.layers.12.mlp.down_proj.weight"), "mlp.down_proj");
        assert_eq!(class("encoder.layer.0.output.dense.weight"), "output.dense");
        assert_eq!(class("lm_head.weight"), "lm_head");
    }
}

//! Calibration: statistics of what linear layers read.

use std::collections::BTreeMap;

use crate::Matrix;
use crate::forward::{Detail, InputStatistics, Network, Run};

/// Statistics of every input of a model, by the name of the first weight that reads it, on some sequences of tokens.
///
/// # Errors
/// What the forward pass refuses.
pub fn observe(
    network: &dyn Network,
    sequences: &[Vec<u32>],
    detail: Detail,
) -> Result<BTreeMap<String, InputStatistics>, String> {
    let mut hidden = embed(network, sequences)?;
    let mut all = BTreeMap::new();
    for block in 0..network.blocks() {
        all.extend(observe_block(network, block, &mut hidden, detail)?);
    }
    Ok(all)
}

pub(super) fn embed(network: &dyn Network, sequences: &[Vec<u32>]) -> Result<Vec<Matrix>, String> {
    sequences.iter().map(|tokens| network.embed(tokens)).collect()
}

/// Statistics of one block, whose inputs become its outputs.
pub(super) fn observe_block(
    network: &dyn Network,
    block: usize,
    hidden: &mut [Matrix],
    detail: Detail,
) -> Result<BTreeMap<String, InputStatistics>, String> {
    let mut all: BTreeMap<String, InputStatistics> = BTreeMap::new();
    for hidden in hidden {
        let mut look = |name: &str, input: &Matrix| {
            let fresh = || InputStatistics::new(input.cols, detail);
            all.entry(name.to_owned()).or_insert_with(fresh).add(input);
        };
        let mut run = Run { observer: Some(&mut look), ..Run::plain() };
        *hidden = network.block(block, hidden, &mut run)?;
    }
    Ok(all)
}

//! What is asked of a service: arrivals, lengths and shared prefixes, a column each.

use vitruvian_event::Instant;

/// A request's place in the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

impl RequestId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A stream of requests in order of arrival.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Requests {
    /// When each arrives; in a closed loop the first of each client, the others when one is answered.
    pub arrivals: Vec<Instant>,
    /// Prompt tokens of each.
    pub inputs: Vec<u32>,
    /// Tokens that each generates; at least one.
    pub outputs: Vec<u32>,
    /// Names of the contents of prompts, a chain of units each; empty where nothing is known of them.
    pub prefixes: Prefixes,
    /// Clients of a closed loop: each sends its next request when its last one is answered. Zero for an open loop.
    pub clients: u32,
    /// Pause of a client between an answer and its next request, in seconds.
    pub think: f64,
}

/// Names of prompt contents: equal names are equal contents of everything up to there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prefixes {
    /// Tokens of one unit.
    pub unit: u32,
    /// The names of all requests, one after another.
    pub names: Vec<u64>,
    /// Where each request's names end; empty without names.
    pub ends: Vec<u32>,
}

impl Prefixes {
    /// The names of a request's units.
    pub fn of(&self, id: RequestId) -> &[u64] {
        let index = id.index();
        let Some(end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.names[start as usize..*end as usize]
    }

    /// Whether nothing is known of contents.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The same contents in units that `block` divides: of units shorter than a block, the last of each block names it.
    ///
    /// Nothing if neither divides the other.
    pub fn in_blocks(&self, block: u32) -> Option<Self> {
        if self.is_empty() || block == 0 || self.unit.is_multiple_of(block) {
            return Some(self.clone());
        }
        if !block.is_multiple_of(self.unit) {
            return None;
        }
        let each = (block / self.unit) as usize;
        let mut blocks = Self { unit: block, ..Self::default() };
        for index in 0..self.ends.len() {
            let names = self.of(RequestId(index as u32));
            blocks.names.extend(names.chunks_exact(each).filter_map(|chunk| chunk.last()));
            blocks.ends.push(blocks.names.len() as u32);
        }
        Some(blocks)
    }
}

impl Requests {
    /// Number of requests.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Appends a request without known content.
    pub fn push(&mut self, arrival: Instant, input: u32, output: u32) {
        self.arrivals.push(arrival);
        self.inputs.push(input);
        self.outputs.push(output.max(1));
    }

    /// Mean prompt and output tokens.
    pub fn mean_lengths(&self) -> (f64, f64) {
        let mean = |column: &[u32]| {
            column.iter().map(|length| f64::from(*length)).sum::<f64>() / column.len().max(1) as f64
        };
        (mean(&self.inputs), mean(&self.outputs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_units_join_into_blocks() {
        let prefixes = Prefixes { unit: 16, names: vec![1, 2, 3, 4, 5, 9], ends: vec![5, 6] };
        let blocks = prefixes.in_blocks(32).unwrap();
        // Units 1+2 and 3+4 make whole blocks; 5 and 9 fill half a block each.
        assert_eq!(blocks, Prefixes { unit: 32, names: vec![2, 4], ends: vec![2, 2] });
        assert_eq!(prefixes.in_blocks(24), None);
        assert_eq!(prefixes.in_blocks(8).unwrap(), prefixes);
    }
}

//! The KV blocks of one lane: how many are free, used, or kept for later requests; and how many the next decode steps need.

use crate::prefix::PrefixCache;
use crate::requests::Prefixes;

/// The blocks of one lane. free + used + cached = capacity at all times.
#[derive(Clone, Debug, Default)]
pub struct Kv {
    /// Tokens of a block.
    block: u32,
    /// Blocks that each sequence holds whatever its length: recurrent states.
    fixed: u32,
    capacity: u32,
    used: u32,
    /// What prompts left behind, and what running ones share.
    prefixes: PrefixCache,
    /// Sequences in decode whose next token begins a block when the token clock is `i` modulo the block.
    phases: Vec<u32>,
    /// Sequences in decode.
    growing: u32,
}

/// What a request finds in the cache.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hit {
    /// Units from the first on.
    pub units: u32,
    /// Their blocks.
    pub blocks: u32,
    /// Tokens that need not be computed: whole blocks, and never the last token.
    pub tokens: u32,
}

impl Kv {
    /// Empty blocks.
    pub fn new(block: u32, capacity: u32, fixed: u32) -> Self {
        let block = block.max(1);
        Self { block, fixed, capacity, phases: vec![0; block as usize], ..Self::default() }
    }

    /// Blocks in all.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Blocks that requests hold.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// Blocks that hold what no request uses.
    pub fn cached(&self) -> u32 {
        self.prefixes.unused_blocks()
    }

    /// Blocks that can be had: free ones, and those of unused contents.
    pub fn available(&self) -> u32 {
        self.capacity - self.used
    }

    /// Blocks that hold nothing.
    pub fn free(&self) -> u32 {
        self.available() - self.cached()
    }

    /// Tokens of a block.
    pub fn block(&self) -> u32 {
        self.block
    }

    /// Blocks of a sequence of so many tokens.
    pub fn blocks_of(&self, tokens: u32) -> u32 {
        tokens.div_ceil(self.block) + self.fixed
    }

    /// Takes blocks, giving up unused contents where free ones do not suffice; `false` and nothing taken if there are not
    /// as many.
    pub fn take(&mut self, blocks: u32) -> bool {
        if blocks > self.available() {
            return false;
        }
        self.used += blocks;
        self.make_room();
        true
    }

    /// Gives blocks back.
    pub fn give(&mut self, blocks: u32) {
        self.used -= blocks;
    }

    /// What of a prompt is in the cache when `target` tokens must be.
    pub fn find(&self, names: &[u64], prefixes: &Prefixes, target: u32) -> Hit {
        if names.is_empty() {
            return Hit::default();
        }
        let units = self.prefixes.find(names);
        let blocks = names[..units].iter().map(|name| self.prefixes.blocks_of(*name)).sum::<u32>();
        let tokens = (units as u32 * prefixes.unit).min(blocks * self.block);
        let most = target.saturating_sub(1) / self.block * self.block;
        Hit { units: units as u32, blocks, tokens: tokens.min(most) }
    }

    /// Blocks that `hit` would take from the unused ones: to be counted against what is available.
    pub fn unused_of(&mut self, names: &[u64], hit: Hit) -> u32 {
        let before = self.prefixes.unused_blocks();
        self.acquire(names, hit);
        let taken = before - self.prefixes.unused_blocks();
        self.release(names, hit.units);
        taken
    }

    /// Uses the units that were found.
    pub fn acquire(&mut self, names: &[u64], hit: Hit) {
        for name in &names[..hit.units as usize] {
            self.used += self.prefixes.acquire(*name);
        }
    }

    /// Makes units of what a request has computed: those from `from` on that lie within `computed` tokens of a prompt of
    /// `input`. Gives how many, and their blocks, which the request now shares.
    pub fn share(&mut self, names: &[u64], from: u32, unit: u32, computed: u32, input: u32) -> (u32, u32) {
        let (mut units, mut shared) = (0, 0);
        for name in names.iter().skip(from as usize) {
            let start = (from + units) * unit;
            let length = unit.min(input.saturating_sub(start));
            let blocks = length / self.block;
            if start + length > computed || blocks == 0 || !self.prefixes.insert(*name, blocks) {
                break;
            }
            units += 1;
            shared += blocks;
        }
        (units, shared)
    }

    /// Ends the use of the first `units` units, from the last on.
    pub fn release(&mut self, names: &[u64], units: u32) {
        for name in names[..units as usize].iter().rev() {
            self.used -= self.prefixes.release(*name);
        }
    }

    fn make_room(&mut self) {
        while self.used + self.prefixes.unused_blocks() > self.capacity && self.prefixes.evict().is_some() {}
    }

    /// A sequence of `context` tokens begins to grow at this token clock; gives its phase.
    pub fn grow(&mut self, clock: u64, context: u32) -> u32 {
        let block = u64::from(self.block);
        let phase = ((clock + block - u64::from(context) % block) % block) as u32;
        self.phases[phase as usize] += 1;
        self.growing += 1;
        phase
    }

    /// It grows no more.
    pub fn stop(&mut self, phase: u32) {
        self.phases[phase as usize] -= 1;
        self.growing -= 1;
    }

    /// Blocks that begin while the token clock goes from `from` by `tokens`: each growing sequence begins one every block.
    pub fn demand(&self, from: u64, tokens: u64) -> u64 {
        let block = u64::from(self.block);
        let whole = tokens / block * u64::from(self.growing);
        let (start, rest) = ((from % block) as usize, (tokens % block) as usize);
        let first = &self.phases[start..(start + rest).min(self.phases.len())];
        let wrapped = &self.phases[..rest - first.len()];
        whole + first.iter().chain(wrapped).map(|count| u64::from(*count)).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sequence_needs_a_block_when_its_last_is_full() {
        let mut kv = Kv::new(16, 100, 0);
        // 30 tokens fill 14 of the second block: the 31st and 32nd fit, the 33rd begins a third.
        kv.grow(1000, 30);
        let demands: Vec<u64> = (1..=20).map(|tokens| kv.demand(1000, tokens)).collect();
        assert_eq!(demands[..3], [0, 0, 1]);
        assert_eq!(demands[17..], [1, 2, 2]);
    }

    proptest! {
        #[test]
        fn demand_is_what_lengths_say(contexts in proptest::collection::vec(1u32..200, 1..20), clock in 0u64..1000, tokens in 0u64..100) {
            let mut kv = Kv::new(16, 10_000, 0);
            contexts.iter().for_each(|context| { kv.grow(clock, *context); });
            // Σ ⌈(c + t)/b⌉ − ⌈c/b⌉
            let expected: u64 = contexts.iter().map(|c| u64::from((c + tokens as u32).div_ceil(16) - c.div_ceil(16))).sum();
            prop_assert_eq!(kv.demand(clock, tokens), expected);
        }
    }

    #[test]
    fn unused_contents_make_room() {
        let mut kv = Kv::new(16, 10, 0);
        assert!(kv.take(8));
        let (units, shared) = kv.share(&[1, 2], 0, 64, 128, 128);
        assert_eq!((units, shared), (2, 8));
        kv.release(&[1, 2], 2);
        assert_eq!((kv.used(), kv.cached(), kv.available()), (0, 8, 10));
        assert!(kv.take(5));
        // 5 used and 8 cached are more than 10: the end of the chain is given up.
        assert_eq!((kv.used(), kv.cached()), (5, 4));
        assert!(!kv.take(6));
    }

    #[test]
    fn the_last_token_is_always_computed() {
        let mut kv = Kv::new(16, 100, 0);
        kv.take(8);
        kv.share(&[1, 2], 0, 64, 128, 128);
        let prefixes = Prefixes { unit: 64, ..Prefixes::default() };
        assert_eq!(kv.find(&[1, 2], &prefixes, 128).tokens, 112);
        assert_eq!(kv.find(&[1, 2, 3], &prefixes, 190).tokens, 128);
        assert_eq!(kv.find(&[7], &prefixes, 64), Hit::default());
    }
}

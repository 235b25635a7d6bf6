//! Prompts that begin alike: one of a number of system prompts, each with its popularity.

use vitruvian_event::random::{Stream, below};

use crate::requests::{Prefixes, RequestId, Requests};

/// What prompts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Different beginnings, equally likely.
    pub groups: u32,
    /// Tokens of a beginning.
    pub tokens: u32,
    /// Tokens of a unit that is named.
    pub unit: u32,
}

impl Sharing {
    /// Names the contents of all prompts: those of a group's beginning are shared, the rest is a request's own.
    pub fn apply(&self, requests: &mut Requests, stream: &mut Stream) {
        let mut prefixes = Prefixes { unit: self.unit.max(1), ..Prefixes::default() };
        for index in 0..requests.len() {
            let group = below(stream, self.groups.max(1) as usize) as u64;
            let units = requests.inputs[index].div_ceil(prefixes.unit);
            let shared = self.tokens.min(requests.inputs[index]) / prefixes.unit;
            let id = RequestId(index as u32);
            prefixes.names.extend((0..units).map(|unit| name(group, id, unit, unit < shared)));
            prefixes.ends.push(prefixes.names.len() as u32);
        }
        requests.prefixes = prefixes;
    }
}

/// Names of groups and of requests are apart by their highest bit; 23 bits for the unit hold prompts of any length.
fn name(group: u64, id: RequestId, unit: u32, shared: bool) -> u64 {
    let owner = if shared { group } else { (1 << 40) | u64::from(id.0) };
    owner << 23 | u64::from(unit)
}

#[cfg(test)]
mod tests {
    use vitruvian_event::{Instant, stream};

    use super::*;

    #[test]
    fn the_beginning_is_shared_and_the_rest_is_not() {
        let mut requests = Requests::default();
        (0..2).for_each(|_| requests.push(Instant::ZERO, 100, 1));
        Sharing { groups: 1, tokens: 64, unit: 32 }.apply(&mut requests, &mut stream(1, "test"));
        let [a, b] = [RequestId(0), RequestId(1)].map(|id| requests.prefixes.of(id).to_vec());
        assert_eq!(a.len(), 4);
        assert_eq!(a[..2], b[..2]);
        assert!(a[2] != b[2] && a[3] != b[3]);
    }
}

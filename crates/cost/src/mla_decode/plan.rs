//! Where `FlashInfer` puts sequences: `MLAPlan` of `include/flashinfer/attention/scheduler.cuh`, for sequences of one length.
//!
//! Two cores share the keys of a sequence where its rows take two tiles. A sequence longer than an even share of all keys is cut
//! at that share, and pieces go in turn to the cores with the least so far. What is left over of each sequence does not fill
//! the cores evenly: 32 sequences on 39 pairs take 1.44 times an even share. The rule is recalled from the source; H20's table,
//! whose 32 sequences it explains, bears it out.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::decode_attention::split::Placed;

/// Rows of a core's tile of (query, head) pairs.
pub(super) const ROWS: u32 = 64;
/// Keys that a row of a tile costs beside its keys, in the planner's own measure.
const ROW_COST: u32 = 2;

/// What is to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// Sequences of one length.
    pub sequences: u32,
    /// Rows of (query, head) pairs of each.
    pub rows: u32,
    /// Keys of each.
    pub keys: u32,
}

/// Keys and pieces on one group of cores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Pile {
    cost: u32,
    keys: u32,
    pieces: u32,
}

/// The busiest of so many cores.
pub(super) fn placed(batch: Batch, cores: u32) -> Placed {
    let together = if batch.rows > ROWS { 2 } else { 1 };
    let groups = (cores / together).max(1);
    let tasks = batch.sequences * batch.rows.div_ceil(together * ROWS);
    let limit = longest_piece((u64::from(tasks) * u64::from(batch.keys)).div_ceil(groups.into()));
    let keys = f64::from(batch.keys.max(1));
    if limit >= batch.keys {
        let rounds = f64::from(tasks.div_ceil(groups));
        return Placed { splits: 1.0, parts: rounds, busiest: rounds };
    }
    let busiest = busiest(tasks, batch.keys, limit, groups as usize, ROW_COST * together * ROWS);
    Placed {
        splits: f64::from(batch.keys.div_ceil(limit)),
        parts: f64::from(busiest.pieces),
        busiest: f64::from(busiest.keys) / keys,
    }
}

/// An even share of the keys, rounded as the planner does.
fn longest_piece(even: u64) -> u32 {
    let rounded = match even {
        0..=8 => 32,
        9..=16 => 64,
        17..=32 => 128,
        33..=64 => 192,
        _ => even.next_multiple_of(256),
    };
    u32::try_from(rounded).unwrap_or(u32::MAX)
}

/// Pieces of every task in turn, each to the pile of least cost; the pile with the most keys.
fn busiest(tasks: u32, keys: u32, limit: u32, groups: usize, constant: u32) -> Pile {
    let mut piles = BinaryHeap::from(vec![Reverse(Pile::default()); groups]);
    for piece in (0..tasks).flat_map(|_| pieces(keys, limit)) {
        if let Some(mut least) = piles.peek_mut() {
            let Reverse(pile) = &mut *least;
            pile.cost = pile.cost.saturating_add(constant + piece);
            pile.keys += piece;
            pile.pieces += 1;
        }
    }
    piles.into_iter().map(|Reverse(pile)| pile).max_by_key(|pile| pile.keys).unwrap_or_default()
}

/// A task in pieces of the limit and what is left.
fn pieces(keys: u32, limit: u32) -> impl Iterator<Item = u32> {
    (0..keys.div_ceil(limit)).map(move |index| limit.min(keys - index * limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_sequences_fall_on_pairs_of_cores_in_rounds() {
        // 128 rows take 39 pairs of 78 cores. 128 sequences: ⌈128/39⌉ = 4 rounds, since an even share exceeds a sequence.
        let placed = placed(Batch { sequences: 128, rows: 128, keys: 8192 }, 78);
        assert_eq!(placed, Placed { splits: 1.0, parts: 4.0, busiest: 4.0 });
    }

    #[test]
    fn one_sequence_is_cut_at_an_even_share() {
        // 131072/39 = 3361 keys, rounded to 14·256 = 3584: 37 pieces on 39 pairs.
        let placed = placed(Batch { sequences: 1, rows: 128, keys: 131_072 }, 78);
        assert_eq!(placed, Placed { splits: 37.0, parts: 1.0, busiest: 3584.0 / 131_072.0 });
    }

    #[test]
    fn what_is_left_over_piles_up() {
        // Three sequences of 1000 keys on four cores, one tile of rows each: 3000/4 = 750, rounded to 768; pieces 768 and 232.
        // In turn: cores one to four hold 768, 232, 768, 232; the third sequence's 768 joins the second core, its 232 the fourth:
        // 768, 1000, 768, 464.
        let placed = placed(Batch { sequences: 3, rows: 64, keys: 1000 }, 4);
        assert_eq!(placed, Placed { splits: 2.0, parts: 2.0, busiest: 1.0 });
    }
}

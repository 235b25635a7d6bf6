//! Events in order of time; those of one time in the order in which they were pushed.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::time::Instant;

/// Pending events. Keys are (time, sequence), so the order is total and the same in every run.
#[derive(Clone, Debug)]
pub struct EventQueue<E> {
    heap: BinaryHeap<Reverse<Entry<E>>>,
    sequence: u64,
    now: Instant,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    at: Instant,
    sequence: u64,
    event: E,
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), sequence: 0, now: Instant::ZERO }
    }
}

impl<E> EventQueue<E> {
    /// An empty queue at the start of time.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event. One in the past happens now.
    pub fn push(&mut self, at: Instant, event: E) {
        let entry = Entry { at: at.max(self.now), sequence: self.sequence, event };
        self.sequence += 1;
        self.heap.push(Reverse(entry));
    }

    /// Takes the next event and moves the clock there.
    pub fn pop(&mut self) -> Option<(Instant, E)> {
        let Reverse(entry) = self.heap.pop()?;
        self.now = entry.at;
        Some((entry.at, entry.event))
    }

    /// When the next event happens.
    pub fn next_time(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    /// Moves the clock to what happened outside of the queue.
    pub fn advance(&mut self, to: Instant) {
        self.now = self.now.max(to);
    }

    /// Number of pending events.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn equal_times_keep_the_order_of_pushing() {
        let mut queue = EventQueue::new();
        for event in 0..5 {
            queue.push(Instant::from_picoseconds(7), event);
        }
        let order: Vec<i32> = std::iter::from_fn(|| queue.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_past_happens_now() {
        let mut queue = EventQueue::new();
        queue.push(Instant::from_picoseconds(10), 'a');
        queue.pop();
        queue.push(Instant::from_picoseconds(3), 'b');
        assert_eq!(queue.pop(), Some((Instant::from_picoseconds(10), 'b')));
    }

    proptest! {
        #[test]
        fn times_never_go_back(times in proptest::collection::vec(0u64..1000, 0..200)) {
            let mut queue = EventQueue::new();
            for (index, at) in times.iter().enumerate() {
                queue.push(Instant::from_picoseconds(*at), index);
            }
            let popped: Vec<(Instant, usize)> = std::iter::from_fn(|| queue.pop()).collect();
            prop_assert_eq!(popped.len(), times.len());
            prop_assert!(popped.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}

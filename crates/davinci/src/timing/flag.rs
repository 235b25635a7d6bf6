//! A flag between two pipes, or two cores.

/// Times at which a flag was set and not yet waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flag {
    times: [u64; Flag::DEPTH],
    first: u8,
    count: u8,
}

impl Flag {
    /// Sets that may be outstanding; the hardware counter has four bits.
    const DEPTH: usize = 16;
    pub(super) const CLEAR: Self = Self { times: [0; Self::DEPTH], first: 0, count: 0 };

    pub(super) fn push(&mut self, time: u64) -> bool {
        if usize::from(self.count) == Self::DEPTH {
            return false;
        }
        self.times[usize::from(self.first + self.count) % Self::DEPTH] = time;
        self.count += 1;
        true
    }

    pub(super) fn pop(&mut self) -> Option<u64> {
        if self.count == 0 {
            return None;
        }
        let time = self.times[usize::from(self.first)];
        self.first = (self.first + 1) % Self::DEPTH as u8;
        self.count -= 1;
        Some(time)
    }

    /// Whether a wait would pass.
    pub(super) fn is_set(&self) -> bool {
        self.count > 0
    }
}

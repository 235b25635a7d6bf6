//! Vector clocks: what each pipe of each core knows to have happened.

/// A pipe of a core, numbered densely.
pub(super) type Agent = u16;

/// For every agent, how many of its accesses are known to be over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clock(Vec<u32>);

impl Clock {
    pub(super) fn new(agents: usize) -> Self {
        Self(vec![0; agents])
    }

    /// Whether an access of an agent is known to be over.
    pub(super) fn knows(&self, agent: Agent, time: u32) -> bool {
        self.0[usize::from(agent)] >= time
    }

    /// Learns what another knows.
    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Counts an access of the owner.
    pub(super) fn tick(&mut self, owner: Agent) -> u32 {
        self.0[usize::from(owner)] += 1;
        self.0[usize::from(owner)]
    }
}

//! The cores together: whoever can go on does, until all have ended or nobody can.

use super::clock::Clock;
use super::core::{Core, Outcome};
use super::fault::{Fault, FaultKind};
use super::global::GlobalMemory;
use crate::isa::{CrossMode, Pipe, Sync};
use crate::kernel::Kernel;
use crate::machine::Machine;

/// Runs a kernel on real data.
///
/// # Errors
/// The first broken rule, in an order that does not depend on timing.
pub fn execute(machine: &Machine, kernel: &Kernel, gm: &mut GlobalMemory) -> Result<(), Fault> {
    let agents = kernel.cores.len() * Pipe::COUNT;
    let mut cores: Vec<Core<'_>> = kernel
        .cores
        .iter()
        .enumerate()
        .map(|(index, slot)| Core::new(machine, kernel, index, slot.kind, agents))
        .collect();
    let mut cross = Cross::new(kernel);
    loop {
        let mut progress = false;
        for core in &mut cores {
            progress |= core.advance(gm)?;
            for (mode, id, clock) in core.take_cross() {
                cross.set(core.index(), mode, id, clock);
            }
        }
        for (target, mode, id, clock) in cross.take_ready() {
            cores[target].deliver(mode, id, clock);
            progress = true;
        }
        if cores.iter().all(|core| core.outcome() == Outcome::Finished) {
            return Ok(());
        }
        if !progress {
            return Err(deadlock(&cores));
        }
    }
}

fn deadlock(cores: &[Core<'_>]) -> Fault {
    let waits: Vec<(usize, usize, String)> = cores.iter().flat_map(Core::waits).collect();
    let (core, instruction, place, text) =
        waits.first().map_or((0, 0, String::new(), String::new()), |(core, index, _)| {
            let (place, text) = cores[*core].describe(*index);
            (*core, *index, place, text)
        });
    let waits = waits.into_iter().map(|(_, _, text)| text).collect();
    Fault { core, instruction, place, text, kind: FaultKind::Deadlock { waits } }
}

/// Cross-core flags: the n-th set of all peers releases the n-th wait.
struct Cross<'k> {
    kernel: &'k Kernel,
    /// By mode and id, then core: the clock of each set.
    sets: Vec<Vec<Vec<Clock>>>,
    ready: Vec<(usize, CrossMode, u8, Clock)>,
}

impl<'k> Cross<'k> {
    fn new(kernel: &'k Kernel) -> Self {
        let sets = vec![vec![Vec::new(); kernel.cores.len()]; 2 * Sync::CROSS_IDS];
        Self { kernel, sets, ready: Vec::new() }
    }

    fn set(&mut self, core: usize, mode: CrossMode, id: u8, clock: Clock) {
        let index = mode as usize * Sync::CROSS_IDS + usize::from(id);
        self.sets[index][core].push(clock);
        let nth = self.sets[index][core].len() - 1;
        for target in (0..self.kernel.cores.len()).filter(|&target| hears(self.kernel, mode, core, target)) {
            let peers = (0..self.kernel.cores.len()).filter(|&peer| hears(self.kernel, mode, peer, target));
            let clocks: Option<Vec<&Clock>> = peers.map(|peer| self.sets[index][peer].get(nth)).collect();
            let joined = clocks.and_then(|clocks| {
                let (first, rest) = clocks.split_first()?;
                let mut joined = (*first).clone();
                for clock in rest {
                    joined.join(clock);
                }
                Some(joined)
            });
            self.ready.extend(joined.map(|clock| (target, mode, id, clock)));
        }
    }

    fn take_ready(&mut self) -> Vec<(usize, CrossMode, u8, Clock)> {
        std::mem::take(&mut self.ready)
    }
}

/// Whether a set of `source` counts for a wait of `target`.
fn hears(kernel: &Kernel, mode: CrossMode, source: usize, target: usize) -> bool {
    let (from, to) = (kernel.cores[source], kernel.cores[target]);
    match mode {
        CrossMode::SameKind => from.kind == to.kind,
        CrossMode::Group => from.group == to.group && from.kind != to.kind,
    }
}

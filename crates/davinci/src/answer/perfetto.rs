//! A trace for the Perfetto UI: one track a pipe and core, flows from each set of a flag to its wait.

use std::collections::{BTreeMap, VecDeque};

use vitruvian_event::perfetto::Writer;
use vitruvian_quantity::Hertz;

use crate::isa::{EventId, Instruction, Pipe, Sync};
use crate::kernel::Kernel;
use crate::timing::Event;

/// The bytes of a trace file. Time is nanoseconds at the core clock.
pub fn perfetto(kernel: &Kernel, events: &[Event], clock: Hertz) -> Vec<u8> {
    let mut trace = Writer::new();
    for (core, slot) in kernel.cores.iter().enumerate() {
        trace.track(group(core), &format!("core {core} {}", slot.kind.name()), None);
        for pipe in Pipe::ALL {
            trace.track(track(core, pipe), pipe.name(), Some(group(core)));
        }
    }
    let nanoseconds = |cycles: u64| (cycles as f64 / clock.get() * 1e9) as u64;
    let mut flows = Flows::default();
    let mut ordered: Vec<&Event> = events.iter().collect();
    ordered.sort_by_key(|event| (event.start, event.core, event.pipe));
    for event in ordered {
        let core = event.core as usize;
        let instruction =
            &kernel.programs[kernel.cores[core].program].instructions[event.instruction as usize];
        let flow = flows.of(core, instruction);
        let uuid = track(core, event.pipe);
        trace.begin(nanoseconds(event.start), uuid, &instruction.to_string(), flow);
        trace.end(nanoseconds(event.end), uuid);
    }
    trace.finish()
}

/// Pairs the n-th set of an event with its n-th wait.
#[derive(Default)]
struct Flows {
    next: u64,
    open: BTreeMap<(usize, usize), VecDeque<u64>>,
}

impl Flows {
    fn of(&mut self, core: usize, instruction: &Instruction) -> Option<u64> {
        let key = |event: EventId| (core, event.index());
        match instruction {
            Instruction::Sync(Sync::SetFlag(event)) => {
                self.next += 1;
                self.open.entry(key(*event)).or_default().push_back(self.next);
                Some(self.next)
            }
            Instruction::Sync(Sync::WaitFlag(event)) => {
                self.open.get_mut(&key(*event)).and_then(VecDeque::pop_front)
            }
            _ => None,
        }
    }
}

/// Tracks are numbered from one: eight a core, the core itself first.
fn group(core: usize) -> u64 {
    core as u64 * 8 + 1
}

fn track(core: usize, pipe: Pipe) -> u64 {
    group(core) + 1 + pipe as u64
}

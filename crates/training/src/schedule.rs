//! In which order each device runs its passes. One file a schedule; [`simulate()`] says when each pass runs.

mod closed;
mod dualpipe;
mod interleaved;
mod one_f_one_b;
mod simulate;
mod zero_bubble;

use crate::plan::Schedule;

pub use closed::{bubble, in_flight, in_flight_of_chunks};
pub use simulate::{Durations, Event, Stuck, Timeline, simulate};

/// What a pass does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Work {
    /// Forward.
    Forward,
    /// Gradients of inputs and weights.
    Backward,
    /// Gradient of the inputs alone.
    Input,
    /// Gradient of the weights, put off.
    Weight,
}

/// One pass of one micro-batch through one chunk of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    /// What it does.
    pub work: Work,
    /// Which of the device's chunks: virtual stage `chunk · p + device`; in `DualPipe` the direction.
    pub chunk: u32,
    /// Micro-batch, counted in each direction from zero.
    pub micro: u32,
}

/// What a device does at a time: one pass, or a forward and a backward pass that hide each other's exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    /// The pass.
    pub item: Item,
    /// A second one beside it.
    pub beside: Option<Item>,
}

/// Slots of each device, in order.
pub type Orders = Vec<Vec<Slot>>;

impl Item {
    /// A pass alone.
    pub(crate) fn slot(self) -> Slot {
        Slot { item: self, beside: None }
    }
}

pub(crate) fn item(work: Work, chunk: u32, micro: u32) -> Item {
    Item { work, chunk, micro }
}

/// The orders of a schedule for `devices` devices of `chunks` chunks and `micros` micro-batches.
///
/// The plan must have passed [`crate::check`]: `DualPipe` takes an even number of devices and of micro-batches.
pub fn orders(schedule: Schedule, devices: u32, chunks: u32, micros: u32) -> Orders {
    match schedule {
        Schedule::OneFOneB if chunks > 1 => interleaved::orders(devices, chunks, micros),
        Schedule::OneFOneB => one_f_one_b::orders(devices, micros),
        Schedule::ZbH1 => zero_bubble::orders(devices, micros, 1),
        Schedule::Zb2p => zero_bubble::orders(devices, micros, 2),
        Schedule::DualPipe => dualpipe::orders(devices, micros),
    }
}

/// Most passes between forward and last backward pass on a device, in chunks.
pub fn peak_in_flight(order: &[Slot]) -> u32 {
    let (mut held, mut most) = (0_i64, 0_i64);
    for slot in order {
        let items = std::iter::once(slot.item).chain(slot.beside);
        let split =
            |item: &Item| order.iter().any(|s| s.item.work == Work::Weight && s.item.chunk == item.chunk);
        for item in items {
            match item.work {
                Work::Forward => held += 1,
                Work::Backward | Work::Weight => held -= 1,
                Work::Input if !split(&item) => held -= 1,
                Work::Input => {}
            }
            most = most.max(held);
        }
    }
    most.max(0) as u32
}

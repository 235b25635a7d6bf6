//! Interleaved 1F1B (arXiv 2104.04473, section 2.2): each device holds v chunks, and micro-batches pass them in groups of
//! p. Device s warms up with 2(p − s − 1) + (v − 1)p forwards.

use super::{Item, Orders, Slot, Work, item};

pub(super) fn orders(devices: u32, chunks: u32, micros: u32) -> Orders {
    (0..devices).map(|device| order(devices, chunks, micros, device)).collect()
}

fn order(devices: u32, chunks: u32, micros: u32, device: u32) -> Vec<Slot> {
    let total = micros * chunks;
    let warm = ((devices - device - 1) * 2 + (chunks - 1) * devices).min(total);
    let forward = |index| pass(Work::Forward, index, devices, chunks, micros);
    let backward = |index| pass(Work::Backward, index, devices, chunks, micros);
    let mut slots: Vec<Slot> = (0..warm).map(|index| forward(index).slot()).collect();
    for index in warm..total {
        slots.push(forward(index).slot());
        slots.push(backward(index - warm).slot());
    }
    slots.extend((total - warm..total).map(|index| backward(index).slot()));
    slots
}

/// The `index`-th forward or backward pass of a device: groups of p micro-batches, each through all chunks; the last
/// group may be shorter.
fn pass(work: Work, index: u32, devices: u32, chunks: u32, micros: u32) -> Item {
    let group = index / (devices * chunks);
    let first = group * devices;
    let width = devices.min(micros - first);
    let within = index - group * devices * chunks;
    let chunk = within / width;
    let chunk = if work == Work::Forward { chunk } else { chunks - 1 - chunk };
    item(work, chunk, first + within % width)
}

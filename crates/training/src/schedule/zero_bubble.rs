//! Zero-bubble schedules (arXiv 2401.10241): the backward pass is split, and weight gradients are put off into the drain.
//!
//! Both are one pattern with `depth` 1 (ZB-H1) or 2 (ZB-2P, their H2). Device s keeps `depth · s` weight gradients back:
//! as long as its own drain waits for the devices behind it. ZB-2P also warms up with `2(p − s) − 2` forwards, so that
//! no device waits in the steady state, at twice the memory.

use super::{Orders, Slot, Work, item};

pub(super) fn orders(devices: u32, micros: u32, depth: u32) -> Orders {
    (0..devices).map(|device| order(devices, micros, device, depth)).collect()
}

fn order(devices: u32, micros: u32, device: u32, depth: u32) -> Vec<Slot> {
    let warm = (depth * (devices - 1 - device)).min(micros);
    let back = (depth * device).min(micros);
    let mut slots: Vec<Slot> = (0..warm).map(|micro| item(Work::Forward, 0, micro).slot()).collect();
    for micro in 0..micros {
        if warm + micro < micros {
            slots.push(item(Work::Forward, 0, warm + micro).slot());
        }
        slots.push(item(Work::Input, 0, micro).slot());
        if micro >= back {
            slots.push(item(Work::Weight, 0, micro - back).slot());
        }
    }
    slots.extend((micros - back..micros).map(|micro| item(Work::Weight, 0, micro).slot()));
    slots
}

//! One forward, one backward (PipeDream-flush; arXiv 2104.04473, figure 4): device s warms up with p − 1 − s forwards.

use super::{Orders, Slot, Work, item};

pub(super) fn orders(devices: u32, micros: u32) -> Orders {
    (0..devices).map(|device| order(devices, micros, device)).collect()
}

fn order(devices: u32, micros: u32, device: u32) -> Vec<Slot> {
    let warm = (devices - 1 - device).min(micros);
    let mut slots: Vec<Slot> = (0..warm).map(|micro| item(Work::Forward, 0, micro).slot()).collect();
    for micro in warm..micros {
        slots.push(item(Work::Forward, 0, micro).slot());
        slots.push(item(Work::Backward, 0, micro - warm).slot());
    }
    slots.extend((micros - warm..micros).map(|micro| item(Work::Backward, 0, micro).slot()));
    slots
}

//! `DualPipe` (arXiv 2412.19437, figure 5; order of passes as in deepseek-ai/DualPipe, `dualpipe.py`): micro-batches
//! enter at both ends, and a forward pass of one direction hides the exchanges of a backward pass of the other.
//!
//! A device holds stage s of the forward direction and stage p − 1 − s of the other: two copies of the weights.

use std::collections::VecDeque;

use super::{Item, Orders, Slot, Work, item};

pub(super) fn orders(devices: u32, micros: u32) -> Orders {
    (0..devices).map(|device| Order::of(devices, micros, device)).collect()
}

/// One device's order as it is built.
struct Order {
    slots: Vec<Slot>,
    /// Whether the device is in the second half, where the directions change roles.
    mirrored: bool,
    forwards: [u32; 2],
    backwards: [u32; 2],
    put_off: VecDeque<Item>,
}

impl Order {
    fn of(devices: u32, micros: u32, device: u32) -> Vec<Slot> {
        let half_devices = devices / 2;
        let half = device.min(devices - 1 - device);
        let half_micros = micros / 2;
        let mut order = Self {
            slots: Vec::new(),
            mirrored: device >= half_devices,
            forwards: [0; 2],
            backwards: [0; 2],
            put_off: VecDeque::new(),
        };
        let (outer, inner) = (half_devices - half - 1, half + 1);
        // 1: forwards of the near end.
        (0..outer * 2).for_each(|_| order.forward(0));
        // 2: forwards of both.
        for _ in 0..inner {
            order.forward(0);
            order.forward(1);
        }
        // 3: backwards of the far end, their weights put off just past them.
        for _ in 0..outer {
            order.backward(1, true);
            order.weight();
            order.forward(1);
        }
        // 4: the steady state.
        let steady = (half_micros + half + 1).saturating_sub(devices);
        for index in 0..steady {
            if index == 0 && half == half_devices - 1 {
                order.forward(0);
                order.backward(1, false);
            } else {
                order.pair(0, 1);
            }
            order.pair(1, 0);
        }
        // 5: backwards of the far end beside the last forwards of it.
        for _ in 0..outer {
            order.backward(1, false);
            order.pair(1, 0);
        }
        // 6: backwards of both; the second half puts weights off.
        let mut split = false;
        for index in 0..inner {
            split |= index == inner / 2 && !half.is_multiple_of(2);
            order.backward(1, split);
            split |= index == inner / 2 && half.is_multiple_of(2);
            order.backward(0, split);
        }
        // 7 and 8: the weights put off.
        for _ in 0..outer {
            order.weight();
            order.backward(0, true);
        }
        while !order.put_off.is_empty() {
            order.weight();
        }
        order.slots
    }

    fn direction(&self, phase: u32) -> usize {
        (phase ^ u32::from(self.mirrored)) as usize
    }

    fn next_forward(&mut self, phase: u32) -> Item {
        let direction = self.direction(phase);
        let micro = self.forwards[direction];
        self.forwards[direction] += 1;
        item(Work::Forward, direction as u32, micro)
    }

    fn next_backward(&mut self, phase: u32, work: Work) -> Item {
        let direction = self.direction(phase);
        let micro = self.backwards[direction];
        self.backwards[direction] += 1;
        item(work, direction as u32, micro)
    }

    fn forward(&mut self, phase: u32) {
        let item = self.next_forward(phase);
        self.slots.push(item.slot());
    }

    fn backward(&mut self, phase: u32, split: bool) {
        let item = self.next_backward(phase, if split { Work::Input } else { Work::Backward });
        self.slots.push(item.slot());
        if split {
            self.put_off.push_back(Item { work: Work::Weight, ..item });
        }
    }

    fn pair(&mut self, forward: u32, backward: u32) {
        let first = self.next_forward(forward);
        let second = self.next_backward(backward, Work::Backward);
        self.slots.push(Slot { item: first, beside: Some(second) });
    }

    fn weight(&mut self) {
        self.slots.extend(self.put_off.pop_front().map(Item::slot));
    }
}

//! A trace in Perfetto's protobuf encoding: one track a pipe and core, flows from each set of a flag to its wait.
//!
//! Fields by number from `perfetto/trace/trace.proto`, `track_descriptor.proto` and `track_event.proto`.

use std::collections::{BTreeMap, VecDeque};

use vitruvian_quantity::Hertz;

use crate::isa::{EventId, Instruction, Pipe, Sync};
use crate::kernel::Kernel;
use crate::timing::Event;

/// The bytes of a trace file. Time is nanoseconds at the core clock.
pub fn perfetto(kernel: &Kernel, events: &[Event], clock: Hertz) -> Vec<u8> {
    let mut trace = Vec::new();
    for (core, slot) in kernel.cores.iter().enumerate() {
        packet(&mut trace, &descriptor(group(core), &format!("core {core} {}", slot.kind.name()), None));
        for pipe in Pipe::ALL {
            packet(&mut trace, &descriptor(track(core, pipe), pipe.name(), Some(group(core))));
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
        packet(&mut trace, &slice(nanoseconds(event.start), uuid, Some((&instruction.to_string(), flow))));
        packet(&mut trace, &slice(nanoseconds(event.end), uuid, None));
    }
    trace
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

fn descriptor(uuid: u64, name: &str, parent: Option<u64>) -> Vec<u8> {
    let mut track = Vec::new();
    varint_field(&mut track, 1, uuid);
    bytes_field(&mut track, 2, name.as_bytes());
    if let Some(parent) = parent {
        varint_field(&mut track, 5, parent);
    }
    let mut packet = Vec::new();
    bytes_field(&mut packet, 60, &track);
    packet
}

/// The begin of a slice with its name and flow, or an end.
fn slice(time: u64, uuid: u64, begin: Option<(&str, Option<u64>)>) -> Vec<u8> {
    const BEGIN: u64 = 1;
    const END: u64 = 2;
    let mut event = Vec::new();
    varint_field(&mut event, 9, if begin.is_some() { BEGIN } else { END });
    varint_field(&mut event, 11, uuid);
    if let Some((name, flow)) = begin {
        bytes_field(&mut event, 23, name.as_bytes());
        if let Some(flow) = flow {
            varint(&mut event, 47 << 3 | 1);
            event.extend(flow.to_le_bytes());
        }
    }
    let mut packet = Vec::new();
    varint_field(&mut packet, 8, time);
    varint_field(&mut packet, 10, 1);
    bytes_field(&mut packet, 11, &event);
    packet
}

fn packet(trace: &mut Vec<u8>, body: &[u8]) {
    bytes_field(trace, 1, body);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_field(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3);
    varint(out, value);
}

fn bytes_field(out: &mut Vec<u8>, field: u64, bytes: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, bytes.len() as u64);
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_are_little_endian_base_128() {
        let mut out = Vec::new();
        varint(&mut out, 300);
        assert_eq!(out, [0xac, 0x02]);
    }

    #[test]
    fn a_descriptor_packet_has_the_published_field_numbers() {
        // packet = field 1 { track_descriptor = field 60 { uuid = 1: 2, name = 2: "M", parent = 5: 1 } }
        let mut trace = Vec::new();
        packet(&mut trace, &descriptor(2, "M", Some(1)));
        let descriptor = [0x08, 2, 0x12, 1, b'M', 0x28, 1];
        let mut expected = vec![0x0a, 10, 0xe2, 0x03, 7];
        expected.extend(descriptor);
        assert_eq!(trace, expected);
    }
}

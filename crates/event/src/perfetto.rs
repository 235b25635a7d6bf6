//! A trace in Perfetto's protobuf encoding.
//!
//! Fields by number from `perfetto/trace/trace.proto`, `track_descriptor.proto`, `counter_descriptor.proto` and
//! `track_event.proto`.

/// What a packet of a track event says.
const BEGIN: u64 = 1;
const END: u64 = 2;
const COUNTER: u64 = 4;

/// The bytes of a trace file as it grows. Times are nanoseconds; tracks are known by a number of the caller's choice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty trace.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares a track, perhaps below another.
    pub fn track(&mut self, uuid: u64, name: &str, parent: Option<u64>) {
        self.descriptor(uuid, name, parent, false);
    }

    /// Declares a track of figures.
    pub fn counter_track(&mut self, uuid: u64, name: &str, parent: Option<u64>) {
        self.descriptor(uuid, name, parent, true);
    }

    /// Begins a slice, which may be one end of a flow.
    pub fn begin(&mut self, time: u64, track: u64, name: &str, flow: Option<u64>) {
        let mut event = event(BEGIN, track);
        bytes_field(&mut event, 23, name.as_bytes());
        if let Some(flow) = flow {
            fixed_field(&mut event, 47, flow);
        }
        self.event(time, &event);
    }

    /// Ends the slice begun last on the track.
    pub fn end(&mut self, time: u64, track: u64) {
        self.event(time, &event(END, track));
    }

    /// A figure from this time on.
    pub fn count(&mut self, time: u64, track: u64, value: f64) {
        let mut event = event(COUNTER, track);
        fixed_field(&mut event, 44, value.to_bits());
        self.event(time, &event);
    }

    /// The whole file.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn descriptor(&mut self, uuid: u64, name: &str, parent: Option<u64>, counter: bool) {
        let mut track = Vec::new();
        varint_field(&mut track, 1, uuid);
        bytes_field(&mut track, 2, name.as_bytes());
        if let Some(parent) = parent {
            varint_field(&mut track, 5, parent);
        }
        if counter {
            bytes_field(&mut track, 8, &[]);
        }
        let mut packet = Vec::new();
        bytes_field(&mut packet, 60, &track);
        bytes_field(&mut self.bytes, 1, &packet);
    }

    fn event(&mut self, time: u64, event: &[u8]) {
        let mut packet = Vec::new();
        varint_field(&mut packet, 8, time);
        varint_field(&mut packet, 10, 1);
        bytes_field(&mut packet, 11, event);
        bytes_field(&mut self.bytes, 1, &packet);
    }
}

fn event(kind: u64, track: u64) -> Vec<u8> {
    let mut event = Vec::new();
    varint_field(&mut event, 9, kind);
    varint_field(&mut event, 11, track);
    event
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

fn fixed_field(out: &mut Vec<u8>, field: u64, value: u64) {
    varint(out, field << 3 | 1);
    out.extend(value.to_le_bytes());
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
        let mut trace = Writer::new();
        trace.track(2, "M", Some(1));
        let descriptor = [0x08, 2, 0x12, 1, b'M', 0x28, 1];
        let mut expected = vec![0x0a, 10, 0xe2, 0x03, 7];
        expected.extend(descriptor);
        assert_eq!(trace.finish(), expected);
    }

    #[test]
    fn a_counter_has_the_published_field_numbers() {
        // packet = field 1 { timestamp = 8: 5, sequence = 10: 1, track_event = 11 { type = 9: 4, track = 11: 3, double = 44 } }
        let mut trace = Writer::new();
        trace.count(5, 3, 1.0);
        let mut event = vec![0x48, 4, 0x58, 3, 0xe1, 0x02];
        event.extend(1.0f64.to_le_bytes());
        let mut packet = vec![0x40, 5, 0x50, 1, 0x5a, event.len() as u8];
        packet.extend(event);
        let mut expected = vec![0x0a, packet.len() as u8];
        expected.extend(packet);
        assert_eq!(trace.finish(), expected);
    }
}

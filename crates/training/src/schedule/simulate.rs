//! When each pass runs: devices take their slots in order, and a pass waits for what it needs from its neighbours.

use super::{Item, Orders, Slot, Work};

/// Durations of the passes, in seconds, by device and chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Durations {
    /// Chunks of a device.
    pub chunks: u32,
    /// Forward pass of `device · chunks + chunk`.
    pub forward: Vec<f64>,
    /// Input gradient.
    pub input: Vec<f64>,
    /// Weight gradient.
    pub weight: Vec<f64>,
    /// A forward and a backward pass beside each other, of the forward's and the backward's chunk.
    pub pair: Vec<f64>,
    /// From one device to the next.
    pub send: f64,
    /// Whether a device waits while it sends.
    pub blocking: bool,
    /// Whether chunks are the two directions of `DualPipe`.
    pub both_ways: bool,
}

/// One slot as it ran.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// Device.
    pub device: u32,
    /// What ran.
    pub slot: Slot,
    /// From, in seconds.
    pub start: f64,
    /// To.
    pub end: f64,
}

/// A step of the pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// Every slot, device by device, in order.
    pub events: Vec<Vec<Event>>,
    /// End of the last one.
    pub makespan: f64,
}

/// An order in which devices wait for each other for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Slots that never ran.
    pub left: usize,
}

impl Timeline {
    /// Time of the device that works longest from its first to its last pass.
    pub fn longest_device(&self) -> f64 {
        let span = |events: &Vec<Event>| match (events.first(), events.last()) {
            (Some(first), Some(last)) => last.end - first.start,
            _ => 0.0,
        };
        self.events.iter().map(span).fold(0.0, f64::max)
    }

    /// Time that a device computes.
    pub fn busy(&self, device: usize) -> f64 {
        self.events.get(device).map_or(0.0, |events| events.iter().map(|e| e.end - e.start).sum())
    }
}

/// Runs the orders.
///
/// # Errors
/// [`Stuck`] if the orders contradict each other.
pub fn simulate(orders: &Orders, micros: u32, durations: &Durations) -> Result<Timeline, Stuck> {
    let mut run = Run::new(orders, micros, durations);
    loop {
        let mut progress = false;
        for device in 0..orders.len() {
            while run.step(device) {
                progress = true;
            }
        }
        if !progress {
            break;
        }
    }
    let left = orders.iter().zip(&run.next).map(|(order, next)| order.len() - next).sum();
    if left > 0 {
        return Err(Stuck { left });
    }
    let makespan = run.clock.iter().copied().fold(0.0, f64::max);
    Ok(Timeline { events: run.events, makespan })
}

struct Run<'a> {
    orders: &'a Orders,
    durations: &'a Durations,
    devices: usize,
    micros: usize,
    next: Vec<usize>,
    clock: Vec<f64>,
    /// End of the forward and of the input gradient by lane, position and micro-batch; not a number until it ran.
    forward: Vec<f64>,
    backward: Vec<f64>,
    events: Vec<Vec<Event>>,
}

/// Where a pass stands in its chain.
#[derive(Clone, Copy)]
struct Place {
    lane: usize,
    position: usize,
    last: usize,
}

impl<'a> Run<'a> {
    fn new(orders: &'a Orders, micros: u32, durations: &'a Durations) -> Self {
        let (devices, micros) = (orders.len(), micros as usize);
        let passes = devices * durations.chunks as usize * micros;
        let events = orders.iter().map(|order| Vec::with_capacity(order.len())).collect();
        Self {
            orders,
            durations,
            devices,
            micros,
            next: vec![0; devices],
            clock: vec![0.0; devices],
            forward: vec![f64::NAN; passes],
            backward: vec![f64::NAN; passes],
            events,
        }
    }

    fn place(&self, device: usize, chunk: u32) -> Place {
        let (chunk, devices) = (chunk as usize, self.devices);
        if self.durations.both_ways {
            let position = if chunk == 0 { device } else { devices - 1 - device };
            Place { lane: chunk, position, last: devices - 1 }
        } else {
            Place { lane: 0, position: chunk * devices + device, last: self.durations.chunks as usize * devices - 1 }
        }
    }

    fn index(&self, place: Place, micro: u32) -> usize {
        (place.lane * (place.last + 1) + place.position) * self.micros + micro as usize
    }

    /// When a pass may start; not a number while something that it needs has not run.
    fn ready(&self, device: usize, item: Item) -> f64 {
        let place = self.place(device, item.chunk);
        let send = if self.devices > 1 { self.durations.send } else { 0.0 };
        let at = |list: &[f64], position: usize, delay: f64| {
            list[self.index(Place { position, ..place }, item.micro)] + delay
        };
        match item.work {
            Work::Forward if place.position == 0 => 0.0,
            Work::Forward => at(&self.forward, place.position - 1, send),
            Work::Input | Work::Backward if place.position == place.last => at(&self.forward, place.position, 0.0),
            Work::Input | Work::Backward => {
                let own = at(&self.forward, place.position, 0.0);
                let next = at(&self.backward, place.position + 1, send);
                if own.is_nan() { own } else { next.max(own) + 0.0 * next }
            }
            Work::Weight => at(&self.backward, place.position, 0.0),
        }
    }

    fn duration(&self, device: usize, slot: &Slot) -> f64 {
        let d = self.durations;
        let of = |item: Item| device * d.chunks as usize + item.chunk as usize;
        let index = of(slot.item);
        let alone = match slot.item.work {
            Work::Forward => d.forward[index],
            Work::Input => d.input[index],
            Work::Weight => d.weight[index],
            Work::Backward => d.input[index] + d.weight[index],
        };
        let both = slot.beside.map(|_| d.pair[index]);
        let sends = if d.blocking && self.devices > 1 && slot.item.work != Work::Weight { d.send } else { 0.0 };
        both.unwrap_or(alone) + sends
    }

    /// Runs the next slot of a device, if it can.
    fn step(&mut self, device: usize) -> bool {
        let Some(slot) = self.orders[device].get(self.next[device]) else { return false };
        let ready = self.ready(device, slot.item);
        let beside = slot.beside.map_or(0.0, |item| self.ready(device, item));
        if ready.is_nan() || beside.is_nan() {
            return false;
        }
        let start = self.clock[device].max(ready).max(beside);
        let end = start + self.duration(device, slot);
        for item in std::iter::once(slot.item).chain(slot.beside) {
            let index = self.index(self.place(device, item.chunk), item.micro);
            match item.work {
                Work::Forward => self.forward[index] = end,
                Work::Input | Work::Backward => self.backward[index] = end,
                Work::Weight => {}
            }
        }
        self.events[device].push(Event { device: device as u32, slot: *slot, start, end });
        self.clock[device] = end;
        self.next[device] += 1;
        true
    }
}

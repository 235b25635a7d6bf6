//! A trace as lines of characters.

use crate::isa::Pipe;
use crate::timing::Event;

/// One pipe of one core over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Core, by position in the kernel.
    pub core: u32,
    /// Pipe.
    pub pipe: Pipe,
    /// One character a slice of time: ` ` idle, `.` under a third, `:` under two thirds, `#` above.
    pub cells: String,
}

/// Lanes of the first `cores` cores, `width` slices of `cycles` each.
pub fn timeline(events: &[Event], cycles: u64, cores: u32, width: usize) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for core in 0..cores {
        for pipe in Pipe::ALL {
            let own = || events.iter().filter(|event| event.core == core && event.pipe == pipe);
            if own().next().is_some() {
                lanes.push(Lane { core, pipe, cells: cells(own(), cycles.max(1), width.max(1)) });
            }
        }
    }
    lanes
}

fn cells<'e>(events: impl Iterator<Item = &'e Event>, cycles: u64, width: usize) -> String {
    let mut busy = vec![0u64; width];
    let edge = |slice: usize| cycles * slice as u64 / width as u64;
    for event in events {
        let first = (event.start * width as u64 / cycles).min(width as u64 - 1) as usize;
        for (slice, busy) in
            busy.iter_mut().enumerate().skip(first).take_while(|(slice, _)| edge(*slice) < event.end)
        {
            *busy += event.end.min(edge(slice + 1)).saturating_sub(event.start.max(edge(slice)));
        }
    }
    busy.iter().enumerate().map(|(slice, busy)| shade(*busy, edge(slice + 1) - edge(slice))).collect()
}

fn shade(busy: u64, length: u64) -> char {
    match busy * 3 {
        0 => ' ',
        thirds if thirds < length => '.',
        thirds if thirds < 2 * length => ':',
        _ => '#',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_works_half_the_time_shows_half_a_line() {
        let event = Event { core: 0, pipe: Pipe::M, instruction: 0, start: 0, end: 50 };
        let lanes = timeline(&[event], 100, 1, 10);
        assert_eq!(lanes, vec![Lane { core: 0, pipe: Pipe::M, cells: "#####     ".to_owned() }]);
    }
}

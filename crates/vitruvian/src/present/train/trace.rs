//! The time line of a step as a trace for the Perfetto UI, a track a pipeline device.

use vitruvian_event::perfetto::Writer;

use crate::train::TrainAnswer;
use crate::train::answer::TimelineEvent;

/// The bytes of a trace file.
pub fn perfetto(answer: &TrainAnswer) -> Vec<u8> {
    let devices = answer.timeline.iter().map(|event| event.device + 1).max().unwrap_or(0);
    let mut writer = Writer::new();
    writer.track(ROOT, &answer.model, None);
    for device in 0..devices {
        writer.track(track(device), &format!("pipeline device {}", device + 1), Some(ROOT));
    }
    for event in &answer.timeline {
        writer.begin(nanoseconds(event.start_us), track(event.device), &name(event), None);
        writer.end(nanoseconds(event.end_us), track(event.device));
    }
    writer.finish()
}

const ROOT: u64 = 1;

fn track(device: u32) -> u64 {
    ROOT + 1 + u64::from(device)
}

fn name(event: &TimelineEvent) -> String {
    format!("{} {}, chunk {}", event.work, event.micro_batch, event.chunk)
}

fn nanoseconds(microseconds: f64) -> u64 {
    (microseconds * 1e3).round() as u64
}

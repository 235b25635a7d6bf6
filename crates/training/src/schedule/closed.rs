//! Closed forms of equal stages: the oracles of the simulation, and what a search ranks by.
//!
//! F, B and W are the times of a forward, a whole backward and a weight-gradient pass of one device (all its chunks).

use crate::plan::Schedule;

/// Time that a device idles in one step.
///
/// 1F1B (p−1)(F+B), over v chunks (p−1)(F+B)/v (arXiv 2104.04473); ZB-H1 (p−1)(F+B−2W); ZB-2P none where F = B−W = W
/// (arXiv 2401.10241); `DualPipe` (p/2−1)(F&B+B−3W) with F&B the pair (deepseek-ai/DualPipe).
pub fn bubble(schedule: Schedule, devices: u32, chunks: u32, [f, b, w]: [f64; 3], pair: f64) -> f64 {
    let others = f64::from(devices - 1);
    match schedule {
        Schedule::OneFOneB => others * (f + b) / f64::from(chunks),
        Schedule::ZbH1 => others * (f + b - 2.0 * w).max(0.0),
        Schedule::Zb2p => others * (f + (b - w) - 2.0 * w).max(0.0),
        Schedule::DualPipe => (f64::from(devices) / 2.0 - 1.0).max(0.0) * (pair + b - 3.0 * w).max(0.0),
    }
}

/// Most passes in flight on a device, in chunks (a v-th of the device's layers each).
///
/// 1F1B p − s; interleaved 2(p − s − 1) + (v − 1)p + 1; ZB-H1 p; ZB-2P 2p − 1 − s (+ s put off); `DualPipe` p + 1.
pub fn in_flight(schedule: Schedule, devices: u32, chunks: u32, micros: u32, device: u32) -> u32 {
    let most = match schedule {
        Schedule::OneFOneB if chunks > 1 => 2 * (devices - device - 1) + (chunks - 1) * devices + 1,
        Schedule::OneFOneB => devices - device,
        Schedule::ZbH1 => devices,
        Schedule::Zb2p => 2 * devices - 1,
        Schedule::DualPipe => devices + 1,
    };
    most.min(micros * chunks)
}

/// Passes in flight of each chunk of a device at its fullest; together they are [`in_flight`].
///
/// A direction of `DualPipe` is a pipeline of its own: stage s of p holds p − s. A device has stage s of one direction and
/// stage p − 1 − s of the other, p − s and s + 1 passes: where the first stage is, the last is hardly in flight.
/// Chunks of other schedules are taken as equally filled.
pub fn in_flight_of_chunks(
    schedule: Schedule,
    devices: u32,
    chunks: u32,
    micros: u32,
    device: u32,
) -> Vec<f64> {
    if schedule == Schedule::DualPipe {
        let each = |stage: u32| f64::from((devices - stage).min(micros / 2));
        return vec![each(device), each(devices - 1 - device)];
    }
    let all = in_flight(schedule, devices, chunks, micros, device);
    vec![f64::from(all) / f64::from(chunks.max(1)); chunks as usize]
}

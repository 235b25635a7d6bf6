//! What a simulation writes beside its answer: a row a request, and a trace of every step.

use vitruvian_event::perfetto::Writer;
use vitruvian_event::{Instant, Recorder};
use vitruvian_report::columns::Column;
use vitruvian_serving::State;

use crate::simulate::{SimulateAnswer, Simulated};

/// A row a request. Times of requests that were not answered are empty.
pub fn request_columns(run: &Simulated) -> Vec<Column> {
    let (outcome, requests) = (&run.outcome, &run.requests);
    let all = || 0..requests.len();
    let answered = |index: usize| outcome.states[index] == State::Finished;
    let timed = |index: usize, time: f64| if answered(index) { time * 1e3 } else { f64::NAN };
    let whole = |name, value: &dyn Fn(usize) -> i64| Column::whole(name, all().map(value));
    let number = |name, value: &dyn Fn(usize) -> f64| Column::number(name, all().map(value));
    vec![
        whole("request", &|index| i64::from(index as u32)),
        whole("answered", &|index| i64::from(answered(index))),
        number("arrival_s", &|index| seconds(outcome.arrivals[index])),
        whole("input_tokens", &|index| i64::from(requests.inputs[index])),
        whole("output_tokens", &|index| i64::from(requests.outputs[index])),
        whole("cached_tokens", &|index| i64::from(outcome.cached[index])),
        whole("preemptions", &|index| i64::from(outcome.preemptions[index])),
        whole("replica", &|index| i64::from(outcome.replicas[index])),
        number("queue_ms", &|index| timed(index, outcome.queued(index))),
        number("ttft_ms", &|index| timed(index, outcome.ttft(index))),
        number("tpot_ms", &|index| {
            timed(index, outcome.tpot(index, requests.outputs[index]).unwrap_or(f64::NAN))
        }),
        number("e2e_ms", &|index| timed(index, outcome.e2e(index))),
    ]
}

fn seconds(at: Instant) -> f64 {
    if at == Instant::NEVER { f64::NAN } else { at.seconds() }
}

/// Every step of every lane as a Perfetto trace: a track a lane, and its KV blocks below it.
pub fn trace(answer: &SimulateAnswer, steps: &Recorder) -> Vec<u8> {
    let mut writer = Writer::new();
    let last = steps.slices.iter().map(|slice| slice.track.0).max().unwrap_or(0);
    writer.track(ROOT, &answer.model, None);
    for lane in 0..=last {
        writer.track(track(lane), &format!("lane {lane}"), Some(ROOT));
        writer.counter_track(counter(lane), &format!("lane {lane}: KV blocks"), Some(ROOT));
    }
    for slice in &steps.slices {
        writer.begin(nanoseconds(slice.from), track(slice.track.0), &slice.name, None);
        writer.end(nanoseconds(slice.to), track(slice.track.0));
    }
    for count in &steps.counters {
        writer.count(nanoseconds(count.at), counter(count.track.0), count.value);
    }
    writer.finish()
}

const ROOT: u64 = 1;

fn track(lane: u32) -> u64 {
    2 + 2 * u64::from(lane)
}

fn counter(lane: u32) -> u64 {
    3 + 2 * u64::from(lane)
}

fn nanoseconds(at: Instant) -> u64 {
    at.picoseconds() / 1000
}

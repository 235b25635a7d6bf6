//! The time line of a step as a trace that Perfetto and Chrome open: a JSON array of complete events
//! (Trace Event Format), a thread a pipeline device.

use crate::train::TrainAnswer;

/// The text of a trace file. Times are microseconds.
pub fn perfetto(answer: &TrainAnswer) -> String {
    let devices = answer.timeline.iter().map(|event| event.device + 1).max().unwrap_or(0);
    let names = (0..devices).map(|device| {
        format!(
            r#"{{"name":"thread_name","ph":"M","pid":1,"tid":{device},"args":{{"name":"pipeline device {}"}}}}"#,
            device + 1
        )
    });
    let slices = answer.timeline.iter().map(|event| {
        format!(
            r#"{{"name":"{} {}","cat":"{}","ph":"X","pid":1,"tid":{},"ts":{:.3},"dur":{:.3},"args":{{"micro_batch":{},"chunk":{}}}}}"#,
            event.work,
            event.micro_batch,
            event.work,
            event.device,
            event.start_us,
            event.end_us - event.start_us,
            event.micro_batch,
            event.chunk
        )
    });
    let lines: Vec<String> = names.chain(slices).collect();
    format!("{{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n"))
}

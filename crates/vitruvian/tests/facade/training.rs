//! Training through the facade: what fits, what is nearest, what a run costs.

use vitruvian::train::study::{PlanSpec, RunSpec};
use vitruvian::{Input, TrainAnswer, TrainStudy, train};

fn study(model: &str, chip: &str, chips: u32) -> TrainStudy {
    TrainStudy {
        chip: Input::Name(chip.to_owned()),
        model: Input::Name(model.to_owned()),
        chips: Some(chips),
        sequence: 4096,
        global_batch: 64,
        search: true,
        ..TrainStudy::default()
    }
}

fn answer(study: &TrainStudy) -> TrainAnswer {
    train(study).unwrap()
}

#[test]
fn a_search_accounts_for_every_layout() {
    let answer = answer(&study("llama-3.1-8b", "ascend-910b2", 16));
    let census = answer.census.unwrap();
    assert_eq!(census.shape + census.batch + census.memory + census.fit, census.looked_at);
    assert!(census.fit > 0 && !answer.plans.is_empty());
    let times: Vec<f64> = answer.plans.iter().map(|plan| plan.step_time_s.p50).collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_layout_that_does_not_fit_names_the_nearest_that_does() {
    let plan = PlanSpec { dp: Some(8), ..PlanSpec::default() };
    let asked = TrainStudy { search: false, plan, ..study("llama-3.1-70b", "h100-sxm", 8) };
    let none = answer(&asked);
    assert!(none.plans.is_empty() && none.misfit.as_ref().unwrap().nearest.is_none());
    // 70 B · 18 B over 8 chips are 158 GB; over 32 chips they fit once more is shared out.
    let plan = PlanSpec { tp: Some(2), dp: Some(16), ..PlanSpec::default() };
    let some = answer(&TrainStudy { search: false, plan, ..study("llama-3.1-70b", "h100-sxm", 32) });
    let misfit = some.misfit.unwrap();
    let nearest = misfit.nearest.unwrap();
    assert!(misfit.missing_gb > 0.0 && nearest.peak_memory_gb < misfit.asked.peak_memory_gb);
    assert!(some.reasons.join(" ").contains("nearest layout that fits"));
}

#[test]
fn a_run_loses_what_checkpoints_and_failures_take() {
    let run = RunSpec { tokens: 1e12, ..RunSpec::default() };
    let answer = answer(&TrainStudy { run: Some(run), ..study("llama-3.1-8b", "h100-sxm", 64) });
    let run = answer.run.unwrap();
    assert!((run.steps - (1e12_f64 / (64.0 * 4096.0)).ceil()).abs() < 0.5);
    assert!(run.goodput < 1.0 && run.days.p50 > run.ideal_days);
    assert!((run.chip_hours / (run.days.p50 * 24.0 * 64.0) - 1.0).abs() < 1e-9);
}

#[test]
fn every_schedule_has_a_time_line_without_overlaps() {
    for schedule in ["1f1b", "zb-h1", "zb-2p", "dualpipe"] {
        let plan = PlanSpec {
            tp: Some(2),
            pp: Some(4),
            dp: Some(1),
            schedule: Some(schedule.to_owned()),
            ..PlanSpec::default()
        };
        let asked =
            TrainStudy { search: false, plan, timeline: true, ..study("llama-3.1-8b", "h100-sxm", 8) };
        let answer = answer(&asked);
        assert!(!answer.timeline.is_empty(), "{schedule}");
        for pair in answer.timeline.windows(2).filter(|pair| pair[0].device == pair[1].device) {
            assert!(pair[0].end_us <= pair[1].start_us + 1e-6, "{schedule}: {pair:?}");
        }
    }
}

#[test]
fn scaling_holds_the_batch_and_loses_efficiency() {
    let scaling = vec![8, 16, 64];
    let answer = answer(&TrainStudy { scaling, ..study("llama-3.1-8b", "h100-sxm", 8) });
    let efficiency: Vec<f64> = answer.scaling.iter().filter_map(|point| point.efficiency).collect();
    assert_eq!(efficiency.len(), 3);
    assert!(efficiency[2] < 1.02, "{efficiency:?}");
}

/// A varint, or bytes, by field number. Other wire types do not occur in what a step writes.
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

/// The fields of a protobuf message, read by the public encoding (protobuf.dev/programming-guides/encoding).
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let length = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (own, rest) = bytes.split_at(length);
        *bytes = rest;
        own.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let number = varint(&mut bytes);
        fields.push(match key & 7 {
            0 => (key >> 3, Field::Number(number)),
            2 => {
                let (own, rest) = bytes.split_at(number as usize);
                bytes = rest;
                (key >> 3, Field::Bytes(own.to_vec()))
            }
            other => panic!("wire type {other}"),
        });
    }
    fields
}

fn number(message: &[(u64, Field)], which: u64) -> u64 {
    let found = message.iter().find_map(|(field, value)| match value {
        Field::Number(number) if *field == which => Some(*number),
        _ => None,
    });
    found.unwrap()
}

fn message(of: &[(u64, Field)], which: u64) -> Option<Vec<(u64, Field)>> {
    of.iter().find_map(|(field, value)| match value {
        Field::Bytes(bytes) if *field == which => Some(fields(bytes)),
        _ => None,
    })
}

/// Fields of `TracePacket`: timestamp 8, `track_event` 11 (type 9, track 11), `track_descriptor` 60.
#[test]
fn a_trace_holds_every_pass_of_the_time_line() {
    let plan = PlanSpec { tp: Some(2), pp: Some(4), dp: Some(1), ..PlanSpec::default() };
    let asked = TrainStudy { search: false, plan, timeline: true, ..study("llama-3.1-8b", "h100-sxm", 8) };
    let answer = answer(&asked);
    let packets: Vec<_> = fields(&vitruvian::present::train::perfetto(&answer))
        .into_iter()
        .map(|(_, packet)| if let Field::Bytes(bytes) = packet { fields(&bytes) } else { Vec::new() })
        .collect();
    // The model and its four devices.
    assert_eq!(packets.iter().filter(|packet| message(packet, 60).is_some()).count(), 5);
    let told = |kind: u64| -> Vec<(u64, u64)> {
        let events = packets.iter().filter_map(|packet| Some((packet, message(packet, 11)?)));
        let kept = events.filter(|(_, event)| number(event, 9) == kind);
        kept.map(|(packet, event)| (number(&event, 11), number(packet, 8))).collect()
    };
    let expected = |time: fn(&vitruvian::train::answer::TimelineEvent) -> f64| -> Vec<(u64, u64)> {
        let of = answer.timeline.iter();
        of.map(|event| (u64::from(event.device) + 2, (time(event) * 1e3).round() as u64)).collect()
    };
    // A type of 1 begins a slice, 2 ends it; microseconds of the answer are nanoseconds of the trace.
    assert_eq!(told(1), expected(|event| event.start_us));
    assert_eq!(told(2), expected(|event| event.end_us));
}

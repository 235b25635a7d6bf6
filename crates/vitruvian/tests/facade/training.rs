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

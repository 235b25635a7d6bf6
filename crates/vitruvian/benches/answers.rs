//! What answers take: whole comparisons and estimates, a decode step, candidates of a search, a report.
//! `RAYON_NUM_THREADS=1 cargo bench -p vitruvian` for one core.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vitruvian::setup::{Profiles, Setup};
use vitruvian::study::{Degrees, Phase, Service};
use vitruvian::{CompareStudy, EstimateStudy, Input, present};
use vitruvian_engine::{Meter, Replica, step_cost};
use vitruvian_model::{Layout, Step, catalog};
use vitruvian_quantity::Seconds;

fn name(name: &str) -> Input {
    Input::Name(name.to_owned())
}

fn service(model: &str) -> Service {
    Service { model: name(model), input_tokens: 4096, output_tokens: 1024, ..Service::default() }
}

/// The question of the command without options.
fn comparison(model: &str, chips: &[&str]) -> CompareStudy {
    CompareStudy {
        chips: chips.iter().map(|chip| name(chip)).collect(),
        service: service(model),
        count: 8,
        ttft: Some(Seconds::new(2.0)),
        tpot: Some(Seconds::new(0.05)),
        objective: None,
        all: false,
    }
}

fn whole_answers(c: &mut Criterion) {
    let study = comparison("qwen3-32b", &["h20", "ascend-910b2"]);
    c.bench_function("compare, default", |b| b.iter(|| vitruvian::compare(black_box(&study)).unwrap()));
    let study = EstimateStudy {
        chip: name("h20"),
        service: service("qwen3-32b"),
        layout: Degrees { tp: 2, ..Degrees::default() },
        batch: 16,
        chunk: None,
        phase: Phase::Both,
    };
    c.bench_function("estimate", |b| b.iter(|| vitruvian::estimate(black_box(&study)).unwrap()));
}

fn candidates(c: &mut Criterion) {
    let mut group = c.benchmark_group("candidates of a search");
    for model in ["qwen3-32b", "gpt-oss-120b", "qwen3.5-35b-a3b"] {
        let study = comparison(model, &["h20"]);
        group
            .throughput(Throughput::Elements(vitruvian::compare(&study).unwrap().chips[0].search.candidates));
        group.bench_function(model, |b| b.iter(|| vitruvian::compare(black_box(&study)).unwrap()));
    }
}

/// One decode step of Qwen3-32B, 64 layers, whose operator shapes are known.
fn decode_step(c: &mut Criterion) {
    let setup = Setup::new(&name("h20"), &Service::default(), &Profiles::catalog().unwrap()).unwrap();
    let model = catalog::model("qwen3-32b").unwrap();
    let plan = model.default_plan();
    let layout = Layout { tp: 2, ..Layout::ONE };
    let replica = Replica { model: &model, plan: &plan, layout, engine: &setup.engine };
    let network = setup.network();
    let mut meter = Meter::new(&setup.node, setup.costs(), &network);
    let step = Step::decode(64, 4608);
    c.bench_function("decode step of 64 layers, shapes known", |b| {
        b.iter(|| step_cost(black_box(&replica), black_box(&step), &mut meter).unwrap());
    });
}

fn report(c: &mut Criterion) {
    let answer = vitruvian::compare(&comparison("qwen3-32b", &["h20", "ascend-910b2"])).unwrap();
    c.bench_function("report as HTML", |b| {
        b.iter(|| vitruvian_report::html::render(&present::compare::page(black_box(&answer))));
    });
}

criterion_group!(benches, whole_answers, candidates, decode_step, report);
criterion_main!(benches);

//! The exchange of tokens between experts, in the open and hidden; attention in 8 bits.

use vitruvian::EstimateStudy;
use vitruvian::answer::PhaseAnswer;
use vitruvian::study::{Degrees, Service};

use crate::question::{deployment, estimate, name, operator, phase, service};

/// Decode of `batch` sequences a chip on 16 chips of a kind, attention and experts of each its own.
fn spread(chip: &str, batch: u32, change: impl Fn(&mut Service)) -> EstimateStudy {
    let mut service = Service { engine: Some("sglang".to_owned()), ..service("deepseek-r1") };
    change(&mut service);
    EstimateStudy {
        service,
        layout: Degrees { dp: 16, ep: 16, ..Degrees::default() },
        batch: 16 * batch,
        ..deployment("deepseek-r1", name(chip))
    }
}

fn overlapped(how: &'static str) -> impl Fn(&mut Service) {
    move |service| service.overlap_experts = Some(how.to_owned())
}

fn time(phase: &PhaseAnswer, operators: &[&str]) -> f64 {
    operators.iter().map(|name| operator(phase, name).total_us).sum::<f64>() / 1e3
}

#[test]
fn a_single_batch_hides_the_way_out_behind_shared_experts_and_the_way_back_behind_the_last_product() {
    let open = phase(&spread("h20", 48, |_| {}));
    let hidden = phase(&spread("h20", 48, overlapped("single-batch")));
    let shared = time(&open, &["shared_gate_up", "shared_activation", "shared_down", "shared_add"]);
    let (out, back) = (time(&open, &["ep_dispatch"]), time(&open, &["ep_combine"]));
    // The way out lasts longer than the shared experts, the way back less than the experts' last product.
    assert!(out > shared && back < time(&open, &["experts_down"]));
    assert!((hidden.hidden_exchange_ms - shared - back).abs() < 1e-6, "{}", hidden.hidden_exchange_ms);
    let saved = open.time_ms.p50 - hidden.time_ms.p50;
    assert!((saved - hidden.hidden_exchange_ms).abs() < 1e-6, "{saved}");
    assert_eq!(open.hidden_exchange_ms, 0.0);
}

#[test]
fn two_batches_pay_where_links_are_slow_and_cost_where_weights_are_read_twice() {
    let gain = |chip, batch| {
        let time = |study: &EstimateStudy| phase(study).time_ms.p50;
        time(&spread(chip, batch, |_| {})) / time(&spread(chip, batch, overlapped("two-batch")))
    };
    // H800: much computation a chip, the same NICs as H20. Two sequences a chip read every expert twice.
    let (busy, idle) = (gain("h800-sxm", 256), gain("h800-sxm", 2));
    assert!(busy > 1.05 && busy > idle, "{busy} {idle}");
    assert!(idle < 1.0, "{idle}");
}

#[test]
fn an_engine_without_it_says_so_and_nothing_travels_within_one_group() {
    let mut study = spread("ascend-910b2", 8, overlapped("two-batch"));
    study.service.engine = Some("vllm-ascend".to_owned());
    let answer = estimate(&study);
    assert!(answer.notes.iter().any(|note| note.contains("has no two-batch overlap")), "{:?}", answer.notes);
    let mut alone = spread("h20", 1, overlapped("two-batch"));
    alone.layout = Degrees { tp: 8, ..Degrees::default() };
    assert_eq!(phase(&alone).hidden_exchange_ms, 0.0);
}

#[test]
fn attention_in_8_bits_doubles_its_matrix_rate() {
    let sixteen = phase(&spread("h20", 48, |service| service.kv = Some("fp8".to_owned())));
    let eight = phase(&spread("h20", 48, |service| {
        service.kv = Some("fp8".to_owned());
        service.attention = Some("fp8".to_owned());
    }));
    let time = |phase: &PhaseAnswer| operator(phase, "decode_attention").time_us;
    // Latent attention of 128 heads is bound by the matrix unit of an H20; what is constant in a kernel stays.
    let ratio = time(&sixteen) / time(&eight);
    assert!((1.7..=2.0).contains(&ratio), "{ratio}");
}

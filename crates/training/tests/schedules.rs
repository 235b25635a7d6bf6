//! Every schedule, simulated with equal stages, against its closed form.

#![allow(clippy::unwrap_used)] // helpers of tests

use vitruvian_training::Schedule;
use vitruvian_training::schedule::{
    Durations, Item, Slot, Timeline, Work, bubble, in_flight, in_flight_of_chunks, orders, peak_in_flight,
    simulate,
};

/// F = 1, input gradient 1, weight gradient 1: whole backward 2.
const F: f64 = 1.0;
const I: f64 = 1.0;
const W: f64 = 1.0;

fn durations(schedule: Schedule, devices: u32, chunks: u32) -> Durations {
    let both_ways = schedule == Schedule::DualPipe;
    let chunks = if both_ways { 2 } else { chunks };
    let all =
        |time: f64| vec![time / f64::from(if both_ways { 1 } else { chunks }); (devices * chunks) as usize];
    Durations {
        chunks,
        forward: all(F),
        input: all(I),
        weight: all(W),
        pair: all(F + I + W),
        send: 0.0,
        blocking: false,
        both_ways,
    }
}

fn run(schedule: Schedule, devices: u32, chunks: u32, micros: u32) -> Timeline {
    let orders = orders(schedule, devices, chunks, micros);
    simulate(&orders, micros, &durations(schedule, devices, chunks)).unwrap()
}

#[track_caller]
fn idle(schedule: Schedule, devices: u32, chunks: u32, micros: u32) {
    let timeline = run(schedule, devices, chunks, micros);
    let expected = bubble(schedule, devices, chunks, [F, I + W, W], F + I + W);
    let time = if schedule == Schedule::Zb2p { timeline.longest_device() } else { timeline.makespan };
    let found = time - f64::from(micros) * (F + I + W);
    assert!(
        (found - expected).abs() < 1e-9,
        "{schedule} p{devices} v{chunks} m{micros}: {found} for {expected}"
    );
}

/// arXiv 2104.04473: (p − 1)(F + B).
#[test]
fn one_f_one_b_idles_p_minus_one_passes() {
    for (devices, micros) in [(1, 4), (2, 2), (4, 8), (8, 32), (8, 3)] {
        idle(Schedule::OneFOneB, devices, 1, micros);
    }
}

/// arXiv 2104.04473: (p − 1)(F + B)/v.
#[test]
fn interleaving_divides_the_bubble_by_the_chunks() {
    for (devices, chunks, micros) in [(2, 2, 4), (4, 2, 8), (4, 3, 16), (8, 4, 16)] {
        idle(Schedule::OneFOneB, devices, chunks, micros);
    }
}

/// arXiv 2401.10241: (p − 1)(F + B − 2W), a third of 1F1B where F = B − W = W.
#[test]
fn zb_h1_leaves_a_third_of_the_bubble() {
    for (devices, micros) in [(2, 4), (4, 8), (8, 16), (8, 24)] {
        idle(Schedule::ZbH1, devices, 1, micros);
    }
}

/// arXiv 2401.10241: no device waits between its first and its last pass.
#[test]
fn zb_2p_leaves_none() {
    for (devices, micros) in [(2, 4), (4, 12), (8, 24)] {
        idle(Schedule::Zb2p, devices, 1, micros);
    }
}

/// deepseek-ai/DualPipe: (p/2 − 1)(F&B + B − 3W). Micro-batches of both directions together; each device runs as many
/// passes as in a plain pipeline.
#[test]
fn dualpipe_idles_as_its_readme_says() {
    for (devices, micros) in [(4, 8), (4, 16), (8, 20), (8, 32), (16, 40)] {
        idle(Schedule::DualPipe, devices, 1, micros);
    }
}

#[test]
fn every_pass_runs_once() {
    for (schedule, chunks) in [
        (Schedule::OneFOneB, 1),
        (Schedule::OneFOneB, 2),
        (Schedule::ZbH1, 1),
        (Schedule::Zb2p, 1),
        (Schedule::DualPipe, 1),
    ] {
        let (devices, micros) = (4, 16);
        let timeline = run(schedule, devices, chunks, micros);
        for device in 0..devices as usize {
            // Each micro-batch is F + I + W of work on every device.
            let busy = timeline.busy(device);
            assert!(
                (busy - f64::from(micros) * (F + I + W)).abs() < 1e-9,
                "{schedule} device {device}: {busy}"
            );
        }
    }
}

#[test]
fn passes_in_flight_are_those_of_the_closed_form() {
    for (schedule, chunks) in [
        (Schedule::OneFOneB, 1),
        (Schedule::OneFOneB, 2),
        (Schedule::ZbH1, 1),
        (Schedule::Zb2p, 1),
        (Schedule::DualPipe, 1),
    ] {
        let (devices, micros) = (8, 32);
        for (device, order) in orders(schedule, devices, chunks, micros).iter().enumerate() {
            let found = peak_in_flight(order);
            let most = in_flight(schedule, devices, chunks, micros, device as u32);
            assert!(found <= most, "{schedule} device {device}: {found} of {most}");
            if device == 0 {
                assert_eq!(found, most, "{schedule}");
            }
        }
    }
}

/// A slow last stage holds every device up: m·max + the ramp of the others.
#[test]
fn the_slowest_stage_sets_the_pace() {
    let mut times = durations(Schedule::OneFOneB, 4, 1);
    times.forward[3] = 2.0;
    let timeline = simulate(&orders(Schedule::OneFOneB, 4, 1, 8), 8, &times).unwrap();
    // 8 · 4 on the last device, 3 forwards before it and 3 backwards after it: 32 + 3 + 6.
    assert_eq!(timeline.makespan, 41.0);
}

#[test]
fn a_send_delays_the_next_stage() {
    let mut times = durations(Schedule::OneFOneB, 2, 1);
    times.send = 0.5;
    let timeline = simulate(&orders(Schedule::OneFOneB, 2, 1, 1), 1, &times).unwrap();
    // One micro-batch: F, send, F, B, send, B.
    assert_eq!(timeline.makespan, 1.0 + 0.5 + 1.0 + 2.0 + 0.5 + 2.0);
}

#[test]
fn contradicting_orders_are_stuck_not_endless() {
    let mut wrong = orders(Schedule::OneFOneB, 2, 1, 2);
    wrong[1].reverse();
    let stuck = simulate(&wrong, 2, &durations(Schedule::OneFOneB, 2, 1)).unwrap_err();
    assert!(stuck.left > 0);
}

/// Each direction of `DualPipe` runs over the devices as 1F1B does: p − s passes of its stage s at once, and both together
/// p + 1 (arXiv 2412.19437, table 2).
#[test]
fn directions_of_dualpipe_fill_a_device_from_both_ends() {
    let (devices, micros) = (16, 120);
    for (device, order) in orders(Schedule::DualPipe, devices, 1, micros).iter().enumerate() {
        let closed = in_flight_of_chunks(Schedule::DualPipe, devices, 1, micros, device as u32);
        assert_eq!(closed.iter().sum::<f64>(), f64::from(devices + 1));
        for chunk in 0..2_u32 {
            let own = |item: Item| (item.chunk == chunk).then_some(Slot { item, beside: None });
            let slots: Vec<Slot> = order
                .iter()
                .flat_map(|slot| std::iter::once(slot.item).chain(slot.beside))
                .filter_map(own)
                .collect();
            let put_off =
                |micro| slots.iter().any(|slot| slot.item.work == Work::Weight && slot.item.micro == micro);
            let (mut held, mut most) = (0_i32, 0_i32);
            for slot in &slots {
                held += match slot.item.work {
                    Work::Forward => 1,
                    Work::Input if put_off(slot.item.micro) => 0,
                    _ => -1,
                };
                most = most.max(held);
            }
            assert!(f64::from(most) <= closed[chunk as usize], "device {device}: {most} of {closed:?}");
            assert!(f64::from(most) >= closed[chunk as usize] - 1.0, "device {device}: {most} of {closed:?}");
        }
    }
}

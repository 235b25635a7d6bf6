//! Why a kernel takes its time, in one sentence.

use crate::isa::Pipe;
use crate::machine::Machine;
use crate::timing::{Cause, Report};

/// A pipe occupied for this share of the run bounds the kernel.
const BOUND: f64 = 0.8;

pub(super) fn reason(machine: &Machine, report: &Report, stalls: &[(Pipe, Cause, f64)]) -> String {
    let work = Pipe::ALL.into_iter().filter(|pipe| *pipe != Pipe::S);
    let busiest = work.max_by(|a, b| report.utilisation(*a).total_cmp(&report.utilisation(*b)));
    let Some(pipe) = busiest else { return "nothing ran".to_owned() };
    let share = report.utilisation(pipe);
    let percent = |share: f64| (share * 100.0).round();
    if share >= BOUND {
        let name = pipe.name();
        return format!(
            "{name} is occupied {} % of the time: {}",
            percent(share),
            remedy(machine, report, pipe)
        );
    }
    match stalls.iter().find(|(stalled, _, _)| *stalled == pipe) {
        Some((_, cause, wait)) => format!(
            "no pipe is full; the busiest, {}, is occupied {} % and stands still {} % for: {}",
            pipe.name(),
            percent(share),
            percent(*wait),
            cause.name()
        ),
        None => format!("no pipe is full; the busiest, {}, is occupied {} %", pipe.name(), percent(share)),
    }
}

fn remedy(machine: &Machine, report: &Report, pipe: Pipe) -> String {
    let slow =
        |cause| report.stall(pipe, cause) as f64 / (report.cycles.max(1) as f64 * report.cores.len() as f64);
    match pipe {
        Pipe::M => "the cube is the limit; only a faster cube or fewer operations help".to_owned(),
        Pipe::Mte1 => {
            "the paths from L1 to L0 are the limit; larger blocks in L0C reuse operands more".to_owned()
        }
        Pipe::V => "the vector unit is the limit".to_owned(),
        Pipe::Fix => "the way out of L0C is the limit; a deeper K or a narrower output type helps".to_owned(),
        _ if slow(Cause::Hbm) > 0.2 => {
            let rate = report.hbm_bytes as f64 / report.time.get() / 1e12;
            format!("device memory is the limit at {rate:.2} TB/s; fewer bytes (int8, reuse in L2) help")
        }
        _ if slow(Cause::L2) > 0.05 => {
            let share = report.l2_bytes as f64 / report.cycles.max(1) as f64 / machine.shared.l2_read * 100.0;
            format!("L2 is the limit, {share:.0} % of its read bandwidth; larger blocks or a larger L0C help")
        }
        _ => "the core's port to L2 is the limit; larger blocks, NZ weights or longer transfers help"
            .to_owned(),
    }
}

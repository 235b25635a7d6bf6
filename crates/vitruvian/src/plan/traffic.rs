//! The requests that plans are made for and tried with: made up from lengths, or read from a trace.

use vitruvian_diagnostics::{Diagnostics, SourceText};
use vitruvian_planner::Workload;
use vitruvian_report::launch::{Recorded as Recording, Request};
use vitruvian_serving::workload::{Arrivals, Lengths, Sharing, Workload as Draws};
use vitruvian_serving::{RequestId, Requests, trace};

use super::study::{Confirm, Recorded};

/// Where requests come from.
pub(super) enum Traffic {
    /// Poisson arrivals of equal lengths.
    Made(Workload),
    /// A trace, and its mean rate.
    Recorded(Requests, f64),
}

/// Tokens of a unit of made-up contents: a multiple of every engine's block.
const UNIT: u32 = 128;
/// Requests that a benchmark replays at least.
const REPLAYED: Confirm = Confirm { requests: 1000, seed: 0 };

/// The name of a part of a prompt that no other shares.
fn own_name(id: RequestId, part: u32) -> u64 {
    u64::from(id.0) << 32 | u64::from(part)
}

/// How many times the requests in the service at a time a run must hold, for its middle to be steady.
const TURNOVERS: f64 = 4.0;

/// A trace as read, and how many of its rows were left out.
///
/// # Errors
/// Every row that is not as it should be; a trace without requests.
pub(super) fn read(recorded: &Recorded) -> Result<(Requests, usize), Diagnostics> {
    let source = SourceText::new(recorded.path.as_str(), recorded.text.as_str());
    let trace = trace::read(&source, None, recorded.lenient)?;
    Ok((trace.requests, trace.skipped))
}

/// Mean requests per second of a trace; nothing where all come at once.
pub(super) fn mean_rate(requests: &Requests) -> Option<f64> {
    let last = requests.arrivals.last()?.seconds();
    (last > 0.0).then(|| requests.len() as f64 / last)
}

impl Traffic {
    /// Requests of a run at a mean rate at which `busy` are in the service at a time.
    pub(super) fn at(&self, rate: f64, busy: f64, confirm: &Confirm) -> Requests {
        let requests = confirm.requests.max((TURNOVERS * busy).min(f64::from(u32::MAX / 4)) as u32);
        match self {
            Self::Made(workload) => Draws {
                requests,
                arrivals: Arrivals::Poisson { rate },
                lengths: Lengths::Fixed { input: workload.input, output: workload.output },
                sharing: sharing(workload),
                seed: confirm.seed,
            }
            .draw(),
            Self::Recorded(trace, own) => {
                let window = trace.first(requests as usize);
                let own = mean_rate(&window).unwrap_or(*own);
                window.sped_up(rate / own)
            }
        }
    }

    /// The requests of a trace at a rate, for a benchmark to replay; nothing of made-up traffic.
    pub(super) fn recorded(&self, rate: f64, busy: f64) -> Option<Recording> {
        let Self::Recorded(..) = self else { return None };
        let requests = self.at(rate, busy, &REPLAYED);
        let unit = if requests.prefixes.is_empty() { UNIT } else { requests.prefixes.unit };
        let request = |index: usize| {
            let id = RequestId(index as u32);
            let names = requests.prefixes.of(id);
            let own = || (0..requests.inputs[index].div_ceil(unit)).map(|part| own_name(id, part));
            Request {
                seconds: requests.arrivals[index].seconds(),
                input: requests.inputs[index],
                output: requests.outputs[index],
                contents: if names.is_empty() { own().collect() } else { names.to_vec() },
            }
        };
        Some(Recording { unit, requests: (0..requests.len()).map(request).collect() })
    }

    /// Tokens of the longest request.
    pub(super) fn longest(&self) -> u32 {
        match self {
            Self::Made(workload) => workload.input.saturating_add(workload.output),
            Self::Recorded(trace, _) => {
                let whole = trace.inputs.iter().zip(&trace.outputs).map(|(i, o)| i.saturating_add(*o));
                whole.max().unwrap_or(1)
            }
        }
    }

    /// Whether prompts share contents.
    pub(super) fn shares(&self) -> bool {
        match self {
            Self::Made(workload) => workload.cached_tokens() > 0,
            Self::Recorded(trace, _) => !trace.prefixes.is_empty(),
        }
    }
}

/// The cached part of every prompt is one beginning that all share.
fn sharing(workload: &Workload) -> Option<Sharing> {
    let tokens = workload.cached_tokens();
    (tokens > 0).then_some(Sharing { groups: 1, tokens, unit: UNIT })
}

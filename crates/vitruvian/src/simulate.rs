//! A deployment under traffic, simulated request by request.

mod answer;
mod check;
mod cost;
mod pools;
mod study;
mod traffic;

use std::collections::BTreeMap;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, both};
use vitruvian_event::{Recorder, TraceSink, Track};
use vitruvian_quantity::Seconds;
use vitruvian_serving::{
    FirstToken, Halt, Level, Outcome, Quiet, Requests, Routing, Service as Serving, StepRecord, Watch,
    measures, simulate_watched,
};

pub use answer::{Latency, Over, PoolAnswer, SimulateAnswer, Target, TimeSeries};
pub use study::{Arriving, Made, PoolStudy, Recorded, RoleName, SimulateStudy, Traffic};

use crate::setup::{Profiles, load_model};
use pools::Prepared;
pub(crate) use pools::way;

/// A simulation's answer and everything it was drawn from.
pub struct Simulated {
    /// Figures in short.
    pub answer: SimulateAnswer,
    /// A row a request.
    pub outcome: Outcome,
    /// What was asked of the service.
    pub requests: Requests,
    /// Steps of every lane, where they were asked for.
    pub steps: Option<Recorder>,
}

/// Someone who is told how many requests are answered, of how many, and may stop the simulation by `false`.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize) -> bool;

/// Simulates a deployment under traffic.
///
/// # Errors
/// Every mistake in the question, the trace, a chip file or a model configuration; a deployment that does not fit; a
/// simulation that was stopped.
pub fn simulate(study: &SimulateStudy, progress: Progress<'_>) -> Result<Simulated, Diagnostics> {
    check::simulate(study)?;
    let (requests, model) = both(traffic::requests(study), load_model(&study.service.model))?;
    let profiles = Profiles::catalog()?;
    let prepared = pools::prepare(study, &model, &requests.requests, &profiles)?;
    let networks: Vec<_> = prepared.iter().map(|pool| pool.setup.network()).collect();
    let pools = pools::pools(study, &model, &requests.requests, &prepared, &networks)?;
    let mut service = Serving {
        pools,
        routing: routing(study)?,
        transfer: pools::transfer(study, &model, &prepared, &networks),
        first_token: first_token(study)?,
        front: pools::front(&model, &prepared),
        context: context(study, &model),
        seed: study.seed,
    };
    let mut onlooker = Onlooker {
        progress,
        requests: requests.requests.len(),
        recorder: study.steps.then(Recorder::default),
        last: BTreeMap::new(),
        lanes: lanes(&service),
    };
    let outcome =
        simulate_watched(&mut service, &requests.requests, &mut onlooker).map_err(Diagnostic::from)?;
    let level = Level { ttft: study.ttft.map(Seconds::get), tpot: study.tpot.map(Seconds::get) };
    let found = measures(&outcome, &requests.requests, &level, study.warmup as usize);
    let answer = answer::answer(study, &model, &prepared, &service, &requests, &outcome, &found);
    Ok(Simulated { answer, outcome, requests: requests.requests, steps: onlooker.recorder })
}

/// Steps to a recorder, progress to the shell.
struct Onlooker<'p> {
    progress: Progress<'p>,
    requests: usize,
    recorder: Option<Recorder>,
    /// The slice recorded last on each track.
    last: BTreeMap<Track, usize>,
    /// Lanes of a replica and replicas of each pool.
    lanes: Vec<[u32; 2]>,
}

/// Lanes of a replica, and lanes of all pools before this one.
fn lanes(service: &Serving<'_>) -> Vec<[u32; 2]> {
    let mut before = 0;
    let each = service.pools.iter().map(|pool| {
        let lanes = pool.groups * pool.stages;
        let first = before;
        before += lanes * pool.replicas;
        [lanes, first]
    });
    each.collect()
}

impl Watch for Onlooker<'_> {
    const STEPS: bool = true;
    const PROGRESS: bool = true;

    fn step(&mut self, record: &StepRecord<'_>) {
        let Some(recorder) = &mut self.recorder else { return };
        let [lanes, first] = self.lanes[record.pool];
        let track = Track(first + record.replica as u32 * lanes + record.lane as u32);
        let Some(name) = step_name(record) else { return };
        // A run that an arrival cut short was shown with the end that it would have had.
        let before = self.last.entry(track).or_insert(usize::MAX);
        if let Some(slice) = recorder.slices.get_mut(*before) {
            slice.to = slice.to.min(record.from);
        }
        *before = recorder.slices.len();
        recorder.slice(track, &name, record.from, record.to);
        recorder.counter(track, record.from, f64::from(record.blocks_used));
    }

    fn progress(&mut self, finished: usize) -> bool {
        (self.progress)(finished, self.requests)
    }
}

/// What a step holds; nothing for a lane that only waits for others.
fn step_name(record: &StepRecord<'_>) -> Option<String> {
    let tokens: u32 = record.chunks.iter().map(|chunk| chunk.new).sum();
    let decoding = record.running.len() - record.chunks.len().min(record.running.len());
    match (tokens, record.decodes) {
        (0, false) => None,
        (0, true) => Some(format!("tokens of {decoding} sequences")),
        (_, false) => Some(format!("{tokens} prompt tokens of {} requests", record.chunks.len())),
        (_, true) => Some(format!("{tokens} prompt tokens, tokens of {decoding} sequences")),
    }
}

fn routing(study: &SimulateStudy) -> Result<Routing, Diagnostic> {
    let name = study.routing.as_deref().unwrap_or(Routing::default().name());
    name.parse().map_err(|message: String| Diagnostic::error("routing-unknown", message))
}

fn first_token(study: &SimulateStudy) -> Result<FirstToken, Diagnostic> {
    match study.first_token.as_deref().unwrap_or("decode") {
        "decode" => Ok(FirstToken::Decode),
        "prefill" => Ok(FirstToken::Prefill),
        other => Err(Diagnostic::error("first-token", format!("`{other}` shows no first token"))
            .help("use prefill or decode")),
    }
}

/// Longest sequence: what the engine is started with, else what the model was made for.
fn context(study: &SimulateStudy, model: &vitruvian_model::Model) -> u32 {
    study.context.unwrap_or(model.max_context)
}

/// Simulates without anyone looking on, for those who only want figures.
///
/// # Errors
/// As [`vitruvian_serving::simulate`].
pub fn quietly(service: &mut Serving<'_>, requests: &Requests) -> Result<Outcome, Halt> {
    simulate_watched(service, requests, &mut Quiet)
}

impl Prepared {
    /// Chips of all replicas.
    fn chips(&self) -> u32 {
        self.layout.chips() * self.replicas
    }
}

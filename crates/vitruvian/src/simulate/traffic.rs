//! The requests of a study.

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText};
use vitruvian_event::stream;
use vitruvian_serving::Requests;
use vitruvian_serving::trace::{self, Columns};
use vitruvian_serving::workload::{Arrivals, Lengths, Sharing, Workload};

use super::study::{Arriving, Made, Recorded, SimulateStudy, Traffic};
use crate::study::Service;

/// Requests, and rows of the trace that were left out.
pub(super) struct Drawn {
    pub(super) requests: Requests,
    pub(super) skipped: usize,
}

/// Tokens of a unit of made-up contents: a multiple of every engine's block.
const UNIT: u32 = 128;

pub(super) fn requests(study: &SimulateStudy) -> Result<Drawn, Diagnostics> {
    match &study.traffic {
        Traffic::Recorded(recorded) => read(recorded, study.seed),
        Traffic::Made(made) => Ok(Drawn { requests: make(made, study)?, skipped: 0 }),
    }
}

fn read(recorded: &Recorded, seed: u64) -> Result<Drawn, Diagnostics> {
    let source = SourceText::new(recorded.path.as_str(), recorded.text.as_str());
    let columns = recorded.columns.as_deref().map(str::parse::<Columns>).transpose();
    let columns = columns.map_err(|message| Diagnostic::error("trace-columns", message))?;
    let trace = trace::read(&source, columns.as_ref(), recorded.lenient)?;
    let mut requests = trace.requests;
    if let Some(share) = recorded.sample {
        requests = requests.sampled(share, &mut stream(seed, "sample"));
    }
    if let Some(count) = recorded.requests {
        requests = requests.first(count as usize);
    }
    if let Some(speed) = recorded.speed {
        requests = requests.sped_up(speed);
    }
    if requests.is_empty() {
        let message = format!("the sample of `{}` holds no request", recorded.path);
        return Err(Diagnostic::error("trace-empty", message).help("sample a larger share").into());
    }
    Ok(Drawn { requests, skipped: trace.skipped })
}

fn make(made: &Made, study: &SimulateStudy) -> Result<Requests, Diagnostics> {
    let workload = Workload {
        requests: made.requests,
        arrivals: arrivals(&made.arriving),
        lengths: lengths(made, &study.service, study.seed)?,
        sharing: made.shared.map(|[groups, tokens]| Sharing { groups, tokens, unit: UNIT }),
        seed: study.seed,
    };
    Ok(workload.draw())
}

fn arrivals(arriving: &Arriving) -> Arrivals {
    match arriving.clone() {
        Arriving::Poisson(rate) => Arrivals::Poisson { rate },
        Arriving::Gamma(rate, cv) => Arrivals::Gamma { rate, cv },
        Arriving::Modulated(rates, hold) => Arrivals::Modulated { rates, hold },
        Arriving::Diurnal(rate, swing, period) => Arrivals::Diurnal { rate, swing, period },
        Arriving::Even(rate) => Arrivals::Even { rate },
        Arriving::Burst => Arrivals::Burst,
        Arriving::Closed(clients, think) => Arrivals::Closed { clients, think },
    }
}

fn lengths(made: &Made, service: &Service, seed: u64) -> Result<Lengths, Diagnostics> {
    let (input, output) = (service.input_tokens, service.output_tokens);
    if let Some(recorded) = &made.lengths_of {
        return Ok(Lengths::Observed(read(recorded, seed)?.requests.lengths()));
    }
    if let Some(sigma) = made.length_sigma {
        let (input, output) = (f64::from(input), f64::from(output));
        return Ok(Lengths::LogNormal { input, output, sigma, most: [u32::MAX / 4; 2] });
    }
    Ok(match made.range_ratio {
        Some(ratio) => Lengths::Uniform { input, output, ratio },
        None => Lengths::Fixed { input, output },
    })
}

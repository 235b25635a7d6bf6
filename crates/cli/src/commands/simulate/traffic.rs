//! Arguments that say what is asked of a service.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vitruvian::simulate::{Arriving, Made, Recorded, Traffic};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::io;

/// Where requests come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Traffic")]
pub(super) struct TrafficArgs {
    /// A recorded trace: Azure or BurstGPT CSV, Mooncake JSON lines, or another with --columns
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "clients", "lengths"])]
    trace: Option<PathBuf>,
    /// Columns of a trace: `azure`, `mooncake`, `burstgpt`, or `time=T,input=I,output=O` with, as needed, unit=s|ms|us,
    /// names=H, block=TOKENS, form=csv|jsonl
    #[arg(long, value_name = "MAP")]
    columns: Option<String>,
    /// Leave out rows of a trace that are wrong, and count them
    #[arg(long)]
    lenient: bool,
    /// Replay a trace at so many times its pace
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,
    /// Keep each request of a trace with this probability
    #[arg(long, value_name = "SHARE")]
    sample: Option<f64>,
    /// Number of requests: made-up ones, 1000 without it, or the first of a trace
    #[arg(long, value_name = "N")]
    requests: Option<u32>,
    /// Requests per second of made-up traffic; several rates, taken in turn, for --arrivals modulated
    #[arg(long, value_delimiter = ',', value_name = "RATE")]
    rate: Vec<f64>,
    /// Clients that each wait for their answer before the next request
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    clients: Option<u32>,
    /// Pause of a client between an answer and its next request, in seconds
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    think: f64,
    /// How made-up requests come
    #[arg(long, value_enum, default_value_t, value_name = "PROCESS")]
    arrivals: Process,
    /// Coefficient of variation of the gaps of --arrivals gamma
    #[arg(long, default_value_t = 2.0, value_name = "CV")]
    cv: f64,
    /// Swing of --arrivals diurnal, as a share of the mean rate
    #[arg(long, default_value_t = 0.5, value_name = "SHARE")]
    swing: f64,
    /// Period of --arrivals diurnal, or mean time of each rate of --arrivals modulated, in seconds
    #[arg(long, default_value_t = 600.0, value_name = "SECONDS")]
    period: f64,
    /// Draw pairs of lengths from this trace instead of --isl and --osl
    #[arg(long, value_name = "FILE")]
    lengths: Option<PathBuf>,
    /// Spread lengths evenly between this share of --isl and --osl and the whole
    #[arg(long, value_name = "SHARE", conflicts_with = "lengths")]
    range_ratio: Option<f64>,
    /// Spread lengths log-normally around --isl and --osl: standard deviations of the logarithms of both
    #[arg(long, value_name = "INPUT,OUTPUT", value_delimiter = ',', num_args = 1, conflicts_with_all = ["lengths", "range_ratio"])]
    length_sigma: Vec<f64>,
    /// Let made-up prompts begin alike: number of different beginnings, and tokens of each
    #[arg(long, value_name = "GROUPS,TOKENS", value_delimiter = ',', num_args = 1)]
    shared_prefix: Vec<u32>,
}

/// How made-up requests come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Process {
    /// Exponential gaps
    #[default]
    Poisson,
    /// Gamma gaps, burstier for a higher --cv
    Gamma,
    /// Poisson at one of several rates after another (MMPP)
    Modulated,
    /// Poisson at a rate that swings over a --period
    Diurnal,
    /// Equal gaps
    Even,
    /// All at the start
    Burst,
}

/// Requests of made-up traffic unless told otherwise.
const REQUESTS: u32 = 1000;

impl TrafficArgs {
    /// The traffic asked for, its files read.
    pub(super) fn traffic(&self) -> Result<Traffic, Diagnostics> {
        match &self.trace {
            Some(path) => Ok(Traffic::Recorded(Recorded {
                speed: self.speed,
                sample: self.sample,
                requests: self.requests,
                ..self.recorded(path)?
            })),
            None => Ok(Traffic::Made(self.made()?)),
        }
    }

    fn recorded(&self, path: &Path) -> Result<Recorded, Diagnostics> {
        let source = io::read_text(path)?;
        Ok(Recorded {
            path: source.name().to_owned(),
            text: source.text().to_owned(),
            columns: self.columns.clone(),
            lenient: self.lenient,
            ..Recorded::default()
        })
    }

    fn made(&self) -> Result<Made, Diagnostics> {
        Ok(Made {
            requests: self.requests.unwrap_or(REQUESTS),
            arriving: self.arriving()?,
            range_ratio: self.range_ratio,
            length_sigma: pair("--length-sigma", &self.length_sigma)?,
            lengths_of: self.lengths.as_deref().map(|path| self.recorded(path)).transpose()?,
            shared: pair("--shared-prefix", &self.shared_prefix)?,
        })
    }

    fn arriving(&self) -> Result<Arriving, Diagnostic> {
        if let Some(clients) = self.clients {
            return Ok(Arriving::Closed(clients, self.think));
        }
        let rate = || match self.rate[..] {
            [rate] => Ok(rate),
            [] => Err(Diagnostic::error("traffic", "nothing says how many requests come")
                .help("give --rate, --clients or --trace")),
            _ => Err(Diagnostic::error("traffic", "several rates are for --arrivals modulated")),
        };
        Ok(match self.arrivals {
            Process::Poisson => Arriving::Poisson(rate()?),
            Process::Gamma => Arriving::Gamma(rate()?, self.cv),
            Process::Modulated => Arriving::Modulated(self.rate.clone(), self.period),
            Process::Diurnal => Arriving::Diurnal(rate()?, self.swing, self.period),
            Process::Even => Arriving::Even(rate()?),
            Process::Burst => Arriving::Burst,
        })
    }
}

/// Two values, or none.
fn pair<T: Copy>(option: &str, values: &[T]) -> Result<Option<[T; 2]>, Diagnostic> {
    match values {
        [] => Ok(None),
        [one, other] => Ok(Some([*one, *other])),
        _ => Err(Diagnostic::error("traffic", format!("{option} takes two values, separated by a comma"))),
    }
}

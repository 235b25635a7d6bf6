//! Which columns of a trace say what.

use std::str::FromStr;

use vitruvian_diagnostics::{Diagnostic, SourceText, Span};

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A header and rows of values.
    #[default]
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// The columns of a trace, or the keys of its objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// How rows are written.
    pub form: Form,
    /// When a request comes: a number, or a date with a time of day.
    pub time: String,
    /// Seconds of one unit of a number of time.
    pub seconds: f64,
    /// Prompt tokens.
    pub input: String,
    /// Output tokens.
    pub output: String,
    /// Names of the contents of the prompt, unit by unit.
    pub names: Option<String>,
    /// Tokens of such a unit.
    pub unit: u32,
}

/// Traces that are known: name, form, columns of time, input, output and names, seconds of a unit of time, tokens of a unit.
pub const KNOWN: [(&str, Form, [&str; 4], f64, u32); 3] = [
    ("azure", Form::Csv, ["TIMESTAMP", "ContextTokens", "GeneratedTokens", ""], 1.0, 0),
    ("mooncake", Form::Jsonl, ["timestamp", "input_length", "output_length", "hash_ids"], 1e-3, 512),
    ("burstgpt", Form::Csv, ["Timestamp", "Request tokens", "Response tokens", ""], 1.0, 0),
];

impl Columns {
    /// The columns of a known trace.
    pub fn known(name: &str) -> Option<Self> {
        let (_, form, [time, input, output, names], seconds, unit) =
            KNOWN.into_iter().find(|(known, ..)| *known == name)?;
        let names = (!names.is_empty()).then(|| names.to_owned());
        let [time, input, output] = [time, input, output].map(str::to_owned);
        Some(Self { form, time, seconds, input, output, names, unit })
    }
}

impl FromStr for Columns {
    type Err = String;

    /// `azure`, `mooncake`, `burstgpt`, or `time=T,input=I,output=O` with, optionally, `unit=s|ms|us`, `names=H`, `block=512`
    /// and `form=csv|jsonl`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(known) = Self::known(text) {
            return Ok(known);
        }
        let mut columns = Self { seconds: 1.0, unit: 512, ..Self::default() };
        for part in text.split(',') {
            let (key, value) = part.split_once('=').ok_or_else(|| {
                format!("`{part}` is neither a known trace (azure, mooncake, burstgpt) nor `key=column`")
            })?;
            columns.set(key.trim(), value.trim())?;
        }
        for (key, value) in [("time", &columns.time), ("input", &columns.input), ("output", &columns.output)]
        {
            if value.is_empty() {
                return Err(format!("no column is named for `{key}`"));
            }
        }
        Ok(columns)
    }
}

impl Columns {
    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "time" => value.clone_into(&mut self.time),
            "input" => value.clone_into(&mut self.input),
            "output" => value.clone_into(&mut self.output),
            "names" => self.names = Some(value.to_owned()),
            "block" => {
                let tokens = value.parse().ok().filter(|tokens| *tokens > 0);
                self.unit = tokens.ok_or_else(|| format!("`block` is a number of tokens, not `{value}`"))?;
            }
            "unit" => self.seconds = unit(value)?,
            "form" => self.form = form(value)?,
            other => {
                return Err(format!(
                    "there is no `{other}`; use time, input, output, names, block, unit or form"
                ));
            }
        }
        Ok(())
    }
}

fn unit(name: &str) -> Result<f64, String> {
    match name {
        "s" => Ok(1.0),
        "ms" => Ok(1e-3),
        "us" => Ok(1e-6),
        other => Err(format!("a time is in s, ms or us, not `{other}`")),
    }
}

fn form(name: &str) -> Result<Form, String> {
    match name {
        "csv" => Ok(Form::Csv),
        "jsonl" => Ok(Form::Jsonl),
        other => Err(format!("rows are written as csv or jsonl, not `{other}`")),
    }
}

/// The known trace whose columns the first line has.
pub(super) fn recognise(source: &SourceText) -> Result<Columns, Diagnostic> {
    let first = source.text().lines().next().unwrap_or_default();
    let has =
        |[time, input, output, _]: [&str; 4]| [time, input, output].iter().all(|name| first.contains(name));
    let known = KNOWN.iter().find(|(.., columns, _, _)| has(*columns));
    known.and_then(|(name, ..)| Columns::known(name)).ok_or_else(|| {
        let message = format!("`{}` has the columns of no known trace", source.name());
        Diagnostic::error("trace-columns", message)
            .at(source, Span::new(0, first.len()), "the first line")
            .help("name them, as in `--columns time=arrived_at,input=prompt,output=answer,unit=s`")
    })
}

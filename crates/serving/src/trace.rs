//! Recorded streams of requests, from text: one row a request, in order of time.

mod clock;
mod columns;
mod csv;
mod jsonl;

use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};
use vitruvian_event::Instant;
use vitruvian_event::random::{Stream, uniform};

use crate::requests::{Prefixes, RequestId, Requests};

pub use columns::{Columns, Form, KNOWN};

/// A trace as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Its requests; the first comes at zero.
    pub requests: Requests,
    /// Rows left out because they are not as they should be.
    pub skipped: usize,
    /// The columns that were read.
    pub columns: Columns,
}

/// One row.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    /// Seconds.
    time: f64,
    input: u32,
    output: u32,
    names: Vec<u64>,
}

/// A row and where it stands, or what is wrong with it.
struct Placed {
    span: Span,
    row: Result<Row, String>,
}

/// Most mistakes that are told one by one.
const TOLD: usize = 20;

/// Reads a trace. Without `columns` the header or the first row says which of the known forms it is.
///
/// # Errors
/// Every row that is malformed, goes back in time or asks for less than one token, at its line (unless `lenient`, which
/// leaves them out and counts them); columns that are not there; a trace without a request.
pub fn read(source: &SourceText, columns: Option<&Columns>, lenient: bool) -> Result<Trace, Diagnostics> {
    let columns = match columns {
        Some(columns) => columns.clone(),
        None => columns::recognise(source)?,
    };
    let rows = match columns.form {
        Form::Csv => csv::rows(source, &columns)?,
        Form::Jsonl => jsonl::rows(source, &columns),
    };
    let mut builder = Builder { source, lenient, ..Builder::new(source, &columns) };
    rows.into_iter().for_each(|placed| builder.add(placed));
    builder.finish(columns)
}

struct Builder<'a> {
    source: &'a SourceText,
    lenient: bool,
    requests: Requests,
    first: Option<f64>,
    last: f64,
    faults: Vec<Diagnostic>,
    wrong: usize,
}

impl<'a> Builder<'a> {
    fn new(source: &'a SourceText, columns: &Columns) -> Self {
        let prefixes = Prefixes { unit: columns.unit, ..Prefixes::default() };
        let requests = Requests { prefixes, ..Requests::default() };
        Self { source, lenient: false, requests, first: None, last: 0.0, faults: Vec::new(), wrong: 0 }
    }

    fn add(&mut self, Placed { span, row }: Placed) {
        match row.and_then(|row| self.in_order(row)) {
            Ok(row) => self.push(&row),
            Err(message) => {
                self.wrong += 1;
                if !self.lenient && self.faults.len() < TOLD {
                    let fault = Diagnostic::error("trace-row", message);
                    self.faults.push(fault.at(self.source, span, "in this row"));
                }
            }
        }
    }

    fn in_order(&self, row: Row) -> Result<Row, String> {
        if self.first.is_some() && row.time < self.last {
            let back = self.last - row.time;
            return Err(format!(
                "the request comes {back:.3} s before the one above it: times must not go back"
            ));
        }
        Ok(row)
    }

    fn push(&mut self, row: &Row) {
        let first = *self.first.get_or_insert(row.time);
        self.last = row.time;
        self.requests.push(Instant::from_seconds(row.time - first), row.input, row.output);
        let prefixes = &mut self.requests.prefixes;
        prefixes.names.extend(&row.names);
        prefixes.ends.push(prefixes.names.len() as u32);
    }

    fn finish(mut self, columns: Columns) -> Result<Trace, Diagnostics> {
        if !self.lenient && self.wrong > 0 {
            let more = self.wrong - self.faults.len();
            if let Some(last) = self.faults.pop() {
                let help = match more {
                    0 => "correct the trace, or leave such rows out with --lenient".to_owned(),
                    more => format!("{more} more rows are wrong; --lenient leaves them all out"),
                };
                self.faults.push(last.help(help));
            }
            return Err(Diagnostics(self.faults));
        }
        if self.requests.is_empty() {
            let message = format!("`{}` holds no request", self.source.name());
            let help = match self.wrong {
                0 => "a trace has a row for each request".to_owned(),
                wrong => format!("all of its {wrong} rows were left out; without --lenient each says why"),
            };
            return Err(Diagnostic::error("trace-empty", message).help(help).into());
        }
        if self.requests.prefixes.is_empty() {
            self.requests.prefixes = Prefixes::default();
        }
        Ok(Trace { requests: self.requests, skipped: self.wrong, columns })
    }
}

/// A whole number of tokens, at least one.
fn tokens(name: &str, text: &str) -> Result<u32, String> {
    let number: f64 = text
        .trim()
        .parse()
        .map_err(|_| format!("`{name}` must be a whole number of tokens, not `{text}`"))?;
    tokens_of(name, number)
}

fn tokens_of(name: &str, number: f64) -> Result<u32, String> {
    if number.is_nan() || number.fract() != 0.0 {
        return Err(format!("`{name}` must be a whole number of tokens, not {number}"));
    }
    if number < 1.0 {
        return Err(format!("`{name}` must be at least one token, not {number}"));
    }
    if number > f64::from(u32::MAX / 4) {
        return Err(format!("`{name}` is {number} tokens: no model takes as many"));
    }
    Ok(number as u32)
}

impl Requests {
    /// The same requests at `speed` times the pace.
    #[must_use]
    pub fn sped_up(mut self, speed: f64) -> Self {
        self.arrivals.iter_mut().for_each(|at| *at = Instant::from_seconds(at.seconds() / speed));
        self
    }

    /// Each request with probability `share`.
    #[must_use]
    pub fn sampled(&self, share: f64, stream: &mut Stream) -> Self {
        let kept: Vec<usize> = (0..self.len()).filter(|_| uniform(stream) < share).collect();
        self.chosen(&kept)
    }

    /// The first `count` requests.
    #[must_use]
    pub fn first(&self, count: usize) -> Self {
        self.chosen(&(0..count.min(self.len())).collect::<Vec<_>>())
    }

    fn chosen(&self, kept: &[usize]) -> Self {
        let mut chosen = Self { clients: self.clients, think: self.think, ..Self::default() };
        chosen.prefixes.unit = self.prefixes.unit;
        for index in kept {
            chosen.push(self.arrivals[*index], self.inputs[*index], self.outputs[*index]);
            if !self.prefixes.is_empty() {
                chosen.prefixes.names.extend(self.prefixes.of(RequestId(*index as u32)));
                chosen.prefixes.ends.push(chosen.prefixes.names.len() as u32);
            }
        }
        chosen
    }

    /// Lengths of all requests, to draw others from.
    pub fn lengths(&self) -> Vec<(u32, u32)> {
        self.inputs.iter().copied().zip(self.outputs.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use vitruvian_event::stream;

    use super::*;

    fn source(text: &str) -> SourceText {
        SourceText::new("trace", text)
    }

    #[test]
    fn azure_rows_carry_dates() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-30 23:59:59.5000000,374,44\n2023-12-01 00:00:01.2500000,396,109\n";
        let trace = read(&source(text), None, false).unwrap();
        assert_eq!(trace.requests.arrivals, [0.0, 1.75].map(Instant::from_seconds));
        assert_eq!(
            (&trace.requests.inputs[..], &trace.requests.outputs[..]),
            (&[374, 396][..], &[44, 109][..])
        );
    }

    #[test]
    fn mooncake_rows_carry_names_of_their_contents() {
        let text = "{\"timestamp\": 500, \"input_length\": 600, \"output_length\": 5, \"hash_ids\": [7, 8]}\n{\"timestamp\": 1500, \"input_length\": 512, \"output_length\": 1, \"hash_ids\": [7]}\n";
        let requests = read(&source(text), None, false).unwrap().requests;
        assert_eq!(requests.arrivals[1], Instant::from_seconds(1.0));
        assert_eq!((requests.prefixes.unit, requests.prefixes.of(RequestId(0))), (512, &[7u64, 8][..]));
    }

    #[test]
    fn burstgpt_rows_are_recognised_and_others_are_mapped() {
        let text = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,1,2,ChatGPT,472,18,490,Conversation log\n";
        assert_eq!(read(&source(text), None, false).unwrap().requests.lengths(), [(472, 18)]);
        let columns: Columns = "time=t,input=p,output=o,unit=ms".parse().unwrap();
        let own = read(&source("p,o,t\n9,3,0\n8,2,250\n"), Some(&columns), false).unwrap();
        assert_eq!(own.requests.arrivals[1], Instant::from_seconds(0.25));
    }

    #[test]
    fn every_wrong_row_is_told_at_its_line() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n5.0,10,2\n4.0,10,2\n6.0,-3,2\n7.0,x,2\n8.0,5,0\n9.0,5\n";
        let faults = read(&source(text), None, false).unwrap_err();
        let told: Vec<(usize, String)> = faults
            .0
            .iter()
            .map(|fault| {
                (fault.labels[0].source.line_column(fault.labels[0].span.start).0, fault.message.clone())
            })
            .collect();
        assert_eq!(told.len(), 5);
        let lines: Vec<usize> = told.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [3, 4, 5, 6, 7]);
        assert!(told[0].1.contains("go back") && told[1].1.contains("-3") && told[2].1.contains("`x`"));
        let lenient = read(&source(text), None, true).unwrap();
        assert_eq!((lenient.requests.len(), lenient.skipped), (1, 5));
    }

    #[test]
    fn a_trace_without_requests_is_refused() {
        let text = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
        assert_eq!(read(&source(text), None, false).unwrap_err().0[0].code, "trace-empty");
        assert!(read(&source(""), None, false).is_err());
        assert!(read(&source("a,b\n1,2\n"), None, false).unwrap_err().to_string().contains("columns"));
    }

    #[test]
    fn a_sample_keeps_names_with_their_requests() {
        let row = |i| {
            format!(
                "{{\"timestamp\": {i}, \"input_length\": 512, \"output_length\": {}, \"hash_ids\": [{i}]}}\n",
                i + 1
            )
        };
        let text = (0..100).map(row).collect::<Vec<_>>().concat();
        let requests = read(&source(&text), None, false).unwrap().requests;
        let sample = requests.sampled(0.5, &mut stream(1, "test"));
        assert!(sample.len() > 30 && sample.len() < 70);
        for index in 0..sample.len() {
            assert_eq!(sample.prefixes.of(RequestId(index as u32)), [u64::from(sample.outputs[index] - 1)]);
        }
        assert_eq!(requests.clone().sped_up(2.0).arrivals[99], Instant::from_seconds(0.0495));
    }
}

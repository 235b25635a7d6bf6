//! Reading a table of serving points.

use csv::{ReaderBuilder, StringRecord, Trim};
use vitruvian_diagnostics::{Diagnostic, Diagnostics, SourceText, Span};

/// One measured point of a closed loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Identifier in the table.
    pub id: String,
    /// Engine as the table names it.
    pub backend: String,
    /// Model as the table names it: `org/name`.
    pub model: String,
    /// Chip as the table names it: `h200_sxm`.
    pub system: String,
    /// Format of the dense products: `fp8`, `fp8_block`, `bf16`.
    pub gemm: String,
    /// Format of the experts.
    pub moe: String,
    /// Whether prefill and decode run on the same chips.
    pub aggregated: bool,
    /// Prompt tokens.
    pub isl: u32,
    /// Generated tokens.
    pub osl: u32,
    /// Clients: of one data-parallel attention group of an aggregated point, else of all workers; zero where not stated.
    pub batch: u32,
    /// Workers that do everything, or those that prefill.
    pub workers: Workers,
    /// Workers that decode, where others prefill.
    pub decoders: Option<Workers>,
    /// Measured mean time to first token.
    pub ttft_ms: f64,
    /// Measured mean time per output token.
    pub tpot_ms: f64,
}

/// Equal workers of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers {
    /// How many; zero where the table does not say.
    pub count: u32,
    /// Tensor-parallel degree.
    pub tp: u32,
    /// Pipeline-parallel degree.
    pub pp: u32,
    /// Data-parallel attention degree.
    pub dp: u32,
    /// Ranks that slice each expert.
    pub moe_tp: u32,
    /// Expert-parallel degree.
    pub ep: u32,
}

/// Columns without which a point cannot be predicted.
const NEEDED: [&str; 10] = [
    "backend",
    "model_path",
    "system",
    "mode",
    "isl",
    "osl",
    "batch_size",
    "tp_size",
    "silicon_ttft_ms",
    "silicon_tpot_ms",
];

/// Reads every row.
///
/// # Errors
/// Missing columns; every row whose numbers are not numbers, with its line.
pub(super) fn read(source: &SourceText) -> Result<Vec<Point>, Diagnostics> {
    let mut reader = ReaderBuilder::new().trim(Trim::All).from_reader(source.text().as_bytes());
    let header = reader.headers().map_err(|error| csv_fault(source, &error))?.clone();
    let missing: Vec<&str> =
        NEEDED.into_iter().filter(|name| !header.iter().any(|column| column == *name)).collect();
    if !missing.is_empty() {
        return Err(Diagnostic::error("serving-columns", format!("no column {}", missing.join(", ")))
            .at(source, Span::new(0, source.text().find('\n').unwrap_or(0)), "the header")
            .into());
    }
    let (mut points, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(|error| csv_fault(source, &error))?;
        match (Line { header: &header, record: &record }).point() {
            Ok(point) => points.push(point),
            Err(message) => faults.push(line_fault(source, &record, message)),
        }
    }
    if faults.is_empty() { Ok(points) } else { Err(Diagnostics(faults)) }
}

struct Line<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
}

impl Line<'_> {
    fn point(&self) -> Result<Point, String> {
        let aggregated = self.text("mode") == "agg";
        Ok(Point {
            id: self.text("id").to_owned(),
            backend: self.text("backend").to_owned(),
            model: self.text("model_path").to_owned(),
            system: self.text("system").to_owned(),
            gemm: self.text("gemm_quant_mode").to_owned(),
            moe: self.text("moe_quant_mode").to_owned(),
            aggregated,
            isl: self.count("isl", 0)?,
            osl: self.count("osl", 0)?,
            batch: if aggregated { self.count("batch_size", 1)? } else { self.clients() },
            workers: self.workers(if aggregated { "" } else { "prefill_" })?,
            decoders: if aggregated { None } else { Some(self.workers("decode_")?) },
            ttft_ms: self.number("silicon_ttft_ms")?,
            tpot_ms: self.number("silicon_tpot_ms")?,
        })
    }

    /// The workers whose columns begin so. Only those of separated prefill and decode come in numbers.
    fn workers(&self, prefix: &str) -> Result<Workers, String> {
        // Where prefill and decode are apart, some rows write zero for a degree that does not apply.
        let degree = |name: &str| {
            let name = format!("{prefix}{name}");
            let none = !prefix.is_empty() && self.text(&name).parse() == Ok(0.0);
            if none { Ok(1) } else { self.count(&name, 1) }
        };
        let workers = format!("{prefix}num_workers");
        let count = match prefix {
            "" => 1,
            _ if self.text(&workers).is_empty() => 0,
            _ => self.count(&workers, 0)?,
        };
        Ok(Workers {
            count,
            tp: degree("tp_size")?,
            pp: degree("pp_size")?,
            dp: degree("attention_dp_size")?,
            moe_tp: degree("moe_tp_size")?,
            ep: degree("moe_ep_size")?,
        })
    }

    /// Clients of a row of separated prefill and decode: the `_c64_` of its identifier, zero without.
    fn clients(&self) -> u32 {
        let mut parts = self.text("id").split('_').filter_map(|part| part.strip_prefix('c'));
        parts.find_map(|number| number.parse().ok()).unwrap_or(0)
    }

    fn text(&self, name: &str) -> &str {
        let index = self.header.iter().position(|column| column == name);
        index.and_then(|index| self.record.get(index)).unwrap_or("")
    }

    fn number(&self, name: &str) -> Result<f64, String> {
        let text = self.text(name);
        let number = text.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0);
        number.ok_or_else(|| format!("`{name}` must be a positive number, not `{text}`"))
    }

    /// A whole number, which some writers give as `8.0`; an empty cell is `default` if that is not zero.
    fn count(&self, name: &str, default: u32) -> Result<u32, String> {
        if self.text(name).is_empty() && default > 0 {
            return Ok(default);
        }
        let number = self.number(name)?;
        let whole = number.fract() == 0.0 && number <= f64::from(u32::MAX);
        if whole { Ok(number as u32) } else { Err(format!("`{name}` must be a whole number, not {number}")) }
    }
}

fn line_fault(source: &SourceText, record: &StringRecord, message: String) -> Diagnostic {
    let start = record.position().map_or(0, |at| at.byte() as usize);
    let end = source.text()[start..].find('\n').map_or(source.text().len(), |length| start + length);
    Diagnostic::error("serving-row", message).at(source, Span::new(start, end), "in this row")
}

fn csv_fault(source: &SourceText, error: &csv::Error) -> Diagnostic {
    let start = error.position().map_or(0, |at| at.byte() as usize);
    Diagnostic::error("serving-csv", error.to_string()).at(source, Span::new(start, start), "")
}

//! Measured tables: a CSV text or a parquet file, its kind told from its columns.

pub mod csv;
pub mod parquet;
pub mod sheet;

use std::collections::BTreeMap;

use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::exchange::Exchange;
use crate::measurement::{Measurement, Software};
use crate::reader::{Kind, Reading};

pub use csv::read_csv;
pub use parquet::read_parquet;
pub use sheet::{Line, Row, Sheet};

/// The measurements of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The file, as a person knows it.
    pub name: String,
    /// What it measures.
    pub kind: Kind,
    /// Its rows, in file order.
    pub measurements: Vec<Measurement>,
    /// Its rows that are collectives, in file order.
    pub exchanges: Vec<Exchange>,
    /// Rows left out: reason and number.
    pub skipped: BTreeMap<&'static str, usize>,
}

impl Table {
    /// The software that was measured, if the table says: one table has one.
    pub fn software(&self) -> Option<&Software> {
        self.measurements.first().and_then(|row| row.software.as_ref())
    }
}

/// Mistakes named one by one before the rest is counted.
const NAMED_FAULTS: usize = 20;

/// Reads each row of a sheet as the kind of table that its columns make it.
pub(crate) fn interpret(sheet: &Sheet) -> Result<Table, Diagnostics> {
    let kind = Kind::of(sheet).ok_or_else(|| sheet.fault(None, Kind::unknown(sheet)))?;
    let mut table = Table {
        name: sheet.name.clone(),
        kind,
        measurements: Vec::new(),
        exchanges: Vec::new(),
        skipped: BTreeMap::new(),
    };
    let mut faults: Vec<(&Line, String)> = Vec::new();
    for line in &sheet.lines {
        let row = Row { sheet, line };
        match kind.read(&row) {
            Ok(Reading::Point(measurement)) => table.measurements.push(*measurement),
            Ok(Reading::Exchange(exchange)) => table.exchanges.push(exchange),
            Ok(Reading::Skip(reason)) => *table.skipped.entry(reason).or_default() += 1,
            Err(why) => faults.push((line, why)),
        }
    }
    if faults.is_empty() { Ok(table) } else { Err(named(sheet, &faults)) }
}

/// The first row of each mistake, and how many rows are left unnamed.
fn named(sheet: &Sheet, faults: &[(&Line, String)]) -> Diagnostics {
    let mut seen: Vec<&str> = Vec::new();
    let mut named = Vec::new();
    for (line, why) in faults {
        if named.len() < NAMED_FAULTS && !seen.contains(&why.as_str()) {
            seen.push(why);
            named.push(sheet.fault(Some(line), why));
        }
    }
    let rest = faults.len() - named.len();
    if rest > 0 {
        named.push(Diagnostic::error("table-row", format!("and {rest} more rows like these")));
    }
    Diagnostics(named)
}

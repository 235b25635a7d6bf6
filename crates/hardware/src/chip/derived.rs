//! Derived figures as rows, each with its arithmetic, to be shown beside those of the file.

use vitruvian_quantity::significant;

use crate::chip::{Chip, Peak};
use crate::provenance::{Figure, Grade, Provenance};

impl Chip {
    /// Peaks, ridge points and L2 bandwidth per core, by number format, with the arithmetic in the note.
    pub fn derived_figures(&self) -> Vec<Figure> {
        let mut rows: Vec<Figure> = self.peaks().iter().flat_map(|peak| self.rows(peak)).collect();
        let note = format!("{:.4} / {} cores", self.l2.read_bandwidth, self.compute.cores);
        let per_core = self.l2_read_per_core();
        rows.push(row("l2_read_per_core".to_owned(), format!("{per_core:.4}"), per_core.get(), note));
        rows
    }

    fn rows(&self, peak: &Peak) -> Vec<Figure> {
        let dtype = peak.dtype;
        let rate = self.compute.matrix.get(dtype);
        let at = |clock| format!("{} cores × {rate} FLOP/cycle × {clock:.4}", self.compute.cores);
        let mut rows = Vec::new();
        if rate > 0.0 {
            let (matrix, sustained) = (peak.matrix, peak.sustained);
            rows.push(row(
                format!("peak.{dtype}"),
                format!("{matrix:.4}"),
                matrix.get(),
                at(self.compute.clock),
            ));
            let note = at(self.compute.sustained_clock);
            rows.push(row(
                format!("sustained_peak.{dtype}"),
                format!("{sustained:.4}"),
                sustained.get(),
                note,
            ));
            let note = format!("{matrix:.4} / {:.4}", self.hbm.bandwidth);
            let ridge = format!("{} FLOP/B", significant(peak.ridge, 4));
            rows.push(row(format!("ridge.{dtype}"), ridge, peak.ridge, note));
        }
        if self.vector.rates.supports(dtype) {
            let rate = self.vector.rates.get(dtype);
            let note = format!("{} units × {rate} FLOP/cycle × {:.4}", self.vector.units, self.vector.clock);
            rows.push(row(
                format!("vector_peak.{dtype}"),
                format!("{:.4}", peak.vector),
                peak.vector.get(),
                note,
            ));
        }
        rows
    }
}

fn row(key: String, value: String, number: f64, note: String) -> Figure {
    let provenance = Provenance { note: Some(note), ..Provenance::new("ARITHMETIC", Grade::Derived) };
    Figure { key, value, number: Some(number), provenance }
}

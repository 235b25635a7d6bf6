//! Statistics of a calibration pass in a safetensors file: `WEIGHT.abs_max`, `WEIGHT.gram` and so on, named by the first
//! weight that reads an input. Read one input at a time, so that a model that cannot be run here can be compressed.

use serde_json::{Map, Value, json};
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use crate::Matrix;
use crate::checkpoint::{Checkpoint, Stored};
use crate::forward::{Detail, InputStatistics, Network};

use super::observe::observe;

/// What a file holds of every input.
const PARTS: [&str; 5] = ["tokens", "abs_max", "abs_sum", "energy", "gram"];

/// Layers that read what another one reads, under whose name the statistics lie.
const SHARED: [(&str, &str); 3] = [("k_proj", "q_proj"), ("v_proj", "q_proj"), ("up_proj", "gate_proj")];

/// Faults that are told at once, at most: a file of another model has hundreds.
const TOLD: usize = 8;

/// Recorded statistics that fit a model.
pub struct Recorded {
    file: Checkpoint,
}

impl Recorded {
    /// Checks every shape of a file against the model's weights.
    ///
    /// # Errors
    /// Tensors that are no statistics, belong to no weight, have another shape or are missing, by name.
    pub fn new(file: Checkpoint, model: &Checkpoint) -> Result<Self, Diagnostics> {
        let mut faults: Vec<Diagnostic> =
            file.tensors().iter().filter_map(|(name, tensor)| fault(name, tensor, model)).collect();
        for weight in file.tensors().keys().filter_map(|name| name.strip_suffix(".abs_max")) {
            let missing = PARTS.iter().map(|part| format!("{weight}.{part}"));
            let missing = missing.filter(|name| !file.tensors().contains_key(name));
            faults.extend(missing.map(|name| unfit(format!("`{name}` is missing"))));
        }
        faults.truncate(TOLD);
        if faults.is_empty() { Ok(Self { file }) } else { Err(Diagnostics(faults)) }
    }

    /// Statistics of the input of a weight.
    ///
    /// # Errors
    /// None recorded; a number that is not finite; a file that cannot be read.
    pub fn of(&self, weight: &str) -> Result<InputStatistics, String> {
        let holds = |name: &str| self.file.tensors().contains_key(&format!("{name}.abs_max"));
        let shared = SHARED.iter().map(|(other, first)| weight.replace(other, first));
        let name = std::iter::once(weight.to_owned()).chain(shared).find(|name| holds(name));
        let name = name.ok_or_else(|| format!("no statistics of the input of `{weight}` are recorded"))?;
        let read = |part: &str| self.part(&format!("{name}.{part}"));
        let mut parts =
            PARTS.into_iter().map(|part| Ok((part, read(part)?))).collect::<Result<Vec<_>, String>>()?;
        InputStatistics::from_matrices(|part| {
            let at = parts.iter().position(|(name, _)| *name == part)?;
            Some(parts.swap_remove(at).1)
        })
    }

    fn part(&self, name: &str) -> Result<Matrix, String> {
        let matrix = self.file.matrix(name).map_err(|error| error.message)?;
        match matrix.first_not_finite() {
            None => Ok(matrix),
            Some((_, _, value)) => Err(format!("`{name}` holds {value}")),
        }
    }
}

/// Runs a model on some sequences of tokens and gives the bytes of the file.
///
/// # Errors
/// What the forward pass refuses.
pub fn record(network: &dyn Network, sequences: &[Vec<u32>]) -> Result<Vec<u8>, String> {
    let (mut entries, mut data) = (Map::new(), Vec::new());
    for (weight, statistics) in observe(network, sequences, Detail::Gram)? {
        for (part, matrix) in statistics.matrices() {
            let start = data.len();
            data.extend(matrix.data.iter().flat_map(|value| value.to_le_bytes()));
            let shape = if part == "gram" { vec![matrix.rows, matrix.cols] } else { vec![matrix.cols] };
            let entry = json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
            entries.insert(format!("{weight}.{part}"), entry);
        }
    }
    let mut text = Value::Object(entries).to_string().into_bytes();
    text.resize(text.len().next_multiple_of(8), b' ');
    Ok([&(text.len() as u64).to_le_bytes()[..], &text, &data].concat())
}

fn fault(name: &str, tensor: &Stored, model: &Checkpoint) -> Option<Diagnostic> {
    let Some((weight, part)) = name.rsplit_once('.').filter(|(_, part)| PARTS.contains(part)) else {
        return Some(unfit(format!("`{name}` is no statistic of an input")));
    };
    let Some(stored) = model.tensors().get(weight) else {
        return Some(unfit(format!("`{name}` belongs to no weight of this model")));
    };
    let channels = stored.matrix().1;
    let wanted = match part {
        "tokens" => vec![1],
        "gram" => vec![channels, channels],
        _ => vec![channels],
    };
    let message = format!("`{name}` has the shape {:?}, this model wants {wanted:?}", tensor.shape);
    (tensor.shape != wanted).then(|| unfit(message))
}

fn unfit(message: String) -> Diagnostic {
    Diagnostic::error("statistics-unfit", message)
        .help("record the statistics of this checkpoint with --record, or name its own file")
}

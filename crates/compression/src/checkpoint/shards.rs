//! The files of a checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;

use serde_json::Value;
use vitruvian_diagnostics::{Diagnostic, Diagnostics};

use super::source::{Folder, Source};
use super::{File, Stored, gguf, safetensors};

const INDEX: &str = "model.safetensors.index.json";

/// Texts beside a checkpoint are read whole; an index of a large model has some megabytes.
const LONGEST_TEXT: u64 = 256 << 20;

type Opened = (Vec<File>, BTreeMap<String, Stored>);

/// A JSON file of the folder, if it is there.
pub(super) fn json(folder: &dyn Folder, name: &str) -> Result<Option<Value>, Diagnostic> {
    if !folder.names().iter().any(|found| found == name) {
        return Ok(None);
    }
    let source = opened(folder, name)?;
    let size = source.size();
    if size > LONGEST_TEXT {
        return Err(Diagnostic::error(
            "checkpoint-json",
            format!("`{name}` has {size} bytes, too many for a text"),
        ));
    }
    let mut bytes = vec![0; size as usize];
    source.read_at(0, &mut bytes).map_err(|error| unreadable(name, &error))?;
    let parsed = serde_json::from_slice(&bytes);
    parsed
        .map(Some)
        .map_err(|error| Diagnostic::error("checkpoint-json", format!("`{name}` is not valid JSON: {error}")))
}

/// Opens the files and reads their headers.
pub(super) fn open(folder: &dyn Folder) -> Result<Opened, Diagnostics> {
    let names = folder.names();
    let ending = |end: &str| names.iter().filter(|name| name.ends_with(end)).cloned().collect::<Vec<_>>();
    let index = json(folder, INDEX)?;
    let (shards, ggufs) = (ending(".safetensors"), ending(".gguf"));
    match (index, &shards[..], &ggufs[..]) {
        (Some(index), _, _) => of_index(folder, &index),
        (None, [], []) => Err(no_weights(&names).into()),
        (None, [], [name]) => all_of(folder, std::slice::from_ref(name), gguf::header),
        (None, [], several) => Err(Diagnostic::error(
            "checkpoint-files",
            format!("the folder has {} GGUF files: {}", several.len(), several.join(", ")),
        )
        .help("name the one to read")
        .into()),
        (None, shards, _) => all_of(folder, shards, safetensors::header),
    }
}

fn no_weights(names: &[String]) -> Diagnostic {
    let fault = Diagnostic::error("checkpoint-missing", "the folder has no *.safetensors and no *.gguf");
    let pickled = |name: &&String| {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        matches!(ending, Some("bin" | "pt" | "pth"))
    };
    match names.iter().find(pickled) {
        Some(name) => {
            fault.help(format!("`{name}` is a pickle, which can run code; convert it to safetensors first"))
        }
        None => fault,
    }
}

/// The shards that an index names; each tensor must be where it says.
fn of_index(folder: &dyn Folder, index: &Value) -> Result<Opened, Diagnostics> {
    let Some(map) = index.get("weight_map").and_then(Value::as_object) else {
        return Err(
            Diagnostic::error("checkpoint-index", format!("`{INDEX}` has no object `weight_map`")).into()
        );
    };
    let shards: BTreeSet<&str> = map.values().filter_map(Value::as_str).collect();
    let present: BTreeSet<String> = folder.names().into_iter().collect();
    let missing: Vec<Diagnostic> = shards
        .iter()
        .filter(|shard| !present.contains(**shard))
        .map(|shard| {
            let count = map.values().filter(|file| file.as_str() == Some(shard)).count();
            Diagnostic::error(
                "checkpoint-shard",
                format!("the shard `{shard}` with {count} tensors is missing"),
            )
            .help(format!("`{INDEX}` names it; download it again"))
        })
        .collect();
    if !missing.is_empty() {
        return Err(Diagnostics(missing));
    }
    let names: Vec<String> = shards.iter().map(ToString::to_string).collect();
    let (files, tensors) = all_of(folder, &names, safetensors::header)?;
    let lost = map.iter().filter(|(name, file)| {
        tensors.get(*name).is_none_or(|tensor| Some(files[tensor.file].name.as_str()) != file.as_str())
    });
    let lost: Vec<&str> = lost.map(|(name, _)| name.as_str()).collect();
    match lost.first() {
        None => Ok((files, tensors)),
        Some(first) => Err(Diagnostic::error(
            "checkpoint-index",
            format!("{} tensors are not in the shard that `{INDEX}` names, first `{first}`", lost.len()),
        )
        .into()),
    }
}

/// A reader of headers: the tensors of one file.
type Header = fn(&str, usize, &dyn Source) -> Result<Vec<(String, Stored)>, Diagnostic>;

fn all_of(folder: &dyn Folder, names: &[String], header: Header) -> Result<Opened, Diagnostics> {
    let (mut files, mut tensors, mut faults) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (index, name) in names.iter().enumerate() {
        let read = opened(folder, name).and_then(|source| Ok((header(name, index, &*source)?, source)));
        match read {
            Err(fault) => faults.push(fault),
            Ok((found, source)) => {
                for (tensor, stored) in found {
                    if tensors.insert(tensor.clone(), stored).is_some() {
                        faults.push(Diagnostic::error(
                            "checkpoint-twice",
                            format!("`{name}` holds `{tensor}` again"),
                        ));
                    }
                }
                files.push(File { name: name.clone(), source });
            }
        }
    }
    if faults.is_empty() { Ok((files, tensors)) } else { Err(Diagnostics(faults)) }
}

fn opened(folder: &dyn Folder, name: &str) -> Result<Box<dyn Source>, Diagnostic> {
    folder.open(name).map_err(|error| unreadable(name, &error))
}

pub(super) fn unreadable(name: &str, error: &std::io::Error) -> Diagnostic {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            Diagnostic::error("checkpoint-truncated", format!("`{name}` ends before its header says"))
        }
        _ => Diagnostic::error("checkpoint-unreadable", format!("`{name}` cannot be read: {error}")),
    }
}
